"""Following: every event once, in order, from the log itself, through restarts of either side.

A follower reads what is there, then waits to be woken and reads on from the last seq it has seen. There
is no buffer of recent events to fall out of.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

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


def follow(
    store: SqlStore, run_id: str, wanted: EventFilter, *, after_seq: int, timeout_s: float | None
) -> Iterator[Event]:
    """Matching events from `after_seq` on, then live, until the end event (always given) or silence."""
    after_seq = max(0, after_seq)
    quiet_since_s = time.monotonic()
    with store.wake.following():
        while True:
            seen = store.wake.count
            found = store.locate(run_id)  # raises once the run has been pruned
            # Anew each time: a type or step that the filter names may only just have appeared.
            where = event_where(wanted, store.codes, store.direct, found.run, found.started_at_ms)
            if after_seq < found.last_seq:
                upto = min(found.last_seq, after_seq + _SLICE)
                batch = events.page(store, run_id, found, where, after_seq, upto, "asc", _PAGE)
                after_seq = batch[-1].seq if len(batch) == _PAGE else upto
                yield from batch
                if after_seq == found.last_seq and found.ended and (not batch or batch[-1].seq != after_seq):
                    yield from events.read(store, run_id, EventFilter(), after_seq=after_seq - 1)
                quiet_since_s = time.monotonic()
            elif found.ended or (timeout_s is not None and time.monotonic() - quiet_since_s >= timeout_s):
                return
            else:
                store.wake.wait(seen, _look_again_s(timeout_s, quiet_since_s))


def _look_again_s(timeout_s: float | None, quiet_since_s: float) -> float:
    if timeout_s is None:
        return _LOOK_AGAIN_S
    return min(_LOOK_AGAIN_S, max(0.0, timeout_s - (time.monotonic() - quiet_since_s)))


def follow_all(
    store: SqlStore, *, cursor: str | None, timeout_s: float | None
) -> Iterator[tuple[str, Event]]:
    """Every event of all runs (of the tenant), in commit order; yields (cursor after it, event).

    Without a cursor from now on. On SQLite id order is commit order: writers queue on the write lock.
    """
    after_id = _newest_id(store) if cursor is None else _decode(cursor)
    quiet_since_s = time.monotonic()
    with store.wake.following():
        while True:
            seen = store.wake.count
            rows = store.engine.query(
                "SELECT runs.run_id, runs.run, runs.started_at, events.id, events.seq, events.ts, events.level, "
                "events.type, events.step, events.source, events.message, events.correlation_id, events.data "
                "FROM events JOIN runs ON runs.run = events.run WHERE events.id > :after "
                "AND (CAST(:tenant AS TEXT) IS NULL OR runs.tenant = :tenant) ORDER BY events.id LIMIT :limit",
                {"after": after_id, "tenant": store.tenant, "limit": _PAGE},
            )
            for run_id, run, started_at_ms, id_, seq, *rest in rows:
                event = events.to_events(store, run_id, run, started_at_ms, [(seq, id_, *rest)])[0]
                after_id = id_
                yield _encode(after_id), event
            if rows:
                quiet_since_s = time.monotonic()
            elif timeout_s is not None and time.monotonic() - quiet_since_s >= timeout_s:
                return
            else:
                store.wake.wait(seen, _look_again_s(timeout_s, quiet_since_s))


def follow_runs(store: SqlStore, *, timeout_s: float | None) -> Iterator[Run]:
    """Each run of the tenant whenever it changed: first the active ones, then live."""
    known: dict[str, Run] = {}
    newest_run: int | None = None
    quiet_since_s = time.monotonic()
    with store.wake.following():
        while True:
            seen = store.wake.count
            newest = runs.newest(store)
            started = [] if newest_run is None else runs.between(store, newest_run, newest)
            newest_run = newest
            active = runs.listed(store, RunFilter(status=("pending", "running", "interrupted")), limit=10_000)
            alive = [
                run for run in active if run.completed_at_ms is None
            ]  # one may have ended as interrupted
            current = {run.run_id: run for run in (*started, *alive)}
            for run_id in known.keys() - current.keys():
                current.update({run.run_id: run for run in runs.try_get(store, run_id)})
            changed = [run for run_id, run in current.items() if known.get(run_id) != run]
            known = {run_id: run for run_id, run in current.items() if run.completed_at_ms is None}
            yield from changed
            if changed:
                quiet_since_s = time.monotonic()
            elif timeout_s is not None and time.monotonic() - quiet_since_s >= timeout_s:
                return
            # Runs fall silent without a commit, so look again now and then.
            store.wake.wait(seen, 1.0 if timeout_s is None else min(1.0, timeout_s))


def _newest_id(store: SqlStore) -> int:
    return int(store.engine.query("SELECT value FROM counters WHERE name = 'next_event_id'")[0][0]) - 1


def _encode(after_id: int) -> str:
    return base64.urlsafe_b64encode(b"e%d" % after_id).decode().rstrip("=")


def _decode(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        text = ""
    if not re.fullmatch(r"e[0-9]{1,18}", text):
        raise Invalid("The cursor is not one that this store gave out.", code="bad_cursor")
    return int(text[1:])
