from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runline.cli.compare import _difference
from runline.cli.roles import Span
from runline.fold.compare import StepDelta

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_the_last_failed_run_beside_its_last_good_one(cli: CommandLine) -> None:
    good, bad = cli.completed(), cli.failed()
    cli.completed("other")
    lines = cli.text("compare").splitlines()
    assert lines[0].startswith("A  ✔ completed")
    assert good.run_id in lines[0]
    assert lines[1].startswith("B  ✖ failed")
    assert bad.run_id in lines[1]


def test_divergence_steps_and_new_errors(cli: CommandLine) -> None:
    good, bad = cli.completed(), cli.failed()
    said = cli.text("compare", good.run_id, bad.run_id)
    assert "First divergence\n  first in step extract: event 3 of A and event 3 of B differ in type\n" in said
    assert "transform\t✔ completed\t" in said
    assert "load\t✔ completed\t" in said
    assert "▫ blocked" in said
    assert "New errors in B  " in said
    assert "event 11  1e309 does not fit" in said


def test_two_runs_that_did_the_same(cli: CommandLine) -> None:
    left, right = cli.emitted({"type": "log"}, end="completed"), cli.emitted({"type": "log"}, end="completed")
    said = cli.text("compare", left.run_id, right.run_id)
    assert "nowhere: both did the same" in said
    assert "New errors in B\n  none\n" in said
    assert "Steps" not in said


def test_what_only_one_of_them_has(cli: CommandLine) -> None:
    left = cli.emitted({"type": "step_started", "step": "a"}, {"type": "step_completed", "step": "a"})
    errors = ({"type": "error", "message": f"error {chr(97 + n)}", "step": "b"} for n in range(13))
    right = cli.emitted(*errors)
    said = cli.text("compare", left.run_id, right.run_id)
    assert "first in step b: event 2 of B is missing in A" in said
    assert "  A  nothing\n" in said
    assert "and 3 more" in said
    assert "a\t✔ completed\t" in said
    assert "\t–\t" in said
    assert "first in step a: event 2 of B is missing in A" in cli.text("compare", right.run_id, left.run_id)


def test_on_a_terminal_the_events_stand_beside_each_other(terminal: CommandLine) -> None:
    terminal.completed()
    terminal.failed()
    said = terminal.text("compare")
    assert "  A  3  step_completed  Step completed" in said
    assert "  B  3  log  row 1 of 9" in said
    assert "B − A" in said


def test_without_a_good_run_it_says_what_to_name(cli: CommandLine) -> None:
    run = cli.failed()
    assert f"runline compare OTHER {run.run_id[-4:]}" in cli.text("compare", exits=3)


def test_json_is_the_api_s_answer(cli: CommandLine) -> None:
    good, bad = cli.completed(), cli.failed()
    document = cli.json("compare")
    assert (document["left_run_id"], document["right_run_id"]) == (good.run_id, bad.run_id)
    assert document["first_divergence"]["step"] == "extract"
    assert [step["step_id"] for step in document["steps"]] == ["extract", "transform", "load", "report"]


@pytest.mark.parametrize(
    ("left_ms", "delta_ms", "span"),
    [
        (1000, 500, Span("+500ms", "dim")),
        (1000, 5000, Span("+5.0s", "warn")),
        (10_000, -5000, Span("−5.0s", "completed")),
        (100_000, 5000, Span("+5.0s", "dim")),
        (None, None, Span("")),
    ],
)
def test_a_notable_difference_stands_out(left_ms: int | None, delta_ms: int | None, span: Span) -> None:
    delta = StepDelta(
        step_id="s", left_state=None, right_state=None, left_ms=left_ms, right_ms=None, delta_ms=delta_ms
    )
    assert _difference(delta) == span


def test_runs_of_different_names_say_so_and_stand_below_each_other(cli: CommandLine) -> None:
    left, right = cli.completed("build"), cli.running("index-all")
    lines = cli.text("compare", left.run_id, right.run_id).splitlines()
    assert lines[0] == "These are runs of different names, build and index-all: expect them to differ."
    assert lines[1].index("build  ") == lines[2].index("index-all  ")
    assert lines[1].index(left.run_id) == lines[2].index(right.run_id)
    assert not cli.text("compare", left.run_id, left.run_id).startswith("These")
