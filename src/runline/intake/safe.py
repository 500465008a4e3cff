"""The JSON form of any object: what a caller passes as data is stored, never refused and never raises.

NaN, ±Infinity → null · integers beyond 64 bits → decimal string · NUL and lone surrogates → U+FFFD · bytes →
base64 · sets and other iterables of the collections kind → list · a cycle → `"[circular]"` · dataclasses,
structs, named tuples, mappings → object · datetimes → 24-character UTC text · enum members → their value ·
numpy scalars and arrays → numbers and lists · exceptions → `Name: message` · anything else its repr, ≤ 1 KiB, or
its type's name when repr fails. Deeper than 64 levels or longer than 10,000 members is cut and listed.
"""

from __future__ import annotations

import binascii
import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

import msgspec

from runline.model.clock import to_iso, to_ms
from runline.model.limits import DEFAULT_LIMITS, Limits

CIRCULAR = "[circular]"
TOO_DEEP = "[too deep]"
MAX_MEMBERS = 10_000
"""Per container, and in all below; no event of 64 KiB holds more."""
MAX_NODES = 50_000
MAX_EXEMPT = 1_000_000
"""Members and values of an exempt event, whose input may have 1 MiB."""
_MAX_BITS = 100_000
_MIN_INT, _MAX_INT = -(2**63), 2**63 - 1
_SURROGATES = dict.fromkeys([0, *range(0xD800, 0xE000)], "\ufffd")


class Cut(msgspec.Struct, frozen=True):
    """Something that was left out: where (JSON Pointer into data), why, and how large it was."""

    path: str
    reason: str
    size_bytes: int


def clean(text: str) -> str:
    """The text without NUL and lone surrogates; the same object when it has none."""
    try:
        if "\0" not in text:
            str.encode(text)
            return text
    except UnicodeEncodeError:
        pass
    return text.translate(_SURROGATES)


def safe(
    value: object, *, limits: Limits = DEFAULT_LIMITS, exempt: bool = False, cuts: list[Cut] | None = None
) -> Any:
    """`value` in its JSON form: None, bool, int, float, str, list and dict with str keys, all exact.

    `exempt`: up to a million members. What was cut is appended to `cuts`.
    """
    return _Walk(limits, exempt, [] if cuts is None else cuts).form(value, "", 0)


def pointer(path: str, key: str | int) -> str:
    """The JSON Pointer of a member (RFC 6901); long keys are shortened."""
    return path + "/" + str(key)[:100].replace("~", "~0").replace("/", "~1")


