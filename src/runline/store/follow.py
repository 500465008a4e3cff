"""Following: every event once, in order, from the log itself, through restarts of either side.

A follower reads what is there, then waits to be woken and reads on from the last seq it has seen. There
is no buffer of recent events to fall out of. A reader that shares its waiting with others (the server's hub)
takes the same pieces one by one.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from runline.model.errors import Invalid
from runline.model.event import Event
from runline.model.run import Run
from runline.store import events, runs
from runline.store.search import EventFilter, RunFilter, event_where

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore

_PAGE = 500
_SLICE = 20_000
_LOOK_AGAIN_S = 0.25
"""Followers look for themselves this often, should a wake-up have been lost."""


class Piece(Struct, frozen=True):
    """What comes next in a log: everything up to `position` has been looked at, `events` are those wanted.

    The position is a seq in one run's log and an event id in that of all runs. `done`: nothing will follow.
    """

    events: list[Event]
    position: int
    done: bool = False


def piece(
    store: SqlStore, run_id: str, wanted: EventFilter, *, after_seq: int, limit: int | None = None
) -> Piece:
    """At most `limit` matching events from after that seq; the end event is given whatever the filter is."""
    limit = limit or _PAGE
    found = store.locate(run_id)  # raises once the run has been pruned
    # Anew each time: a type or step that the filter names may only just have appeared.
    where = event_where(wanted, store.codes, store.direct, found.run, found.started_at_ms)
    if after_seq >= found.last_seq:
        return Piece([], after_seq, found.ended)
    upto = min(found.last_seq, after_seq + _SLICE)
    batch = events.page(store, run_id, found, where, after_seq, upto, "asc", limit)
    if len(batch) == limit:
        upto = batch[-1].seq
    done = found.ended and upto == found.last_seq
    if done and (not batch or batch[-1].seq != upto):
        batch += events.read(store, run_id, EventFilter(), after_seq=upto - 1)
    return Piece(batch, upto, done)


def follow(
    store: SqlStore, run_id: str, wanted: EventFilter, *, after_seq: int, timeout_s: float | None
) -> Iterator[Event]:
    """Matching events from `after_seq` on, then live, until the end event (always given) or silence."""
    after_seq = max(0, after_seq)
    quiet_since_s = time.monotonic()
    with store.wake.following():
        while True:
            seen = store.wake.count
            got = piece(store, run_id, wanted, after_seq=after_seq)
            yield from got.events
            if got.done:
                return
            if got.position > after_seq:
                after_seq = got.position
                quiet_since_s = time.monotonic()
            elif timeout_s is not None and time.monotonic() - quiet_since_s >= timeout_s:
                return
            else:
                store.wake.wait(seen, _look_again_s(timeout_s, quiet_since_s))


def _look_again_s(timeout_s: float | None, quiet_since_s: float) -> float:
    if timeout_s is None:
        return _LOOK_AGAIN_S
    return min(_LOOK_AGAIN_S, max(0.0, timeout_s - (time.monotonic() - quiet_since_s)))


def piece_of_all(store: SqlStore, *, after_id: int, limit: int | None = None) -> Piece:
    """At most `limit` events of all runs (of the tenant) from after that id, in commit order.

    On SQLite id order is commit order, for writers queue on the write lock. On PostgreSQL a higher id may be
    committed first; it is left for later until nothing can appear below it any more.
    """
    limit = limit or _PAGE
    newest = newest_id(store)  # first: what is committed later is left for the next piece
    rows = store.engine.query(
        "SELECT runs.run_id, runs.run, runs.started_at, events.id, events.seq, events.ts, events.level, "
        "events.type, events.step, events.source, events.message, events.correlation_id, events.data "
        "FROM events JOIN runs ON runs.run = events.run WHERE events.id > :after AND events.id <= :newest "
        "AND (CAST(:tenant AS TEXT) IS NULL OR runs.tenant = :tenant) ORDER BY events.id LIMIT :limit",
        {"after": after_id, "newest": newest, "tenant": store.tenant, "limit": limit},
    )
    found = [
        events.to_events(store, run_id, run, started_at_ms, [(seq, id_, *rest)])[0]
        for run_id, run, started_at_ms, id_, seq, *rest in rows
    ]
    # Past what is another tenant's, so that it is not read again and again.
    return Piece(found, found[-1].id if len(found) == limit else max(after_id, newest))


def follow_all(
    store: SqlStore, *, cursor: str | None, timeout_s: float | None
) -> Iterator[tuple[str, Event]]:
    """Every event of all runs (of the tenant), in commit order; yields (cursor after it, event).

    Without a cursor from now on.
    """
    after_id = newest_id(store) if cursor is None else decode_cursor(cursor)
    quiet_since_s = time.monotonic()
    with store.wake.following():
        while True:
            seen = store.wake.count
            got = piece_of_all(store, after_id=after_id)
            after_id = got.position
            for event in got.events:
                yield encode_cursor(event.id), event
            if got.events:
                quiet_since_s = time.monotonic()
            elif timeout_s is not None and time.monotonic() - quiet_since_s >= timeout_s:
                return
            else:
                store.wake.wait(seen, _look_again_s(timeout_s, quiet_since_s))


class Changes:
    """Tells which runs of the tenant have changed since it was asked last; the first time, the active ones."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._known: dict[str, Run] = {}
        self._newest_run: int | None = None

    @property
    def active(self) -> Collection[str]:
        """The ids of the runs that had not ended when it was asked last."""
        return self._known.keys()

    def next(self) -> list[Run]:
        """The runs as they are now; those that have ended since are told once more."""
        store, known = self._store, self._known
        newest = runs.newest(store)
        started = [] if self._newest_run is None else runs.between(store, self._newest_run, newest)
        active = runs.listed(store, RunFilter(status=("pending", "running", "interrupted")), limit=10_000)
        # One may have ended as interrupted.
        alive = [run for run in active if run.completed_at_ms is None]
        current = {run.run_id: run for run in (*started, *alive)}
        for run_id in known.keys() - current.keys():
            current.update({run.run_id: run for run in runs.try_get(store, run_id)})
        # Only now: should a read fail, it is asked the same again.
        self._newest_run = newest
        self._known = {run_id: run for run_id, run in current.items() if run.completed_at_ms is None}
        return [run for run_id, run in current.items() if known.get(run_id) != run]


