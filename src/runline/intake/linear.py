r"""Linear-time expressions: RE2 over bytes, so that no text can make a search slow.

Latin-1 mode: a byte is a character, classes and `\b` mean ASCII. UTF-8 text survives because every secret
is delimited by ASCII.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

import re2  # type: ignore[import-untyped]  # google-re2 ships no types


class Match(Protocol):
    """Where an expression was found; group 0 is the whole, -1 the place of a group that took no part."""

    def start(self, group: int = 0) -> int: ...
    def end(self, group: int = 0) -> int: ...
    def group(self, group: int = 0) -> bytes: ...
    def groups(self) -> Sequence[bytes | None]: ...


class Expression(Protocol):
    """A compiled expression."""

    def search(self, text: bytes, pos: int | None = None, endpos: int | None = None) -> Match | None: ...
    def match(self, text: bytes, pos: int | None = None, endpos: int | None = None) -> Match | None: ...
    def fullmatch(self, text: bytes, pos: int | None = None, endpos: int | None = None) -> Match | None: ...


def linear(pattern: bytes) -> Expression:
    """Compile; the lazily built automaton may take up to 32 MiB before it starts over."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.max_mem = 32 << 20
    return cast("Expression", re2.compile(pattern, options))


def quoted(literal: bytes) -> bytes:
    """The expression that matches exactly this text."""
    return cast("bytes", re2.escape(literal))
