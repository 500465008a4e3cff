"""Any value that a struct of the model can have, for the properties of its JSON."""

from __future__ import annotations

import types
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

from runline.model.clock import MAX_MS, MIN_MS

T = TypeVar("T", bound=msgspec.Struct)

INSTANTS = st.integers(MIN_MS, MAX_MS)
FIGURES = st.integers(0, 2**53)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
JSON_OBJECTS = st.dictionaries(st.text(), JSON, max_size=3)


def texts(values: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    """The values as JSON text, as an encoder other than msgspec's writes it too."""
    return values.map(lambda value: msgspec.json.encode(value).decode())


BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    "progress": st.integers(0, 100),
    "index": st.integers(-1, 10_000),
    "attempts": st.integers(1, 1000),
    "kind": st.sampled_from(["llm", "tool", "patch", "test", "provider"]),
    "slot_ms": st.integers(1, MAX_MS),
    "left_seq": st.none() | FIGURES,
    "delta_ms": st.none() | st.integers(-MAX_MS, MAX_MS),
    "input_json": st.none() | texts(JSON).filter(lambda text: text != "null"),
    "payload": texts(JSON_OBJECTS),
    "level": st.sampled_from(["info", "warn", "error"]),
    "elapsed_ms": st.integers(0, MAX_MS),
}
_INSTANT_NAMES = ("_at_ms", "ts_ms", "start_ms")


def any_of(kind: type[T], **given: st.SearchStrategy[Any]) -> st.SearchStrategy[T]:
    """Values of that struct, every field of any value of its type, within the bounds of the store."""
    hints = get_type_hints(kind)
    fields = {name: _field(name, hints[name]) for name in kind.__struct_fields__}
    return st.builds(kind, **(fields | given))


def through_json(value: T) -> T:
    """The value as a client reads what the server wrote."""
    return msgspec.json.decode(msgspec.json.encode(value), type=type(value))


def _field(name: str, hint: Any) -> st.SearchStrategy[Any]:
    if name in BY_NAME:
        return BY_NAME[name]
    if name.endswith(_INSTANT_NAMES):
        return INSTANTS if hint is int else st.none() | INSTANTS
    return _value(hint)


def _value(hint: Any) -> st.SearchStrategy[Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return st.one_of([_value(one) for one in arguments])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.lists(_value(arguments[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(_value(arguments[0]), _value(arguments[1]), max_size=3)
    if issubclass(hint, msgspec.Struct):
        return any_of(hint)
    return _PLAIN[hint]


_PLAIN: dict[type, st.SearchStrategy[Any]] = {
    str: st.text(),
    int: FIGURES,
    bool: st.booleans(),
    float: st.floats(0, 1e12, allow_nan=False),
    type(None): st.none(),
}
