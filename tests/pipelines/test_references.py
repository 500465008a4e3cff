"""References: what they name, and what carries it."""

from __future__ import annotations

import pytest

from runline.pipelines.references import Reference, not_filled_in, references, variable, whole_reference


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{{ input }}", "RUNLINE_INPUT"),
        ("{{input.date}}", "RUNLINE_INPUT_DATE"),
        ("{{ input.max-files }}", "RUNLINE_INPUT_MAX_FILES"),
        ("{{ input.a.b }}", "RUNLINE_INPUT_A_B"),
        ("{{ matrix }}", "RUNLINE_MATRIX"),
        ("{{  matrix.os\t}}", "RUNLINE_MATRIX_OS"),
    ],
)
def test_each_reference_has_its_variable(text: str, name: str) -> None:
    assert [reference.variable for reference in references(f"a {text} b")] == [name]


@pytest.mark.parametrize(
    "text", ["{{ inputs }}", "{{ .Name }}", "{ input }", "{{ input", "{{ input. }}", "{{ input.a b }}"]
)
def test_other_braces_are_text(text: str) -> None:
    assert not list(references(text))


def test_places() -> None:
    assert list(references("{{ input }}-{{ matrix.a }}")) == [
        Reference("input", (), 0, 11),
        Reference("matrix", ("a",), 12, 26),
    ]


def test_a_text_that_is_one_reference() -> None:
    found = whole_reference(" {{ input.files }}\n")
    assert found is not None and found.path == ("files",)
    assert whole_reference("x {{ input }}") is None
    assert whole_reference("{{ input }}{{ input }}") is None
    assert whole_reference("x") is None


def test_odd_letters_of_a_key() -> None:
    assert variable("input", ("größe 1",)) == "RUNLINE_INPUT_GR_SSE_1"


def test_what_wave_would_fill_in_is_named_once() -> None:
    text = (
        "{{ project.test_command }} {{ project.test_command }} {{ steps.a.output.x }} {{ input }} {{ other }}"
    )
    assert not_filled_in(text) == ["project.test_command", "steps.a.output.x"]
