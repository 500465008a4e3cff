"""Bad objects: what a host program may pass as data, message or name without meaning harm.

`BAD_VALUES` by family of the fault; `LARGE_VALUES` are made when called, each must be stored, cut, in well
under a second.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
from collections import OrderedDict, UserDict, deque
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple


class Colour(enum.Enum):
    """A member whose value is no scalar."""

    RED = (255, 0, 0)


class Shade(enum.StrEnum):
    """A member that is text."""

    DARK = "dark"


@dataclasses.dataclass
class Point:
    """A dataclass that holds what JSON does not know."""

    x: float
    at: dt.datetime


class Pair(NamedTuple):
    """A tuple with names."""

    left: int
    right: str


class Text(str):
    """A str that is not exactly str."""

    __slots__ = ()


class Whole(int):
    """An int that is not exactly int."""


class Table(dict[str, object]):
    """A dict that is not exactly dict."""


class Hostile:
    """An object that fails whatever is asked of it."""

    def __getattribute__(self, name: str) -> Any:
        raise ValueError(name)

    def __repr__(self) -> str:
        raise ValueError

    def __str__(self) -> str:
        raise ValueError

    def __eq__(self, other: object) -> bool:
        raise ValueError

    def __hash__(self) -> int:
        raise ValueError

    def __bool__(self) -> bool:
        raise ValueError

    def __len__(self) -> int:
        raise ValueError


class _LyingMapping(Mapping[str, object]):
    def __getitem__(self, key: str) -> object:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(("a", "b"))

    def __len__(self) -> int:
        return 2


def _circle() -> dict[str, object]:
    circle: dict[str, object] = {"name": "circle"}
    circle["itself"] = circle
    circle["list"] = [circle]
    return circle


def nested(depth: int, *, mapping: bool = False) -> object:
    """So many lists (or objects) in one another."""
    value: object = 1
    for _ in range(depth):
        value = {"k": value} if mapping else [value]
    return value


def _laughs() -> object:
    """Ten to the ninth members, in a hundred objects."""
    value: object = ["ha"] * 10
    for _ in range(8):
        value = [value] * 10
    return value


BAD_VALUES: dict[str, object] = {
    "nan": float("nan"),
    "infinity": float("inf"),
    "minus infinity": float("-inf"),
    "minus zero": -0.0,
    "2^53+1": 2**53 + 1,
    "2^63-1": 2**63 - 1,
    "2^63": 2**63,
    "-2^63-1": -(2**63) - 1,
    "2^64": 2**64,
    "200 digits": 10**199,
    "4301 digits": 10**4300,
    "a number of a million bits": 1 << 1_000_000,
    "numbers within": {"n": [float("nan"), 2**64, {"inf": float("inf")}]},
    "none": None,
    "true": True,
    "text": "no object",
    "list": [1, "two", None],
    "empty key": {"": 1},
    "proto key": {"__proto__": {"polluted": True}, "constructor": 1},
    "keys that become equal": {1: "number", "1": "text"},
    "keys of many kinds": {
        1.5: 1,
        None: 2,
        True: 3,
        (1, 2): 4,
        b"a": 5,
        Shade.DARK: 6,
        dt.date(2026, 1, 1): 7,
    },
    "nul key": {"a\0b": 1},
    "surrogate key": {"\ud800": 1},
    "depth 65": nested(65),
    "depth 65 of objects": nested(65, mapping=True),
    "depth 1100": nested(1100),
    "depth 100000": nested(100_000),
    "a cycle": _circle(),
    "a billion laughs": _laughs(),
    "bytes": b"\x00\xff",
    "bytearray": bytearray(b"abc"),
    "memoryview": memoryview(b"abc"),
    "set": {1},
    "frozenset": frozenset({"a"}),
    "tuple": (1, (2, 3)),
    "named tuple": Pair(1, "x"),
    "deque": deque([1, 2]),
    "range": range(3),
    "views": {"k": {"a": 1}.keys(), "v": {"a": 1}.values()},
    "ordered dict": OrderedDict(a=1),
    "user dict": UserDict(a=1),
    "generator": (n for n in range(3)),
    "datetime": dt.datetime(2026, 11, 20, 12, 30, 0, 123456, tzinfo=dt.UTC),
    "naive datetime": dt.datetime(2026, 11, 20, 12, 30),
    "year 1 east": dt.datetime(1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=14))),
    "date": dt.date(2026, 11, 20),
    "time": dt.time(12, 30),
    "timedelta": dt.timedelta(seconds=1.5),
    "decimal": Decimal("1.10"),
    "enum": Colour.RED,
    "str enum": Shade.DARK,
    "dataclass": Point(float("nan"), dt.datetime(2026, 1, 1)),
    "a class": Point,
    "str subclass": Text("x"),
    "int subclass": Whole(7),
    "dict subclass": Table(a=1),
    "exception": ValueError("went wrong"),
    "function": nested,
    "object": object(),
    "hostile object": Hostile(),
    "hostile object within": {"deep": [Hostile(), {"k": Hostile()}]},
    "a mapping that lies": _LyingMapping(),
}
"""Objects for `data` or any other field."""

LARGE_VALUES: dict[str, Callable[[], object]] = {
    "a 10 MB string": lambda: {"text": "x" * 10_000_000},
    "a 10 MB string of four-byte characters": lambda: {"text": "😀" * 2_500_000},
    "a 10 MB key": lambda: {"k" * 10_000_000: 1},
    "a million keys": lambda: {f"k{n}": n for n in range(1_000_000)},
    "a million members": lambda: list(range(1_000_000)),
    "a thousand strings": lambda: {"lines": ["line " * 40] * 1000},
    "64 KiB in small values": lambda: {f"key{n}": n for n in range(6000)},
}
"""Made when called; each must be stored, cut, in well under a second."""
