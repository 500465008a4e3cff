"""What callers hand in, made harmless: the recorder's own code may then rely on it.

An object may raise from any of its methods, even when it is asked for its class or its truth; so nothing is asked of
it outside a guard. What goes into an event's data needs none of this: `draft` copes with anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def as_text(value: Any, default: str = "") -> str:
    """The text itself, `default` for what is none or blank."""
    return (
        str.__str__(value) if issubclass(type(value), str) and not str.isspace(value) and value else default
    )


def as_dict(value: Any) -> dict[Any, Any]:
    """A mapping's members; anything else stands under `value`, None is empty."""
    if value is None:
        return {}
    try:
        return dict(value) if isinstance(value, Mapping) else {"value": value}
    except Exception:  # noqa: BLE001 - a mapping of the host's own may do anything
        return {}


def as_count(value: Any) -> int:
    """A whole number; 0 for what is none."""
    try:
        return int(value)
    except Exception:  # noqa: BLE001 - the same holds for its numbers
        return 0


def as_names(value: Any) -> list[str]:
    """The texts among an iterable's members; one text stands for itself."""
    if issubclass(type(value), str):
        return [value]
    try:
        return [name for name in value if issubclass(type(name), str)]
    except Exception:  # noqa: BLE001 - and for its iterables
        return []


def without_none(**fields: Any) -> dict[str, Any]:
    """The fields that say something."""
    return {name: value for name, value in fields.items() if value is not None}
