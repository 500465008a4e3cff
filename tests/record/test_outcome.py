from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from runline.record.outcome import error_data, one_line, outcome


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Silent(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("no page"), "ValueError: no page"),
        (Silent(), "Silent"),
        (Unspeakable(), "Unspeakable: <Unspeakable without a text>"),
        (SystemExit(2), "SystemExit: exit code 2"),
        ("plain text ", "plain text"),
        (None, "None"),
        (["a"], "['a']"),
    ],
)
def test_one_line(error: object, line: str) -> None:
    assert one_line(error) == line


def test_without_asyncio_there_is_no_cancelled_error(monkeypatch: pytest.MonkeyPatch) -> None:
    cancelled = asyncio.CancelledError()
    assert outcome(cancelled).status == "cancelled"
    monkeypatch.delitem(sys.modules, "asyncio")
    assert outcome(cancelled).status == "failed"
    assert outcome(KeyboardInterrupt()).status == "cancelled"


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except type(error) as caught:
        return caught


def test_the_stack_is_a_preview_of_the_last_frames() -> None:
    def deep(n: int) -> None:
        if n == 0:
            raise ValueError("bottom" * 1000)
        deep(n - 1)

    with pytest.raises(ValueError, match="bottom") as caught:
        deep(200)
    data = error_data(caught.value)
    assert len(data["stack"]) <= 6000
    assert len(data["message"]) == 2000
    assert data["stack"].endswith("bottom")


def test_a_stack_that_cannot_be_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> list[str]:
        raise RuntimeError("no trace")

    monkeypatch.setattr("traceback.format_exception", broken)
    assert error_data(ValueError("x"))["stack"] == "ValueError: x"


def chain(*names: str) -> BaseException:
    first, *rest = [RuntimeError(name) for name in names]
    at = first
    for before in rest:
        at.__cause__ = at = before
    return first


def test_causes_are_nested_in_one_another() -> None:
    error = chain("a", "b")
    error.__cause__.__context__ = ValueError("c")  # type: ignore[union-attr]
    assert error_data(error)["cause"] == {
        "name": "RuntimeError",
        "message": "b",
        "cause": {"name": "ValueError", "message": "c"},
    }


def test_a_suppressed_context_is_no_cause() -> None:
    error = ValueError("x")
    error.__context__ = KeyError("y")
    error.__suppress_context__ = True
    assert "cause" not in error_data(error)


def test_long_and_circular_chains_end() -> None:
    depth = 0
    told: Any = error_data(chain(*"abcdefghij"))
    while (told := told.get("cause")) is not None:
        depth += 1
    assert depth == 5
    circular = ValueError("x")
    circular.__cause__ = KeyError("y")
    circular.__cause__.__cause__ = circular
    assert error_data(circular)["cause"] == {"name": "KeyError", "message": "'y'"}
