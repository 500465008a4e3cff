from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest

from runline.record.given import as_count, as_dict, as_names, as_text, without_none


class Word(StrEnum):
    A = "a"


class Bad(dict[str, Any]):
    def keys(self) -> Any:
        raise RuntimeError("keys")

    def __iter__(self) -> Any:
        raise RuntimeError("iter")

    def __int__(self) -> int:
        raise RuntimeError("int")


@pytest.mark.parametrize(
    ("value", "text"), [("a", "a"), (Word.A, "a"), ("", "-"), (" \n", "-"), (None, "-"), (5, "-")]
)
def test_text(value: Any, text: str) -> None:
    assert as_text(value, "-") == text
    assert type(as_text(value, "-")) is str


@pytest.mark.parametrize(
    ("value", "members"),
    [(None, {}), ({"a": 1}, {"a": 1}), (5, {"value": 5}), ("x", {"value": "x"}), (Bad(), {})],
)
def test_dict(value: Any, members: dict[str, Any]) -> None:
    assert as_dict(value) == members


@pytest.mark.parametrize(
    ("value", "count"), [(3, 3), ("4", 4), (2.9, 2), (None, 0), (float("inf"), 0), (Bad(), 0)]
)
def test_count(value: Any, count: int) -> None:
    assert as_count(value) == count


@pytest.mark.parametrize(
    ("value", "names"), [("a", ["a"]), (("a", 5, "b"), ["a", "b"]), (None, []), (5, []), (Bad(), [])]
)
def test_names(value: Any, names: list[str]) -> None:
    assert as_names(value) == names


def test_without_none() -> None:
    assert without_none(a=0, b=None, c="") == {"a": 0, "c": ""}
