"""The state of a run as of any event: the nearest checkpoint before it, folded on to it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from runline.fold.apply import apply
from runline.fold.checkpoint import decode_fold, encode_fold
from runline.fold.snapshot import RunState, snapshot
from runline.fold.state import RunFold
from runline.model.errors import Invalid
from runline.store import events, steps
from runline.store.locate import Located
from runline.store.search import Where

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore

_PAGE = 1000


def pack(fold: RunFold) -> bytes:
    """The fold as it is kept; it must hold all its steps and open calls."""
    return zlib.compress(encode_fold(fold), 1)


def unpack(state: bytes) -> RunFold | None:
    """The fold that was kept; None when it is damaged or another version's, for it can be made anew."""
    try:
        return decode_fold(zlib.decompress(state))
    except (zlib.error, msgspec.MsgspecError):
        return None


def spacing(state_bytes: int) -> int:
    """Events between checkpoints: 1,000 while small, up to 10,000, and never above 30 bytes an event."""
    return max(1_000, min(10_000, state_bytes // 4), state_bytes // 30)


def state(store: SqlStore, run_id: str, *, at_seq: int | None) -> RunState:
    """Now (from the rows), or as of event `at_seq`. Raises Invalid when the run has no such event."""
    if at_seq is None:
        return snapshot(steps.whole(store, run_id))
    found = store.locate(run_id)
    if not 1 <= at_seq <= found.last_seq:
        raise Invalid(
            f"Run {run_id} has no event {at_seq}; it has 1 to {found.last_seq}.",
            fields={"at_seq": "no such event"},
        )
    rows = store.engine.query(
        "SELECT state FROM checkpoints WHERE run = ? AND seq <= ? ORDER BY seq DESC LIMIT 1",
        (found.run, at_seq),
    )
    fold = (unpack(rows[0][0]) if rows else None) or RunFold(run_id, found.started_at_ms)
    for _ in fold_on(store, found, fold, at_seq):
        pass
    return snapshot(fold)


def replay(store: SqlStore, run_id: str, *, to_seq: int | None) -> Iterator[RunState]:
    """The state after each event, from the first on."""
    found = store.locate(run_id)
    fold = RunFold(run_id, found.started_at_ms)
    for _ in fold_on(store, found, fold, found.last_seq if to_seq is None else min(to_seq, found.last_seq)):
        yield snapshot(fold)


def fold_on(store: SqlStore, found: Located, fold: RunFold, to_seq: int) -> Iterator[int]:
    """Applies the stored events after `fold.last_seq` up to `to_seq`; yields each seq."""
    while fold.last_seq < to_seq:
        batch = events.page(store, fold.run_id, found, Where(), fold.last_seq, to_seq, "asc", _PAGE)
        if not batch:
            store.locate(fold.run_id)  # raises: it was pruned meanwhile
            return
        for event in batch:
            apply(fold, event, event.seq)
            fold.touched.clear()
            yield event.seq
