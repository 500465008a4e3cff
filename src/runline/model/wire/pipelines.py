"""Pipelines and personas of a manifest as JSON: what can be started, and how it went lately."""

from __future__ import annotations

from typing import Annotated

from msgspec import Raw, Struct

from runline.model.status import RunStatus
from runline.model.step import Usual
from runline.model.wire.quantity import Count, Instant, Milliseconds, Rate, about
from runline.model.wire.runs import RunSummary


class RecentRun(Struct, frozen=True, kw_only=True):
    """One of the last runs, for a row of marks."""

    run_id: str
    status: RunStatus
    duration_ms: Annotated[Milliseconds | None, about("Null while it has not ended.")]


class InputView(Struct, frozen=True, kw_only=True):
    """What a run of the pipeline is given."""

    source: Annotated[str | None, about("Where it usually comes from, as the definition says.", "cli")]
    schema: Annotated[Raw, about("JSON Schema of the input; null: anything will do.", {"type": "object"})]
    example: Annotated[Raw, about("As the definition has it; null without one.", {"date": "2026-11-20"})]


class PipelineSummary(Struct, frozen=True, kw_only=True):
    """A pipeline and how its runs went; a name is what its runs are called."""

    name: Annotated[str, about("Unique in the manifest.", "nightly-report")]
    description: str | None
    step_count: Annotated[Count, about("As defined: a matrix counts once.")]
    input: InputView
    last_run: Annotated[RunSummary | None, about("The newest run of this name; null without any.")]
    recent: Annotated[tuple[RecentRun, ...], about("The newest 14 runs, newest first.")]
    success_rate: Annotated[Rate | None, about("Completed runs among all that are over; null when none is.")]
    usual: Annotated[Usual | None, about("Durations of its completed runs, of the newest 50 at most.")]
    next_run_at: Annotated[Instant | None, about("When a schedule starts it next; null: nothing will.")]
    source: Annotated[str, about("Its file, from the manifest's folder.", ".runline/pipelines/nightly.yaml")]
    definition_sha256: Annotated[str, about("Changes when the definition does; a run's plan carries it.")]
    startable: Annotated[bool, about("Whether it can be started; `reason` says why not.")]
    reason: Annotated[str | None, about("What keeps it from being started; null when nothing does.")]


class PipelineStep(Struct, frozen=True, kw_only=True):
    """A step as it is defined."""

    step_id: str
    persona: str | None
    model: str | None
    type: Annotated[str, about("What it runs.", "prompt", "command")]
    dependencies: Annotated[tuple[str, ...], about("The steps that it waits for.")]
    optional: Annotated[bool, about("Its failure blocks nothing.")]
    max_attempts: Count
    timeout_ms: Annotated[Milliseconds | None, about("It is stopped after that long; null: never.")]
    matrix_count: Annotated[
        Count | None, about("How many times it runs side by side; null: once, or as the input says.")
    ]
    contracts: Annotated[tuple[str, ...], about("What must hold when it is done.", ["json_schema"])]
    artifacts: Annotated[tuple[str, ...], about("Names of what it leaves.")]
    usual: Annotated[Usual | None, about("Its durations in earlier completed runs; null without any.")]


class ManifestProblem(Struct, frozen=True, kw_only=True):
    """Something wrong with the manifest or with a pipeline's file."""

    severity: Annotated[str, about("An error keeps a definition from being used.", "error", "warning")]
    file: Annotated[str, about("From the manifest's folder.", "runline.yaml")]
    line: Annotated[Count, about("Counted from 1; 0: the file as a whole.")]
    message: str


class ManifestView(Struct, frozen=True, kw_only=True):
    """Where the definitions come from; all null or empty when there is none."""

    path: str | None
    read_at: Instant | None
    errors: Annotated[tuple[ManifestProblem, ...], about("In the order of the files; warnings too.")]


class PipelineList(Struct, frozen=True, kw_only=True):
    """The pipelines of the manifest, in the order of their files."""

    pipelines: tuple[PipelineSummary, ...]
    manifest: ManifestView


class PersonaView(Struct, frozen=True, kw_only=True):
    """Who answers prompts, and with which tools."""

    name: str
    description: str | None
    adapter: Annotated[str, about("The program that it runs on.", "local")]
    model: str | None
    temperature: float | None
    system_prompt_file: Annotated[str | None, about("From the manifest's folder.", "prompts/writer.md")]
    allowed_tools: Annotated[
        tuple[str, ...], about("What is not allowed is blocked.", ["Read", "Bash(git *)"])
    ]
    denied_tools: Annotated[tuple[str, ...], about("Blocked even where it is allowed.", ["Bash(rm *)"])]


class PersonaList(Struct, frozen=True, kw_only=True):
    """The personas of the manifest, in its order."""

    personas: tuple[PersonaView, ...]


class StartedRun(Struct, frozen=True, kw_only=True):
    """A run that waits for a worker."""

    run_id: str
    pipeline_name: str
    status: RunStatus
    started_at: Instant
