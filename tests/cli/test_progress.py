from __future__ import annotations

import io

import pytest

from runline.cli.glyphs import SCREEN, UNICODE
from runline.cli.output import Output
from runline.cli.progress import progress


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
