from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runline.model.clock import MIN_MS, parse_instant, to_iso
from runline.model.durations import format_ms, parse_span_ms, parse_when, relative
from runline.model.errors import Invalid


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, "–"),
        (-5, "0ms"),
        (0, "0ms"),
        (850, "850ms"),
        (999, "999ms"),
        (1000, "1.0s"),
        (1899, "1.8s"),
        (9999, "9.9s"),
        (10_000, "10s"),
        (12_999, "12s"),
        (59_999, "59s"),
        (60_000, "1m 00s"),
        (83_000, "1m 23s"),
        (3_599_999, "59m 59s"),
        (3_600_000, "1h 00m"),
        (4_980_000, "1h 23m"),
        (176_400_000, "49h 00m"),
    ],
)
def test_a_duration_has_one_text(ms: int | None, text: str) -> None:
    assert format_ms(ms) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (-60_000, "just now"),
        (9_999, "just now"),
        (12_000, "12 seconds ago"),
        (60_000, "1 minute ago"),
        (11 * 60_000, "11 minutes ago"),
        (3_600_000, "1 hour ago"),
        (2 * 3_600_000, "2 hours ago"),
        (47 * 3_600_000, "47 hours ago"),
        (48 * 3_600_000, "2 days ago"),
        (400 * 86_400_000, "400 days ago"),
    ],
)
def test_how_long_ago_is_told_in_words(ms: int, text: str) -> None:
    assert relative(ms) == text


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("850ms", 850),
        ("90s", 90_000),
        ("1.5s", 1500),
        ("5m", 300_000),
        ("24h", 86_400_000),
        ("7d", 604_800_000),
        ("2w", 1_209_600_000),
        ("1m 23s", 83_000),
        ("1h23m", 4_980_000),
        (" 1 m 23 s ", 83_000),
        ("60", 60_000),
        ("0.25", 250),
        ("0", 0),
    ],
)
def test_a_span_is_read(text: str, ms: int) -> None:
    assert parse_span_ms(text) == ms


@pytest.mark.parametrize(
    "text", ["", " ", "-5s", "5x", "s", "1s 1m", "1m 1m", "1e3", "nan", "٣s", "9" * 400, "1 2"]
)
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_span_ms(text)
    assert refused.value.code == "bad_span"
    assert "90s" in refused.value.message


@given(st.integers(min_value=0, max_value=10**10))
def test_what_is_written_reads_back_to_its_precision(ms: int) -> None:
    step = 1 if ms < 1000 else 100 if ms < 10_000 else 1000 if ms < 3_600_000 else 60_000
    assert parse_span_ms(format_ms(ms)) == ms - ms % step


NOW = parse_instant("2026-11-20T12:00:00Z")


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("24h", "2026-11-19T12:00:00.000Z"),
        ("7d", "2026-11-13T12:00:00.000Z"),
        ("2026-11-20", "2026-11-20T00:00:00.000Z"),
        ("2026-11-20T09:30:00+02:00", "2026-11-20T07:30:00.000Z"),
    ],
)
def test_an_instant_is_an_iso_time_or_a_span_back(text: str, iso: str) -> None:
    assert to_iso(parse_when(text, now_ms=NOW)) == iso


def test_a_span_longer_than_time_ends_at_its_beginning() -> None:
    assert parse_when("999999999999w", now_ms=NOW) == MIN_MS


@pytest.mark.parametrize("text", ["yesterday", "", "60", "2026-13-01", "-1d"])
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_when(text, now_ms=NOW)
    assert refused.value.code == "bad_instant"
    assert "24h" in refused.value.message
