"""Schedules: what may start, what is blocked, and what a run amounts to."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runline.pipelines.definition import Exec, Pipeline, Step
from runline.pipelines.plan import plan_of
from runline.pipelines.schedule import Ending, Schedule


def step(id: str, *after: str, **fields: Any) -> Step:
    return Step(id=id, exec=Exec(type="command", argv=("true",)), dependencies=after, **fields)


def schedule(*steps: Step, most: int = 9, reused: tuple[str, ...] = ()) -> Schedule:
    return Schedule(plan_of(Pipeline(name="p", steps=steps)), most=most, reused=reused)


def ready(one: Schedule) -> list[str]:
    return [planned.name for planned in one.ready()]


def through(one: Schedule, endings: dict[str, Ending]) -> list[str]:
    """Runs it one step at a time; the steps in the order they ran."""
    ran = []
    while not one.over:
        name = ready(one)[0]
        one.started(name)
        ran.append(name)
        one.ended(name, endings.get(name, "completed"))
    return ran


def test_steps_start_when_those_before_are_done() -> None:
    one = schedule(step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c"), step("e"), most=2)
    assert ready(one) == ["a", "e"]
    one.started("a")
    one.started("e")
    assert ready(one) == [] and not one.over
    one.ended("a", "completed")
    assert ready(one) == ["b"]
    one.ended("e", "completed")
    assert ready(one) == ["b", "c"]
    assert through(one, {}) == ["b", "c", "d"]
    assert (one.status, one.partial, one.blocked) == ("completed", False, ())


def test_a_failure_blocks_what_waits_and_nothing_else() -> None:
    one = schedule(step("a"), step("b", "a"), step("c", "b"), step("x"), step("y", "x"))
    assert through(one, {"a": "failed"}) == ["a", "x", "y"]
    assert (one.status, one.failed, one.blocked) == ("failed", ("a",), ("b", "c"))


def test_an_optional_failure_blocks_nothing() -> None:
    one = schedule(step("a", optional=True), step("b", "a"))
    assert through(one, {"a": "failed"}) == ["a", "b"]
    assert (one.status, one.partial) == ("completed", True)


def test_an_optional_step_that_is_cancelled_still_stops_the_run() -> None:
    one = schedule(step("a", optional=True), step("b", "a"))
    assert through(one, {"a": "cancelled"}) == ["a"]
    assert (one.status, one.partial, one.blocked) == ("cancelled", False, ("b",))


def test_a_stop_lets_running_steps_end() -> None:
    one = schedule(step("a"), step("b", "a"))
    one.started("a")
    one.stopping = True
    assert not one.over
    one.ended("a", "completed")
    assert one.over
    assert (one.status, one.blocked) == ("cancelled", ("b",))


def test_a_matrix_is_waited_for_as_a_whole() -> None:
    one = schedule(step("a", matrix=("x", "y")), step("b", "a"))
    one.started("a[0]")
    one.ended("a[0]", "completed")
    assert ready(one) == ["a[1]"]


def test_reused_steps_do_not_run_again() -> None:
    one = schedule(step("a"), step("b", "a"), step("c", "a", "b"), reused=("a",))
    assert through(one, {}) == ["b", "c"]


@given(
    st.lists(st.tuples(st.sets(st.integers(0, 9)), st.booleans(), st.booleans()), max_size=10),
    st.integers(1, 4),
)
def test_every_step_runs_or_waits_for_one_that_failed(
    drawn: list[tuple[set[int], bool, bool]], most: int
) -> None:
    steps = [
        step(f"s{n}", *(f"s{source}" for source in before if source < n), optional=optional)
        for n, (before, optional, _) in enumerate(drawn)
    ]
    endings: dict[str, Ending] = {f"s{n}": "failed" for n, (_, _, fails) in enumerate(drawn) if fails}
    one = schedule(*steps, most=most)
    ran = through(one, endings)
    stopped = {name for name in ran if name in endings and not steps[int(name[1:])].optional}
    plan = plan_of(Pipeline(name="p", steps=tuple(steps)))
    assert set(ran) == {one.id for one in steps} - plan.downstream(stopped)
    assert set(one.blocked) == plan.downstream(stopped)
    assert one.status == ("failed" if stopped else "completed")
