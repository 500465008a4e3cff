from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from runline.fold.checkpoint import decode_fold, encode_fold
from runline.fold.state import RunFold, Touched


def test_a_fold_comes_back_without_what_it_touched(tell: Callable[..., RunFold]) -> None:
    usual = {"p50_ms": 10, "p90_ms": 20, "n": 3}
    fold = tell(
        (
            "run_started",
            {"tags": ["x"], "plan": {"steps": [{"id": "a"}]}, "usual": {"steps": {"b": usual}}},
            0,
        ),
        ("step_started", "a"),
        ("tool_call", "a"),
        ("level_started", {"level_index": 0, "total_count": 3}),
        ("error", {"@message": "boom"}, 900_000),
    )
    assert fold.touched != Touched()
    back = decode_fold(encode_fold(fold))
    assert back.touched == Touched()
    fold.touched.clear()
    assert back == fold


def test_bytes_of_something_else_are_refused() -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode_fold(b"\x01")
