"""Calls of a run, from the rows kept with the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from runline.fold import snapshot
from runline.model.call import Call
from runline.model.errors import Invalid
from runline.model.page import Page
from runline.model.wire.calls import CallCounts
from runline.store import loading
from runline.store.search import Where

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore


class CallFilter(Struct, frozen=True, kw_only=True):
    """Which calls: all conditions must hold, any of a tuple's values will do."""

    status: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    step: tuple[str, ...] = ()


def page(store: SqlStore, run_id: str, wanted: CallFilter, *, limit: int, cursor: str | None) -> Page[Call]:
    """Calls in the order of their requests; `cursor` is the `first_seq` of the last one seen."""
    found = store.locate(run_id)
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise Invalid(
            "The cursor is not one that this store gave out.",
            code="bad_cursor",
            fields={"cursor": "unreadable"},
        )
    where = _where(wanted)
    rows = store.engine.query(
        f"{loading.SELECT_CALLS} AND first_seq > :after AND {where.sql} ORDER BY first_seq LIMIT :limit",
        {**where.parameters, "run": found.run, "after": int(cursor or 0), "limit": limit + 1},
    )
    with store.engine.snapshot() as source:
        fold, _ = loading.load_run(source, found.run)
    usual = fold.cold.call_usual
    states = [loading.call_of(row) for row in rows[:limit]]
    items = [snapshot.call_view(state, usual.get(state.name)) for state in states]
    more = len(rows) > limit
    return Page(items, str(states[-1].first_seq) if more else None, more)


def counts(store: SqlStore, run_id: str, wanted: CallFilter) -> CallCounts:
    """How many there are, by status: one pass over the run's calls."""
    found = store.locate(run_id)
    where = _where(wanted)
    by_status = dict[str, int](
        store.engine.query(
            f"SELECT status, count(*) FROM calls WHERE run = :run AND {where.sql} GROUP BY status",
            {**where.parameters, "run": found.run},
        )
    )
    return CallCounts(
        total=sum(by_status.values()),
        done=by_status.get("done", 0),
        failed=by_status.get("failed", 0),
        open=by_status.get("open", 0),
    )


def _where(wanted: CallFilter) -> Where:
    where = Where()
    for column, values in (("status", wanted.status), ("kind", wanted.kind), ("step", wanted.step)):
        if values:
            where.any_of(column, values)
    return where
