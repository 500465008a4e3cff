from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import math
import uuid
from collections import Counter, deque
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any, ClassVar, NamedTuple

import msgspec
import pytest
from hypothesis import given, settings

from runline.intake.safe import MAX_MEMBERS, MAX_NODES, Cut, clean, pointer, safe
from runline.model.limits import Limits
from runline.testing.corpus import BAD_TEXTS, BAD_VALUES, LARGE_VALUES, Hostile, nested
from tests.intake.fragments import json_values


def exact(form: Any) -> bool:
    """Nothing but exact JSON types, finite and within 64 bits."""
    if isinstance(form, dict):
        return type(form) is dict and all(type(key) is str and exact(value) for key, value in form.items())
    if isinstance(form, list):
        return type(form) is list and all(map(exact, form))
    if type(form) is float:
        return math.isfinite(form)
    if type(form) is int:
        return -(2**63) <= form < 2**63
    return form is None or type(form) in (str, bool)


@pytest.mark.parametrize("name", [*BAD_VALUES, *BAD_TEXTS])
def test_every_bad_value_has_a_json_form(name: str) -> None:
    form = safe({**BAD_VALUES, **BAD_TEXTS}[name])
    assert exact(form)
    assert exact(msgspec.json.decode(msgspec.json.encode(form)))


@given(json_values)
@settings(max_examples=200, deadline=None)
def test_the_form_of_a_form_is_itself(value: Any) -> None:
    form = safe(value)
    assert exact(form)
    assert safe(form) == form


class Colour(enum.Enum):
    RED = (1, 2)


class Pair(NamedTuple):
    left: int
    right: str


@dataclasses.dataclass
class Point:
    kind: ClassVar[str] = "point"
    x: float
    hidden: dataclasses.InitVar[int] = 0


class Row(msgspec.Struct):
    a: int
    b: bytes


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise ValueError


class Whole(int):
    pass


class Real(float):
    pass


class Money(Decimal):
    pass


def counted() -> Any:
    yield 1


