from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator

import msgspec
import pytest

from runline.fold.compare import Divergence, compare_steps, first_divergence
from runline.model.event import Event
from runline.model.step import Step

Events = Callable[..., list[Event]]
GOOD = (
    ("run_started", {"name": "n"}),
    ("step_started", "a"),
    ("log", "a", {"@message": "read 12 rows in 3.5 s", "rows": 12}),
    ("step_completed", "a"),
    ("step_started", "b"),
    ("tool_call", "b", {"name": "grep"}),
    ("step_completed", "b"),
    ("run_ended", {"status": "completed"}),
)


def test_two_runs_that_did_the_same(events: Events) -> None:
    other: tuple[tuple[object, ...], ...] = (
        ("run_started", {"name": "n", "parent_run_id": "x", "usual": {}}),
        ("eta_updated", {"estimated_time_ms": 3}),
        ("step_progress", "a", {"progress": 3}),
        ("step_started", "b"),
        ("tool_call", "b", {"name": "rg", "_cut": []}),
        ("step_started", "a"),
        ("queue_stats", {}),
        ("log", "a", {"@message": "read 99 rows in 0.1 s", "rows": 99}),
        ("step_completed", "b"),
        ("step_completed", "a"),
        ("run_ended", {"status": "failed"}),
    )
    assert first_divergence(events(*GOOD), events(*other)) is None
    assert first_divergence([], []) is None


@pytest.mark.parametrize(
    ("place", "other", "reason"),
    [
        (2, ("tool_call", "a", {"@message": "read 1 rows in 3.5 s", "rows": 1}), "type"),
        (2, ("log", "a", {"@message": "wrote 12 rows in 3.5 s", "rows": 12}), "message"),
        (2, ("log", "a", {"@message": "read 12 rows in 3.5 s", "lines": 12}), "data"),
        (5, ("error", "b", {"@message": "boom"}), "type"),
    ],
)
def test_the_first_difference_is_named(
    events: Events, place: int, other: tuple[object, ...], reason: str
) -> None:
    right = [*GOOD[:place], other, *GOOD[place + 1 :]]
    found = first_divergence(events(*GOOD), events(*right))
    assert found == Divergence(str(other[1]), place + 1, place + 1, reason)  # type: ignore[arg-type]


def test_the_earliest_in_the_right_run_wins(events: Events) -> None:
    left = events(("log", "a", {"@message": "x"}), ("log", "b", {"@message": "y"}))
    right = events(("log", "b", {"@message": "q"}), ("log", "a", {"@message": "p"}))
    assert first_divergence(left, right) == Divergence("b", 2, 1, "message")


def test_an_event_that_only_the_right_run_has(events: Events) -> None:
    assert first_divergence(events(*GOOD), events(*GOOD[:-1], ("log", "c"))) == Divergence(
        "c", None, 8, "only_right"
    )
    assert first_divergence(events(*GOOD), events(*GOOD, ("log", "a"))) == Divergence(
        "a", None, 9, "only_right"
    )


def test_a_right_run_that_stops_early_lacks_the_first_of_what_is_left(events: Events) -> None:
    assert first_divergence(events(*GOOD), events(*GOOD[:4])) == Divergence("b", 5, None, "only_left")


def test_noise_above_info_is_compared(events: Events) -> None:
    right = (*GOOD[:2], ("step_progress", "a", {"@level": "warn"}), *GOOD[2:])
    found = first_divergence(events(*GOOD), events(*right))
    assert found is not None and found.right_seq == 3


def test_a_payload_that_is_no_object_has_no_keys(events: Events) -> None:
    (event,) = events(("log",))
    broken = msgspec.structs.replace(event, payload="[" * 100_000)
    assert first_divergence([event], [broken]) is None


def test_the_left_run_is_not_held_in_memory(events: Events) -> None:
    (event,) = events(("log", "a", {"text": "x" * 500}))

    def many() -> Iterator[Event]:
        for seq in range(1, 20_001):
            yield msgspec.structs.replace(event, seq=seq)

    tracemalloc.start()
    try:
        assert first_divergence(many(), many()) is None
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 16 * 20_000 + 200_000


def test_durations_are_compared_step_by_step() -> None:
    def step(name: str, duration_ms: int | None) -> Step:
        return Step(run_id="r", step_id=name, state="completed", index=0, duration_ms=duration_ms)

    deltas = compare_steps(
        [step("a", 100), step("old", 5), step("c", None)], [step("new", 7), step("a", 40), step("c", 3)]
    )
    assert [(d.step_id, d.left_state, d.right_state, d.left_ms, d.right_ms, d.delta_ms) for d in deltas] == [
        ("new", None, "completed", None, 7, None),
        ("a", "completed", "completed", 100, 40, -60),
        ("c", "completed", "completed", None, 3, None),
        ("old", "completed", None, 5, None, None),
    ]
