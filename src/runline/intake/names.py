"""Names and lines: type, step, source, tag and other short texts, cleaned once and remembered.

A name has no NUL, no lone surrogate and no secret, and at most 200 characters; a message is bounded in bytes.
Names recur, so a redactor's cleaned ones are kept in bounded dicts that the recorder's hot path looks into.
"""

from __future__ import annotations

import os
from functools import cache, lru_cache
from typing import Any

import msgspec

from runline.intake.redact import Redactor, known_from_environment
from runline.intake.safe import clean, safe
from runline.intake.truncate import preview
from runline.model.catalogue import default_level
from runline.model.limits import DEFAULT_LIMITS
from runline.model.status import Level

MAX_REMEMBERED = 4096
_MAX_REMEMBERED_CHARS = 1000
NO_TYPE = "log"
_kind_of = type  # a class may pretend to be another; its type never does


@cache
def default_redactor() -> Redactor:
    """The process's own: every family, and the secrets of its environment as they were at first use."""
    return Redactor(known=known_from_environment(os.environ))


def clean_name(
    name: object, *, redactor: Redactor | None = None, limit_chars: int = DEFAULT_LIMITS.name_chars
) -> str:
    """A step, source, tag or other name as it is stored, `""` when blank; anything but text becomes text."""
    return (redactor or default_redactor()).text(_line(name).strip())[:limit_chars].strip()


def clean_type(
    name: object, *, redactor: Redactor | None = None, limit_chars: int = DEFAULT_LIMITS.name_chars
) -> str:
    """An event type as it is stored: one word, blanks and control characters as `_`; `log` when blank."""
    word = "_".join(clean_name(name, redactor=redactor, limit_chars=limit_chars).split())
    if not word.isprintable():
        word = "".join(letter if letter.isprintable() else "_" for letter in word)
    return word or NO_TYPE


def clean_text(
    text: object, *, limit_bytes: int = DEFAULT_LIMITS.string_bytes, redactor: Redactor | None = None
) -> str:
    """A message, note or error as it is stored: redacted, then cut to a preview of so many bytes."""
    return preview((redactor or default_redactor()).text(_line(text)), limit_bytes)


def _line(value: Any) -> str:
    """Any object as text: None and "" are blank, containers their JSON."""
    if type(value) is str:
        return clean(value)
    if value is None:
        return ""
    if issubclass(_kind_of(value), bytes | bytearray):
        return clean(bytes.decode(bytes(value), "utf-8", "replace"))
    form: Any = safe(value)
    return form if isinstance(form, str) else msgspec.json.encode(form).decode()


class Names:
    """What the hot path knows without looking twice; keys are the caller's exact strings."""

    __slots__ = ("_limit_chars", "_redactor", "places", "types")

    def __init__(
        self, redactor: Redactor | None = None, limit_chars: int = DEFAULT_LIMITS.name_chars
    ) -> None:
        self._redactor = redactor
        self._limit_chars = limit_chars
        self.types: dict[str, tuple[str, Level]] = {}
        """Cleaned type and its level."""
        self.places: dict[str | None, str | None] = {None: None}
        """Cleaned step or source; None when blank."""

    def type(self, name: Any) -> tuple[str, Level]:
        word = clean_type(name, redactor=self._redactor, limit_chars=self._limit_chars)
        known = (word, default_level(word))
        if issubclass(_kind_of(name), str) and len(name) <= _MAX_REMEMBERED_CHARS:
            if len(self.types) >= MAX_REMEMBERED:
                self.types.clear()
            self.types[str.__str__(name)] = known
        return known

    def place(self, name: Any) -> str | None:
        word = clean_name(name, redactor=self._redactor, limit_chars=self._limit_chars) or None
        if issubclass(_kind_of(name), str) and len(name) <= _MAX_REMEMBERED_CHARS:
            if len(self.places) >= MAX_REMEMBERED:
                self.places.clear()
                self.places[None] = None
            self.places[str.__str__(name)] = word
        return word


@lru_cache(16)
def names_for(redactor: Redactor | None, limit_chars: int) -> Names:
    """The names remembered for a redactor; None is the process's own."""
    return Names(redactor, limit_chars)
