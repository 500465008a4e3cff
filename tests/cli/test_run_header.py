from __future__ import annotations

import io
import re
from typing import Any

import pytest

from runline.cli.glyphs import SCREEN
from runline.cli.output import Output
from runline.cli.run_header import run_header
from runline.model.clock import parse_instant
from runline.model.run import Eta, LastNote, Run
from runline.model.step import Usual

NOW = parse_instant("2026-11-21T02:11:42Z")
MINUTE = 60_000


def header(*, utc: bool = False, on_terminal: bool = True, width: int = 100, **fields: Any) -> str:
    given = {
        "run_id": "nightly-20261121-020000-7k3f", "tenant_id": "default", "kind": "run", "name": "nightly", "status": "running",
        "started_at_ms": NOW - 11 * MINUTE, "updated_at_ms": NOW, "window_start_ms": NOW, **fields,
    }  # fmt: skip
    out = Output(io.StringIO(), on_terminal=on_terminal, glyphs=SCREEN, environ={})
    if on_terminal:
        out.console.width = width
    run_header(out, Run(**given), now_ms=NOW, utc=utc)
    return re.sub(r"\x1b\[[0-9;]*m", "", out.drawn()).replace("\ufe0e", "")


def test_a_running_run_shows_bar_estimate_and_steps() -> None:
    said = header(
        progress=74, total_steps=10, completed_steps=6, eta=Eta(4 * MINUTE, 0, 0, 23, "history"), usual=Usual(15 * MINUTE, 18 * MINUTE, 23)
    )  # fmt: skip
    assert said.startswith("◐ running  nightly  nightly-20261121-020000-7k3f\n")
    assert "█" in said
    assert " 74 %  ~4m left (P50–P90 15–18m of 23 runs) · 6/10 steps · 11m 00s so far" in said


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_bar_leaves_room_for_the_words(width: int) -> None:
    said = header(progress=50, total_steps=2, width=width)
    assert "no estimate yet · 0/2 steps · 11m 00s so far" in said
    assert max(map(len, said.splitlines())) <= max(width, 70)


def test_without_progress_there_is_no_bar() -> None:
    said = header()
    assert "░" not in said
    assert "no estimate yet · 11m 00s so far" in said


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"status": "completed", "completed_at_ms": NOW, "progress": 100, "usual": Usual(9 * MINUTE, 9 * MINUTE, 3)}, "  completed after 11m 00s · usually 9m 00s\n"),
        ({"status": "failed", "completed_at_ms": NOW, "progress": 40, "total_steps": 4, "completed_steps": 1}, "  failed after 11m 00s · 1/4 steps\n"),
        ({"status": "pending"}, "  waits for a worker, 11m so far\n"),
        ({"status": "interrupted", "updated_at_ms": NOW - 5 * MINUTE, "last_seen_at_ms": NOW - 3 * MINUTE}, "  its writer is gone, last heard of 3m ago\n"),
    ],
)  # fmt: skip
def test_any_other_says_how_it_stands(fields: dict[str, Any], said: str) -> None:
    assert said in header(**fields)


def test_the_facts_about_it() -> None:
    said = header(
        event_count=18_703, warn_count=1, total_tokens=5, kind="pipeline", host="gpu-03", pid=7, tags=("prod", "eu"),
        original_run_id="old-1", parent_run_id="up-1", width=200,
    )  # fmt: skip
    assert "started 11 minutes ago (2026-11-21 02:00:42 UTC) · 18,703 events · 1 warning · 5 tokens" in said
    assert "pipeline · gpu-03, pid 7 · tags prod, eu · again after old-1 · child of up-1" in said
    assert "started 2026-11-21 02:00:42 UTC" in header(utc=True)
    assert "gpu-03\n" in header(host="gpu-03")
    assert "child of" not in header(parent_run_id="old-1", original_run_id="old-1")


def test_what_stands_beside_its_name() -> None:
    said = header(partial=True, cancel_requested=True, pinned=True)
    assert said.splitlines()[0].endswith("  partial  cancel requested  pinned")
    assert "cancel requested" not in header(cancel_requested=True, status="cancelled", completed_at_ms=NOW)


def test_the_newest_note_is_shown() -> None:
    assert "  ⚑ vendor is slow (me)\n" in header(note_count=1, last_note=LastNote("vendor is slow", "me", ()))
    assert "  ⚑ slow\n" in header(note_count=1, last_note=LastNote("slow", None, ()))


def test_off_a_terminal_the_bar_has_its_full_length() -> None:
    assert "█" * 18 + "░" * 18 in header(on_terminal=False, progress=50)
