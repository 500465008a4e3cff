"""Durations as people read and write them: one format on every face, one parser for every flag.

`850ms`, `1.8s` under ten seconds, `12s`, `1m 23s`, `1h 23m`. Figures are cut, never rounded up, so that a
ticking clock does not show a second before it is over.
"""

from __future__ import annotations

import re

from runline.model.clock import MIN_MS, parse_instant
from runline.model.errors import Invalid

_SECOND, _MINUTE, _HOUR, _DAY = 1000, 60_000, 3_600_000, 86_400_000
_UNITS = {"w": 7 * _DAY, "d": _DAY, "h": _HOUR, "m": _MINUTE, "s": _SECOND, "ms": 1}
_SPAN = re.compile(r"\s*".join(rf"(?:([0-9]{{1,12}}(?:\.[0-9]{{1,6}})?)\s*{unit})?" for unit in _UNITS))
_BARE = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,6})?")


def format_ms(ms: int | None) -> str:
    """The duration as text; `–` when it is not known. A negative one reads as zero."""
    if ms is None:
        return "–"
    if ms < _SECOND:
        return f"{max(ms, 0)}ms"
    if ms < 10 * _SECOND:
        return f"{ms // _SECOND}.{ms % _SECOND // 100}s"
    if ms < _MINUTE:
        return f"{ms // _SECOND}s"
    if ms < _HOUR:
        return f"{ms // _MINUTE}m {ms % _MINUTE // _SECOND:02d}s"
    return f"{ms // _HOUR}h {ms % _HOUR // _MINUTE:02d}m"


def relative(ms_ago: int) -> str:
    """How long ago, in words: `just now`, `12 seconds ago`, `2 hours ago`, `3 days ago`.

    Under ten seconds, and anything that a clock put into the future, is `just now`.
    """
    if ms_ago < 10 * _SECOND:
        return "just now"
    if ms_ago < _MINUTE:
        n, unit = ms_ago // _SECOND, "second"
    elif ms_ago < _HOUR:
        n, unit = ms_ago // _MINUTE, "minute"
    elif ms_ago < 2 * _DAY:
        n, unit = ms_ago // _HOUR, "hour"
    else:
        n, unit = ms_ago // _DAY, "day"
    return f"{n} {unit}{'' if n == 1 else 's'} ago"


def parse_span_ms(text: str) -> int:
    """Milliseconds of `850ms`, `1.5s`, `90s`, `5m`, `1m 23s`, `24h`, `7d`, `2w`; a bare number is seconds.

    Units come largest first, each at most once. Raises Invalid (`bad_span`) for anything else.
    """
    wanted = text.strip()
    if _BARE.fullmatch(wanted):
        return round(float(wanted) * _SECOND)
    found = _SPAN.fullmatch(wanted)
    if not wanted or not found:
        raise Invalid(
            f"{text[:60]!r} is not a duration; write it like 850ms, 90s, 5m, '1m 23s', 24h or 7d.",
            code="bad_span",
        )
    return sum(
        round(float(number) * size)
        for number, size in zip(found.groups(), _UNITS.values(), strict=True)
        if number
    )


def parse_when(text: str, *, now_ms: int) -> int:
    """The instant meant by an ISO 8601 time or by a span back from now (`24h`, `7d`), in milliseconds.

    A bare number is refused: it could be seconds, a year or an epoch. Raises Invalid (`bad_instant`).
    """
    try:
        return parse_instant(text)
    except ValueError:
        pass
    try:
        if not _BARE.fullmatch(text.strip()):
            return max(now_ms - parse_span_ms(text), MIN_MS)
    except Invalid:
        pass
    raise Invalid(
        f"{text[:60]!r} is not a time; write an ISO time like 2026-11-20T09:30:00Z, or a span back"
        " from now like 24h or 7d.",
        code="bad_instant",
    )
