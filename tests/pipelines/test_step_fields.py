"""Steps, in Runline's keys and in Wave's."""

from __future__ import annotations

import pytest

from runline.pipelines.definition import Contract, Exec, Injected, Produced, Retry, Step
from runline.pipelines.exec_fields import Context
from runline.pipelines.problems import Problems
from runline.pipelines.step_fields import read_step
from runline.pipelines.yaml_source import read_yaml

ACTION = "exec: {type: command, source: make}\n"


def read(text: str) -> tuple[Step | None, list[str], list[str]]:
    """The step, its problems, and what it cannot be started for."""
    problems, context = Problems("a.yaml"), Context({})
    step = read_step(read_yaml(text.encode()), 0, context, problems)
    return step, [f"{one.severity} {one.line} {one.message}" for one in problems.found], context.unsupported


def test_a_step_in_full() -> None:
    step, problems, unsupported = read(
        """
id: build
persona: writer
model: small-1
dependencies: [fetch, fetch, check]
exec: {type: prompt, source: Write}
timeout: 90s
retry: {max_attempts: 3, backoff: exponential, base_delay: 200ms, max_delay: 10s, on_failure: fail}
optional: true
contracts: [{type: file_exists, source: a}]
handover: {contract: {type: non_empty_file, source: b}}
memory: {strategy: fresh, inject_artifacts: [{step: fetch, artifact: raw, as: data, optional: true, type: json}]}
output_artifacts:
  - {name: report, path: out/report.html, type: html, required: true}
  - {name: said, source: stdout}
workspace: build
env: {LEVEL: 3}
"""
    )
    assert problems == [] and unsupported == []
    assert step == Step(
        id="build",
        exec=Exec(type="prompt", source="Write"),
        persona="writer",
        model="small-1",
        dependencies=("fetch", "check"),
        timeout_s=90.0,
        retry=Retry(max_attempts=3, backoff="exponential", delay_s=0.2, max_delay_s=10.0),
        optional=True,
        contracts=(
            Contract(type="file_exists", source="a"),
            Contract(type="non_empty_file", source="b"),
        ),
        injected=(Injected(step="fetch", artifact="raw", as_name="data", optional=True),),
        produced=(
            Produced(name="report", path="out/report.html", type="html", required=True),
            Produced(name="said"),
        ),
        workspace="build",
        env={"LEVEL": "3"},
    )


