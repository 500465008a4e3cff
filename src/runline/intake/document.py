"""JSON that somebody sends: one object, an array of them, or one a line.

Read strictly first, which is fast, and then once more leniently: NaN, huge integers and lone surrogates are
accepted here, because the store keeps each in a documented form of its own.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from runline.model.errors import Invalid

Object = dict[str, Any]
_SHOWN = 200
_MOST_DIGITS = 4_000
_object = msgspec.json.Decoder(Object)
_document = msgspec.json.Decoder(Object | list[Object])


def json_object(text: str | bytes) -> Object:
    """A JSON object. Raises ValueError or RecursionError for what is none."""
    try:
        return _object.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return msgspec.convert(_lenient(text), Object)


def json_objects(body: bytes) -> list[Object]:
    """The object, or the objects of the array. Raises Invalid (`bad_json`), naming the place in the array."""
    try:
        try:
            read = _document.decode(body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            read = msgspec.convert(_lenient(body), Object | list[Object])
    except msgspec.ValidationError as error:
        raise Invalid(
            f"The body is not a JSON object or an array of objects: {told(error)}.", code="bad_json"
        ) from error
    except (ValueError, RecursionError) as error:
        raise Invalid(f"The body is not JSON: {told(error)}.", code="bad_json") from error
    return read if isinstance(read, list) else [read]


def _lenient(text: str | bytes) -> Any:
    return json.loads(text, parse_int=_integer)


def _integer(digits: str) -> int | str:
    """Python refuses to read longer ones; the store would keep their digits anyway."""
    return int(digits) if len(digits) < _MOST_DIGITS else digits


def json_lines(body: bytes) -> list[Object]:
    """An object a line; blank lines count for nothing. Raises Invalid (`bad_line`), naming the line."""
    try:
        return _object.decode_lines(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return [_line(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]


def _line(number: int, line: bytes) -> Object:
    try:
        return json_object(line)
    except (ValueError, RecursionError) as error:
        raise Invalid(
            f"Line {number} is not a JSON object: {told(error)}. Nothing of the request is stored.",
            code="bad_line",
            fields={f"line {number}": "not a JSON object"},
        ) from error


def told(error: Exception) -> str:
    """What a parser has to say, in the middle of a sentence."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(error)[:_SHOWN].rstrip(".").replace("`", "")
