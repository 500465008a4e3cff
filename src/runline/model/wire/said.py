"""What an event's data says in the dashboard's words: a few keys, decoded without the rest.

Data is a caller's. A value of a wrong type is as good as absent, as it is for the fold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from runline.model.catalogue import state_of
from runline.model.clock import MAX_MS
from runline.model.event_type import EventState
from runline.model.figures import MOST_TOKENS, count, percent


class Said(Struct, gc=False):
    """The keys, whatever their types; None: the data has none of that name."""

    state: Any = None
    status: Any = None
    persona: Any = None
    duration_ms: Any = None
    tokens_used: Any = None
    progress: Any = None
    current_action: Any = None
    total_steps: Any = None
    completed_steps: Any = None
    estimated_time_ms: Any = None
    validation_phase: Any = None
    compaction_stats: Any = None
    artifacts: Any = None
    tool_name: Any = None
    tool_target: Any = None
    model: Any = None
    adapter: Any = None


_decode = msgspec.json.Decoder(Said).decode


def read_said(payload: str) -> Said:
    """Of the JSON text of an event's data."""
    return _decode(payload)


def said_state(type: str, said: Said) -> EventState:
    """The dashboard's word for an event of that type."""
    return state_of(type, {"state": said.state, "status": said.status})


def known_of(said: Said) -> dict[str, Any]:
    """The keys beside `state` and `status` whose values are of their type; those alone."""
    known: dict[str, Any] = {}
    for name, reader in _READERS.items():
        value = getattr(said, name)
        if value is not None and (read := reader(value)) is not None:
            known[name] = read
    return known


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _list(value: object) -> list[Any] | None:
    return value if isinstance(value, list) else None


def _object(value: object) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


def _tokens(value: object) -> int | None:
    return count(value, MOST_TOKENS)


def _span_ms(value: object) -> int | None:
    return count(value, MAX_MS)


_READERS: dict[str, Callable[[object], object]] = {
    "persona": _text,
    "duration_ms": _span_ms,
    "tokens_used": _tokens,
    "progress": percent,
    "current_action": _text,
    "total_steps": count,
    "completed_steps": count,
    "estimated_time_ms": _span_ms,
    "validation_phase": _text,
    "compaction_stats": _object,
    "artifacts": _list,
    "tool_name": _text,
    "tool_target": _text,
    "model": _text,
    "adapter": _text,
}