def test_a_step_at_its_shortest() -> None:
    step, problems, unsupported = read("id: a\n" + ACTION)
    assert step == Step(id="a", exec=Exec(type="command", source="make"))
    assert problems == [] and unsupported == []


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("timeout_minutes: 2", {"timeout_s": 120.0}),
        ("timeout_minutes: 0", {"timeout_s": None}),
        ("timeout: 5s\ntimeout_minutes: 2", {"timeout_s": 5.0}),
        ("retry: {policy: patient}", {"retry": Retry(max_attempts=3, backoff="exponential", delay_s=5, max_delay_s=90)}),
        ("retry: {policy: none, max_attempts: 2}", {"retry": Retry(max_attempts=2, backoff="fixed", delay_s=0, max_delay_s=0)}),
        ("retry: {max_attempts: 2, on_failure: continue}", {"retry": Retry(max_attempts=2), "optional": True}),
        ("matrix: [a, {b: 1}]", {"matrix": ("a", {"b": 1})}),
        ("matrix: {x: [1, 2], y: [3]}", {"matrix": ({"x": 1, "y": 3}, {"x": 2, "y": 3})}),
        ("matrix: '{{ input.files }}'", {"matrix": None, "matrix_from": "files"}),
        ("matrix: '{{ input }}'", {"matrix": None, "matrix_from": ""}),
        ("workspace: {root: build}", {"workspace": "build"}),
        ("memory: {inject_artifacts: [{step: a, artifact: b}]}", {"injected": (Injected(step="a", artifact="b", as_name="b"),)}),
    ],
)  # fmt: skip
def test_values(text: str, fields: dict[str, object]) -> None:
    step, problems, unsupported = read(f"id: a\n{ACTION}{text}\n")
    assert problems == [] and unsupported == []
    assert {name: getattr(step, name) for name in fields} == fields


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id: a/b", "`id` 'a/b' must begin with"),
        ("x: 1", "step 1: `id` is missing"),
        ("- a", "step 1 must be a map"),
        (f"id: run\n{ACTION}", "`run` stands for the run as a whole"),
        ("id: a", "`exec` is missing"),
        ("id: a\nexec: {type: prompt, source: x}", "a prompt needs a `persona`"),
        (f"id: a\n{ACTION}timeout: soon", "not a duration"),
        (f"id: a\n{ACTION}retry: {{policy: wild}}", "'wild' is none of none, standard"),
        (f"id: a\n{ACTION}retry: {{max_attempts: 0}}", "not between 1 and 100"),
        (f"id: a\n{ACTION}matrix: 7", "`matrix` is a list"),
        (f"id: a\n{ACTION}matrix: 'x {{{{ input }}}}'", "`matrix` is a list"),
        (f"id: a\n{ACTION}matrix: '{{{{ matrix }}}}'", "`matrix` is a list"),
        (f"id: a\n{ACTION}matrix: {{a: 1}}", "`matrix` is a list"),
        (f"id: a\n{ACTION}matrix: []", "stands for no step"),
        (f"id: a\n{ACTION}matrix: {{}}", "stands for no step"),
        (f"id: a\n{ACTION}matrix: {{a: [1], b: []}}", "stands for no step"),
        (f"id: a\n{ACTION}matrix: {{a: {list(range(40))}, b: {list(range(40))}}}", "more than 1,000"),
        (f"id: a\n{ACTION}output_artifacts: [{{name: b}}]", "`path` is missing"),
        (f"id: a\n{ACTION}output_artifacts: [{{name: b, path: x}}, {{name: b, path: y}}]", "produced twice"),
        (f"id: a\n{ACTION}output_artifacts: {{name: b}}", "must be a list"),
        (f"id: a\n{ACTION}memory: {{inject_artifacts: [{{step: b}}]}}", "`artifact` is missing"),
        (f"id: a\n{ACTION}workspace: [x]", "`workspace` must be a map"),
        (f"id: a\n{ACTION}dependancies: [x]", "did you mean 'dependencies'?"),
        (f"id: a\n{ACTION}contexts: [x]", "`contexts` is read and not acted on"),
        (f"id: a\n{ACTION}retry: {{adapt_prompt: true}}", "`adapt_prompt` is read and not acted on"),
        (f"id: a\n{ACTION}handover: {{compaction: {{}}}}", "`compaction` is read and not acted on"),
    ],
)
def test_each_fault_is_told_once(text: str, told: str) -> None:
    _, problems, _ = read(text)
    (one,) = problems
    assert told in one


def test_a_step_with_a_fault_keeps_its_id_for_those_that_wait() -> None:
    assert read("id: a")[0] is not None
    assert read("x: 1")[0] is None


@pytest.mark.parametrize(
    ("text", "unsupported"),
    [
        ("workspace: {type: worktree, branch: b}", ["workspace.type"]),
        ("workspace: {mount: [{source: ./, target: /x, mode: readonly}]}", ["workspace.mount"]),
        ("workspace: {ref: other}", ["workspace.ref"]),
        ("strategy: {type: matrix, items_source: a/b.json}", ["strategy"]),
        ("gate: {type: approval}", ["gate"]),
        ("rework_only: true", ["rework_only"]),
        ("rework_only: false", []),
        ("type: conditional", ["type: conditional"]),
        ("type: command", []),
        ("retry: {on_failure: rework, rework_step: b}", ["retry.on_failure: rework"]),
        ("handover: {on_review_fail: retry}", ["handover.on_review_fail"]),
        ("memory: {inject_artifacts: [{pipeline: other, artifact: x}]}", ["inject_artifacts of another pipeline"]),
        ("persona: '{{ forge.type }}-analyst'", ["{{ forge.type }}"]),
    ],
)  # fmt: skip
def test_what_is_not_executed_is_kept_by_name(text: str, unsupported: list[str]) -> None:
    _, problems, found = read(f"id: a\n{ACTION}{text}\n")
    assert problems == []
    assert found == unsupported


def test_a_step_that_only_composes_needs_no_exec() -> None:
    _, problems, found = read("id: a\npipeline: other\ninput: x\n")
    assert problems == [] and found == ["pipeline"]
