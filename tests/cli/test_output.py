from __future__ import annotations

import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runline.cli.glyphs import ASCII, SCREEN, UNICODE
from runline.cli.output import Column, Output, json_text, stderr, stdout, visible
from runline.cli.roles import Span

HOSTILE = {
    "title": "\x1b]0;owned\x07",
    "clipboard": "\x1b]52;c;ZXZpbA==\x1b\\",
    "clear": "\x1b[2J\x1b[6n",
    "device": "\x1bP+q544e\x1b\\",
    "c1": "\x9b2J\x9d0;owned\x9c",
    "unterminated": "\x1b]8;;http://x",
    "overwrite": "ok\rFAKE\x08\x08",
    "bidi": "\u202eexe.txt\u2066",
    "invisible": "a\u200b\ufeffb",
    "separators": "a\u2028b\u0085c\x00",
    "surrogate": "\ud800x",
}


def plain(**environ: str) -> Output:
    return Output(io.StringIO(), on_terminal=False, glyphs=UNICODE, environ=environ)


def screen(width: int = 60, **environ: str) -> Output:
    out = Output(io.StringIO(), on_terminal=True, glyphs=SCREEN, environ={"COLUMNS": str(width), **environ})
    out.console.width = width
    return out


def written(out: Output) -> str:
    return out.drawn()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_nothing_that_a_terminal_acts_upon_is_left(text: str) -> None:
    shown = visible(f"before {text} after")
    assert not re.search(
        "[\x00-\x1f\x7f-\x9f\u200b\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]", shown
    )
    assert shown.startswith("before ")
    assert shown.endswith(" after")


@given(st.text())
def test_any_text_can_be_written_anywhere(text: str) -> None:
    for out in (plain(), screen(), screen(NO_COLOR="1")):
        out.line(Span(text, "failed"), cut=True)
        assert written(out).count("\n") == 1
        assert "\x1b]" not in written(out)
        written(out).encode()


def test_what_is_replaced_can_be_told_apart() -> None:
    assert visible("a\x1b[0K\x7f\x9b\u202e\ud800\n") == "a␛[0K␡\\x9b\\u202e\ufffd␊"
    assert visible("a\tb") == "a   b"
    assert visible("é 日本 👩‍💻") == "é 日本 👩‍💻"


def test_what_only_sets_colours_is_dropped() -> None:
    assert visible("\x1b[1;31mFAILED\x1b[0m \x1b[38:5:9mx\x1b[m") == "FAILED x"
    assert visible("\x1b[\x1b[0m2J") == "␛[2J"
    assert json_text("\x1b[31mx") == '"\\u001b[31mx"'


def test_in_ascii_a_cell_that_is_cut_ends_in_three_dots() -> None:
    out = Output(io.StringIO(), on_terminal=True, glyphs=ASCII, environ={"NO_COLOR": "1"})
    out.console.width = 20
    out.table([Column("N"), Column("NAME", gives_way=True)], [["1", Span("x" * 50, "dim")]], head=False)
    assert f"1  \x1b[2m{'x' * 14}...\x1b[0m" in written(out)
    assert "…" not in written(out)


@pytest.mark.parametrize(
    "text", ["[bold]x[/bold]", "[/nope]", "[@click=app.quit]x[/]", ":smile:", "[link=http://x]y[/link]"]
)
def test_markup_is_text(text: str) -> None:
    out = screen()
    out.line(text)
    out.table([Column("A")], [[text]])
    assert written(out).count(text) == 2


@given(st.text())
def test_json_stays_equal_and_harmless(text: str) -> None:
    said = json_text({"message": text.encode("utf-8", "replace").decode()})
    assert json.loads(said)["message"] == text.encode("utf-8", "replace").decode()
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2028]", said)


def test_json_given_as_bytes_is_kept() -> None:
    assert json_text(b'{"a":"\xc2\x9b"}') == '{"a":"\\u009b"}'


def test_off_a_terminal_lines_are_whole_and_tables_have_tabs() -> None:
    out = plain()
    out.line("x" * 500, cut=True)
    out.heading("Steps", "2")
    out.table([Column("A"), Column("B", from_width=999)], [["one", [Span("two"), Span("\tthree")]]])
    out.listing(["a" * 60, "b" * 60])
    assert written(out).splitlines() == [
        "x" * 500,
        "",
        "Steps  2",
        "one\ttwo    three",
        f"  {'a' * 60} · {'b' * 60}",
    ]
    assert out.width == 0


