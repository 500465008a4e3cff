from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runline.fold.eta import eta, percentile, read_usual, read_usuals, step_eta_ms, usual_data, usual_of
from runline.fold.state import RunFold
from runline.model.run import Eta
from runline.model.step import Usual

Tell = Callable[..., RunFold]
USUAL = {"p50_ms": 10_000, "p90_ms": 20_000, "n": 23}


def test_percentiles_are_by_nearest_rank() -> None:
    assert percentile([5], 0.5) == percentile([5], 0.9) == 5
    assert percentile([4, 1, 3, 2], 0.5) == 2
    assert percentile(list(range(1, 11)), 0.9) == 9
    assert percentile(list(range(1, 12)), 0.9) == 10
    assert percentile([7, 8], 0.0) == 7


def test_usual_is_median_ninetieth_and_number() -> None:
    assert usual_of([30, 10, 20]) == Usual(20, 30, 3)
    assert usual_of([]) is None


@given(st.lists(st.integers(0, 10**12), min_size=1))
def test_usual_figures_are_among_the_durations(durations: list[int]) -> None:
    usual = usual_of(durations)
    assert usual is not None
    assert {usual.p50_ms, usual.p90_ms} <= set(durations)
    assert usual.p50_ms <= usual.p90_ms


def test_usual_goes_into_a_start_event_and_comes_back() -> None:
    one, two = Usual(1, 2, 3), Usual(4, 5, 6)
    data = usual_data(one, {"a": two}, {"m": one})
    assert data is not None
    assert (read_usual(data), read_usuals(data["steps"])) == (one, {"a": two})
    assert usual_data(None, {}, {}) is None
    only_steps = usual_data(None, {"a": two}, {})
    assert only_steps is not None and read_usual(only_steps) is None


@pytest.mark.parametrize(
    "value", [None, 3, [], {}, USUAL | {"n": 0}, USUAL | {"p50_ms": "x"}, USUAL | {"p90_ms": -1}]
)
def test_bad_figures_are_no_figures(value: object) -> None:
    assert read_usual(value) is None
    assert read_usuals({"a": value, "b": USUAL}) == {"b": Usual(10_000, 20_000, 23)}
    assert read_usuals([value]) == {}


def test_without_anything_to_go_by_there_is_no_estimate(tell: Tell) -> None:
    assert eta(tell(("log", 5000))) is None


def test_only_a_running_run_has_an_estimate(tell: Tell) -> None:
    assert eta(tell(("run_queued", {"usual": USUAL}, 0))) is None
    assert eta(tell(("run_started", {"usual": USUAL}, 0), ("run_ended", {}))) is None


def test_the_runs_own_estimate_comes_first(tell: Tell) -> None:
    fold = tell(
        ("run_started", {"usual": USUAL}, 0),
        ("eta_updated", {"estimated_time_ms": 9000}, 1000),
        ("log", 3000),
    )
    assert eta(fold) == Eta(7000, 7000, 7000, 0, "given")
    tell(("log", 60_000), onto=fold)
    assert eta(fold) == Eta(0, 0, 0, 0, "given")


def test_then_what_is_usual(tell: Tell) -> None:
    fold = tell(("run_started", {"usual": USUAL}, 0), ("log", {"progress": 50}, 4000))
    assert eta(fold) == Eta(6000, 6000, 16_000, 23, "history")
    tell(("log", 30_000), onto=fold)
    assert eta(fold) == Eta(0, 0, 0, 23, "history")


def test_then_progress(tell: Tell) -> None:
    assert eta(tell(("log", {"progress": 25}, 4000))) == Eta(12_000, 12_000, 12_000, 0, "progress")
    assert eta(tell(("log", {"progress": 25}, 0))) is None


def test_a_step_has_an_estimate_of_its_own(tell: Tell) -> None:
    fold = tell(("run_started", {"usual": {"steps": {"a": USUAL}}}, 0), ("step_started", "a", 1000))
    a = fold.steps["a"]
    tell(("log", "a", 5000), onto=fold)
    assert step_eta_ms(a) == 6000
    tell(("step_progress", "a", {"estimated_time_ms": 800}, 5000), ("log", "a", 5300), onto=fold)
    assert step_eta_ms(a) == 500
    tell(("step_completed", "a"), ("step_retrying", "never"), onto=fold)
    assert step_eta_ms(a) is None
    assert step_eta_ms(fold.steps["never"]) is None


def test_a_step_without_history_goes_by_its_progress(tell: Tell) -> None:
    fold = tell(("step_started", "a", 1000))
    assert step_eta_ms(fold.steps["a"]) is None
    tell(("step_progress", "a", {"progress": 20}, 3000), onto=fold)
    assert step_eta_ms(fold.steps["a"]) == 8000
