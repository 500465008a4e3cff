"""What a step prints, as events: a line is a `log`, and a line that is a known event as JSON becomes that event.

Always of the step that runs and of the moment it was printed, whatever the line says: a step reports its own
progress, tokens, tool calls, tests and artifacts, and cannot start, end or forge a step or a run.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from time import time_ns
from typing import IO, Any

import msgspec

from runline.intake.accept import ALIASES, accept
from runline.model.event import Draft
from runline.record.lines import Lines

TAIL_LINES = 20
_CHUNK_BYTES = 64 * 1024
_MOST_CHARS = 256 * 1024
_TYPES = frozenset(
    {"artifact_created", "error", "eta_updated", "log", "note", "step_progress", "stream_activity"}
)
_FAMILIES = ("llm_", "patch_", "test_", "tool_")
_NOT_ITS_OWN = frozenset(
    {name for field in ("ts", "step", "event_id") for name in ALIASES[field]}
    | {"id", "run_id", "seq", "elapsed_s", "total_steps", "completed_steps", "node_id"}
)
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def event_of(line: str) -> dict[str, Any] | None:
    """The event that a line is; None when it is text, or an event that a step may not tell."""
    if not line.startswith("{") or len(line) > _MOST_CHARS:
        return None
    try:
        event = _decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    kind = event.get("type")
    if not isinstance(kind, str) or not (kind in _TYPES or kind.startswith(_FAMILIES)):
        return None
    for name in ("data", "payload", "details"):
        if isinstance(event.get(name), dict):
            event[name] = _own(event[name])
    return _own(event)


def _own(said: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in said.items() if key not in _NOT_ITS_OWN}


class StepOutput:
    """Reads one pipe of a step. `tail` has its last lines that are not blank.

    `noticed` is called with each event a line was, before it is recorded; it answers whether to record it.
    """

    def __init__(
        self,
        pipe: IO[bytes],
        source: str,
        step: str,
        noticed: Callable[[dict[str, Any]], bool],
        **cleaning: Any,
    ) -> None:
        self.pipe = pipe
        self.ended = False
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._source = source
        self._step = step
        self._noticed = noticed
        self._cleaning = cleaning
        self._lines = Lines()

    def read(self) -> tuple[bytes, list[Draft]]:
        """The bytes that are there and the events that they complete; sets `ended` at the end."""
        chunk = os.read(self.pipe.fileno(), _CHUNK_BYTES)
        self.ended = not chunk
        return chunk, self._drafts(self._lines.feed(chunk))

    def finish(self) -> list[Draft]:
        """The last, unended line; closes the pipe."""
        self.pipe.close()
        return self._drafts(self._lines.finish())

    def _drafts(self, lines: list[str]) -> list[Draft]:
        now_ms = time_ns() // 1_000_000
        sizes = dict(self._lines.cut)
        made: list[Draft] = []
        for place, line in enumerate(lines):
            event = event_of(line.strip())
            if event is None:
                if line.strip():
                    self.tail.append(line)
                event = {"type": "log", "message": line}
                if place in sizes:
                    event["data"] = {"line_bytes": sizes[place]}
            elif not self._noticed(event):
                continue
            event.setdefault("source", self._source)
            made.append(accept({**event, "step": self._step}, now_ms=now_ms, **self._cleaning))
        return made