def test_on_a_terminal_lines_end_at_its_edge() -> None:
    out = screen(20)
    out.line("x" * 50, cut=True)
    assert written(out) == f"{'x' * 19}…\n".replace("…", "\x1b[90m…\x1b[0m")


def test_in_ascii_a_cut_is_three_dots() -> None:
    out = Output(io.StringIO(), on_terminal=True, glyphs=ASCII, environ={"NO_COLOR": "1"})
    out.console.width = 20
    out.line("x" * 50, cut=True)
    assert "x" * 17 + "\x1b[2m...\x1b[0m\n" == written(out)


def test_a_table_cuts_the_column_that_gives_way_and_drops_what_has_no_room() -> None:
    out = screen(40)
    columns = [
        Column("ID"),
        Column("NAME", gives_way=True),
        Column("NOTE", from_width=80),
        Column("N", right=True),
    ]
    out.table(columns, [["a1", "n" * 80, "never", "7"]], indent=2)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", written(out))
    assert "NOTE" not in shown
    assert "a1" in shown
    assert "…" in shown
    assert all(len(line) <= 40 for line in shown.splitlines())


def test_facts_break_between_each_other() -> None:
    out = screen(30)
    out.listing(["a" * 12, "b" * 12, "c" * 12])
    assert written(out).splitlines() == [f"  {'a' * 12} · {'b' * 12}", f"  {'c' * 12}"]
    empty = screen()
    empty.listing([])
    assert written(empty) == ""


def test_a_long_block_loses_its_middle_and_says_so() -> None:
    out = plain()
    out.block("\n".join(f"line {n}" for n in range(10)), most_lines=4, indent="> ")
    assert written(out).splitlines() == ["> line 0", "> line 1", "> … 6 more lines …", "> line 8", "> line 9"]
    out = plain()
    out.block("")
    assert written(out) == "\n"


def test_no_colour_keeps_bold_and_drops_colour() -> None:
    coloured, bare = screen(), screen(NO_COLOR="1")
    for out in (coloured, bare):
        out.line(out.status("failed"))
    assert "91" in written(coloured)
    assert written(bare) == "\x1b[1m✖\ufe0e failed\x1b[0m\n"


def test_a_page_is_kept_in_the_terminals_width() -> None:
    out = screen(33)
    page = out.offscreen()
    page.heading("Steps")
    assert page.width == 33
    assert "Steps" in page.drawn()
    assert written(out) == ""
    assert Output(open(0, closefd=False), on_terminal=False, glyphs=UNICODE).drawn() == ""  # noqa: SIM115


class _Stream(io.StringIO):
    def __init__(self, encoding: str | None, *, is_terminal: bool = False) -> None:
        super().__init__()
        self._encoding, self._is_terminal = encoding, is_terminal

    @property
    def encoding(self) -> str | None:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return self._is_terminal


@pytest.mark.parametrize(
    ("environ", "is_unicode"),
    [
        ({}, True),
        ({"LANG": "C"}, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),
        ({"LANG": "de_DE.UTF-8"}, True),
        ({"LANG": "en_US.utf8"}, True),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "POSIX"}, False),
        ({"LANG": "C", "LC_CTYPE": "de_DE.UTF-8"}, True),
    ],
)
def test_the_locale_decides_the_signs(environ: dict[str, str], is_unicode: bool) -> None:
    assert Output.to(_Stream("utf-8"), environ).glyphs.is_unicode is is_unicode


def test_a_stream_that_is_not_utf8_gets_ascii() -> None:
    assert Output.to(_Stream("latin-1"), {}).glyphs is ASCII
    assert Output.to(_Stream(None), {}).glyphs is UNICODE
    assert Output.to(_Stream("UTF-8", is_terminal=True), {}).glyphs is SCREEN


def test_the_two_streams(capsys: pytest.CaptureFixture[str]) -> None:
    stdout().line("out")
    stderr().line("err")
    stdout().flush()
    assert capsys.readouterr() == ("out\n", "err\n")
