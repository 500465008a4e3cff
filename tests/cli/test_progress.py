from __future__ import annotations

import io
import threading

import pytest

from runline.cli import progress as module
from runline.cli.glyphs import SCREEN, UNICODE
from runline.cli.output import Output
from runline.cli.progress import progress, sampled


@pytest.mark.parametrize("total", [10.0, None])
def test_a_terminal_shows_a_bar_that_goes_away(total: float | None) -> None:
    screen = Output(io.StringIO(), on_terminal=True, glyphs=SCREEN, environ={})
    with progress(screen, "searching [bold]nightly\x1b]0;x", total) as advance:
        advance(5)
        screen.line("a hit")
    shown = screen.drawn()
    assert "searching [bold]nightly␛]0;x" in shown
    assert "a hit" in shown
    assert shown.endswith("\x1b[2K")


def test_elsewhere_there_is_none() -> None:
    out = Output(io.StringIO(), on_terminal=False, glyphs=UNICODE, environ={})
    with progress(out, "searching", 10) as advance:
        advance(10)
    assert out.drawn() == ""


def test_work_that_tells_nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_S", 0.001)
    screen = Output(io.StringIO(), on_terminal=True, glyphs=SCREEN, environ={})
    asked = threading.Event()

    def measure() -> float:
        asked.set()
        return 5

    with sampled(screen, "backing up", 10, measure):
        assert asked.wait(10)
    assert "backing up" in screen.drawn()


def test_elsewhere_nothing_is_measured() -> None:
    out = Output(io.StringIO(), on_terminal=False, glyphs=UNICODE, environ={})
    with sampled(out, "backing up", 10, lambda: 1 / 0):
        pass
    assert out.drawn() == ""
