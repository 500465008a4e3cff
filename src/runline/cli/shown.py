"""A terminal that a command's output is shown on, and whether what was shown last ended its line."""

from __future__ import annotations

import io
import os
import select
from typing import IO, Any, cast


class Screen:
    """The streams of this process that are terminals, as one screen: they share a cursor."""

    def __init__(self) -> None:
        self.at_line_start = True

    def of(self, stream: IO[bytes]) -> IO[bytes] | None:
        """The stream as it is to be written to; None when it is no terminal and may be used as it is."""
        if not stream.isatty():
            return None
        stream.flush()
        return cast("IO[bytes]", _Shown(self, stream.fileno()))


class _Shown(io.RawIOBase):
    """Writes through to a terminal, whole, also to one that a program has made non-blocking."""

    def __init__(self, screen: Screen, number: int) -> None:
        self._screen = screen
        self._number = number

    def write(self, chunk: Any) -> int:
        left = memoryview(chunk)
        while left:
            try:
                left = left[os.write(self._number, left) :]
            except BlockingIOError:
                select.select([], [self._number], [])
        if chunk:
            self._screen.at_line_start = bytes(chunk[-1:]) == b"\n"
        return len(chunk)
