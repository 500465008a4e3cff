"""Reading the log: pages, seqs, scans in slices. Nothing here ever loads a whole run."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from runline.model.errors import Invalid
from runline.model.event import Event
from runline.store.codes import LEVEL_NAMES
from runline.store.engine import Row
from runline.store.locate import Located
from runline.store.search import EventFilter, Where, event_where

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore

MAX_PAGE = 1000
_SLICE = 20_000
"""Events looked at in one read while scanning text: some 10 ms, so no reader holds the log long."""
_INDEX_PAGE = 50_000
_COLUMNS = "seq, id, ts, level, type, step, source, message, correlation_id, data"


class Hits(Struct, frozen=True):
    """A piece of a search: everything up to `scanned_seq` of `last_seq` has been looked at."""

    seqs: array[int]
    scanned_seq: int
    last_seq: int


def read(
    store: SqlStore,
    run_id: str,
    wanted: EventFilter,
    *,
    after_seq: int = 0,
    before_seq: int | None = None,
    order: Literal["asc", "desc"] = "asc",
    limit: int = 100,
) -> list[Event]:
    """The first `limit` matching events with `after_seq` < seq < `before_seq`, from the end of `order`."""
    if order not in ("asc", "desc"):
        raise Invalid(f"{order[:60]!r} is no order; asc or desc.", fields={"order": "unknown"})
    found = store.locate(run_id)
    where = event_where(wanted, store.codes, store.direct, found.run, found.started_at_ms)
    low, high = _bounds(found, after_seq, before_seq)
    if not wanted.scans:
        return page(store, run_id, found, where, low, high, order, limit)
    events: list[Event] = []
    while low < high and len(events) < limit:
        if order == "asc":
            upto = min(high, low + _SLICE)
            events += page(store, run_id, found, where, low, upto, order, limit - len(events))
            low = upto
        else:
            down = max(low, high - _SLICE)
            events += page(store, run_id, found, where, down, high, order, limit - len(events))
            high = down
    return events


def _bounds(found: Located, after_seq: int, before_seq: int | None) -> tuple[int, int]:
    """Within the log, however far off a caller's numbers are: (exclusive, inclusive)."""
    high = found.last_seq if before_seq is None else min(found.last_seq, before_seq - 1)
    return min(max(0, after_seq), found.last_seq), max(0, high)


def page(
    store: SqlStore, run_id: str, found: Located, where: Where, low: int, high: int, order: str, limit: int
) -> list[Event]:
    rows = store.engine.query(
        f"SELECT {_COLUMNS} FROM events WHERE run = :run AND seq > :low AND seq <= :high AND {where.sql} "
        f"ORDER BY seq {order} LIMIT :limit",
        {"run": found.run, "low": low, "high": high, "limit": limit, **where.parameters},
    )
    return to_events(store, run_id, found.run, found.started_at_ms, rows)


def to_events(store: SqlStore, run_id: str, run: int, started_at_ms: int, rows: list[Row]) -> list[Event]:
    """Rows of the log (`_COLUMNS`) as events; codes become names."""
    types, sources = store.codes.names("types"), store.codes.names("sources")
    steps = store.step_names(run, {row[5] for row in rows})
    events = []
    for seq, id_, ts, level, type_, step, source, message, correlation_id, data in rows:
        elapsed = ts - started_at_ms
        events.append(
            Event(
                id_,
                run_id,
                seq,
                ts,
                types.get(type_) or store.codes.name("types", type_),
                LEVEL_NAMES[level],
                steps[step],
                None if source is None else sources.get(source) or store.codes.name("sources", source),
                message,
                correlation_id,
                data,
                max(0, elapsed),
            )
        )
    return events


def index(store: SqlStore, run_id: str, wanted: EventFilter, *, after_seq: int = 0) -> Iterator[Hits]:
    """The seqs of all matching events, ascending, in pieces as they are found, with the progress made."""
    found = store.locate(run_id)
    where = event_where(wanted, store.codes, store.direct, found.run, found.started_at_ms)
    step = _SLICE if wanted.scans else _INDEX_PAGE
    low, _ = _bounds(found, after_seq, None)
    while True:
        high = min(found.last_seq, low + step)
        rows = store.engine.query(
            f"SELECT seq FROM events WHERE run = :run AND seq > :low AND seq <= :high AND {where.sql} ORDER BY seq",
            {"run": found.run, "low": low, "high": high, **where.parameters},
        )
        yield Hits(array("I", [row[0] for row in rows]), high, found.last_seq)
        low = high
        if low >= found.last_seq:
            return


def count(store: SqlStore, run_id: str, wanted: EventFilter) -> int:
    """How many events match; without a filter the run's own counter."""
    found = store.locate(run_id)
    if wanted == EventFilter():
        return found.last_seq
    where = event_where(wanted, store.codes, store.direct, found.run, found.started_at_ms)
    step, total = _SLICE if wanted.scans else _INDEX_PAGE, 0
    for low in range(0, found.last_seq, step):
        rows = store.engine.query(
            f"SELECT count(*) FROM events WHERE run = :run AND seq > :low AND seq <= :high AND {where.sql}",
            {"run": found.run, "low": low, "high": min(found.last_seq, low + step), **where.parameters},
        )
        total += int(rows[0][0])
    return total


def seq_of_id(store: SqlStore, run: int, last_seq: int, after_id: int) -> int:
    """The seq of the run's last event with an id ≤ `after_id` (0: none): ids rise with seq, so bisect."""
    low, high = 0, last_seq
    while low < high:
        middle = (low + high + 1) // 2
        rows = store.engine.query("SELECT id FROM events WHERE run = ? AND seq = ?", (run, middle))
        if rows and rows[0][0] <= after_id:
            low = middle
        else:
            high = middle - 1
    return low
