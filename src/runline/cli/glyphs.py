"""The signs that stand for statuses, levels and bars: the same on every face, each with an ASCII twin.

A sign never stands alone: the word is beside it, so nothing is lost without colour or UTF-8.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

_TEXT_FORM = "\ufe0e"
"""Asks a terminal for the narrow text form of a sign that also exists as a picture."""
_AMBIGUOUS = "⚠✔✖⧗⚑"
_EIGHTHS = " ▏▎▍▌▋▊▉"

_UNICODE = {
    "running": "◐",
    "completed": "✔",
    "failed": "✖",
    "interrupted": "◇",
    "cancelled": "⊘",
    "pending": "◌",
    "skipped": "↷",
    "blocked": "▫",
    "retrying": "↻",
    "warn": "⚠",
    "error": "✖",
    "info": " ",
    "open": "⧗",
    "note": "⚑",
    "live": "●",
    "ended": "○",
}
_ASCII = {
    "running": "*",
    "completed": "v",
    "failed": "x",
    "interrupted": "?",
    "cancelled": "/",
    "pending": "o",
    "skipped": ">",
    "blocked": "=",
    "retrying": "@",
    "warn": "!",
    "error": "x",
    "info": " ",
    "open": "~",
    "note": "+",
    "live": "*",
    "ended": "o",
}
_OWN_SIGNS = {
    "–": "-",
    "·": "-",
    "…": "...",
    "→": "->",
    "┄": "-",
    "─": "-",
    "“": '"',
    "”": '"',
    "✔": "v",
    "✖": "x",
    "⚠": "!",
    "×": "x",
    "├": "|",
    "└": "`",
    "│": "|",
}
"""What this package prints beside the signs above, for terminals that take ASCII alone."""
_PICTURES = {0x2400 + code: f"^{chr(code + 64)}" for code in range(32)} | {0x2421: "^?"}


class Glyphs(Struct, frozen=True):
    """A set of signs. `by_name` has one for each status, step state, level and mark."""

    by_name: Mapping[str, str]
    is_unicode: bool

    def __getitem__(self, name: str) -> str:
        return self.by_name[name]

    def bar(self, percent: int, cells: int) -> str:
        """A bar of `cells` cells, filled in eighths of a cell where the terminal can."""
        percent = min(max(percent, 0), 100)
        if not self.is_unicode:
            full = percent * cells // 100
            return "#" * full + "-" * (cells - full)
        eighths = percent * cells * 8 // 100
        full, part = divmod(eighths, 8)
        return ("█" * full + (_EIGHTHS[part] if part else "")).ljust(cells, "░")

    def spark(self, counts: Sequence[int]) -> str:
        """One sign for each count, its height against the largest."""
        steps = "▁▂▃▄▅▆▇█" if self.is_unicode else ".:-=+*#@"
        top = max(counts, default=0)
        return "".join(" " if count == 0 else steps[(count * len(steps) - 1) // top] for count in counts)

    def said(self, text: str) -> str:
        """The text in what this terminal can write: as it is, or in ASCII with everything else escaped."""
        if self.is_unicode:
            return text
        return text.translate(_TO_ASCII).encode("ascii", "backslashreplace").decode()


_TO_ASCII = str.maketrans(_OWN_SIGNS) | _PICTURES
UNICODE = Glyphs(_UNICODE, is_unicode=True)
ASCII = Glyphs(_ASCII, is_unicode=False)
SCREEN = Glyphs(
    {name: sign + _TEXT_FORM if sign in _AMBIGUOUS else sign for name, sign in _UNICODE.items()},
    is_unicode=True,
)
"""As UNICODE, with the narrow form asked for; for terminals, where a wide sign would shift a column."""
