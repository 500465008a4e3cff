"""Why a run failed, and how two runs differ: the fold's answers, fed from the store page by page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from runline.fold.compare import Comparison, Divergence, compare_steps, first_divergence
from runline.fold.failure import ErrorLink, Failure, SeenBefore, error_chain, new_errors
from runline.fold.snapshot import snapshot
from runline.fold.state import ErrorFact
from runline.model.event import Event
from runline.store import events, runs, steps
from runline.store.search import EventFilter

if TYPE_CHECKING:
    from runline.store.locate import Located
    from runline.store.sql_store import SqlStore

_ERRORS = EventFilter(levels=("error",))
_LATER = 1_000
"""Later errors looked at for the chain, which shows at most twenty."""


def failure(store: SqlStore, run_id: str) -> Failure:
    """Everything that one screen needs to tell why the run failed. Raises NotFound."""
    found = store.locate(run_id)
    state = snapshot(steps.whole(store, run_id))
    first = state.first_error
    good = _last_good(store, found, state.name)
    mark = None if first is None else first.fingerprint
    return Failure(
        run_id=run_id,
        first_error=first,
        error_chain=() if first is None else _chain(store, run_id, first),
        step=None if first is None else first.step,
        blocked=state.blocked,
        open_calls=state.open_calls,
        fingerprint=mark,
        seen_before=None if mark is None else _seen_before(store, found, state.name, mark),
        last_good_run_id=good,
        first_divergence=None if first is None or good is None else _divergence(store, good, run_id),
    )


def compare(store: SqlStore, left: str, right: str) -> Comparison:
    """The runs side by side; what the right one has that the left one has not. Raises NotFound."""
    left_run, right_run = runs.get(store, left), runs.get(store, right)
    return Comparison(
        left_run_id=left,
        right_run_id=right,
        left_status=left_run.status,
        right_status=right_run.status,
        left_ms=left_run.duration_ms,
        right_ms=right_run.duration_ms,
        first_divergence=_divergence(store, left, right),
        steps=compare_steps(steps.listed(store, left), steps.listed(store, right)),
        new_errors=new_errors(_stream(store, left, _ERRORS), _stream(store, right, _ERRORS)),
    )


def _divergence(store: SqlStore, left: str, right: str) -> Divergence | None:
    every = EventFilter()
    return first_divergence(_stream(store, left, every), _stream(store, right, every))


def _stream(store: SqlStore, run_id: str, wanted: EventFilter, after_seq: int = 0) -> Iterator[Event]:
    """All matching events, a page in memory at a time."""
    while page := events.read(store, run_id, wanted, after_seq=after_seq, limit=events.MAX_PAGE):
        yield from page
        after_seq = page[-1].seq


def _chain(store: SqlStore, run_id: str, first: ErrorFact) -> tuple[ErrorLink, ...]:
    start = events.read(store, run_id, EventFilter(), after_seq=first.seq - 1, limit=1)
    later = events.read(store, run_id, _ERRORS, after_seq=first.seq, limit=_LATER)
    return error_chain(start[0], later)


def _last_good(store: SqlStore, found: Located, name: str) -> str | None:
    """The last run of this name that completed before this one started."""
    # coalesce keeps the planner from going through all completed runs by their status.
    rows = store.engine.query(
        "SELECT run_id FROM runs WHERE tenant = ? AND name = ? AND coalesce(status, '') = 'completed' AND started_at <= ? "
        "AND run <> ? ORDER BY started_at DESC, run_id DESC LIMIT 1",
        (found.tenant, name, found.started_at_ms, found.run),
    )
    return rows[0][0] if rows else None


def _seen_before(store: SqlStore, found: Located, name: str, mark: str) -> SeenBefore:
    """Earlier runs of this name are those that started before, and of the same instant those made before."""
    parameters = {
        "tenant": found.tenant,
        "name": name,
        "mark": mark,
        "started_at": found.started_at_ms,
        "run": found.run,
    }
    earlier = "(started_at < :started_at OR started_at = :started_at AND run < :run)"
    rows = store.engine.query(
        "SELECT count(*) OVER (), run_id FROM runs WHERE tenant = :tenant AND fingerprint = :mark "
        f"AND started_at <= :started_at AND name = :name AND {earlier} ORDER BY started_at DESC, run DESC LIMIT 1",
        parameters,
    )
    count, last = rows[0] if rows else (0, None)
    of_runs = store.engine.query(
        "SELECT count(*) FROM runs WHERE tenant = :tenant AND name = :name AND started_at <= :started_at "
        f"AND {earlier}",
        parameters,
    )[0][0]
    return SeenBefore(count, of_runs, last)
