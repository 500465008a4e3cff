"""What a step does: one of prompt, argument list, script and shell text; never a caller's text."""

from __future__ import annotations

import pytest

from runline.pipelines.definition import Exec
from runline.pipelines.exec_fields import Context, read_exec
from tests.pipelines.conftest import MakeFields


@pytest.mark.parametrize(
    ("text", "action"),
    [
        (
            "exec: {type: prompt, source: 'Write {{ input }}'}",
            Exec(type="prompt", source="Write {{ input }}"),
        ),
        ("exec: {type: prompt, source_path: p.md}", Exec(type="prompt", source_path="p.md")),
        ("exec: {type: command, command: [make, all]}", Exec(type="command", argv=("make", "all"))),
        ("exec: {type: command, command: lint}", Exec(type="command", argv=("ruff", "check"))),
        (
            "exec: {type: command, source: 'echo {{ input }}'}",
            Exec(type="command", source="echo {{ input }}"),
        ),
        ("exec: {type: command, source_path: run.sh}", Exec(type="command", source_path="run.sh")),
        ("exec: {type: slash_command, command: plan}", Exec(type="prompt", source="/plan")),
        ("exec: {type: slash_command, command: /plan, args: all}", Exec(type="prompt", source="/plan all")),
        ("script: make", Exec(type="command", source="make")),
    ],
)
def test_actions(fields_of: MakeFields, text: str, action: Exec) -> None:
    fields = fields_of(text)
    context = Context({"lint": ("ruff", "check")})
    assert read_exec(fields, context) == action
    assert fields.problems.found == [] and context.unsupported == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1", "`exec` is missing"),
        ("exec: {}", "`type` is missing"),
        ("exec: {type: promt, source: x}", "did you mean 'prompt'?"),
        ("exec: {type: prompt}", "a prompt takes one of source, source_path, not nothing"),
        ("exec: {type: prompt, command: x}", "a prompt takes one of source, source_path, not `command`"),
        ("exec: {type: command, source: a, command: [b]}", "not `source` and `command`"),
        ("exec: {type: command, command: lnt}", "'lnt' is no command of the manifest"),
        ("exec: {type: command, command: lnt}", "did you mean 'lint'?"),
        ("exec: {type: command, command: [make, '{{ input }}']}", "a command line takes no"),
        ("exec: {type: command, source: \"echo '{{ input.x }}'\"}", "single quotes"),
        ("exec: {type: command, source: \"echo '{{ input.x }}'\"}", "$RUNLINE_INPUT_X"),
        ("exec: {type: command, source_path: 'x/{{ input }}'}", "`source_path` takes no"),
        ("exec: {type: slash_command}", "`command` is missing"),
        ("exec: {type: command, source: make, shell: bash}", "unknown key 'shell'"),
        ("script: \"echo '{{ input }}'\"", "single quotes"),
        ("script: ''", "`script` is blank"),
    ],
)
def test_wrong_actions_name_their_fault(fields_of: MakeFields, text: str, told: str) -> None:
    fields = fields_of(text)
    read_exec(fields, Context({"lint": ("ruff", "check")}))
    (one,) = fields.problems.found
    assert told in one.message and one.line == 1


@pytest.mark.parametrize("kind", ["prompt", "command"])
def test_what_wave_would_fill_in_keeps_it_from_starting(fields_of: MakeFields, kind: str) -> None:
    context = Context({})
    read_exec(fields_of(f"exec: {{type: {kind}, source: 'x {{{{ forge.cli_tool }}}}'}}"), context)
    assert context.unsupported == ["{{ forge.cli_tool }}"]
