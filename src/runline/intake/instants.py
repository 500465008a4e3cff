"""The instant of an event as callers write it, to whole milliseconds.

ISO 8601 text (no zone reads as UTC), a datetime (likewise), or an epoch number, also as text, whose unit its size
tells: below 10¹¹ seconds, below 10¹⁴ milliseconds, below 10¹⁷ microseconds, else nanoseconds. What lies
outside the years 1 to 9999 is clamped.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Any

from runline.intake.safe import safe
from runline.model.clock import MAX_MS, MIN_MS, parse_instant, to_ms

_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{0,40})?")
_BEFORE = re.compile(r"(?:0000|-[0-9]{4,9})-[0-9]{2}")
_AFTER = re.compile(r"\+?[0-9]{5,9}-[0-9]{2}")
_UNITS = ((10**11, 1, 1000), (10**14, 1, 1), (10**17, 1000, 1))


def read_instant(given: Any, now_ms: int) -> tuple[int, Any]:
    """The milliseconds of what was given (now when nothing was), and its JSON form when it cannot be read, else None."""
    if given is None:
        return _clamped(now_ms), None
    if issubclass(type(given), dt.datetime):
        return _clamped(to_ms(given)), None
    form = safe(given)
    if isinstance(form, str):
        text = form.strip()
        if not text:
            return _clamped(now_ms), None
        form = _of_text(text)
    elif isinstance(form, bool) or not isinstance(form, int | float):
        form = None
    else:
        form = _of_number(form)
    return (_clamped(now_ms), safe(given)) if form is None else (_clamped(form), None)


def _of_text(text: str) -> int | None:
    if _NUMBER.fullmatch(text):
        return _of_number(float(text) if "." in text else int(text))
    if _BEFORE.match(text):
        return MIN_MS
    if _AFTER.match(text):
        return MAX_MS
    try:
        return parse_instant(text[:100])
    except ValueError:
        return None


def _of_number(number: float) -> int:
    for below, divisor, factor in _UNITS:
        if abs(number) < below:
            return math.floor(number * factor) // divisor
    return math.floor(number) // 1_000_000


def _clamped(ms: int) -> int:
    return min(max(ms, MIN_MS), MAX_MS)
