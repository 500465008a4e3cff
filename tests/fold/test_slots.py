from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from runline.fold.slots import MOST_SLOTS, fit, merge
from runline.fold.state import RunFold
from runline.model.clock import MAX_MS, MIN_MS

Tell = Callable[..., RunFold]


def test_events_are_counted_in_the_slot_of_their_time(tell: Tell) -> None:
    fold = tell(
        ("log", 500),
        ("log", 1000),
        ("log", {"@level": "warn"}, 1999),
        ("log", {"@level": "error"}, 511_999),
        ("log", {"@level": "fatal"}, 2000),
    )
    assert fold.slots == {0: [2, 0, 0], 1: [2, 1, 0], 2: [1, 0, 0], 511: [1, 0, 1]}
    assert fold.touched.slots == {0, 1, 2, 511}
    assert (fold.warn_count, fold.error_count) == (1, 1)


def test_the_width_doubles_until_the_event_fits(tell: Tell) -> None:
    fold = tell(("log", 1000), ("log", 3000), ("log", 512_000))
    assert (fold.slot_ms, fold.slots) == (2000, {0: [2, 0, 0], 1: [1, 0, 0], 256: [1, 0, 0]})
    assert fold.touched.all_slots
    assert fold.touched.slots == {256}
    tell(("log", 10_000_000), onto=fold)
    assert fold.slot_ms == 32_000


def test_an_event_from_before_the_start_counts_in_the_first_slot(tell: Tell) -> None:
    fold = tell(("log", -5_000_000))
    assert (fold.slots, fold.touched.all_slots) == ({0: [2, 0, 0]}, False)


def test_the_answer_is_merged_by_a_whole_factor() -> None:
    slots = {0: [1, 0, 0], 1: [2, 1, 0], 9: [4, 0, 3]}
    merged = merge(50, 1000, slots, 4)
    assert (merged.start_ms, merged.slot_ms) == (50, 3000)
    assert (merged.events, merged.warnings, merged.errors) == ((3, 0, 0, 4), (1, 0, 0, 0), (0, 0, 0, 3))
    assert merge(50, 1000, slots, 160).slot_ms == 1000
    assert merge(50, 1000, slots, 0).events == (7,)
    assert merge(50, 1000, {}, 160).events == ()


@given(st.lists(st.integers(-10_000, 20_000_000) | st.integers(MIN_MS, MAX_MS)), st.integers(1, 512))
def test_no_event_is_lost_and_no_slot_is_beyond_the_last(offsets_ms: list[int], most: int) -> None:
    fold = RunFold("r", 0)
    for offset_ms in offsets_ms:
        slot = offset_ms // fold.slot_ms
        if not 0 <= slot < MOST_SLOTS:
            slot = fit(fold, offset_ms)
        assert 0 <= slot < MOST_SLOTS
        fold.slots.setdefault(slot, [0, 0, 0])[0] += 1
    asked = merge(0, fold.slot_ms, fold.slots, most)
    assert sum(asked.events) == len(offsets_ms)
    assert len(asked.events) <= most
    assert asked.slot_ms % fold.slot_ms == 0
