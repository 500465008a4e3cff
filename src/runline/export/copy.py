"""Copying every run of one store into another, whatever holds them: a file, a database, a server.

Ids, order, times, notes and pins are kept; ids of events are new. A copy that was broken off goes on where it was:
a run is taken in whole or not at all, one that has grown since gets its newer events, and each is compared in the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any

import msgspec
from msgspec import Struct

from runline.model.clock import to_iso
from runline.model.errors import NotFound
from runline.model.event import Event
from runline.model.run import Run
from runline.model.wire.notes import note_view
from runline.store.interface import Store

_PAGE = 500
_RUNS = 100


class Difference(Struct, frozen=True):
    """A run that is not the same in both stores afterwards."""

    run_id: str
    detail: str


class CopyReport(Struct, frozen=True, kw_only=True):
    """`copied` runs were taken in, `continued` ones got newer events, `same` were there; `events` were written."""

    copied: int
    continued: int
    same: int
    events: int
    different: tuple[Difference, ...]


def copy(
    source: Store, target: Store, *, on_progress: Callable[[int, int], None] | None = None
) -> CopyReport:
    """Copies what the target lacks and compares all. `on_progress` is told the runs done, of how many.

    What is not a run stays behind: tokens, the audit, and the files of artifacts, which lie beside a store.
    """
    counts = {"copied": 0, "continued": 0, "same": 0, "events": 0}
    different: list[Difference] = []
    total = source.counts().total
    for done, run in enumerate(_runs(source), 1):
        what, events = _bring(source, target, run)
        counts[what] += 1
        counts["events"] += events
        if why := _difference(source, target, run):
            different.append(Difference(run.run_id, why))
        if on_progress is not None:
            on_progress(done, total)
    return CopyReport(**counts, different=tuple(different))


def _runs(source: Store) -> Iterator[Run]:
    """Each once, as it is now; those that begin meanwhile are left for another time."""
    cursor: str | None = None
    while True:
        page = source.list_runs(limit=_RUNS, cursor=cursor)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return


def _bring(source: Store, target: Store, run: Run) -> tuple[str, int]:
    """What was done for the run, and how many events were written."""
    try:
        there = target.get_run(run.run_id)
    except NotFound:
        notes = source.list_notes(run.run_id, limit=run.note_count)[::-1] if run.note_count else []
        target.import_run(
            {
                "run_id": run.run_id,
                "tenant_id": run.tenant_id,
                "pinned": run.pinned,
                "started_at": to_iso(run.started_at_ms),
            },
            (_body(event) for event in _events(source, run, 0)),
            [msgspec.json.decode(msgspec.json.encode(note_view(note))) for note in notes],
        )
        return "copied", run.last_seq
    if there.pinned != run.pinned:
        target.pin(run.run_id, run.pinned)
    if there.completed_at_ms is not None or there.last_seq >= run.last_seq:
        return "same", 0
    batch: list[dict[str, Any]] = []
    for event in _events(source, run, there.last_seq):
        batch.append(_body(event))
        if len(batch) == _PAGE or event.seq == run.last_seq:
            # The key makes a repeated copy, and two at the same time, add nothing twice.
            target.append(run.run_id, batch, idempotency_key=f"copy-{event.seq - len(batch)}-{event.seq}")
            batch = []
    return "continued", run.last_seq - there.last_seq


def _events(store: Store, run: Run, after_seq: int) -> Iterator[Event]:
    """Up to the last event that the run had when it was listed."""
    while after_seq < run.last_seq:
        page = store.read(run.run_id, after_seq=after_seq, limit=min(_PAGE, run.last_seq - after_seq))
        if not page:
            return
        yield from page
        after_seq = page[-1].seq


def _facts(event: Event) -> tuple[Any, ...]:
    """All of an event but its id."""
    return (
        event.seq,
        event.ts_ms,
        event.type,
        event.level,
        event.step,
        event.source,
        event.message,
        event.correlation_id,
        event.payload,
    )


def _body(event: Event) -> dict[str, Any]:
    _, ts_ms, type_, level, step, source, message, correlation_id, _ = _facts(event)
    return {
        "ts": to_iso(ts_ms),
        "type": type_,
        "level": level,
        "step": step,
        "source": source,
        "message": message,
        "correlation_id": correlation_id,
        "data": event.data,
    }


def _difference(source: Store, target: Store, run: Run) -> str | None:
    there = target.get_run(run.run_id)
    if there.tenant_id != run.tenant_id:
        return f"it is tenant {there.tenant_id!r}'s there, and {run.tenant_id!r}'s here"
    for ours, theirs in zip_longest(_events(source, run, 0), _events(target, there, 0)):
        if ours is None or theirs is None or _facts(ours) != _facts(theirs):
            return f"event {(ours or theirs).seq} is not the same in both"
    if (there.note_count, there.pinned) != (run.note_count, run.pinned):
        return f"it has {there.note_count} notes there, {run.note_count} here"
    return None
