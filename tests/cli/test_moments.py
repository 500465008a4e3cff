from __future__ import annotations

from typing import Any

import pytest

from runline.cli.moments import absolute, estimate, offset, rounded, running_ms, short_left, span, when
from runline.model.clock import parse_instant
from runline.model.run import Eta, Run
from runline.model.step import Usual

NOW = parse_instant("2026-11-21T02:00:00Z")
MINUTE = 60_000


def run(**fields: Any) -> Run:
    given = {
        "run_id": "r",
        "tenant_id": "default",
        "kind": "run",
        "name": "nightly",
        "status": "running",
        "started_at_ms": NOW - 5 * MINUTE,
        "updated_at_ms": NOW,
        "window_start_ms": NOW,
        **fields,
    }
    return Run(**given)


def history(left: int, n: int = 23) -> Any:
    return {
        "eta": Eta(left * MINUTE, left * MINUTE, left * MINUTE, n, "history"),
        "usual": Usual(9 * MINUTE, 12 * MINUTE, n),
    }


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "no estimate yet"),
        (history(4), "~4m left (P50–P90 9–12m of 23 runs)"),
        (history(4, n=1), "~4m left (P50–P90 9–12m of 1 run)"),
        ({**history(0), "started_at_ms": NOW - 10 * MINUTE}, "~2m left (P50–P90 9–12m of 23 runs)"),
        ({**history(0), "started_at_ms": NOW - 14 * MINUTE}, "slower than usual by 2m"),
        ({"eta": Eta(90_000, 90_000, 90_000, 0, "given")}, "~2m left (as the run says)"),
        ({"eta": Eta(30_000, 0, 0, 0, "progress"), "progress": 40}, "~30s left (from 40 % so far)"),
        ({"eta": Eta(30_000, 0, 0, 0, "given"), "updated_at_ms": NOW - MINUTE}, "due any moment"),
        ({"updated_at_ms": NOW - 3 * MINUTE}, "no estimate yet · no news for 3m"),
        ({"status": "completed"}, ""),
    ],
)
def test_an_estimate_says_where_it_comes_from(fields: dict[str, Any], said: str) -> None:
    assert estimate(run(**fields), NOW) == said


def test_in_a_column_it_is_short() -> None:
    assert short_left(run(**history(4)), NOW) == "~4m left"
    assert short_left(run(**{**history(0), "started_at_ms": NOW - 14 * MINUTE}), NOW) == "slower by 2m"
    assert short_left(run(updated_at_ms=NOW - 3 * MINUTE), NOW) == "no news 3m"


def test_how_long_a_run_took() -> None:
    assert running_ms(run(), NOW) == 5 * MINUTE
    assert running_ms(run(status="completed", completed_at_ms=NOW - MINUTE), NOW) == 4 * MINUTE
    assert running_ms(run(status="interrupted", updated_at_ms=NOW - 2 * MINUTE), NOW) == 3 * MINUTE


def test_times_relative_and_absolute() -> None:
    assert when(NOW - 2 * 3_600_000, now_ms=NOW, utc=False) == "2 hours ago"
    assert when(NOW, now_ms=NOW, utc=True) == absolute(NOW) == "2026-11-21 02:00:00 UTC"


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (0, "+00:00.000"),
        (700_117, "+11:40.117"),
        (3_723_004, "+1:02:03.004"),
        (360_000_000, "+100:00:00.000"),
    ],
)
def test_an_offset_from_the_start(ms: int, said: str) -> None:
    assert offset(ms) == said


def test_an_estimate_has_one_unit() -> None:
    assert [rounded(ms) for ms in (-5, 59_999, 89_999, 90_000, 3_700_000)] == [
        "0s",
        "59s",
        "1m",
        "2m",
        "1h 01m",
    ]
    assert span(180_000, 360_000) == "3–6m"
    assert span(40_000, 120_000) == "40s–2m"
    assert span(60_000, 61_000) == "1m"
    assert span(3_700_000, 7_300_000) == "1h 01m–2h 01m"
