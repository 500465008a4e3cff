"""Adapters, personas, commands and limits, in Runline's keys and in Wave's."""

from __future__ import annotations

import pytest

from runline.pipelines.definition import Adapter, Command, Persona, Runtime
from runline.pipelines.manifest_fields import read_sections
from runline.pipelines.permissions import Permissions
from tests.pipelines.conftest import MakeFields


def test_sections_are_read(fields_of: MakeFields) -> None:
    fields = fields_of(
        """
        adapters:
          local:
            command: [python3, agent.py]
            env: {MODE: fast}
            default_permissions: {allowed_tools: [Read], deny: ["Bash(rm *)"]}
        personas:
          writer:
            adapter: local
            description: Writes
            model: small-1
            temperature: 0.3
            system_prompt_file: prompts/writer.md
            permissions: {allowed_tools: [Write], deny: [Web]}
          reader: {adapter: local}
        commands:
          lint: {command: [ruff, check]}
        runtime: {max_runs: 2, max_steps: 3, secrets: [API_TOKEN], default_timeout_minutes: 5}
        """
    )
    found = read_sections(fields)
    assert fields.problems.found == []
    rules = Permissions(allowed_tools=("Read",), deny=("Bash(rm *)",))
    assert found.adapters == {
        "local": Adapter(
            name="local", command=("python3", "agent.py"), env={"MODE": "fast"}, permissions=rules
        )
    }
    assert found.personas == {
        "writer": Persona(
            name="writer",
            adapter="local",
            description="Writes",
            model="small-1",
            temperature=0.3,
            system_prompt_file="prompts/writer.md",
            permissions=Permissions(allowed_tools=("Write",), deny=("Bash(rm *)", "Web")),
        ),
        "reader": Persona(name="reader", adapter="local", permissions=rules),
    }
    assert found.commands == {"lint": Command(name="lint", argv=("ruff", "check"))}
    assert found.runtime == Runtime(max_runs=2, max_steps=3, secrets=("API_TOKEN",), default_timeout_s=300)
    assert found.unsupported == ()


def test_without_any_section_everything_has_its_default(fields_of: MakeFields) -> None:
    found = read_sections(fields_of("a: 1"))
    assert found.adapters == {} and found.personas == {} and found.commands == {}
    assert found.runtime == Runtime() == Runtime(max_runs=8, max_steps=4)


def test_waves_keys(fields_of: MakeFields) -> None:
    fields = fields_of(
        """
        adapters:
          cli: {binary: agent, mode: headless, output_format: json, project_files: [A.md], hooks_template: x}
        personas:
          p: {adapter: cli, sandbox: {allowed_domains: [a]}, hooks: {PreToolUse: []}, token_scopes: [x]}
        runtime:
          max_concurrency: 7
          workspace_root: w
          sandbox: {backend: docker}
          relay: {}
        """
    )
    found = read_sections(fields)
    assert found.adapters["cli"].command == ("agent",)
    assert found.personas["p"].unsupported == ("hooks", "sandbox")
    assert found.runtime.max_steps == 7
    assert found.unsupported == ("runtime.sandbox",)
    assert [one.message for one in fields.problems.found] == [
        "adapter 'cli': 'agent' is run with the prompt on standard input and no arguments",
        "adapter 'cli': `hooks_template` is read and not acted on",
        "persona 'p': `token_scopes` is read and not acted on",
        "it: `runtime`: `relay` is read and not acted on",
    ]
    assert all(one.severity == "warning" for one in fields.problems.found)


@pytest.mark.parametrize("sandbox", ["{enabled: false}", "{backend: none}", "{}"])
def test_a_sandbox_that_is_off_hinders_nothing(fields_of: MakeFields, sandbox: str) -> None:
    assert read_sections(fields_of(f"runtime: {{sandbox: {sandbox}}}")).unsupported == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("adapters: {a: {mode: x}}", "`command` is missing"),
        ("adapters: {a: {command: agent}}", "must be a list of texts"),
        ("adapters: [a]", "`adapters` must be a map"),
        ("personas: {p: {description: x}}", "`adapter` is missing"),
        ("commands: {c: {cmd: [x]}}", "did you mean 'command'?"),
        ("commands: {c: {command: [make, '{{ input }}']}}", "a command line takes no"),
        ("runtime: {max_runs: 0}", "not between 1 and 1000"),
        ("runtime: {max_step: 2}", "did you mean 'max_steps'?"),
        ("runtime: {secrets: [sk-live-123]}", "this is none"),
    ],
)
def test_faults_are_named(fields_of: MakeFields, text: str, told: str) -> None:
    fields = fields_of(text)
    read_sections(fields)
    assert any(told in one.message for one in fields.problems.found)
    assert not any("sk-live-123" in one.message for one in fields.problems.found)


def test_a_persona_names_an_adapter_that_is_there(fields_of: MakeFields) -> None:
    fields = fields_of("adapters: {local: {command: [x]}}\npersonas: {p: {adapter: locl}}\n")
    read_sections(fields)
    (one,) = fields.problems.found
    assert one.message == "persona 'p': 'locl' is no adapter of the manifest; did you mean 'local'?"
    assert one.line == 2