FORMS: list[tuple[Any, Any]] = [
    (None, None),
    (True, True),
    (-0.0, 0.0),
    (float("nan"), None),
    (float("-inf"), None),
    (2**63 - 1, 2**63 - 1),
    (2**63, str(2**63)),
    (-(2**63), -(2**63)),
    (-(2**63) - 1, str(-(2**63) - 1)),
    (10**4300, "1" + "0" * 4300),
    (1 << 100_000, "[integer of 100001 bits]"),
    ("a\0b\ud800", "a\ufffdb\ufffd"),
    (b"\x00\xff", "AP8="),
    (bytearray(b"a"), "YQ=="),
    (memoryview(b"a"), "YQ=="),
    ({1}, [1]),
    (frozenset({"a"}), ["a"]),
    ((1, (2,)), [1, [2]]),
    (deque([1, 2]), [1, 2]),
    (range(3), [0, 1, 2]),
    ({"a": 1}.keys(), ["a"]),
    (Counter("aab"), {"a": 2, "b": 1}),
    (Pair(1, "x"), {"left": 1, "right": "x"}),
    (Point(1.5), {"x": 1.5}),
    (Row(1, b"a"), {"a": 1, "b": "YQ=="}),
    (Colour.RED, [1, 2]),
    (Text("x"), "x"),
    (Whole(7), 7),
    (Whole(2**64), str(2**64)),
    (Real("nan"), None),
    (Decimal("1.10"), "1.10"),
    (Money("2.5"), "2.5"),
    (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    (PurePosixPath("a/b"), "a/b"),
    (dt.datetime(2026, 11, 20, 12, 30, 0, 123456, tzinfo=dt.UTC), "2026-11-20T12:30:00.123Z"),
    (dt.datetime(2026, 11, 20, 12, 30), "2026-11-20T12:30:00.000Z"),
    (
        dt.datetime(2026, 11, 20, 12, tzinfo=dt.timezone(dt.timedelta(hours=2))),
        "2026-11-20T10:00:00.000Z",
    ),
    (dt.date(2026, 11, 20), "2026-11-20"),
    (dt.time(12, 30), "12:30:00"),
    (dt.timedelta(minutes=1.5), 90.0),
    (ValueError("went\0wrong"), "ValueError: went\ufffdwrong"),
    (Point, repr(Point)),
    (Hostile, repr(Hostile)),
]


@pytest.mark.parametrize("place", range(len(FORMS)))
def test_documented_forms(place: int) -> None:
    value, form = FORMS[place]
    assert safe(value) == form
    assert type(safe(value)) is type(form)
    assert safe({"k": [value]}) == {"k": [form]}


def test_an_object_is_its_repr_up_to_1_kib_or_its_type() -> None:
    class Wordy:
        def __repr__(self) -> str:
            return "w\0" * 5000

    assert safe(Wordy()) == "w\ufffd" * 512
    assert safe(Hostile()) == "Hostile"
    assert safe(Wordy(), limits=Limits(repr_chars=4)) == "w\ufffdw\ufffd"


def test_a_cycle_is_told_and_a_shared_part_is_not_one() -> None:
    circle: dict[str, Any] = {"a": 1}
    circle["self"] = [circle]
    shared = [1]
    assert safe(circle) == {"a": 1, "self": ["[circular]"]}
    assert safe([shared, shared]) == [[1], [1]]


def test_depth_is_limited_and_listed() -> None:
    cuts: list[Cut] = []
    assert safe(nested(64), cuts=cuts) == nested(64)
    assert cuts == []
    form = safe({"a": nested(64)}, cuts=cuts)
    assert cuts == [Cut("/a" + "/0" * 63, "depth", 1)]
    assert msgspec.json.encode(form).count(b"[too deep]") == 1
    safe({"a": {"b": Hostile()}}, cuts=cuts, limits=Limits(depth=2))
    assert cuts[1] == Cut("/a/b", "depth", 0)


def test_scalars_at_the_limit_of_depth_stay() -> None:
    assert safe([[1, "x", 2.5, Whole(3), None]], limits=Limits(depth=2)) == [[1, "x", 2.5, 3, None]]


@pytest.mark.parametrize("kind", [list, dict])
def test_long_containers_are_cut_and_listed_with_an_estimate(kind: type) -> None:
    value: Any = {"m": list(range(20_000)) if kind is list else {str(n): n for n in range(20_000)}}
    cuts: list[Cut] = []
    assert len(safe(value, cuts=cuts)["m"]) == MAX_MEMBERS
    (cut,) = cuts
    assert (cut.path, cut.reason) == ("/m", "items")
    assert abs(cut.size_bytes / len(msgspec.json.encode(value["m"])) - 1) < 0.2
    assert safe(value, exempt=True) == value


def test_the_whole_is_bounded_however_it_branches() -> None:
    cuts: list[Cut] = []
    form = safe(BAD_VALUES["a billion laughs"], cuts=cuts)
    assert len(msgspec.json.encode(form)) < MAX_NODES * 10
    assert cuts
    wide = safe([{str(n): n for n in range(9000)} for _ in range(9)])
    assert sum(map(len, wide)) < MAX_NODES + 1


@pytest.mark.parametrize("name", LARGE_VALUES)
def test_large_values_have_a_form(name: str) -> None:
    assert exact(safe(LARGE_VALUES[name]()))


def test_odd_keys_become_text() -> None:
    value: dict[Any, Any] = {1: "a", 1.5: "b", None: "c", (1, 2): "e", b"a": "f", dt.date(2026, 1, 1): "g"}
    value |= {
        False: "d",
        2**70: "i",
        "x\0": "j",
        Whole(9): "k",
        float("nan"): "l",
        "\ud800": "m",
        10**4300: "n",
    }
    form = safe(value)
    assert exact(form)
    assert len(form) == len(value)
    assert (form["1"], form["[1,2]"], form["null"], form["false"], form["x\ufffd"]) == (
        "a",
        "e",
        "c",
        "d",
        "j",
    )


def test_keys_are_told_as_the_fast_encoder_tells_them() -> None:
    for key in (
        7,
        1.5,
        float("nan"),
        b"a",
        dt.date(2026, 1, 1),
        dt.datetime(2026, 1, 1),
        2**70,
        uuid.UUID(int=1),
    ):
        assert msgspec.json.decode(msgspec.json.encode({key: 1})) == safe({key: 1})


class dtype:  # noqa: N801 - the name that numpy gives
    pass


class Array:
    """As much of numpy's array as is looked at."""

    dtype = dtype
    nbytes = 160_000

    def __init__(self, values: Any) -> None:
        self._values = values

    @property
    def size(self) -> int:
        return len(self._values) if isinstance(self._values, list) else 1

    def tolist(self) -> Any:
        return self._values

    def reshape(self, _: int) -> Array:
        return self

    def __getitem__(self, part: slice) -> Array:
        return Array(self._values[part])


class Stubborn(Array):
    def tolist(self) -> Any:
        return self

    def __repr__(self) -> str:
        return "stubborn"


def test_numpy_is_known_by_its_shape() -> None:
    assert safe(Array(2.5)) == 2.5
    assert safe(Array([[1, 2], [3, float("nan")]])) == [[1, 2], [3, None]]
    assert safe(Stubborn(1)) == "stubborn"
    cuts: list[Cut] = []
    assert safe(Array(list(range(20_000))), cuts=cuts) == list(range(MAX_MEMBERS))
    assert cuts == [Cut("", "items", 160_000)]


def test_what_a_generator_holds_is_left_to_its_owner() -> None:
    numbers = counted()
    assert safe(numbers).startswith("<generator")
    assert list(numbers) == [1]


def test_clean_texts_are_the_same_object() -> None:
    text = "äöü 😀"
    assert clean(text) is text
    assert clean("a\0") == "a\ufffd"


def test_pointers_are_escaped_and_short() -> None:
    assert pointer("/a", "b/c~d") == "/a/b~1c~0d"
    assert pointer("", 3) == "/3"
    assert len(pointer("", "k" * 10_000)) == 101
