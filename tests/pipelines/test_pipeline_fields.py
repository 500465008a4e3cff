"""A pipeline's file: names, input, and what its steps say of each other."""

from __future__ import annotations

from textwrap import dedent

import pytest

from runline.pipelines.definition import Adapter, Input, Persona, Pipeline, Runtime
from runline.pipelines.manifest_fields import Sections
from runline.pipelines.pipeline_fields import read_pipeline
from runline.pipelines.problems import Problems
from runline.pipelines.yaml_source import read_yaml

SECTIONS = Sections(
    adapters={"local": Adapter(name="local", command=("x",)), "broken": Adapter(name="broken", command=())},
    personas={
        "writer": Persona(name="writer", adapter="local"),
        "lost": Persona(name="lost", adapter="nowhere"),
        "odd": Persona(name="odd", adapter="broken"),
        "boxed": Persona(name="boxed", adapter="local", unsupported=("sandbox",)),
    },
    commands={},
    runtime=Runtime(),
)
STEPS = "steps: [{id: a, exec: {type: command, source: make}}]\n"


def read(text: str, stem: str = "file-name") -> tuple[Pipeline, list[str]]:
    problems = Problems("p.yaml")
    pipeline = read_pipeline(read_yaml(dedent(text).encode()), stem, problems, SECTIONS)
    return pipeline, [f"{one.severity} {one.line} {one.message}" for one in problems.found]


def test_a_pipeline_is_read() -> None:
    pipeline, problems = read(
        """
        apiVersion: v1
        kind: WavePipeline
        metadata: {name: nightly, description: Every night, release: true}
        input:
          source: cli
          example: {date: 2026-11-20}
          schema: {type: object, required: [date], properties: {date: {type: string}}}
        steps:
          - id: fetch
            exec: {type: command, source: make}
            output_artifacts: [{name: raw, path: raw.json}]
          - id: write
            persona: writer
            dependencies: [fetch]
            exec: {type: prompt, source: Write}
          - id: check
            dependencies: [write]
            exec: {type: command, source: make}
            memory: {inject_artifacts: [{step: fetch, artifact: raw}]}
        """
    )
    assert problems == []
    assert pipeline.name == "nightly" and pipeline.description == "Every night"
    assert pipeline.source == "p.yaml" and pipeline.unsupported == ()
    assert pipeline.input == Input(
        source="cli",
        example={"date": "2026-11-20"},
        schema={"type": "object", "required": ["date"], "properties": {"date": {"type": "string"}}},
    )
    assert [step.id for step in pipeline.steps] == ["fetch", "write", "check"]


def test_a_pipeline_without_a_name_has_its_files() -> None:
    assert read(STEPS)[0].name == "file-name"
    assert read(STEPS)[0].input == Input()
    _, (problem,) = read(STEPS, stem="a b")
    assert "`name` is missing, and the file's name must begin with a letter" in problem


def test_waves_type_of_the_input_is_its_schema() -> None:
    assert read("input: {source: cli, type: string}\n" + STEPS)[0].input.schema == {"type": "string"}
    assert read("input: {example: x}\n" + STEPS)[0].input == Input(example="x")
    given = "input: {type: string, schema: {type: string, description: d}}\n"
    assert read(given + STEPS)[0].input.schema == {"type": "string", "description": "d"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\n", "warning 1 the pipeline: unknown key 'a' is ignored"),
        ("steps: []\n", "error 1 the pipeline: a pipeline needs `steps`"),
        ("steps: {a: 1}\n", "error 1 the pipeline: `steps` must be a list, not a map"),
        ("- a\n", "error 1 the pipeline must be a map, not a list"),
        ("metadata: x\n" + STEPS, "error 1 the pipeline: `metadata` must be a map"),
        ("metadata: {name: a b}\n" + STEPS, "error 1 the pipeline: `metadata`: `name` 'a b' must begin"),
        ("input: {schema: {type: objec}}\n" + STEPS, "error 1 the pipeline: `input`: `schema` is no JSON Schema"),
        ("skills: [x]\n" + STEPS, "warning 1 the pipeline: `skills` is read and not acted on"),
    ],
)  # fmt: skip
def test_faults_of_the_pipeline(text: str, told: str) -> None:
    assert any(problem.startswith(told) for problem in read(text)[1])


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        (["id: a", "id: a"], "error 5 step 'a' stands here and on line 2; ids are unique"),
        (
            ["id: fetch", "id: b, dependencies: [fecth]"],
            "error 5 step 'b' waits for 'fecth', which is no step; did you mean 'fetch'?",
        ),
        (["id: a, dependencies: [a]"], "error 2 steps wait for each other in a circle: a → a"),
        (
            ["id: a, dependencies: [c]", "id: b, dependencies: [a]", "id: c, dependencies: [b]"],
            "error 2 steps wait for each other in a circle: a → c → b → a",
        ),
        (["id: a, persona: writr"], "error 2 step 'a': 'writr' is no persona of the manifest; did you mean 'writer'?"),
        (["id: a, persona: lost"], "error 2 step 'a': persona 'lost' has no adapter that could be run; see the problems of the manifest"),
        (["id: a, persona: odd"], "error 2 step 'a': persona 'odd' has no adapter that could be run; see the problems of the manifest"),
        (
            ["id: a, memory: {inject_artifacts: [{step: b, artifact: x}]}"],
            "error 2 step 'a' takes 'x' of 'b', which is no step",
        ),
        (
            [
                "id: a",
                "id: b, dependencies: [a]",
                "id: c, dependencies: [a, b, a], memory: {inject_artifacts: [{step: a, artifact: x}]}",
            ],
            "warning 8 step 'c' takes 'x' of 'a', which does not declare it",
        ),
        (
            ["id: a", "id: b, memory: {inject_artifacts: [{step: a, artifact: x}]}"],
            "error 5 step 'b' takes 'x' of 'a', and does not wait for it; add it to `dependencies`",
        ),
        (
            ["id: a, output_artifacts: [{name: raw, path: r}]", "id: b, dependencies: [a], memory: {inject_artifacts: [{step: a, artifact: row}]}"],
            "warning 5 step 'b' takes 'row' of 'a', which does not declare it; did you mean 'raw'?",
        ),
    ],
)  # fmt: skip
def test_faults_between_steps(steps: list[str], told: str) -> None:
    text = "steps:\n"
    for step in steps:
        text += f"  - {{{step},\n     exec: {{type: command,\n            source: make}}}}\n"
    assert read(text)[1] == [told]


def test_a_step_without_an_id_does_not_count() -> None:
    pipeline, problems = read("steps:\n  - x: 1\n")
    assert pipeline.steps == ()
    assert problems == ["error 2 step 1: `id` is missing"]


def test_too_many_steps_are_refused() -> None:
    steps = "".join(f"  - {{id: s{n}, exec: {{type: command, source: make}}}}\n" for n in range(1_001))
    assert read(f"steps:\n{steps}")[1] == ["error 1 the pipeline: a pipeline has at most 1,000 steps"]


def test_what_is_not_executed_is_kept_with_its_step_or_persona() -> None:
    pipeline, problems = read(
        """
        metadata: {disabled: true}
        hooks: [{name: x}]
        steps:
          - {id: a, gate: {type: approval}}
          - {id: b, dependencies: [a], persona: boxed, exec: {type: prompt, source: x}}
        """
    )
    assert problems == []
    assert pipeline.unsupported == (
        "it is disabled",
        "hooks",
        "gate (step 'a')",
        "sandbox (persona 'boxed')",
    )
