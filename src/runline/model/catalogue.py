"""The catalogue: every event type that Runline knows, and what follows from a type and its data.

Types are open. A type that is not here is stored and shown like any other and changes no state. What the
table adds for a known one: its domain, the level it has when the caller names none, the part it plays in
the fold, the call that it opens or closes, the word the dashboard uses for it, its usual keys and a
message for people. Names are append-only, keys are frozen, new keys are optional; a missing key never
refuses an event. `docs/events.md` is generated from this table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

from runline.model.event_type import (
    END_TYPES,
    EVENT_TYPES,
    START_TYPES,
    EventState,
    EventType,
    state_of_type,
)
from runline.model.status import Level

__all__ = [
    "CATALOGUE",
    "END_TYPES",
    "NOISE",
    "START_TYPES",
    "STATES",
    "EventType",
    "default_level",
    "message_for",
    "state_of",
]

CATALOGUE: dict[str, EventType] = {row.name: row for row in EVENT_TYPES}
"""By name, in the order of `docs/events.md`."""
STATES: tuple[EventState, ...] = get_args(EventState)
"""The dashboard's ten states."""

NOISE = frozenset(
    {"step_progress", "stream_activity", "queue_stats", "scan_progress", "compaction_progress", "heartbeat"}
)
"""What faces fold away, when its level is info."""


def default_level(type: str) -> Level:
    """The level of an event whose caller names none."""
    known = CATALOGUE.get(type)
    return "info" if known is None else known.level


def message_for(type: str, data: Mapping[str, Any]) -> str:
    """One line for people, of at most a few hundred characters. What data holds is text, never a template."""
    known = CATALOGUE.get(type)
    if known is None or not known.message:
        return type
    text = ""
    for place, part in enumerate(_OPTIONAL.split(known.message)):
        filled = _fill(part, data)
        if filled is not None:
            text += filled
        elif place % 2 == 0:
            return type
    return text


def state_of(type: str, data: Mapping[str, Any]) -> EventState:
    """The dashboard's word for an event: `data.state` when it is one of the ten, else by type and status."""
    said = data.get("state")
    if isinstance(said, str) and said in STATES:
        return said
    if type in END_TYPES:
        return "failed" if data.get("status") in ("failed", "cancelled", "interrupted") else "completed"
    return state_of_type(type)


_OPTIONAL = re.compile(r"\[([^\]]*)\]")
_KEY = re.compile(r"\{(\w+)\}")
_VALUE_CHARS = 200
_SHOWN_ITEMS = 3


def _fill(part: str, data: Mapping[str, Any]) -> str | None:
    """The part with its keys filled in; None when one of them has nothing to show."""
    shown = {key: _show(data.get(key)) for key in _KEY.findall(part)}
    if not all(shown.values()):
        return None
    return _KEY.sub(lambda found: shown[found.group(1)], part)


def _show(value: object) -> str:
    """A value in one line; blank when it has no short form."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value) if value.bit_length() <= 64 else ""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, str):
        return " ".join(value[:_VALUE_CHARS].split())
    if isinstance(value, (list, tuple)):
        items = [_show(item) for item in value[:_SHOWN_ITEMS] if isinstance(item, str)]
        more = len(value) - len(items)
        return ", ".join(items) + (f" and {more} more" if items and more else "")
    return ""
