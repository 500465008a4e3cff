"""Truncation: an event that is too large is cut inside its payload, never by cutting JSON text.

Strings over their limit keep a preview. When the whole is still too large, strings and containers are cut in
rounds that halve what they may hold, so that small values (states, counts, ids) outlive large ones. What was
cut is listed in `data._cut` with its JSON Pointer, a reason and its size before. Redaction comes before.
"""

from __future__ import annotations

from typing import Any

import msgspec

from runline.intake.safe import Cut, pointer
from runline.model.limits import Limits

EXEMPT = frozenset({"run_started", "session_started", "run_queued"})
"""Start events carry input and plan, from which everything can be rebuilt."""
MAX_LISTED = 64
"""Entries of `_cut`."""
_ENVELOPE_BYTES = 512
"""Ids, times and field names of the canonical JSON around message, names and data."""
_MIN_ROOM_BYTES = 64
_ROUNDS: tuple[tuple[int, int], ...] = (
    (4096, 1000),
    (1024, 400),
    (512, 150),
    (256, 60),
    (128, 24),
    (64, 10),
    (32, 4),
    (16, 2),
)
"""Bytes of a string, members of a container; the top level keeps 16 times as many members."""

_encode = msgspec.json.Encoder().encode


def preview(text: str, limit_bytes: int) -> str:
    """The longest beginning of the text that has at most so many bytes of UTF-8."""
    if len(text) * 4 <= limit_bytes:
        return text
    raw = text.encode()
    return text if len(raw) <= limit_bytes else raw[:limit_bytes].decode("utf-8", "ignore")


def fit(
    message: str, data: dict[str, Any], *, limits: Limits, exempt: bool, names_bytes: int, cuts: list[Cut]
) -> tuple[str, bytes]:
    """The message and the payload, within the limits; `cuts` (what has been cut before) is extended.

    `names_bytes`: what type, step, source and correlation id take. The canonical JSON of the event has at most
    `limits.event_bytes`, unless the event is exempt or the limit is below what names and envelope need.
    """
    if exempt:
        return message, _with_list(data, cuts)
    line = preview(message, limits.string_bytes)
    if line is not message and line != message:
        cuts.append(Cut("/message", "message", len(message.encode())))
    body = _Shears(cuts, limits.string_bytes, 2**63, "string").object(data, "")
    room = max(_MIN_ROOM_BYTES, limits.event_bytes - _ENVELOPE_BYTES - names_bytes)
    whole_bytes = 0
    for string_bytes, members in _ROUNDS:
        payload = _with_list(body, cuts)
        whole_bytes = whole_bytes or len(payload)
        if len(payload) + len(_encode(line)) <= room:
            return line, payload
        shears = _Shears(cuts, min(string_bytes, limits.string_bytes), members, "event")
        body = shears.object(body, "", members * 16)
        line = preview(line, max(string_bytes, room // 4))
    del cuts[:]
    return preview(line, room // 8), _with_list({}, [Cut("", "event", whole_bytes)])


def _with_list(data: dict[str, Any], cuts: list[Cut]) -> bytes:
    if not cuts:
        return _encode(data)
    before = data.get("_cut")
    listed = [*(before if isinstance(before, list) else []), *cuts[:MAX_LISTED]]
    return _encode({**data, "_cut": listed})


class _Shears:
    """One round: copies a value with strings and containers cut; a path that is listed is not listed twice."""

    def __init__(self, cuts: list[Cut], string_bytes: int, members: int, reason: str) -> None:
        self._cuts = cuts
        self._listed = {cut.path for cut in cuts}
        self._string_bytes = string_bytes
        self._members = members
        self._reason = reason

    def object(self, value: dict[str, Any], path: str, members: int | None = None) -> dict[str, Any]:
        most = self._members if members is None else members
        if len(value) > most:
            self._list(path, _encode(value))
            value = {key: value[key] for key in sorted(value, key=lambda key: _weight(value[key]))[:most]}
        result: dict[str, Any] = {}
        for key, member in value.items():
            name = preview(key, self._string_bytes)
            if len(name) != len(key):
                self._list(pointer(path, key), key.encode())
            while name in result:
                name += "_"
            result[name] = self._any(member, pointer(path, key))
        return result

    def _any(self, value: Any, path: str) -> Any:
        if isinstance(value, str):
            kept = preview(value, self._string_bytes)
            if len(kept) != len(value):
                self._list(path, value.encode())
            return kept
        if isinstance(value, dict):
            return self.object(value, path)
        if isinstance(value, list):
            if len(value) > self._members:
                self._list(path, _encode(value))
                value = value[: self._members]
            return [self._any(member, pointer(path, place)) for place, member in enumerate(value)]
        return value

    def _list(self, path: str, before: bytes) -> None:
        if path not in self._listed:
            self._listed.add(path)
            self._cuts.append(Cut(path, self._reason, len(before)))


def _weight(value: Any) -> int:
    """Scalars first, then short texts: what a container keeps when it must lose members."""
    return len(value) + 1 if isinstance(value, str | list | dict) else 0
