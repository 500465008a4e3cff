"""How long a thing usually takes: taken from earlier completed runs of the same name when a run begins.

The figures become part of the start event, so the estimate stays a fold of the log.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from runline.fold.eta import usual_data, usual_of
from runline.model.step import Usual

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore

_RUNS = 50
_ROWS = 5_000
_NAMES = 200


def usual_of_name(store: SqlStore, tenant: str, name: str) -> dict[str, object] | None:
    """`data.usual` of a start event over the last 50 completed runs; None: there are none."""
    # coalesce keeps the planner from going through all completed runs by their status.
    runs = store.engine.query(
        "SELECT run, completed_at - started_at FROM runs WHERE tenant = ? AND name = ? "
        "AND coalesce(status, '') = 'completed' AND partial = 0 ORDER BY started_at DESC LIMIT ?",
        (tenant, name, _RUNS),
    )
    usual = usual_of([max(0, duration) for _, duration in runs])
    if usual is None:
        return None
    marks = ", ".join("?" * len(runs))
    keys = [run for run, _ in runs]
    steps = store.engine.query(
        "SELECT name, duration_ms FROM steps "
        f"WHERE run IN ({marks}) AND state = 'completed' AND duration_ms IS NOT NULL LIMIT ?",
        (*keys, _ROWS),
    )
    calls = store.engine.query(
        f"SELECT name, duration_ms FROM calls WHERE run IN ({marks}) AND status = 'done' "
        "AND duration_ms IS NOT NULL LIMIT ?",
        (*keys, _ROWS),
    )
    return usual_data(usual, _by_name(steps), _by_name(calls))


def _by_name(rows: list[tuple[Any, ...]]) -> dict[str, Usual]:
    durations: defaultdict[str, list[int]] = defaultdict(list)
    for name, duration_ms in rows:
        durations[name].append(duration_ms)
    found = {name: usual_of(values) for name, values in list(durations.items())[:_NAMES]}
    return {name: usual for name, usual in found.items() if usual is not None}
