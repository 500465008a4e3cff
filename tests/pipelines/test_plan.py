"""Plans: spread matrices, waves, what is downstream, and the form of the start event."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from runline.model.errors import Invalid
from runline.pipelines.definition import Exec, Pipeline, Retry, Step
from runline.pipelines.plan import graph_of, plan_of
from runline.record.plan import read_plan

ACTION = Exec(type="command", argv=("true",))


def step(id: str, *after: str, **fields: Any) -> Step:
    return Step(id=id, exec=ACTION, dependencies=after, **fields)


def pipeline(*steps: Step) -> Pipeline:
    return Pipeline(name="p", steps=steps)


DIAMOND = pipeline(
    step("fetch", retry=Retry(max_attempts=3)),
    step("test", "fetch", matrix=("3.11", {"py": "3.12"})),
    step("lint", "fetch", persona="critic", optional=True),
    step("publish", "test", "lint"),
)


def test_a_matrix_is_spread_and_waited_for_as_a_whole() -> None:
    plan = plan_of(DIAMOND)
    assert [(one.name, one.item, one.index) for one in plan.steps] == [
        ("fetch", UNSET, None),
        ("test[0]", "3.11", 0),
        ("test[1]", {"py": "3.12"}, 1),
        ("lint", UNSET, None),
        ("publish", UNSET, None),
    ]
    assert plan.after["publish"] == ("test[0]", "test[1]", "lint")
    assert plan.waves() == [("fetch",), ("test[0]", "test[1]", "lint"), ("publish",)]


def test_downstream() -> None:
    plan = plan_of(DIAMOND)
    assert plan.downstream(["fetch"]) == {"test[0]", "test[1]", "lint", "publish"}
    assert plan.downstream(["test[1]", "lint"]) == {"publish"}
    assert plan.downstream(["publish"]) == set()


def test_the_start_event_carries_the_plan_as_it_is_read() -> None:
    data = plan_of(DIAMOND).data()
    assert data == {
        "sha256": DIAMOND.definition_sha256,
        "steps": [
            {"id": "fetch", "max_attempts": 3},
            {"id": "test[0]", "dependencies": ["fetch"]},
            {"id": "test[1]", "dependencies": ["fetch"]},
            {"id": "lint", "persona": "critic", "dependencies": ["fetch"], "optional": True},
            {"id": "publish", "dependencies": ["test", "lint"]},
        ],
    }
    assert read_plan(data) == data


def test_items_of_the_input() -> None:
    spread = pipeline(step("a", matrix_from="files.new"))
    plan = plan_of(spread, {"files": {"new": ["x", 7]}})
    assert [(one.name, one.item) for one in plan.steps] == [("a[0]", "x"), ("a[1]", 7)]
    assert [one.item for one in plan_of(pipeline(step("a", matrix_from="")), [1]).steps] == [1]


@pytest.mark.parametrize("input", [None, {}, {"files": 7}, {"files": []}, [], "x"])
def test_items_that_are_no_list_are_refused(input: Any) -> None:
    with pytest.raises(Invalid, match="no list with items") as caught:
        plan_of(pipeline(step("a", matrix_from="files")), input)
    assert caught.value.fields == {"input.files": "must be a list that is not empty"}


def test_more_steps_than_a_run_may_have_are_refused() -> None:
    with pytest.raises(Invalid, match="10,000"):
        plan_of(pipeline(step("a", matrix_from="")), list(range(10_001)))


def test_a_wide_fan_out_is_planned_and_laid_out() -> None:
    wide = pipeline(step("first"), *(step(f"s{n}", "first") for n in range(5_000)), step("last", "s7"))
    plan = plan_of(wide)
    assert [len(wave) for wave in plan.waves()] == [1, 5_000, 1]
    assert len(plan.downstream(["first"])) == 5_001
    assert len(graph_of(wide.steps).nodes) == 5_002


def test_cycles_are_reported_with_their_path() -> None:
    assert graph_of([step("a", "b"), step("b", "a")]).cycles == (("a", "b", "a"),)


@given(st.lists(st.sets(st.integers(0, 11)), max_size=12))
def test_every_step_is_in_one_wave_after_those_it_waits_for(before: list[set[int]]) -> None:
    steps = [
        step(f"s{n}", *(f"s{source}" for source in sources if source < n)) for n, sources in enumerate(before)
    ]
    plan = plan_of(pipeline(*steps))
    waves = plan.waves()
    place = {name: wave for wave, names in enumerate(waves) for name in names}
    assert sorted(place) == sorted(one.name for one in plan.steps)
    assert all(place[source] < place[name] for name, sources in plan.after.items() for source in sources)
