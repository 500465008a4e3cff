"""One step: what it is given, tried again, held to and left behind; through whole runs of real programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runline.pipelines import step_run
from tests.pipelines.conftest import MakeManifest
from tests.pipelines.test_execute import Ran, files

pytestmark = pytest.mark.usefixtures("recorder")

HOSTILE = "$(touch owned) `touch owned` '\"\\ *\n;|&>< ${HOME}"
AGENT = """
    adapters: {local: {command: [python3, agent.py], env: {MODE: fast}}}
    personas:
      writer:
        adapter: local
        model: small-1
        system_prompt_file: system.md
        permissions: {allowed_tools: [Read]}
    """


def command(source: str, more: str = "") -> str:
    return f"steps:\n  - id: a\n    exec:\n      type: command\n      source: {json.dumps(source)}\n{more}"


def test_input_arrives_and_is_never_interpreted(manifest_of: MakeManifest, tmp_path: Path) -> None:
    manifest = manifest_of(
        files(command('printf "%s" {{ input.x }} > got; cat "$RUNLINE_FILE_INPUT" > whole'))
    )
    ran = Ran(manifest, {"x": HOSTILE})
    assert ran.ending == "completed"
    assert (tmp_path / "got").read_text() == HOSTILE
    assert json.loads((tmp_path / "whole").read_text()) == {"x": HOSTILE}
    assert not (tmp_path / "owned").exists()


def test_an_input_too_large_for_the_environment_is_said(manifest_of: MakeManifest) -> None:
    ran = Ran(manifest_of(files(command("echo {{ input.x }}"))), {"x": "y" * 200_000})
    assert ran.ending == "failed"
    assert "too large for an environment variable" in (ran.steps["a"].error or "")


def test_a_script_file_is_run(manifest_of: MakeManifest, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    script = tmp_path / "run.sh"
    script.write_text("#!/bin/sh\npwd\necho $RUNLINE_STEP $LEVEL\n")
    script.chmod(0o755)
    text = "steps: [{id: a, workspace: work, env: {LEVEL: 3}, exec: {type: command, source_path: run.sh}}]"
    ran = Ran(manifest_of(files(text)))
    assert ran.messages() == [str(tmp_path / "work"), "a 3"]


def agent(source: str) -> str:
    return "import json, os, sys\n" + source


PROMPT = "steps: [{id: a, persona: writer, exec: {type: prompt, source: 'Say {{ input.x }}'}}]"


def test_a_prompt_is_answered_by_the_personas_adapter(manifest_of: MakeManifest, tmp_path: Path) -> None:
    source = agent(
        "print(sys.stdin.read())\n"
        "print(*(os.environ['RUNLINE_' + n] for n in ('PERSONA', 'MODEL', 'PERSONA_ALLOWED_TOOLS', 'PERSONA_SYSTEM_PROMPT_FILE')))\n"
        "print(json.dumps({'type': 'tool_call', 'data': {'name': 'Read'}}))\n"
        "print(json.dumps({'type': 'llm_response', 'data': {'tokens_used': 7}}))\n"
    )
    manifest = manifest_of({**files(PROMPT, AGENT), "agent.py": source})
    ran = Ran(manifest, {"x": "$(hello)"})
    assert ran.ending == "completed"
    assert ran.messages() == ["Say $(hello)", f'writer small-1 ["Read"] {tmp_path / "system.md"}']
    assert ran.messages("tool_call") == ["Read"]
    assert ran.run.total_tokens == 7
    assert (ran.steps["a"].persona, ran.steps["a"].model) == ("writer", "small-1")


def test_a_prompt_of_a_file(manifest_of: MakeManifest) -> None:
    steps = "steps: [{id: a, persona: writer, model: large-1, exec: {type: prompt, source_path: prompt.md}}]"
    manifest = manifest_of(
        {**files(steps, AGENT), "agent.py": agent("print(sys.stdin.read())"), "prompt.md": "Do {{ input }}"}
    )
    ran = Ran(manifest, "this")
    assert ran.messages() == ["Do this"]
    assert ran.steps["a"].model == "large-1"


def test_a_persona_without_a_model(manifest_of: MakeManifest) -> None:
    manifest = "adapters: {x: {command: [cat]}}\npersonas: {writer: {adapter: x}}\n"
    assert Ran(manifest_of(files(PROMPT, manifest)), {"x": "me"}).messages() == ["Say me"]


def test_a_denied_tool_fails_the_step_at_once(manifest_of: MakeManifest) -> None:
    source = agent(
        "print(json.dumps({'type': 'tool_call', 'data': {'name': 'Write'}}), flush=True)\nimport time; time.sleep(600)"
    )
    steps = PROMPT.replace("persona: writer", "persona: writer, retry: {max_attempts: 3}")
    ran = Ran(manifest_of({**files(steps, AGENT), "agent.py": source}), {"x": 1})
    assert ran.ending == "failed"
    assert ran.steps["a"].error == "it used a tool that its persona may not use: Write"
    assert ran.steps["a"].attempt == 1


def test_a_step_is_tried_again(manifest_of: MakeManifest) -> None:
    more = "    retry: {max_attempts: 3, backoff: fixed, base_delay: 1ms}\n"
    ran = Ran(manifest_of(files(command("echo x >> tries; [ $(wc -l < tries) -ge 2 ]", more))))
    assert ran.ending == "completed"
    (retrying,) = (event for event in ran.events if event.type == "step_retrying")
    assert retrying.data == {"attempt": 2, "max_attempts": 3, "error": "exit code 1", "delay_ms": 1}
    assert (ran.steps["a"].attempt, ran.steps["a"].max_attempts) == (2, 3)


def test_a_step_out_of_time_fails(manifest_of: MakeManifest) -> None:
    ran = Ran(manifest_of(files(command("sleep 600", "    timeout: 100ms\n"))))
    assert ran.steps["a"].error == "it was stopped after 100ms, its time limit"


def test_a_step_whose_files_are_not_there_fails(manifest_of: MakeManifest) -> None:
    ran = Ran(manifest_of(files(command("true", "    workspace: nowhere\n"))))
    assert "does not exist" in (ran.steps["a"].error or "")
    steps = "steps: [{id: a, persona: writer, exec: {type: prompt, source_path: nowhere.md}}]"
    missing = Ran(manifest_of(files(steps, AGENT)))
    assert "No such file" in (missing.steps["a"].error or "")


ARTIFACTS = """
    steps:
      - id: make
        exec: {type: command, source: 'echo said; echo data > out.txt'}
        output_artifacts:
          - {name: data, path: out.txt, type: text, required: true}
          - {name: output, source: stdout}
          - {name: absent, path: nowhere}
      - id: use
        dependencies: [make]
        memory:
          inject_artifacts:
            - {step: make, artifact: data, as: given}
            - {step: make, artifact: output}
            - {step: make, artifact: absent, optional: true}
        exec: {type: command, source: 'cd "$RUNLINE_ARTIFACTS_IN"; cat given output; ls | wc -l'}
    """


def test_artifacts_are_kept_and_given_on(manifest_of: MakeManifest) -> None:
    ran = Ran(manifest_of(files(ARTIFACTS)))
    assert ran.ending == "completed"
    artifacts = ran.store.list_artifacts(ran.active.id)
    assert [(one.step_id, one.name, one.type, one.size_bytes) for one in artifacts] == [
        ("make", "data", "text", 5),
        ("make", "output", None, 5),
    ]
    assert ran.store.read_artifact(ran.active.id, "make", "data").content == "data\n"
    assert ran.messages() == [
        "said",
        "the artifact 'absent' was not made: there is no nowhere",
        "data",
        "said",
        "2",
    ]


def test_a_required_artifact_that_is_missing_fails_the_step(manifest_of: MakeManifest) -> None:
    more = "    output_artifacts: [{name: data, path: out.txt, required: true}]\n"
    ran = Ran(manifest_of(files(command("true", more))))
    assert ran.steps["a"].error == "it left no out.txt, its artifact 'data'"


def test_an_artifact_that_nobody_left_fails_the_step_that_needs_it(manifest_of: MakeManifest) -> None:
    steps = """
        steps:
          - {id: make, exec: {type: command, source: 'true'}}
          - id: use
            dependencies: [make]
            memory: {inject_artifacts: [{step: make, artifact: data}]}
            exec: {type: command, source: 'true'}
        """
    ran = Ran(manifest_of(files(steps)))
    assert ran.steps["use"].error == "step 'make' left no artifact 'data'"


def test_a_step_names_artifacts_in_its_output(manifest_of: MakeManifest) -> None:
    source = (
        "echo hello > made.txt\n"
        """echo '{"type":"artifact_created","data":{"name":"report","path":"made.txt","type":"text"}}'\n"""
        """echo '{"type":"artifact_created","path":"made.txt"}'\n"""
        """echo '{"type":"artifact_created","path":"/etc/hostname"}'\n"""
        """echo '{"type":"artifact_created","path":"a\\u0000b"}'\n"""
        """echo '{"type":"artifact_created","name":"told"}'\n"""
    )
    ran = Ran(manifest_of(files(command(source))))
    assert ran.ending == "completed"
    artifacts = ran.store.list_artifacts(ran.active.id)
    assert [(one.name, one.type) for one in artifacts] == [
        ("report", "text"),
        ("made.txt", None),
        ("told", None),
    ]
    assert len([message for message in ran.messages() if "is not kept" in message]) == 2


def test_contracts_are_held(manifest_of: MakeManifest) -> None:
    more = """
    output_artifacts: [{name: out, path: out.json}]
    contracts:
      - {type: json_schema, schema: {type: object}}
      - {type: test_suite, command: 'echo tested'}
      - {type: test_suite, command: [pwd], dir: .}
      - {type: non_empty_file, source: nowhere, on_failure: continue}
