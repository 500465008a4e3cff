"""JSON bodies: read into a struct, or refused with a sentence for the field that is wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TypeVar

import msgspec
from msgspec import Struct

from runline.intake.document import json_object, told
from runline.model.errors import Invalid

T = TypeVar("T", bound=Struct)
_AT = re.compile(r"(?P<what>.*) - at `\$\.?(?P<path>[^`]*)`", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>.*)`", re.DOTALL)
_EMPTY = b"{}"
_SHOWN = 60


def read_json(body: bytes, into: type[T]) -> T:
    """The body as that struct; an empty body is an empty object. Raises Invalid naming the field."""
    text = body or _EMPTY
    try:
        return msgspec.json.decode(text, type=into)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _leniently(text, into)


def _leniently(text: bytes, into: type[T]) -> T:
    """What a strict reader refuses may still be good: NaN and the like, which the store keeps in its own form."""
    try:
        return msgspec.convert(json_object(text), into)
    except msgspec.ValidationError as error:
        raise _refused(str(error), into.__struct_encode_fields__) from error
    except (ValueError, RecursionError) as error:
        raise Invalid(
            f"The body is not JSON: {told(error)}. Send one JSON object as UTF-8.", code="bad_json"
        ) from error


def _refused(sentence: str, known: Sequence[str]) -> Invalid:
    found = _AT.fullmatch(sentence)
    what, path = (found["what"], found["path"]) if found else (sentence, "")
    if unknown := _UNKNOWN.fullmatch(what):
        name = unknown["name"][:_SHOWN]
        hint = f" in {path}." if path else f"; {_hint(name, known)}"
        return _bad_field(f"There is no field {name!r}{hint}", _join(path, name), "unknown")
    if missing := _MISSING.fullmatch(what):
        name = _join(path, missing["name"])
        return _bad_field(f"The field {name!r} is missing.", name, "missing")
    what = _plain(what)
    if not path:
        return Invalid(f"The body is not what this route takes: {what}.", code="bad_json")
    return _bad_field(f"{path}: {what}.", path, f"{what}.")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _bad_field(sentence: str, name: str, what: str) -> Invalid:
    return Invalid(sentence, code="bad_field", fields={name: what})


def _hint(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}."


def _plain(sentence: str) -> str:
    words = sentence.replace("`", "")
    return words[:1].lower() + words[1:]
