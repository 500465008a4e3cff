"""A pipeline as a file has it, and what its steps say of each other."""

from __future__ import annotations

from collections.abc import Mapping

from runline.pipelines.definition import Input, Pipeline, Step
from runline.pipelines.exec_fields import Context
from runline.pipelines.fields import NAME, NAME_RULE, Fields
from runline.pipelines.manifest_fields import Sections
from runline.pipelines.plan import graph_of
from runline.pipelines.problems import Problems, nearest, shown
from runline.pipelines.schema import BadSchema, Schema
from runline.pipelines.step_fields import read_step
from runline.pipelines.yaml_source import Node

_MOST_STEPS = 1_000
_WITHOUT_EFFECT = ("chat_context", "max_step_visits", "pipeline_outputs", "requires", "skills")
_METADATA_WITHOUT_WORD = ("category", "labels", "release", "tags", "version")


def read_pipeline(
    root: Node,
    stem: str,
    problems: Problems,
    sections: Sections,
) -> Pipeline:
    """The pipeline of that file; without a name of its own it has the file's. Errors are in `problems`."""
    fields = Fields(root, "the pipeline", problems)
    fields.passed_over("apiVersion", "kind")
    unsupported: list[str] = []
    metadata = fields.section("metadata") or Fields(
        Node(None, root.line), "the pipeline: `metadata`", problems
    )
    name = _name(metadata, stem)
    description = metadata.text("description")
    if metadata.flag("disabled"):
        unsupported.append("it is disabled")
    metadata.passed_over(*_METADATA_WITHOUT_WORD)
    metadata.finish()
    if fields.plain("hooks") is not None:
        unsupported.append("hooks")
    given = _input(fields)
    steps, lines = _steps(fields, sections, unsupported)
    fields.unused(*_WITHOUT_EFFECT)
    fields.finish()
    known = {step.id: step for step in steps}
    for step in steps:
        _check_sources(step, known, lines[step.id], problems)
        _check_persona(step, sections, lines[step.id], problems, unsupported)
    if all(source in known for step in steps for source in step.dependencies):
        _check_cycles(steps, lines, problems)
    return Pipeline(
        name=name,
        steps=tuple(steps),
        description=description,
        input=given,
        source=problems.file,
        unsupported=tuple(dict.fromkeys(unsupported)),
    )


def _name(metadata: Fields, stem: str) -> str:
    if "name" not in metadata and not NAME.fullmatch(stem):
        metadata.error("name", f"`name` is missing, and the file's name {NAME_RULE}")
    return metadata.name("name") or stem


def _input(fields: Fields) -> Input:
    inner = fields.section("input")
    if inner is None:
        return Input()
    schema = inner.plain("schema")
    if schema is None and "type" in inner:
        schema = {"type": inner.plain("type")}
    if schema is not None:
        try:
            Schema(schema)
        except BadSchema as error:
            inner.error("schema", f"`schema` is no JSON Schema: {error}")
            schema = None
    found = Input(source=inner.text("source"), schema=schema, example=inner.plain("example"))
    inner.passed_over("type")
    inner.unused("label_filter", "batch_size")
    inner.finish()
    return found


def _steps(fields: Fields, sections: Sections, unsupported: list[str]) -> tuple[list[Step], dict[str, int]]:
    """The steps that could be read, and the line of each."""
    nodes = fields.items("steps")
    if not nodes:
        fields.error("steps", "a pipeline needs `steps`: a list with at least one")
    if len(nodes) > _MOST_STEPS:
        fields.error("steps", f"a pipeline has at most {_MOST_STEPS:,} steps")
    steps: list[Step] = []
    lines: dict[str, int] = {}
    commands = {name: command.argv for name, command in sections.commands.items()}
    for place, node in enumerate(nodes[:_MOST_STEPS]):
        context = Context(commands)
        step = read_step(node, place, context, fields.problems)
        if step is None:
            continue
        if step.id in lines:
            told = f"step {step.id!r} stands here and on line {lines[step.id]}; ids are unique"
            fields.problems.error(node.line, told)
            continue
        steps.append(step)
        lines[step.id] = node.line
        unsupported += [f"{what} (step {step.id!r})" for what in context.unsupported]
    return steps, lines


def _check_persona(
    step: Step, sections: Sections, line: int, problems: Problems, unsupported: list[str]
) -> None:
    if step.persona is None:
        return
    where = f"step {step.id!r}"
    persona = sections.personas.get(step.persona)
    if persona is None:
        hint = nearest(step.persona, list(sections.personas))
        problems.error(line, f"{where}: {shown(step.persona)} is no persona of the manifest{hint}")
        return
    adapter = sections.adapters.get(persona.adapter)
    if adapter is None or not adapter.command:
        told = f"persona {persona.name!r} has no adapter that could be run; see the problems of the manifest"
        problems.error(line, f"{where}: {told}")
    unsupported += [f"{what} (persona {persona.name!r})" for what in persona.unsupported]


def _check_sources(step: Step, known: Mapping[str, Step], line: int, problems: Problems) -> None:
    """What the step takes from other steps."""
    where = f"step {step.id!r}"
    for source in step.dependencies:
        if source not in known:
            hint = nearest(source, list(known))
            problems.error(line, f"{where} waits for {shown(source)}, which is no step{hint}")
    earlier = _earlier(step, known) if step.injected else set()
    for one in step.injected:
        told = f"{where} takes {shown(one.artifact)} of {shown(one.step)}"
        if one.step not in known:
            problems.error(line, f"{told}, which is no step{nearest(one.step, list(known))}")
        elif one.step not in earlier:
            problems.error(line, f"{told}, and does not wait for it; add it to `dependencies`")
        else:
            names = [produced.name for produced in known[one.step].produced]
            if one.artifact not in names:
                problems.warning(line, f"{told}, which does not declare it{nearest(one.artifact, names)}")


def _earlier(step: Step, known: Mapping[str, Step]) -> set[str]:
    """All that it waits for, directly or through others."""
    found: set[str] = set()
    frontier = list(step.dependencies)
    while frontier:
        name = frontier.pop()
        if name in known and name not in found:
            found.add(name)
            frontier += known[name].dependencies
    return found


def _check_cycles(steps: list[Step], lines: Mapping[str, int], problems: Problems) -> None:
    for cycle in graph_of(steps).cycles:
        path = " → ".join(cycle)
        problems.error(lines[cycle[0]], f"steps wait for each other in a circle: {path}")
