from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from runline.intake.instants import read_instant
from runline.model.clock import MAX_MS, MIN_MS
from runline.testing.corpus import BAD_VALUES

NOW = 1_795_200_000_000


@pytest.mark.parametrize(
    ("given", "ms"),
    [
        (None, NOW),
        (" ", NOW),
        ("2026-11-20T12:00:00Z", 1_795_176_000_000),
        ("2026-11-20T12:00:00.1239", 1_795_176_000_123),
        ("2026-11-20T12:00:00+14:00", 1_795_176_000_000 - 14 * 3_600_000),
        ("2026-11-20", 1_795_132_800_000),
        (dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC), 1_795_176_000_000),
        (dt.datetime(2026, 11, 20, 12), 1_795_176_000_000),
        (dt.date(2026, 11, 20), 1_795_132_800_000),
        (1_795_176_000, 1_795_176_000_000),
        (1_795_176_000.5, 1_795_176_000_500),
        (1_795_176_000_000, 1_795_176_000_000),
        (1_795_176_000_000_999, 1_795_176_000_000),
        (1_795_176_000_000_999_999, 1_795_176_000_000),
        ("1795176000", 1_795_176_000_000),
        ("1795176000.25", 1_795_176_000_250),
        (0, 0),
        (-1, -1000),
        ("0000-01-01T00:00:00Z", MIN_MS),
        ("-0044-03-15", MIN_MS),
        ("10000-01-01", MAX_MS),
        ("+12026-01-01", MAX_MS),
        ("9999-12-31T23:59:59.999999Z", MAX_MS),
        ("0001-01-01T00:00:00+14:00", MIN_MS),
        (10**30, MAX_MS),
        ("9" * 40, MAX_MS),
        (-1e300, MIN_MS),
    ],
)
def test_instants_are_read(given: Any, ms: int) -> None:
    assert read_instant(given, NOW) == (ms, None)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("yesterday", "yesterday"),
        ("2026-13-45T00:00:00Z", "2026-13-45T00:00:00Z"),
        (True, True),
        ([1], [1]),
        ({}, {}),
        (float("inf"), None),
    ],
)
def test_what_is_no_instant_is_handed_back(given: Any, kept: Any) -> None:
    assert read_instant(given, NOW) == (NOW, kept)


def test_now_is_clamped_too() -> None:
    assert read_instant(None, 10**20) == (MAX_MS, None)


@pytest.mark.parametrize("name", BAD_VALUES)
def test_no_value_raises(name: str) -> None:
    ms, _ = read_instant(BAD_VALUES[name], NOW)
    assert MIN_MS <= ms <= MAX_MS
