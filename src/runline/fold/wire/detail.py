"""The detail of a run as JSON: what its page opens with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Struct

from runline.fold.wire.dag import DagView, dag_view
from runline.model.artifact import Artifact
from runline.model.event import Event
from runline.model.run import Run
from runline.model.step import Step
from runline.model.wire.artifacts import ArtifactSummary, artifact_summary
from runline.model.wire.events import EventSummary, event_summary
from runline.model.wire.quantity import about
from runline.model.wire.runs import RunDetail, run_detail
from runline.model.wire.steps import StepDetail, step_list


class RunDetailResponse(Struct, frozen=True, kw_only=True):
    """One run with its steps, newest events, artifacts and graph; never the whole trace."""

    run: RunDetail
    steps: Annotated[tuple[StepDetail, ...], about("In plan order, then in order of appearance.")]
    events: Annotated[tuple[EventSummary, ...], about("The newest 100, oldest of them first.")]
    artifacts: Annotated[tuple[ArtifactSummary, ...], about("In the order they were registered.")]
    dag: DagView


def run_detail_response(
    run: Run, *, steps: Sequence[Step], events: Sequence[Event], artifacts: Sequence[Artifact]
) -> RunDetailResponse:
    """`events` are in ascending order."""
    return RunDetailResponse(
        run=run_detail(run),
        steps=step_list(steps, artifacts).steps,
        events=tuple(map(event_summary, events)),
        artifacts=tuple(map(artifact_summary, artifacts)),
        dag=dag_view(steps),
    )
