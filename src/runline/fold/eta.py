"""How long it usually takes, and how long it still will.

A run's estimate is what it said last itself (`estimated_time_ms`), else what earlier completed runs of
its name took (P50, with P50–P90 as the range), else what its progress so far suggests. All are figures as
of the run's last event, so they too are a fold of the log: a face that shows the present subtracts the
time since then. The durations of earlier runs are taken once, when a run is created, into its start event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from runline.fold import facts as read
from runline.fold.state import RunFold, StepState
from runline.model.run import Eta
from runline.model.status import STEP_ACTIVE
from runline.model.step import Usual


def percentile(durations: Sequence[int], share: float) -> int:
    """The nearest-rank percentile of a non-empty sequence; `share` lies in 0–1."""
    rank = -(-round(share * 1_000) * len(durations) // 1_000)
    return sorted(durations)[max(1, rank) - 1]


def usual_of(durations: Sequence[int]) -> Usual | None:
    """Median, 90th percentile and number of the durations in milliseconds; None when there are none."""
    if not durations:
        return None
    return Usual(percentile(durations, 0.5), percentile(durations, 0.9), len(durations))


def usual_data(
    run: Usual | None, steps: Mapping[str, Usual], calls: Mapping[str, Usual]
) -> dict[str, object] | None:
    """`data.usual` of a start event: the run's three figures and those of its steps and call names."""
    if run is None and not steps and not calls:
        return None
    own = {} if run is None else msgspec.to_builtins(run)
    return {**own, "steps": msgspec.to_builtins(dict(steps)), "calls": msgspec.to_builtins(dict(calls))}


def read_usual(value: object) -> Usual | None:
    """The figures in an object; None when one is missing or no count."""
    if not isinstance(value, dict):
        return None
    p50_ms = read.count(value.get("p50_ms"), read.MOST_MS)
    p90_ms = read.count(value.get("p90_ms"), read.MOST_MS)
    runs = read.count(value.get("n"))
    if p50_ms is None or p90_ms is None or not runs:
        return None
    return Usual(p50_ms, p90_ms, runs)


def read_usuals(value: object) -> dict[str, Usual]:
    """The figures by name; a name with bad figures is left out."""
    if not isinstance(value, dict):
        return {}
    return {name: usual for name, figures in value.items() if (usual := read_usual(figures)) is not None}


def eta(fold: RunFold) -> Eta | None:
    """Milliseconds left as of `updated_at_ms`; None unless the run is running and something tells."""
    if fold.status != "running":
        return None
    elapsed_ms = max(0, fold.updated_at_ms - fold.started_at_ms)
    usual = fold.cold.usual
    if fold.estimate_ms is not None and fold.estimate_at_ms is not None:
        left_ms = _since(fold.estimate_ms, fold.estimate_at_ms, fold.updated_at_ms)
        return Eta(left_ms, left_ms, left_ms, 0, "given")
    if usual is not None:
        low_ms = max(0, usual.p50_ms - elapsed_ms)
        return Eta(low_ms, low_ms, max(0, usual.p90_ms - elapsed_ms), usual.n, "history")
    if fold.progress > 0 and elapsed_ms > 0:
        left_ms = _by_progress(elapsed_ms, fold.progress)
        return Eta(left_ms, left_ms, left_ms, 0, "progress")
    return None


def step_eta_ms(step: StepState) -> int | None:
    """The same for one step, as of its own last event."""
    if step.state not in STEP_ACTIVE or step.started_at_ms is None:
        return None
    elapsed_ms = max(0, step.updated_at_ms - step.started_at_ms)
    if step.estimate_ms is not None and step.estimate_at_ms is not None:
        return _since(step.estimate_ms, step.estimate_at_ms, step.updated_at_ms)
    if step.plan is not None and step.plan.usual is not None:
        return max(0, step.plan.usual.p50_ms - elapsed_ms)
    return _by_progress(elapsed_ms, step.progress) if step.progress > 0 and elapsed_ms > 0 else None


def _since(estimate_ms: int, said_at_ms: int, now_ms: int) -> int:
    return max(0, estimate_ms - max(0, now_ms - said_at_ms))


def _by_progress(elapsed_ms: int, progress: int) -> int:
    return elapsed_ms * (100 - progress) // progress
