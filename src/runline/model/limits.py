"""The sizes that keep one caller from hurting the rest; all configurable, none unlimited."""

from __future__ import annotations

from msgspec import Struct


class Limits(Struct, frozen=True, kw_only=True):
    """Sizes are bytes of UTF-8 JSON unless the name says otherwise."""

    event_bytes: int = 64 * 1024
    string_bytes: int = 16 * 1024
    depth: int = 64
    input_bytes: int = 1024 * 1024
    run_events: int = 10_000_000
    name_chars: int = 200
    """type, step, source, tag and other names; a longer one is cut."""
    tags: int = 100
    repr_chars: int = 1024


DEFAULT_LIMITS = Limits()
