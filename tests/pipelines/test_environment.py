"""The environment of a step's program."""

from __future__ import annotations

from runline.pipelines.definition import Adapter, Exec, Persona, Step
from runline.pipelines.environment import step_environment
from runline.pipelines.inputs import input_variables
from runline.pipelines.permissions import Permissions

STEP = Step(id="a", exec=Exec(type="command", argv=("true",)), env={"LEVEL": "step"})


def test_a_command_finds_its_own_input_and_nobody_elses() -> None:
    around = {
        "PATH": "/bin",
        "LEVEL": "worker",
        "RUNLINE_INPUT_OLD": "stale",
        "RUNLINE_INPUT": "stale",
        "RUNLINE_MATRIX_X": "stale",
        "RUNLINE_FILE_INPUT": "stale",
        "RUNLINE_ARTIFACTS_IN": "stale",
        "RUNLINE_STORE": "kept",
    }
    assert step_environment(around, step=STEP, given=input_variables({"x": 1}), input_file="/i") == {
        "PATH": "/bin",
        "LEVEL": "step",
        "RUNLINE_STORE": "kept",
        "RUNLINE_INPUT": '{"x":1}',
        "RUNLINE_INPUT_X": "1",
        "RUNLINE_FILE_INPUT": "/i",
    }


def test_an_adapter_learns_of_its_persona() -> None:
    persona = Persona(
        name="writer",
        adapter="local",
        model="small-1",
        temperature=0.5,
        permissions=Permissions(allowed_tools=("Read", "Bash(git *)"), deny=("Web",)),
    )
    found = step_environment(
        {},
        step=STEP,
        given=input_variables(None),
        input_file="/i",
        artifacts_folder="/in",
        adapter=Adapter(name="local", command=("x",), env={"LEVEL": "adapter", "MODE": "fast"}),
        persona=persona,
        system_prompt_file="/p.md",
    )
    assert found == {
        "LEVEL": "step",
        "MODE": "fast",
        "RUNLINE_FILE_INPUT": "/i",
        "RUNLINE_ARTIFACTS_IN": "/in",
        "RUNLINE_PERSONA": "writer",
        "RUNLINE_PERSONA_ALLOWED_TOOLS": '["Read","Bash(git *)"]',
        "RUNLINE_PERSONA_DENIED_TOOLS": '["Web"]',
        "RUNLINE_PERSONA_TEMPERATURE": "0.5",
        "RUNLINE_PERSONA_SYSTEM_PROMPT_FILE": "/p.md",
        "RUNLINE_MODEL": "small-1",
    }


def test_a_step_may_ask_for_a_model_of_its_own() -> None:
    step = Step(id="a", exec=STEP.exec, model="large-1")
    persona = Persona(name="p", adapter="a", model="small-1")
    found = step_environment({}, step=step, given=input_variables(None), input_file="/i", persona=persona)
    assert found["RUNLINE_MODEL"] == "large-1"
    assert "RUNLINE_PERSONA_TEMPERATURE" not in found
