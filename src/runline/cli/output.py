"""All that the command line writes: the one place where text meets the terminal.

What a person typed or a program printed is data. Every piece of text goes through `visible`, which turns
control bytes, bidirectional overrides and invisible characters into signs that can be seen, so that no
message can move the cursor, set the title or hide itself; markup is never interpreted. On a terminal,
pieces have roles that become styles; off it the text is plain, whole, and its columns are separated by tabs.
"""

from __future__ import annotations

import copy
import io
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

import msgspec

from runline.cli.glyphs import ASCII, SCREEN, UNICODE, Glyphs
from runline.cli.roles import STYLES, Cell, Role, Span, role_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_JSON_UNSEEN = re.compile("[\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
_COLOURS = re.compile("\x1b\\[[0-9;:]*m")
_CUT = re.compile("[^\x1b]{2}…")
_TAB_CELLS = 4


class Column(NamedTuple):
    """A column of a table. Below `from_width` cells of terminal it is left out; `gives_way` ones are cut."""

    title: str
    right: bool = False
    gives_way: bool = False
    from_width: int = 0


def visible(text: str) -> str:
    """The text with nothing in it that a terminal acts upon; tabs become blanks.

    What only sets colours is dropped; every other control byte can be seen.
    """
    if not _UNSEEN.search(text):
        return text
    return _UNSEEN.sub(_picture, _COLOURS.sub("", text).expandtabs(_TAB_CELLS))


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if 0xD800 <= code < 0xE000:
        return "\ufffd"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def json_text(value: Any) -> str:
    """JSON in one line, with what a terminal would act upon escaped; equal when read back."""
    text = (value if isinstance(value, bytes) else msgspec.json.encode(value)).decode()
    return _JSON_UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class Output:
    """Writes lines and tables to one stream. `width` is 0 off a terminal: nothing is cut there."""

    def __init__(
        self, stream: TextIO, *, on_terminal: bool, glyphs: Glyphs, environ: Mapping[str, str] = os.environ
    ) -> None:
        self.stream = stream
        self.on_terminal = on_terminal
        self.glyphs = glyphs
        self._no_colour = bool(environ.get("NO_COLOR"))
        self._console: Console | None = None

    @classmethod
    def to(cls, stream: TextIO, environ: Mapping[str, str] = os.environ) -> Output:
        """The output to a stream, as its terminal and the environment want it."""
        on_terminal = _is_terminal(stream)
        signs = SCREEN if on_terminal else UNICODE
        glyphs = signs if _takes_utf8(stream, environ) else ASCII
        return cls(stream, on_terminal=on_terminal, glyphs=glyphs, environ=environ)

    @property
    def console(self) -> Console:
        """The Rich console of the terminal; made when first needed, as Rich takes a while to import."""
        if self._console is None:
            self._console = self._new_console(self.stream)
        return self._console

    def offscreen(self) -> Output:
        """An output like this one that keeps what is written; `drawn` gives it."""
        page = copy.copy(self)
        page.stream = io.StringIO()
        settings = {"width": self.width, "color_system": self.console.color_system}
        page._console = self._new_console(page.stream, **settings)  # noqa: SLF001 - it is this class's own
        return page

    def drawn(self) -> str:
        """All that was written offscreen."""
        kept = self.stream
        return kept.getvalue() if isinstance(kept, io.StringIO) else ""

    def _new_console(self, stream: TextIO, **settings: Any) -> Console:
        from rich.console import Console

        return Console(
            file=stream,
            force_terminal=self.on_terminal,
            no_color=self._no_colour,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
            **settings,
        )

    @property
    def width(self) -> int:
        return self.console.width if self.on_terminal else 0

    def status(self, state: str, *, word: str | None = None) -> Span:
        """Sign and word of a run status or a step state."""
        return Span(f"{self.glyphs[state]} {word or state}", role_of(state))

    def line(self, *spans: str | Span, cut: bool = False) -> None:
        """One line, whatever is in it. `cut`: it ends at the edge of a terminal instead of going on below."""
        if self.on_terminal:
            text = self.text(spans)
            if cut and text.cell_len > self.width:
                text.truncate(self.width - len(self.glyphs.said("…")), overflow="crop")
                text.append(self.glyphs.said("…"), self._style("dim"))
            self.console.print(text, soft_wrap=True)
        else:
            self.stream.write("".join(self._said(span) for span in _spans(spans)) + "\n")

    def listing(self, parts: Sequence[str], *, role: Role = "plain", indent: str = "  ") -> None:
        """Facts, separated by dots, on as many lines as the terminal needs; none is broken."""
        line = ""
        for part in parts:
            longer = f"{line} · {part}" if line else part
            if line and self.on_terminal and len(indent) + len(longer) > self.width:
                self.line(Span(indent + line, role))
                longer = part
            line = longer
        if line:
            self.line(Span(indent + line, role))

    def fields(self, *cells: Cell) -> None:
        """One line of a table that nobody reads by eye: its cells, separated by tabs."""
        said = ("".join(map(self._said, _spans(_parts(cell)))) for cell in cells)
        self.stream.write("\t".join(said) + "\n")

    def block(self, text: str, *, indent: str = "", role: Role = "plain", most_lines: int = 0) -> None:
        """Text of several lines, each led by `indent`; beyond `most_lines` the middle is left out and said so."""
        lines = text.splitlines() or [""]
        if 0 < most_lines < len(lines):
            head = most_lines // 2
            tail = most_lines - head
            hidden = len(lines) - most_lines
            lines = [*lines[:head], f"… {hidden} more lines …", *lines[-tail:]]
        for one in lines:
            self.line(Span(indent + one, role))

    def blank(self) -> None:
        self.line("")

    def heading(self, title: str, detail: str = "") -> None:
        """A title above a section, with a rule to the edge of the terminal."""
        self.blank()
        if not self.on_terminal:
            self.line(title + (f"  {detail}" if detail else ""))
            return
        said = self.text([Span(title, "bold"), Span(f"  {detail}" if detail else "", "dim"), " "])
        said.append(self.glyphs.said("─" * max(0, min(self.width, 120) - said.cell_len)), self._style("dim"))
        self.console.print(said, soft_wrap=True)

    def table(
        self, columns: Sequence[Column], rows: Iterable[Sequence[Cell]], *, indent: int = 0, head: bool = True
    ) -> None:
        """Rows under their columns; off a terminal one line each, separated by tabs, without a head."""
        if not self.on_terminal:
            for row in rows:
                self.fields(*row)
            return
        from rich.table import Table

        shown = [place for place, column in enumerate(columns) if self.width >= column.from_width]
        table = Table(
            box=None, show_header=head, padding=(0, 2, 0, 0), pad_edge=False, header_style=self._style("dim")
        )
        for place in shown:
            column = columns[place]
            table.add_column(
                self.text([column.title]),
                justify="right" if column.right else "left",
                no_wrap=not column.gives_way,
                min_width=8 if column.gives_way else None,
            )
        for row in rows:
            table.add_row(*(self._cell(row[place]) for place in shown))
        from rich.padding import Padding

        with self.console.capture() as drawn:
            self.console.print(Padding(table, (0, 0, 0, indent)) if indent else table, soft_wrap=False)
        # What is cut ends in Rich's own sign, which not every terminal can show.
        cut = self.glyphs.said("…")
        told = drawn.get() if cut == "…" else _CUT.sub(cut, drawn.get())
        self.stream.write(told)

    def json(self, value: Any) -> None:
        """One JSON document in a line. Bytes are taken as JSON already."""
        self.stream.write(json_text(value) + "\n")

    def flush(self) -> None:
        self.stream.flush()

    def text(self, spans: Iterable[str | Span]) -> Text:
        """The pieces as Rich text; what is in them is never markup."""
        from rich.text import Text

        made = Text(no_wrap=True, overflow="ellipsis", end="")
        for span in _spans(spans):
            made.append(self._said(span), self._style(span.role) or None)
        made.end = "\n"
        return made

    def _cell(self, cell: Cell) -> Text:
        return self.text(_parts(cell))

    def _style(self, role: Role) -> str:
        return STYLES[role][self._no_colour]

    def _said(self, span: Span) -> str:
        return self.glyphs.said(visible(span.text))


def _parts(cell: Cell) -> Sequence[str | Span]:
    return [cell] if isinstance(cell, (str, Span)) else cell


def _spans(spans: Iterable[str | Span]) -> Iterable[Span]:
    return (Span(span) if isinstance(span, str) else span for span in spans)


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty()


def _takes_utf8(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether signs beyond ASCII can be shown; a machine that names no locale is taken to be modern."""
    if (stream.encoding or "utf-8").lower().replace("-", "") != "utf8":
        return False
    # Python itself sets LC_CTYPE to C.UTF-8 when the locale is C, so that value tells nothing.
    ctype = environ.get("LC_CTYPE", "")
    named = environ.get("LC_ALL") or ("" if ctype == "C.UTF-8" else ctype) or environ.get("LANG") or "utf8"
    return "utf8" in named.lower().replace("-", "")


def stdout() -> Output:
    return Output.to(sys.stdout)


def stderr() -> Output:
    return Output.to(sys.stderr)
