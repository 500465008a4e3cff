from __future__ import annotations

import io
import re
from typing import Any

import pytest

from runline.cli.glyphs import SCREEN, UNICODE
from runline.cli.output import Output
from runline.cli.step_table import step_table
from runline.model.step import Step, Usual

NOW = 1_795_200_000_000


def table(*steps: dict[str, Any], width: int = 120, active: bool = True) -> str:
    out = Output(io.StringIO(), on_terminal=width > 0, glyphs=SCREEN if width else UNICODE, environ={})
    if width:
        out.console.width = width
    made: list[dict[str, Any]] = [
        {"run_id": "r", "step_id": f"s{place}", "state": "running", "index": place, **fields}
        for place, fields in enumerate(steps)
    ]
    step_table(out, [Step(**fields) for fields in made], now_ms=NOW, run_is_active=active)
    return re.sub(r"\x1b\[[0-9;]*m", "", out.drawn()).replace("\ufe0e", "")


RUNNING: dict[str, Any] = {
    "started_at_ms": NOW - 345_000,
    "updated_at_ms": NOW,
    "progress": 62,
    "current_action": "supplier 411 of 660",
}


def test_a_running_step_shows_time_progress_and_action() -> None:
    said = table({**RUNNING, "estimated_completion_ms": 180_000})
    assert "◐ running" in said
    assert "5m 45s" in said
    assert " 62 %" in said
    assert "~3m left · supplier 411 of 660" in said


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({**RUNNING, "updated_at_ms": NOW - 180_000}, "no news for 3m · supplier 411 of 660"),
        ({**RUNNING, "updated_at_ms": NOW - 180_000, "current_action": None}, "no news for 3m"),
        ({**RUNNING, "estimated_completion_ms": 5_000, "current_action": None}, "~5s left"),
        ({"state": "running", "started_at_ms": None}, "◐ running"),
        ({"state": "failed", "error": "overflow", "duration_ms": 12_000}, "overflow"),
        ({"state": "skipped", "reason": "cached"}, "cached"),
        ({"state": "retrying", "error": "rate limit", "attempt": 2, "max_attempts": 5}, "2/5"),
        ({"state": "completed", "attempt": 3}, "3"),
        ({"state": "completed", "tokens_used": 12345}, "12,345"),
        ({"state": "completed", "usual": Usual(1800, 2000, 4)}, "1.8s"),
        ({"state": "blocked"}, "▫ blocked"),
    ],
)
def test_the_most_telling_thing_stands_at_the_end(fields: dict[str, Any], said: str) -> None:
    assert said in table(fields)


def test_columns_without_a_value_are_left_out_on_a_terminal() -> None:
    assert "TOKENS" not in table({"state": "pending"})
    assert "TRIES" not in table({"state": "pending"})
    assert "TOKENS" in table({"state": "completed", "tokens_used": 1})
    assert "PROGRESS" not in table(RUNNING, width=60)


def test_off_a_terminal_the_columns_are_always_the_same() -> None:
    lines = table({"state": "pending"}, RUNNING, width=0).splitlines()
    assert [line.count("\t") for line in lines] == [7, 7]
    assert "62 %" in lines[1]
    assert "█" not in lines[1]


def test_when_the_run_has_ended_nothing_ticks() -> None:
    assert "5m" not in table(RUNNING, active=False)
