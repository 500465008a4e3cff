r"""Query strings: read into a struct, whose fields say what is allowed and what it means.

Unknown names and wrong values are refused with a sentence for each; a number over its maximum is clamped.
Repeated and comma-separated values mean any of them; a comma that belongs to a value is written `\,`. Blank texts
are as good as absent. The same annotations make the OpenAPI document.
"""

from __future__ import annotations

import functools
import re
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta, Struct

from runline.model.durations import parse_when
from runline.model.errors import Invalid, RunlineError

T = TypeVar("T", bound=Struct)
_MAX_FIELDS = 200
_MOST_WORDS = 1000
_MOST = 2**62
"""Nothing that is counted here is larger, and databases hold no more."""
_WHOLE = re.compile(r"[+-]?[0-9]{1,40}", re.ASCII)
_COMMA = re.compile(r"(?<!\\),")
_SPOILT_ZONE = re.compile(
    r"(?<=:[0-9]{2}) (?=[0-9]{2}:?[0-9]{2}$)|(?<=\.[0-9]{3}) (?=[0-9]{2}:?[0-9]{2}$)", re.ASCII
)
"""A `+` that was not percent-encoded, which then stands for a blank."""
_FLAGS = {"true": True, "1": True, "yes": True, "": True, "false": False, "0": False, "no": False}
Read = Callable[[str, list[str], int], Any]
"""From name, given values and the time now to the value. Raises Invalid."""


def about(description: str, *, one_of: Iterable[str] = (), examples: Sequence[str] = ()) -> Meta:
    """A text, or a tuple of texts; `one_of` closes the list of allowed ones."""
    allowed = tuple(one_of)
    return _meta(description, {"enum": list(allowed)} if allowed else {}, "words", allowed, examples)


def limit(description: str, *, most: int) -> Meta:
    """A page's size, at least 1; more than `most` is clamped."""
    return whole(description, floor=1, most=most)


def whole(description: str, *, floor: int | None = None, most: int | None = None) -> Meta:
    """A whole number; below `floor` is refused, above `most` clamped."""
    schema = {} if floor is None else {"minimum": floor}
    told = description if most is None else f"{description} More than {most} is clamped to it."
    return _meta(told, schema, functools.partial(_whole, floor=floor, most=most))


def instant(description: str) -> Meta:
    """An instant in milliseconds, given as ISO 8601 or as a span back from now."""
    return _meta(description, {"type": "string"}, _instant, (), ("24h", "2026-11-20T06:00:00Z"))


def flag(description: str) -> Meta:
    """True or false."""
    return _meta(description, {}, _flag)


def _meta(
    description: str,
    schema: dict[str, Any],
    read: Read | str,
    allowed: tuple[str, ...] = (),
    examples: Sequence[Any] = (),
) -> Meta:
    return Meta(
        description=description,
        examples=list(examples) or None,
        extra_json_schema=schema or None,
        extra={"read": read, "allowed": allowed},
    )


class _Field(NamedTuple):
    attribute: str
    read: Read


def read_query(raw: bytes, into: type[T] | None, now_ms: int, *, more: Iterable[str] = ()) -> T | None:
    """The query as that struct (None: the route takes none); names in `more` belong to somebody else.

    Raises Invalid with a sentence for each wrong parameter.
    """
    given = split(raw)
    fields = {} if into is None else _fields(into)
    known = [*fields, *more]
    wrong = {name: _unknown(name, known) for name in given if name not in known}
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name in given:
            try:
                values[field.attribute] = field.read(name, given[name], now_ms)
            except RunlineError as error:
                wrong[name] = error.message
    if wrong:
        raise Invalid(" ".join(wrong.values()), code="bad_parameter", fields=wrong)
    return None if into is None else into(**{k: v for k, v in values.items() if v is not None})


def split(raw: bytes) -> Mapping[str, list[str]]:
    """The values of each name, in the order given. Raises Invalid for what is no query string."""
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS
        )
    except ValueError as error:
        raise Invalid(
            f"The query string cannot be read: {error}. Percent-encode UTF-8, at most {_MAX_FIELDS} parameters.",
            code="bad_parameter",
        ) from error
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _unknown(name: str, known: Sequence[str]) -> str:
    shown = name[:60]
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        return f"There is no parameter {shown!r}; did you mean {near[0]!r}?"
    return f"There is no parameter {shown!r}" + (
        f"; this route takes {', '.join(sorted(known))}." if known else " here; this route takes none."
    )


@functools.cache
def _fields(into: type[Struct]) -> Mapping[str, _Field]:
    hints = typing.get_type_hints(into, include_extras=True)
    found = {}
    for field in msgspec.structs.fields(into):
        kind, meta = typing.get_args(hints[field.name])[:2]
        read = meta.extra["read"]
        if read == "words":
            many = typing.get_origin(kind) is tuple
            read = functools.partial(_words if many else _word, allowed=meta.extra["allowed"])
        found[field.encode_name] = _Field(field.name, read)
    return found


def _words(name: str, given: list[str], now_ms: int, *, allowed: tuple[str, ...]) -> tuple[str, ...]:
    words = [word.replace("\\,", ",").strip() for value in given for word in _COMMA.split(value)]
    if len(words) > _MOST_WORDS:
        raise Invalid(f"{name} takes at most {_MOST_WORDS} values, not {len(words)}.")
    return tuple(_word(name, [word], now_ms, allowed=allowed) or "" for word in dict.fromkeys(words) if word)


def _word(name: str, given: list[str], _: int, *, allowed: tuple[str, ...]) -> str | None:
    value = _once(name, given)
    if allowed and value and value not in allowed:
        raise Invalid(f"{value[:60]!r} is no {name}; one of {', '.join(allowed)}.")
    if "\0" in value:
        raise Invalid(f"{name} holds a NUL character.")
    return value or None


def _whole(name: str, given: list[str], _: int, *, floor: int | None, most: int | None) -> int:
    value = _once(name, given)
    if not _WHOLE.fullmatch(value):
        raise Invalid(f"{name} is a whole number, not {value[:60]!r}.")
    number = int(value)
    if floor is not None and number < floor:
        raise Invalid(f"{name} is at least {floor}, not {number}.")
    return max(-_MOST, min(number, _MOST if most is None else most))


def _instant(name: str, given: list[str], now_ms: int) -> int | None:
    value = _once(name, given)
    return parse_when(_SPOILT_ZONE.sub("+", value), now_ms=now_ms) if value.strip() else None


def _flag(name: str, given: list[str], _: int) -> bool:
    value = _once(name, given).lower()
    if value not in _FLAGS:
        raise Invalid(f"{name} is true or false, not {value[:60]!r}.")
    return _FLAGS[value]


def _once(name: str, given: list[str]) -> str:
    if len(given) > 1:
        raise Invalid(f"{name} is given {len(given)} times; give it once.")
    return given[0]
