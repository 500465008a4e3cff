from __future__ import annotations

import io
import re
from typing import Any

import pytest

from runline.cli.event_lines import event_line, hidden, quiet
from runline.cli.glyphs import ASCII, SCREEN, UNICODE
from runline.cli.output import Output
from runline.model.event import Event


def event(**fields: Any) -> Event:
    given = {
        "id": 9, "run_id": "r", "seq": 18483, "ts_ms": 1_795_200_000_000, "type": "tool_call", "level": "info", "step": "enrich",
        "source": None, "message": "lookup_vat", "correlation_id": None, "payload": "{}", "elapsed_ms": 696_024, **fields,
    }  # fmt: skip
    return Event(**given)


def line(width: int, *, utc: bool = False, cut: bool = False, **fields: Any) -> str:
    out = Output(io.StringIO(), on_terminal=width > 0, glyphs=SCREEN if width else UNICODE, environ={})
    if width:
        out.console.width = width
    event_line(out, event(**fields), utc=utc, cut=cut)
    return re.sub(r"\x1b\[[0-9;]*m", "", out.drawn()).replace("\ufe0e", "")


def test_on_a_terminal_the_columns_stand_below_each_other() -> None:
    assert line(120) == " 18483  +11:36.024    enrich           tool_call              lookup_vat\n"
    assert line(80) == " 18483  +11:36.024    enrich    tool_call        lookup_vat\n"
    assert (
        line(120, level="warn")
        == " 18483  +11:36.024  ⚠ enrich           tool_call              lookup_vat\n"
    )
    assert line(120, level="error").startswith(" 18483  +11:36.024  ✖ enrich")


def test_long_names_are_cut_and_so_is_the_message_where_wanted() -> None:
    assert "provider_reques… " in line(80, type="provider_request_sent")
    assert len(line(80, message="x" * 200, cut=True)) == 81
    assert "x" * 200 in line(80, message="x" * 200).replace("\n", "")


def test_without_a_step_a_dash_stands_there() -> None:
    assert line(0, step=None, source="stdout").split("\t")[3] == "-"
    assert "  -         tool_call" in line(80, step=None, source="stdout")


def test_off_a_terminal_fields_have_tabs_between_them() -> None:
    assert line(0) == "18483\t+11:36.024\tinfo\tenrich\ttool_call\tlookup_vat\n"
    assert line(0, utc=True).split("\t")[1] == "2026-11-20 18:40:00 UTC"
    assert line(0, message="a\tb\nc\x1b[2J").count("\t") == 5


@pytest.mark.parametrize("width", [0, 80])
def test_each_event_is_one_line(width: int) -> None:
    assert line(width, message="a\nb\r\nc\u2028d", type="x\ny", step="s\nt").count("\n") == 1


def test_noise_is_left_out_and_counted() -> None:
    events = [
        event(),
        event(type="step_progress"),
        event(type="step_progress", level="warn"),
        event(type="heartbeat"),
    ]
    assert quiet(events) == [events[0], events[2]]
    assert hidden([]) == ""
    assert hidden(events[1:2]) == "1 progress event hidden"
    assert hidden(events[1:2] * 1214) == "1,214 progress events hidden"
    assert hidden([events[1], events[3]]) == "2 quiet events hidden"


def test_in_ascii_a_name_that_is_cut_ends_in_three_dots() -> None:
    out = Output(io.StringIO(), on_terminal=True, glyphs=ASCII, environ={})
    out.console.width = 80
    event_line(out, event(step="transform-all", type="\x1b[31mlog\x1b[0m"))
    assert " transf... log              " in re.sub(r"\x1b\[[0-9;]*m", "", out.drawn())
