from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runline.model.clock import (
    MAX_MS,
    MIN_MS,
    Clock,
    ManualClock,
    SystemClock,
    from_ms,
    parse_instant,
    to_iso,
    to_ms,
)


def test_the_system_clock_tells_the_time() -> None:
    clock: Clock = SystemClock()
    before = time.time_ns() // 1_000_000
    assert before <= clock.now_ms() <= time.time_ns() // 1_000_000


def test_a_manual_clock_moves_when_told() -> None:
    clock = ManualClock(1000)
    assert clock.now_ms() == clock.now_ms() == 1000
    clock.advance(ms=5)
    clock.advance(s=1.5)
    assert clock.now_ms() == 2505


@given(st.integers(MIN_MS, MAX_MS))
def test_the_text_of_an_instant_has_24_characters_and_reads_back(ms: int) -> None:
    assert len(to_iso(ms)) == 24
    assert parse_instant(to_iso(ms)) == ms
    assert to_ms(from_ms(ms)) == ms


def test_instants_outside_the_calendar_are_clamped() -> None:
    assert to_iso(MIN_MS - 1) == "0001-01-01T00:00:00.000Z"
    assert to_iso(MAX_MS + 10**15) == "9999-12-31T23:59:59.999Z"


def test_finer_than_a_millisecond_is_cut() -> None:
    assert to_ms(datetime(1970, 1, 1, 0, 0, 0, 1999, UTC)) == 1
    assert to_ms(datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC)) == -1


def test_no_zone_reads_as_utc() -> None:
    assert to_ms(datetime(1970, 1, 1, 1)) == to_ms(datetime(1970, 1, 1, 1, tzinfo=UTC)) == 3_600_000
    assert to_ms(datetime(1970, 1, 1, 15, tzinfo=timezone(timedelta(hours=14)))) == 3_600_000


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:01Z", 1000),
        (" 1970-01-01T00:00:01.5 ", 1500),
        ("1970-01-01T14:00:00+14:00", 0),
        ("0001-01-01T00:00:00+14:00", MIN_MS),
        ("9999-12-31T23:59:59-14:00", MAX_MS),
    ],
)
def test_an_iso_text_is_an_instant(text: str, ms: int) -> None:
    assert parse_instant(text) == ms


@pytest.mark.parametrize(
    "text", ["", "now", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "1970-01-01T24:61:00Z"]
)
def test_any_other_text_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_instant(text)
