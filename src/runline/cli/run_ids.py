"""Which run is meant: a full id, a unique beginning or end of one, or nothing for the latest."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from runline.model.errors import Conflict, NotFound
from runline.model.run import Run

if TYPE_CHECKING:
    from runline.store.interface import Store

SHORTEST = 4
"""How much of an id's end is shown at least."""
_WHOLE = 12
"""Ids up to this length are shown whole."""
_PAGES = 50
_NEAR = 100


def find_run(store: Store, given: str | None, *, status: Sequence[str] | None = None) -> Run:
    """The run with its input. Without `given`: the latest, of one of `status` if that is said.

    Raises NotFound, with ids that are near, and Conflict when several runs fit.
    """
    if given is None:
        latest = store.list_runs(status=status, limit=1).items
        if not latest:
            what = f"is {' or '.join(status)}" if status else "has been recorded here yet"
            raise NotFound(f"No run {what}. Record one: `runline exec -- make test`.", code="no_run")
        return store.get_run(latest[0].run_id)
    try:
        return store.get_run(given)
    except NotFound as error:
        if error.code == "pruned":
            raise
    fitting = _fitting(store, given)
    if len(fitting) == 1:
        return store.get_run(fitting[0])
    if fitting:
        newest = ", ".join(fitting[:4])
        more = f" and {len(fitting) - 4} more" if len(fitting) > 4 else ""
        raise Conflict(
            f"{given!r} fits {len(fitting)} runs: {newest}{more}. Give more of the id.", code="ambiguous"
        )
    raise NotFound(f"There is no run {given[:140]!r}.{_suggestion(store, given)}", code="not_found")


def _fitting(store: Store, given: str) -> list[str]:
    """Ids that begin or end with the text, newest first."""
    if len(given) < 2:
        return []
    escaped = given.replace("\\", "\\\\").replace('"', '\\"')
    found: list[str] = []
    cursor = None
    for _ in range(_PAGES):
        page = store.list_runs(q=f'"{escaped}"', limit=100, cursor=cursor)
        found += [
            run.run_id for run in page.items if run.run_id.startswith(given) or run.run_id.endswith(given)
        ]
        cursor = page.next_cursor
        if cursor is None:
            break
    return found


def _suggestion(store: Store, given: str) -> str:
    ids = [run.run_id for run in store.list_runs(limit=_NEAR).items]
    ends = {run_id[-max(len(given), SHORTEST) :]: run_id for run_id in reversed(ids)}
    near = get_close_matches(given, ids, n=3, cutoff=0.6)
    near = near or [ends[end] for end in get_close_matches(given, ends, n=3, cutoff=0.7)]
    if near:
        return f" Did you mean {' or '.join(near)}?"
    return " `runline ls` lists the runs." if ids else " No run has been recorded here yet."


def short_ids(ids: Sequence[str]) -> dict[str, str]:
    """Each id's shortest end that no other of them has; short ids whole."""
    short: dict[str, str] = {}
    for run_id in ids:
        if len(run_id) <= _WHOLE:
            short[run_id] = run_id
            continue
        size = SHORTEST
        while size < len(run_id) and sum(other.endswith(run_id[-size:]) for other in ids) > 1:
            size += 1
        short[run_id] = run_id[-size:]
    return short
