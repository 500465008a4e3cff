"""Inputs: checked by their schema, carried by the environment, never by a command line."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from runline.model.errors import Invalid
from runline.pipelines.definition import Exec, Input, Pipeline, Step
from runline.pipelines.inputs import INPUT_FILE, check_input, input_variables, prompt_text
from runline.testing.corpus import BAD_TEXTS

ORDER = {
    "type": "object",
    "required": ["date"],
    "properties": {
        "date": {"type": "string", "format": "date"},
        "region": {"enum": ["eu", "us"], "default": "eu"},
        "max_files": {"type": "integer", "minimum": 1, "maximum": 500, "default": 200},
        "tags": {"type": "array", "items": {"type": "string"}},
        "anything": True,
    },
}


def pipeline(schema: Any) -> Pipeline:
    step = Step(id="a", exec=Exec(type="command", argv=("true",)))
    return Pipeline(name="p", steps=(step,), input=Input(schema=schema))


def faults(schema: Any, given: Any) -> dict[str, str]:
    with pytest.raises(Invalid, match="Pipeline 'p' cannot be started") as caught:
        check_input(pipeline(schema), given)
    assert caught.value.code == "bad_input"
    return caught.value.fields


def test_defaults_are_filled_in() -> None:
    assert check_input(pipeline(ORDER), {"date": "2026-11-20", "region": "us"}) == {
        "date": "2026-11-20",
        "region": "us",
        "max_files": 200,
    }


def test_missing_and_wrong_inputs_are_named() -> None:
    assert faults(ORDER, None) == {"input.date": "is required"}
    assert faults(ORDER, {"max_files": 0}).keys() == {"input.date", "input.max_files"}
    assert faults(ORDER, {"date": "2026-11-31"}).keys() == {"input.date"}
    assert faults(ORDER, {"date": "2026-11-20", "tags": ["a", 7]}).keys() == {"input.tags[1]"}
    assert faults({"items": {"type": "integer"}}, ["x"]).keys() == {"input[0]"}
    assert faults(ORDER, "2026-11-20").keys() == {"input"}


def test_waves_text() -> None:
    assert check_input(pipeline({"type": "string"}), "fix the login") == "fix the login"
    assert check_input(pipeline({"type": "string"}), "") == ""
    assert faults({"type": "string"}, None) == {"input": "is required"}
    assert faults({"type": "string"}, {"a": 1}).keys() == {"input"}


@pytest.mark.parametrize("schema", [None, True, {}, {"type": ["object", "null"]}, {"type": "null"}])
def test_schemas_that_ask_for_nothing(schema: Any) -> None:
    assert not check_input(pipeline(schema), None)


def test_any_json_is_an_input() -> None:
    for given in (None, 7, "x", [1], {"a": {"b": 1}}):
        assert check_input(pipeline(None), given) == given


def test_variables_of_an_input() -> None:
    given = {"date": "2026-11-20", "max-files": 5, "dry": True, "none": None, "deep": {"er": [1, "x"]}}
    found = input_variables(given)
    assert found.left_out == {}
    assert json.loads(found.values.pop("RUNLINE_INPUT")) == given
    assert found.values == {
        "RUNLINE_INPUT_DATE": "2026-11-20",
        "RUNLINE_INPUT_MAX_FILES": "5",
        "RUNLINE_INPUT_DRY": "true",
        "RUNLINE_INPUT_NONE": "",
        "RUNLINE_INPUT_DEEP": '{"er":[1,"x"]}',
        "RUNLINE_INPUT_DEEP_ER": '[1,"x"]',
    }


def test_variables_of_a_matrix_item() -> None:
    assert input_variables(None, {"py": "3.12"}).values == {
        "RUNLINE_MATRIX": '{"py":"3.12"}',
        "RUNLINE_MATRIX_PY": "3.12",
    }
    assert input_variables("x", None).values == {"RUNLINE_INPUT": "x", "RUNLINE_MATRIX": ""}
    assert input_variables(None).values == {}


def test_what_no_environment_takes_is_left_out_with_its_reason() -> None:
    given = {"large": "x" * 100_000, "a b": 1, "a-b": 2, "small": "y"}
    found = input_variables(given)
    assert found.left_out == {
        "RUNLINE_INPUT": "it is too large for an environment variable",
        "RUNLINE_INPUT_LARGE": "it is too large for an environment variable",
        "RUNLINE_INPUT_A_B": "two keys lead to this name",
    }
    found.check("echo {{ input.small }} {{ input.absent }}")
    with pytest.raises(Invalid, match=f"too large.*{INPUT_FILE}") as caught:
        found.check("echo {{ input.small }} {{ input.large }}")
    assert caught.value.fields.keys() == {"input.large"}


def test_many_values_share_the_room() -> None:
    found = input_variables({f"k{n}": "x" * 90_000 for n in range(20)})
    assert 3 <= len(found.values) <= 6
    assert len(found.values) + len(found.left_out) == 21
    many = input_variables({f"k{n}": 1 for n in range(1_500)})
    assert len(many.values) == 1_000
    assert "more than 1,000 keys" in many.left_out["RUNLINE_INPUT"]


def test_deep_inputs_end() -> None:
    given: Any = 1
    for _ in range(60):
        given = {"a": given}
    assert len(input_variables(given).values) == 9


@pytest.mark.parametrize("value", BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_every_odd_text_goes_through_an_environment(value: str) -> None:
    found = input_variables(value)
    printed = subprocess.run(
        ["/usr/bin/printenv", "-0", "RUNLINE_INPUT"], env=found.values, capture_output=True, check=True
    ).stdout
    assert printed.decode() == found.values["RUNLINE_INPUT"] + "\0"
    if "\0" not in value and value.isprintable():
        assert found.values["RUNLINE_INPUT"] == value


def test_a_prompt_takes_values_in_their_places() -> None:
    source = (
        "Do {{ input.what }} for {{ matrix }}, {{ input.none }}{{ input.what.deep }}: {{ input }} {{ other }}"
    )
    assert prompt_text(source, {"what": "{{ input }} $(x)"}, "me") == (
        'Do {{ input }} $(x) for me, : {"what":"{{ input }} $(x)"} {{ other }}'
    )
    assert prompt_text("{{ matrix }}.", None) == "."
    assert prompt_text("plain", {"a": 1}) == "plain"
