"""JSON Schema, checked in time linear in what is checked, and never fetching anything.

Patterns run on an engine without backtracking, because a caller brings the text and an operator the pattern; a
`$ref` to another document is an error instead of a request.
"""

from __future__ import annotations

from typing import Any

import jsonschema_rs
from msgspec import Struct

_SHOWN_CHARS = 300
_MOST_FAULTS = 50


class BadSchema(Exception):
    """What is wrong with the schema itself, in the middle of a sentence."""


class Fault(Struct, frozen=True):
    """One thing wrong with a value: where, and a sentence. Of what is missing, the path names it."""

    path: tuple[str | int, ...]
    message: str

    @property
    def field(self) -> str:
        """`orders[3].id`; empty for the value as a whole."""
        return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path).lstrip(".")


class Schema:
    """A schema ready to check values. Raises BadSchema. Without a `$schema` it is of draft 2020-12."""

    def __init__(self, schema: Any) -> None:
        if not isinstance(schema, (dict, bool)):
            raise BadSchema("it must be a map")
        try:
            self._validator = jsonschema_rs.validator_for(
                schema, pattern_options=jsonschema_rs.RegexOptions(), validate_formats=True, offline=True
            )
        except ValueError as error:
            raise BadSchema(str(getattr(error, "message", error))[:_SHOWN_CHARS]) from error

    def faults(self, value: Any) -> list[Fault]:
        """What is wrong with the value, at most fifty things; empty when nothing is."""
        found: list[Fault] = []
        for error in self._validator.iter_errors(value):
            path = tuple(error.instance_path)
            if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Required):
                found.append(Fault((*path, error.kind.property), "is required"))
            else:
                found.append(Fault(path, error.message[:_SHOWN_CHARS]))
            if len(found) == _MOST_FAULTS:
                break
        return found
