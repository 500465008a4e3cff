"""One output of a wrapped command: shown at once and byte for byte, recorded line by line.

Lines become drafts in bulk. They are what `draft` would make of them, but for blank ones, which stay blank.
"""

from __future__ import annotations

import fcntl
import os
import select
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from time import time_ns
from typing import IO
from zlib import crc32

from runline.intake.accept import draft
from runline.model.event import Draft
from runline.model.limits import DEFAULT_LIMITS
from runline.record.lines import Lines

TAIL_LINES = 20
_CHUNK_BYTES = 64 * 1024
_PIPE_BYTES = 1024 * 1024
_ORDINARY_CHARS = DEFAULT_LIMITS.string_bytes // 4
_MASK = 0xFFFFFFFF


class Output:
    """Reads a pipe. `tail` has the last lines that are not blank."""

    def __init__(self, pipe: IO[bytes], sink: IO[bytes], source: str) -> None:
        self.pipe = pipe
        self.source = source
        self.ended = False
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._sink: IO[bytes] | None = sink
        self._lines = Lines()
        sink.flush()
        try:
            self._sink_number = sink.fileno()
        except OSError:
            self._sink_number = -1
        # Fewer stops for the command; where the system allows it.
        with suppress(OSError, AttributeError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    def read(self) -> list[Draft]:
        """Shows what is there and gives its lines; sets `ended` at the end, or when nobody looks any more."""
        chunk = os.read(self.pipe.fileno(), _CHUNK_BYTES)
        self.ended = not chunk
        try:
            self._show(chunk)
        except BrokenPipeError:
            # As in any pipeline: the command gets a SIGPIPE of its own, since its pipe closes now.
            self.ended = True
        except OSError:
            self._sink = None  # a terminal that has gone; recording goes on
        return self._drafts(self._lines.feed(chunk))

    def finish(self) -> list[Draft]:
        """The last, unended line; closes the pipe."""
        self.pipe.close()
        return self._drafts(self._lines.finish())

    def _show(self, chunk: bytes) -> None:
        if self._sink is None:
            return
        if self._sink_number < 0:
            self._sink.write(chunk)
            return
        left = memoryview(chunk)
        while left:
            try:
                left = left[os.write(self._sink_number, left) :]
            except BlockingIOError:
                # Programs that share our terminal may have made it non-blocking.
                select.select([], [self._sink_number], [])

    def _drafts(self, lines: list[str]) -> list[Draft]:
        if not lines:
            return []
        self.tail.extend([line for line in lines[-4 * TAIL_LINES :] if line.strip()])
        ts_ms = time_ns() // 1_000_000
        if max(map(len, lines)) > _ORDINARY_CHARS or any("\0" in line for line in lines):
            sizes = dict(self._lines.cut)
            return [self._odd(line, ts_ms, sizes.get(place)) for place, line in enumerate(lines)]
        return log_drafts(lines, self.source, ts_ms)

    def _odd(self, line: str, ts_ms: int, line_bytes: int | None) -> Draft:
        if not line.strip():
            return log_drafts([line[:_ORDINARY_CHARS]], self.source, ts_ms)[0]
        data = None if line_bytes is None else {"line_bytes": line_bytes}
        return draft("log", line, data, source=self.source, ts_ms=ts_ms)


def log_drafts(lines: Sequence[str], source: str, ts_ms: int) -> list[Draft]:
    """Lines without NUL and of ordinary length as `log` events of one moment."""
    low, high = ts_ms & _MASK, ts_ms >> 32 & _MASK
    return [
        Draft(
            ts_ms,
            "log",
            "info",
            None,
            source,
            line,
            None,
            "{}",
            crc32(b"{}", crc32(line.encode(), low)) ^ high,
        )
        for line in lines
    ]