"""
    ran = Ran(manifest_of(files(command("echo '{}' > out.json", more))))
    assert ran.ending == "completed"
    assert ran.messages("contract_validating") == [
        "Validating json_schema",
        "Validating test_suite",
        "Validating test_suite",
        "Validating non_empty_file",
    ]
    assert "tested" in ran.messages()
    assert ran.messages("test_result") == ["1 passed, 0 failed"] * 2
    assert [call.status for call in ran.store.calls(ran.active.id).items] == ["done", "done"]
    assert any("does not hold and the step goes on" in message for message in ran.messages())


@pytest.mark.parametrize(
    ("contract", "retry", "attempts"),
    [
        ("{type: file_exists, source: x}", "", 1),
        ("{type: file_exists, source: x, on_failure: retry, max_retries: 2}", "", 3),
        ("{type: file_exists, source: x}", "max_attempts: 2, ", 2),
        ("{type: test_suite, command: 'exit 1'}", "", 1),
    ],
)
def test_a_broken_contract_fails_the_step(
    manifest_of: MakeManifest, contract: str, retry: str, attempts: int
) -> None:
    more = f"    retry: {{{retry}base_delay: 1ms}}\n    contracts: [{contract}]\n"
    ran = Ran(manifest_of(files(command("true", more))))
    assert ran.ending == "failed"
    assert (ran.steps["a"].error or "").startswith("contract ")
    assert ran.steps["a"].attempt == attempts


def test_a_failed_program_is_not_tried_as_often_as_its_contract(manifest_of: MakeManifest) -> None:
    more = "    contracts: [{type: file_exists, source: x, on_failure: retry, max_retries: 5}]\n"
    assert Ran(manifest_of(files(command("exit 1", more)))).steps["a"].attempt == 1


def test_whatever_goes_wrong_is_how_the_step_ended(
    manifest_of: MakeManifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: str) -> str:
        raise MemoryError

    monkeypatch.setattr(step_run, "shell_text", broken)
    ran = Ran(manifest_of(files(command("true"))))
    assert (ran.ending, ran.steps["a"].error) == ("failed", "MemoryError")


def test_a_stop_ends_the_wait_for_another_attempt(manifest_of: MakeManifest) -> None:
    from runline.pipelines.execute import execute
    from runline.pipelines.plan import plan_of
    from runline.record.run import ActiveRun

    more = "    retry: {max_attempts: 2, base_delay: 1h, max_delay: 1h}\n"
    manifest = manifest_of(files(command("exit 1", more)))
    run = ActiveRun("p").start()
    run.store.cancel(run.id)
    while not run.cancel_requested:
        pass
    plan = plan_of(manifest.startable("p"))
    assert execute(run, plan, manifest) == "cancelled"