def follow_runs(store: SqlStore, *, timeout_s: float | None) -> Iterator[Run]:
    """Each run of the tenant whenever it changed: first the active ones, then live."""
    changes = Changes(store)
    quiet_since_s = time.monotonic()
    with store.wake.following():
        while True:
            seen = store.wake.count
            changed = changes.next()
            yield from changed
            if changed:
                quiet_since_s = time.monotonic()
            elif timeout_s is not None and time.monotonic() - quiet_since_s >= timeout_s:
                return
            # Runs fall silent without a commit, so look again now and then.
            store.wake.wait(seen, 1.0 if timeout_s is None else min(1.0, timeout_s))


def newest_id(store: SqlStore) -> int:
    """The id below which all is told: nothing more will be committed there."""
    return (
        int(
            store.engine.query("/* stable id */ SELECT value FROM counters WHERE name = 'next_event_id'")[0][
                0
            ]
        )
        - 1
    )


def encode_cursor(after_id: int) -> str:
    """The opaque cursor after that event."""
    return base64.urlsafe_b64encode(b"e%d" % after_id).decode().rstrip("=")


def decode_cursor(cursor: str) -> int:
    """The id of the event that the cursor stands after. Raises Invalid (`bad_cursor`)."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        text = ""
    if not re.fullmatch(r"e[0-9]{1,18}", text):
        raise Invalid("The cursor is not one that this store gave out.", code="bad_cursor")
    return int(text[1:])
