from __future__ import annotations

from typing import Any

import pytest

from runline.model.errors import Invalid
from runline.record.plan import read_plan


def test_no_plan_is_none() -> None:
    assert read_plan(None) is None


def test_names_are_steps_and_the_sum_depends_on_the_steps_alone() -> None:
    short, long = read_plan(["a", "b"]), read_plan({"steps": [{"id": "a"}, {"name": "b"}], "note": "x"})
    assert short is not None
    assert long is not None
    assert short["steps"] == long["steps"] == [{"id": "a"}, {"id": "b"}]
    assert short["sha256"] == long["sha256"]
    assert len(short["sha256"]) == 64
    assert long["note"] == "x"


def test_details_are_kept_and_a_given_sum_too() -> None:
    step = {"id": "a", "persona": "p", "after": "z", "max_attempts": 3, "optional": True}
    plan = read_plan({"steps": [step], "sha256": "given"})
    assert plan == {
        "steps": [{"id": "a", "persona": "p", "dependencies": ["z"], "max_attempts": 3, "optional": True}],
        "sha256": "given",
    }


@pytest.mark.parametrize(
    "wrong", ["abc", 5, {"step": []}, {"steps": "abc"}, [1], [{}], [{"id": " "}], [["a"]]]
)
def test_what_is_no_plan_is_refused(wrong: Any) -> None:
    with pytest.raises(Invalid):
        read_plan(wrong)
