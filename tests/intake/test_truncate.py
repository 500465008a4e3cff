from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runline.intake.safe import Cut, safe
from runline.intake.truncate import EXEMPT, MAX_LISTED, fit, preview
from runline.model.limits import DEFAULT_LIMITS, Limits
from tests.intake.fragments import json_values


def fitted(data: dict[str, Any], message: str = "m", **options: Any) -> tuple[str, dict[str, Any]]:
    given = {"limits": DEFAULT_LIMITS, "exempt": False, "names_bytes": 10, "cuts": [], **options}
    line, payload = fit(message, data, **given)
    decoded: dict[str, Any] = msgspec.json.decode(payload)
    return line, decoded


def test_what_fits_is_not_touched() -> None:
    data = {"a": "x" * 16_384, "b": [1, {"c": None}]}
    assert fitted(data) == ("m", data)


def test_a_long_string_keeps_a_preview_and_is_listed() -> None:
    _, data = fitted({"a": {"b/c": ["é" * 10_000]}, "n": 1})
    assert data["a"]["b/c"] == ["é" * 8192]
    assert data["n"] == 1
    assert data["_cut"] == [{"path": "/a/b~1c/0", "reason": "string", "size_bytes": 20_000}]


def test_a_long_message_is_limited_too() -> None:
    line, data = fitted({"a": 1}, "m" * 20_000)
    assert line == "m" * 16_384
    assert data == {"a": 1, "_cut": [{"path": "/message", "reason": "message", "size_bytes": 20_000}]}


def test_a_preview_ends_between_characters() -> None:
    assert preview("aé", 2) == "a"
    assert preview("aé", 3) == "aé"
    assert preview("😀😀", 7) == "😀"
    assert preview("abc", 3) == "abc"


def test_an_oversize_event_keeps_its_small_values() -> None:
    lines = [f"line {n} " * 20 for n in range(5000)]
    _, data = fitted({"progress": 40, "state": "running", "lines": lines, "tokens_used": 7})
    assert (data["progress"], data["state"], data["tokens_used"]) == (40, "running", 7)
    assert data["lines"][0] == lines[0]
    assert data["_cut"][0]["path"] == "/lines"
    assert data["_cut"][0]["reason"] == "event"
    assert data["_cut"][0]["size_bytes"] == len(msgspec.json.encode(lines))


@pytest.mark.parametrize(
    "data",
    [
        {f"key {n}": "v" * 50 for n in range(3000)},
        {"k" * 100_000: 1, "a": 2},
        {"k" * 20_000 + str(n): n for n in range(20)},
        {"x": [["y" * 100] * 100] * 100},
        {str(n): {str(m): "z" * 30 for m in range(100)} for n in range(100)},
        {"deep": [[[["w" * 1000] * 10] * 10] * 10]},
    ],
    ids=["many keys", "a long key", "long keys that become equal", "lists of lists", "objects", "deep"],
)
def test_every_shape_fits(data: dict[str, Any]) -> None:
    _, stored = fitted(data)
    assert len(msgspec.json.encode(stored)) < DEFAULT_LIMITS.event_bytes
    assert stored["_cut"]
    assert len(stored) > 1


def test_what_cannot_fit_at_all_is_replaced_by_its_size() -> None:
    data = {f"k{n}": {"a": [1, 2], "b": "x" * 50} for n in range(50)}
    line, stored = fitted(data, "m" * 200, limits=Limits(event_bytes=100))
    assert len(line) <= 64
    assert list(stored) == ["_cut"]
    assert stored["_cut"][0]["reason"] == "event"
    assert stored["_cut"][0]["size_bytes"] > 1000


def test_start_events_are_exempt() -> None:
    assert frozenset({"run_started", "session_started", "run_queued"}) == EXEMPT
    data = {"input": "x" * 200_000}
    assert fitted(data, "m" * 20_000, exempt=True) == ("m" * 20_000, data)


def test_what_was_cut_before_is_listed_too() -> None:
    before = [Cut("/deep", "depth", 3)]
    _, data = fitted({"a": 1, "_cut": [{"path": "/old", "reason": "string", "size_bytes": 1}]}, cuts=before)
    assert [cut["path"] for cut in data["_cut"]] == ["/old", "/deep"]
    _, data = fitted({"a": 1, "_cut": "mine"}, cuts=before)
    assert [cut["path"] for cut in data["_cut"]] == ["/deep"]


def test_the_list_of_cuts_is_bounded() -> None:
    _, data = fitted({f"k{n}": "x" * 20_000 for n in range(300)})
    assert len(data["_cut"]) == MAX_LISTED


@given(
    st.dictionaries(st.text(max_size=20), json_values, max_size=6),
    st.text(max_size=300),
    st.integers(1500, 4000),
)
@settings(max_examples=150, deadline=None)
def test_whatever_goes_in_fits(data: dict[str, Any], message: str, event_bytes: int) -> None:
    limits = Limits(event_bytes=event_bytes, string_bytes=200)
    form = {key: value for key, value in safe(data).items() if key != "_cut"}
    message = safe(message)
    line, payload = fit(message, form, limits=limits, exempt=False, names_bytes=0, cuts=[])
    stored = msgspec.json.decode(payload)
    assert len(payload) + len(msgspec.json.encode(line)) <= event_bytes - 512
    assert message.startswith(line)
    if "_cut" not in stored:
        assert stored == form
