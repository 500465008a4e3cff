"""The event and its JSON; the tests named after seed 003 section 12 carry that name in their docstring."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runline.model.clock import MAX_MS, MIN_MS
from runline.model.errors import Invalid
from runline.model.event import Draft, Event

EVENT = Event(
    7, "r", 3, 1_795_176_600_123, "tool_call", "warn", "load", "agent", "read é", "c1", '{"a":[1,"x"]}', 1234
)

text = st.text(st.characters(exclude_categories=["Cs"]))
payloads = st.dictionaries(
    text,
    st.recursive(st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | text, st.lists),
    max_size=4,
).map(lambda data: msgspec.json.encode(data).decode())
events = st.builds(
    Event,
    st.integers(1, 2**63 - 1),
    text,
    st.integers(1, 10_000_000),
    st.integers(MIN_MS, MAX_MS),
    text,
    st.sampled_from(["info", "warn", "error"]),
    st.none() | text,
    st.none() | text,
    text,
    st.none() | text,
    payloads,
    st.integers(0, MAX_MS - MIN_MS),
)


@given(events)
def test_event_serialization_to_valid_json(event: Event) -> None:
    """Seed 003: Event serialization to valid JSON."""
    read = json.loads(event.to_json())
    assert list(read) == [
        *("id", "run_id", "seq", "ts", "type", "level", "step", "source"),
        *("message", "correlation_id", "data", "elapsed_s"),
    ]
    assert (read["seq"], read["message"], read["data"]) == (event.seq, event.message, event.data)
    assert b"\n" not in event.to_json()


@given(events)
def test_event_deserialization_equivalence(event: Event) -> None:
    """Seed 003: Event deserialization equivalence."""
    read = Event.from_json(event.to_json())
    assert read == event
    assert read.id == event.id


def test_unknown_fields_ignored() -> None:
    """Seed 003: Unknown fields ignored."""
    foreign = json.dumps({**json.loads(EVENT.to_json()), "colour": "red", "nested": {"id": 9}})
    assert Event.from_json(foreign) == EVENT


def test_timestamp_format_validation() -> None:
    """Seed 003: Timestamp format validation."""
    assert json.loads(EVENT.to_json())["ts"] == "2026-11-20T12:10:00.123Z"
    for ts in ("yesterday", "2026-11-20T25:00:00Z", "", "1795176600123"):
        with pytest.raises(Invalid) as refused:
            Event.from_json(json.dumps({**json.loads(EVENT.to_json()), "ts": ts}))
        assert refused.value.code == "bad_event"


@pytest.mark.parametrize(
    "change",
    [{"data": [1]}, {"data": None}, {"seq": "3"}, {"elapsed_s": "soon"}, {"message": None}, {"run_id": 4}],
)
def test_what_is_no_event_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        Event.from_json(json.dumps({**json.loads(EVENT.to_json()), **change}))


@pytest.mark.parametrize(
    "broken", [b"", b"[]", EVENT.to_json()[:-1], EVENT.to_json().replace(b'"x"', b'"\xff"')]
)
def test_broken_json_is_refused(broken: bytes) -> None:
    with pytest.raises(Invalid):
        Event.from_json(broken)


def test_data_is_kept_as_canonical_text() -> None:
    spaced = EVENT.to_json().replace(b'[1,"x"]', b' [ 1, "\\u0078" ] ')
    assert Event.from_json(spaced).payload == EVENT.payload


@pytest.mark.parametrize("value", [b"[" * 100_000, b"1e999", b'"\\ud800"', b"NaN"])
def test_data_that_cannot_be_stored_is_refused(value: bytes) -> None:
    with pytest.raises(Invalid):
        Event.from_json(EVENT.to_json().replace(b'[1,"x"]', value))


def test_an_elapsed_time_beyond_numbers_is_refused() -> None:
    with pytest.raises(Invalid):
        Event.from_json(EVENT.to_json().replace(b"1.234}", b"1e308}"))


def test_what_an_event_says_of_itself() -> None:
    assert EVENT.ts == datetime(2026, 11, 20, 12, 10, 0, 123_000, UTC)
    assert EVENT.elapsed_s == 1.234
    assert EVENT.data == {"a": [1, "x"]}


def test_equality_ignores_the_id_and_nothing_else() -> None:
    fields = EVENT.__struct_fields__
    twin = msgspec.structs.replace(EVENT, id=8)
    assert twin == EVENT
    assert hash(twin) == hash(EVENT)
    assert (EVENT == object()) is False
    for name in fields[1:]:
        value = getattr(EVENT, name)
        other = value + 1 if isinstance(value, int) else value + "x"
        assert msgspec.structs.replace(EVENT, **{name: other}) != EVENT


def test_a_draft_is_an_event_without_its_place() -> None:
    draft = Draft(1, "log", "info", None, None, "hi", None, "{}")
    assert (draft.check, draft.clean, draft.event_id, draft.digest) == (0, False, None, None)
