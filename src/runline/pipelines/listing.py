"""What a manifest defines, as the API shows it: each pipeline with how its runs went."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from runline.fold.eta import usual_of
from runline.fold.wire.dag import DagView
from runline.fold.wire.pipelines import PipelineDetail
from runline.model.clock import to_iso
from runline.model.errors import Conflict
from runline.model.run import Run
from runline.model.step import Usual
from runline.model.wire.pipelines import (
    InputView,
    ManifestProblem,
    ManifestView,
    PersonaList,
    PersonaView,
    PipelineList,
    PipelineStep,
    PipelineSummary,
    RecentRun,
    StartedRun,
)
from runline.model.wire.quantity import iso
from runline.model.wire.runs import run_summary
from runline.pipelines.definition import Persona, Pipeline, Step
from runline.pipelines.manifest import Manifest
from runline.pipelines.plan import graph_of
from runline.store.interface import Store

_RECENT = 14
_USUAL_RUNS = 50


def pipeline_list(manifest: Manifest | None, store: Store) -> PipelineList:
    """Every pipeline, also those that cannot be started; none without a manifest."""
    pipelines = () if manifest is None else manifest.pipelines.values()
    return PipelineList(
        pipelines=tuple(
            PipelineSummary(**_summary(manifest, store, pipeline)) for pipeline in pipelines if manifest
        ),
        manifest=manifest_view(manifest),
    )


def pipeline_detail(manifest: Manifest, store: Store, name: str) -> PipelineDetail:
    """Raises NotFound."""
    pipeline = manifest.pipeline(name)
    summary = _summary(manifest, store, pipeline)
    usual: dict[str, Usual] = {}
    if summary["last_run"] is not None:
        steps = store.list_steps(summary["last_run"].run_id)
        usual = {step.step_id: step.usual for step in steps if step.usual is not None}
    graph = graph_of(pipeline.steps)
    return PipelineDetail(
        **summary,
        steps=tuple(_step(step, usual.get(step.id)) for step in pipeline.steps),
        dag=DagView(nodes=graph.nodes, edges=graph.edges),
    )


def persona_list(manifest: Manifest | None) -> PersonaList:
    """Every persona; none without a manifest."""
    personas = () if manifest is None else manifest.personas.values()
    return PersonaList(personas=tuple(map(persona_view, personas)))


def persona_view(persona: Persona) -> PersonaView:
    return PersonaView(
        name=persona.name,
        description=persona.description,
        adapter=persona.adapter,
        model=persona.model,
        temperature=persona.temperature,
        system_prompt_file=persona.system_prompt_file,
        allowed_tools=persona.permissions.allowed_tools,
        denied_tools=persona.permissions.deny,
    )


def manifest_view(manifest: Manifest | None) -> ManifestView:
    if manifest is None:
        return ManifestView(path=None, read_at=None, errors=())
    return ManifestView(
        path=str(manifest.path),
        read_at=iso(manifest.read_at_ms),
        errors=tuple(
            ManifestProblem(severity=one.severity, file=one.file, line=one.line, message=one.message)
            for one in manifest.problems
        ),
    )


def started_run(run: Run) -> StartedRun:
    """The answer to a start, a retry or a resume."""
    return StartedRun(
        run_id=run.run_id,
        pipeline_name=run.name,
        status=run.status,
        started_at=to_iso(run.started_at_ms),
    )


def _summary(manifest: Manifest, store: Store, pipeline: Pipeline) -> dict[str, Any]:
    recent = store.list_runs(name=pipeline.name, limit=_RECENT).items
    completed = store.list_runs(name=pipeline.name, status="completed", limit=_USUAL_RUNS).items
    durations = [run.duration_ms for run in completed if run.duration_ms is not None and not run.partial]
    reason = _reason(manifest, pipeline.name)
    return {
        "name": pipeline.name,
        "description": pipeline.description,
        "step_count": len(pipeline.steps),
        "input": InputView(
            source=pipeline.input.source,
            schema=Raw(msgspec.json.encode(pipeline.input.schema)),
            example=Raw(msgspec.json.encode(pipeline.input.example)),
        ),
        "last_run": run_summary(recent[0]) if recent else None,
        "recent": tuple(
            RecentRun(run_id=run.run_id, status=run.status, duration_ms=run.duration_ms) for run in recent
        ),
        "success_rate": store.counts(name=pipeline.name).success_rate,
        "usual": usual_of(durations),
        "next_run_at": None,
        "source": pipeline.source,
        "definition_sha256": pipeline.definition_sha256,
        "startable": reason is None,
        "reason": reason,
    }


def _reason(manifest: Manifest, name: str) -> str | None:
    """Why the pipeline cannot be started; None when it can."""
    try:
        manifest.startable(name)
    except Conflict as error:
        return error.message
    return None


def _step(step: Step, usual: Usual | None) -> PipelineStep:
    return PipelineStep(
        step_id=step.id,
        persona=step.persona,
        model=step.model,
        type=step.exec.type,
        dependencies=step.dependencies,
        optional=step.optional,
        max_attempts=step.retry.max_attempts,
        timeout_ms=None if step.timeout_s is None else round(step.timeout_s * 1000),
        matrix_count=None if step.matrix is None else len(step.matrix),
        contracts=tuple(contract.type for contract in step.contracts),
        artifacts=tuple(produced.name for produced in step.produced),
        usual=usual,
    )
