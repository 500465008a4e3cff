"""What is wrong with a manifest: each problem with its file, its line and what to do."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Literal

from msgspec import Struct

Severity = Literal["error", "warning"]
_SHOWN = 60
_MOST = 200


class Problem(Struct, frozen=True):
    """An error keeps the definition from being started; a warning says what is not acted on."""

    severity: Severity
    file: str
    line: int
    """Counted from 1; 0 when it is about the file as a whole."""
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.message}"


class Problems:
    """Collects the problems of one file: the first two hundred errors, and as many warnings."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Problem] = []
        self.errors = 0
        self.warnings = 0

    def error(self, line: int, message: str) -> None:
        self.errors += 1
        if self.errors <= _MOST:
            self.found.append(Problem("error", self.file, line, message))

    def warning(self, line: int, message: str) -> None:
        self.warnings += 1
        if self.warnings <= _MOST:
            self.found.append(Problem("warning", self.file, line, message))


def nearest(word: str, known: tuple[str, ...] | list[str]) -> str:
    """`; did you mean 'x'?`, or nothing when no word is near."""
    found = get_close_matches(word[:_SHOWN], known, n=1)
    return f"; did you mean {found[0]!r}?" if found else ""


def shown(value: object) -> str:
    """A value in the middle of a sentence, cut."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
