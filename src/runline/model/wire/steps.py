"""A step as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta, Struct

from runline.model.artifact import Artifact
from runline.model.status import StepStatus
from runline.model.step import Step, Usual
from runline.model.wire.artifacts import ArtifactSummary, artifact_summary
from runline.model.wire.quantity import (
    Count,
    DurationText,
    Instant,
    Milliseconds,
    Percent,
    about,
    duration,
    iso,
    ms_of,
)


class StepDetail(Struct, frozen=True, kw_only=True):
    """One step of a run and what it left."""

    step_id: Annotated[
        str, about("Its name, unique in the run; a matrix step's ends in its index.", "load[0]")
    ]
    index: Annotated[
        int, Meta(ge=-1, description="Place in plan order, from 0; −1: a stage that is no step.")
    ]
    persona: str | None
    model: Annotated[str | None, about("The model that it asked last.")]
    state: Annotated[
        StepStatus, about("`blocked`: it cannot start any more, a step before it failed.", "running")
    ]
    reason: Annotated[str | None, about("Why it was skipped or is tried again.")]
    optional: Annotated[bool, about("Its failure blocks nothing.")]
    dependencies: Annotated[tuple[str, ...], about("The steps that it waits for.")]
    progress: Percent
    current_action: Annotated[str | None, about("What it is doing.", "page 3")]
    message: Annotated[str | None, about("Of its last event.")]
    error: str | None
    started_at: Annotated[Instant | None, about("Start of the present attempt; null before the first.")]
    completed_at: Annotated[Instant | None, about("When it finished, however; null while it has not.")]
    updated_at: Annotated[Instant | None, about("When its last event happened; null before the first.")]
    duration: Annotated[DurationText | None, about("`duration_ms` for people.", "1.8s")]
    duration_ms: Annotated[Milliseconds | None, about("Of the attempt that finished; null while it has not.")]
    estimated_completion_ms: Annotated[
        Milliseconds | None, about("Milliseconds left as of `updated_at`; null when nothing tells.")
    ]
    usual: Annotated[Usual | None, about("Its durations in earlier completed runs; null without any.")]
    attempt: Annotated[Count, about("Counted from 1; 0 before it starts.")]
    max_attempts: Count | None
    tokens_used: Annotated[Count, about("Over all attempts.")]
    event_count: Count
    warn_count: Count
    error_count: Count
    level_index: Annotated[Count | None, about("The level of a generation that it belongs to, from 0.")]
    path: Annotated[str | None, about("The file that it is about.")]
    artifacts: tuple[ArtifactSummary, ...]


class StepList(Struct, frozen=True):
    """The steps of a run, in plan order, then in order of appearance."""

    steps: tuple[StepDetail, ...]


def step_detail(step: Step, artifacts: Iterable[Artifact] = ()) -> StepDetail:
    """The step with those of `artifacts` that it left."""
    return StepDetail(
        step_id=step.step_id,
        index=step.index,
        persona=step.persona,
        model=step.model,
        state=step.state,
        reason=step.reason,
        optional=step.optional,
        dependencies=step.dependencies,
        progress=step.progress,
        current_action=step.current_action,
        message=step.message,
        error=step.error,
        started_at=iso(step.started_at_ms),
        completed_at=iso(step.completed_at_ms),
        updated_at=iso(step.updated_at_ms),
        duration=duration(step.duration_ms),
        duration_ms=step.duration_ms,
        estimated_completion_ms=step.estimated_completion_ms,
        usual=step.usual,
        attempt=step.attempt,
        max_attempts=step.max_attempts,
        tokens_used=step.tokens_used,
        event_count=step.event_count,
        warn_count=step.warn_count,
        error_count=step.error_count,
        level_index=step.level_index,
        path=step.path,
        artifacts=tuple(artifact_summary(one) for one in artifacts if one.step_id == step.step_id),
    )


def step_list(steps: Iterable[Step], artifacts: Iterable[Artifact]) -> StepList:
    """Each step with those of `artifacts` that it left."""
    left: dict[str | None, list[Artifact]] = {}
    for artifact in artifacts:
        left.setdefault(artifact.step_id, []).append(artifact)
    return StepList(tuple(step_detail(step, left.get(step.step_id, ())) for step in steps))


def step_of(view: StepDetail, run_id: str) -> Step:
    """The step of that run that the view was made of."""
    return Step(
        run_id=run_id,
        step_id=view.step_id,
        state=view.state,
        index=view.index,
        progress=view.progress,
        current_action=view.current_action,
        persona=view.persona,
        model=view.model,
        message=view.message,
        error=view.error,
        reason=view.reason,
        started_at_ms=ms_of(view.started_at),
        completed_at_ms=ms_of(view.completed_at),
        updated_at_ms=ms_of(view.updated_at),
        duration_ms=view.duration_ms,
        estimated_completion_ms=view.estimated_completion_ms,
        tokens_used=view.tokens_used,
        attempt=view.attempt,
        max_attempts=view.max_attempts,
        optional=view.optional,
        dependencies=view.dependencies,
        event_count=view.event_count,
        warn_count=view.warn_count,
        error_count=view.error_count,
        level_index=view.level_index,
        path=view.path,
        usual=view.usual,
    )
