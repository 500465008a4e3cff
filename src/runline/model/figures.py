"""Figures in a caller's data: they may be of the wrong type or absurd, and then are as good as absent."""

from __future__ import annotations

import math

MOST_COUNT = 10**9
MOST_TOKENS = 10**11
"""Of one event. Ten million events of this size still sum to a 64-bit integer."""


def count(value: object, most: int = MOST_COUNT) -> int | None:
    """A whole number from 0 to `most`, also when written as 3.0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
        return value
    return None


def percent(value: object) -> int | None:
    """A number from 0 to 100, rounded down; what is above 100 counts as 100."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if value < 0 or not math.isfinite(value):
        return None
    return 100 if value > 100 else int(value)