class _Walk:
    """One conversion: the containers that are open, so that a cycle is seen, and how much has been visited."""

    def __init__(self, limits: Limits, exempt: bool, cuts: list[Cut]) -> None:
        self._limits = limits
        self._most = MAX_EXEMPT if exempt else MAX_MEMBERS
        self._left = MAX_EXEMPT if exempt else MAX_NODES
        self._cuts = cuts
        self._open: set[int] = set()

    def form(self, value: object, path: str, depth: int) -> Any:
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is str:
            return clean(value)  # type: ignore[arg-type]  # narrowed by kind
        if kind is int:
            return _whole(value)  # type: ignore[arg-type]
        if kind is float:
            return value if math.isfinite(value) else None  # type: ignore[arg-type]
        if depth >= self._limits.depth and not issubclass(kind, str | int | float):
            return self._too_deep(value, path)
        if id(value) in self._open:
            return CIRCULAR
        self._open.add(id(value))
        try:
            return self._other(value, path, depth)
        except Exception:  # noqa: BLE001 - whatever a caller's object does when it is read, it is described instead
            return self._described(value)
        finally:
            self._open.discard(id(value))

    def _other(self, value: Any, path: str, depth: int) -> Any:
        if isinstance(value, Enum):
            return self.form(value.value, path, depth + 1)
        if isinstance(value, str | int | float):
            return self.form(_exact(value), path, depth)
        if isinstance(value, Mapping):
            return self._object(value.items(), len(value), path, depth)
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return self._object(zip(value._fields, value, strict=True), len(value), path, depth)
        if isinstance(value, _SEQUENCES) or type(value).__module__ == "collections":
            return self._array(value, len(value), path, depth)
        if isinstance(value, BaseException):
            return clean(f"{type(value).__name__}: {value}")[: self._limits.repr_chars]
        names = _field_names(value)
        if names is not None:
            return self._object([(name, getattr(value, name)) for name in names], len(names), path, depth)
        if hasattr(type(value), "dtype") and hasattr(type(value), "tolist"):
            return self._numbers(value, path, depth)
        text = _as_text(value)
        return self._described(value) if text is None else text

    def _numbers(self, value: Any, path: str, depth: int) -> Any:
        """A numpy scalar or array, told by its shape: numpy itself is never imported."""
        size = int(value.size)
        if size > self._most:
            self._cuts.append(Cut(path, "items", int(value.nbytes)))
            value = value.reshape(-1)[: self._most]
        plain = value.tolist()
        return self._described(value) if type(plain) is type(value) else self.form(plain, path, depth + 1)

    def _object(
        self, members: Iterable[tuple[object, object]], count: int, path: str, depth: int
    ) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for taken, (key, member) in enumerate(members):
            if taken >= self._most or self._left <= 0:
                self._short(result, taken, count, path)
                break
            self._left -= 1
            name = self._key(key)
            result[name] = self.form(member, pointer(path, name), depth + 1)
        return result

    def _array(self, members: Iterable[object], count: int, path: str, depth: int) -> list[Any]:
        result: list[Any] = []
        for taken, member in enumerate(members):
            if taken >= self._most or self._left <= 0:
                self._short(result, taken, count, path)
                break
            self._left -= 1
            result.append(self.form(member, pointer(path, taken), depth + 1))
        return result

    def _short(self, kept: Any, taken: int, count: int, path: str) -> None:
        """A container that lost its tail; its size is estimated from what was kept."""
        self._cuts.append(Cut(path, "items", len(msgspec.json.encode(kept)) * count // max(1, taken)))

    def _key(self, key: object) -> str:
        """Keys take the form that the fast encoder gives them, else the form of a value, as text."""
        if type(key) is str:
            return clean(key)
        try:
            encoded: dict[str, int] = msgspec.json.decode(msgspec.json.encode({key: 0}))
            return clean(next(iter(encoded)))
        except Exception:  # noqa: BLE001 - no key for the encoder
            form = self.form(key, "", 0)
        return form if isinstance(form, str) else msgspec.json.encode(form).decode()

    def _too_deep(self, value: object, path: str) -> str:
        self._cuts.append(Cut(path, "depth", _length(value)))
        return TOO_DEEP

    def _described(self, value: object) -> str:
        try:
            return clean(repr(value))[: self._limits.repr_chars]
        except Exception:  # noqa: BLE001 - a repr that fails, the last thing asked of the object
            return type(value).__name__


_TOLD_BY_STR = {("decimal", "Decimal"), ("uuid", "UUID"), ("pathlib", "PurePath")}
"""By name: whoever passes one has imported it, and nobody else needs to."""
_SEQUENCES: tuple[type, ...] = (
    list,
    tuple,
    set,
    frozenset,
    range,
    type({}.keys()),
    type({}.values()),
    type({}.items()),
)


def _exact(value: str | float) -> str | int | float:
    """An instance of a subclass as the plain value it holds."""
    if isinstance(value, str):
        return str.__str__(value)
    return int.__int__(value) if isinstance(value, int) else float.__float__(value)


def _field_names(value: Any) -> Sequence[str] | None:
    if isinstance(value, type):
        return None
    if hasattr(type(value), "__dataclass_fields__"):
        from dataclasses import fields

        return [field.name for field in fields(value)]
    return value.__struct_fields__ if isinstance(value, msgspec.Struct) else None


def _as_text(value: Any) -> str | float | None:
    if isinstance(value, bytes | bytearray | memoryview):
        return binascii.b2a_base64(value, newline=False).decode()
    if isinstance(value, dt.datetime):
        return to_iso(to_ms(value))
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    told = any((kind.__module__, kind.__name__) in _TOLD_BY_STR for kind in type(value).__mro__)
    return clean(str(value)) if told else None


def _length(value: object) -> int:
    try:
        return len(value)  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001 - a length that cannot be told
        return 0


def _whole(value: int) -> int | str:
    if _MIN_INT <= value <= _MAX_INT:
        return value
    if value.bit_length() > _MAX_BITS:
        return f"[integer of {value.bit_length()} bits]"
    from decimal import Decimal

    return str(Decimal(value))  # str(int) refuses more than 4,300 digits
