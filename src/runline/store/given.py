"""What a caller really gave: types are promised by annotations, and checked where a caller's mistake would hurt."""

from __future__ import annotations

from typing import Any


def is_text(given: Any) -> bool:
    return isinstance(given, str)


def is_list(given: Any) -> bool:
    """A list or the like, whose items one can count; a text is none."""
    return isinstance(given, (list, tuple, set, frozenset))


def is_whole(given: Any) -> bool:
    """A whole number; True and False are none."""
    return isinstance(given, int) and not isinstance(given, bool)
