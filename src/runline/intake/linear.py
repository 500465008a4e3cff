r"""Linear-time expressions: RE2 over bytes, so that no text can make a search slow.

Latin-1 mode: a byte is a character, classes and `\b` mean ASCII. UTF-8 text survives because every secret
is delimited by ASCII. An expression is compiled, and the library loaded, when it is first used: importing
Runline stays light.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

_MAX_AUTOMATON_BYTES = 32 << 20
"""The lazily built automaton starts over when it has grown so large."""


class Match(Protocol):
    """Where an expression was found; group 0 is the whole, -1 the place of a group that took no part."""

    def start(self, group: int = 0) -> int: ...
    def end(self, group: int = 0) -> int: ...
    def group(self, group: int = 0) -> bytes: ...


Search = Callable[..., Match | None]


class Expression:
    """A pattern over bytes. `search`, `match` and `fullmatch` take the text and a position to start at."""

    search: Search
    match: Search
    fullmatch: Search

    def __init__(self, pattern: bytes) -> None:
        self.pattern = pattern

    def __getattr__(self, name: str) -> Search:
        """Compiles at first use; from then on the methods are RE2's own."""
        if name not in ("search", "match", "fullmatch"):
            raise AttributeError(name)
        import re2  # type: ignore[import-untyped]  # google-re2 ships no types

        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        options.log_errors = False
        options.max_mem = _MAX_AUTOMATON_BYTES
        compiled = re2.compile(self.pattern, options)
        self.search, self.match, self.fullmatch = compiled.search, compiled.match, compiled.fullmatch
        method: Search = getattr(compiled, name)
        return method


def linear(pattern: bytes) -> Expression:
    """The expression, not yet compiled."""
    return Expression(pattern)


def quoted(literal: bytes) -> bytes:
    """The pattern that matches exactly this text."""
    return b"".join(b"\\x%02x" % byte for byte in literal)
