"""JSON bodies: read into a struct, or refused with a sentence for the field that is wrong."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from runline.model.errors import Invalid

T = TypeVar("T", bound=Struct)
_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `\$?\.?(?P<path>.*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>.*)`", re.DOTALL)
_EMPTY = b"{}"


def read_json(body: bytes, into: type[T]) -> T:
    """The body as that struct; an empty body is an empty object. Raises Invalid naming the field."""
    try:
        return msgspec.json.decode(body or _EMPTY, type=into)
    except msgspec.ValidationError as error:
        raise _refused(str(error), into) from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Invalid(
            f"The body is not JSON: {_plain(error)}. Send one JSON object as UTF-8.", code="bad_json"
        ) from error


def _refused(told: str, into: type[Struct]) -> Invalid:
    what, path = (_PLACE.match(told) or re.match("", "")).group("what", "path")  # type: ignore[union-attr]
    path = path or ""
    if unknown := _UNKNOWN.fullmatch(what):
        name = unknown["name"][:60]
        near = [] if path else get_close_matches(name, into.__struct_encode_fields__, n=1, cutoff=0.5)
        hint = (
            f" did you mean {near[0]!r}?"
            if near
            else f" there are {', '.join(into.__struct_encode_fields__)}."
        )
        return Invalid(
            f"There is no field {name!r};{hint}", code="bad_field", fields={_join(path, name): "unknown"}
        )
    if missing := _MISSING.fullmatch(what):
        name = _join(path, missing["name"])
        return Invalid(f"The field {name!r} is missing.", code="bad_field", fields={name: "missing"})
    sentence = what.replace("`", "").replace("Expected", "expected", 1)
    if not path:
        return Invalid(f"The body is not what this route takes: {sentence}.", code="bad_json")
    return Invalid(f"{path}: {sentence}.", code="bad_field", fields={path: f"{sentence}."})


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _plain(error: Exception) -> Any:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:200].rstrip(".")
