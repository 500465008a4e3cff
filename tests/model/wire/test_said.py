"""What an event's data says: known keys of their types, and nothing else."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runline.model.catalogue import STATES
from runline.model.wire.events import StreamEvent
from runline.model.wire.said import Said, known_of, read_said, said_state
from tests.model.wire.structs import JSON, JSON_OBJECTS

KEYS = [name for name in Said.__struct_fields__ if name not in ("state", "status")]
GOOD = {
    "persona": "reader",
    "duration_ms": 1800,
    "tokens_used": 5,
    "progress": 40,
    "current_action": "page 3",
    "total_steps": 4,
    "completed_steps": 0,
    "estimated_time_ms": 9000,
    "validation_phase": "schema",
    "compaction_stats": {"before": 9, "after": 3},
    "artifacts": ["rows.csv"],
    "tool_name": "read",
    "tool_target": "a.txt",
    "model": "m",
    "adapter": "a",
}


def known(data: object) -> dict[str, object]:
    return known_of(read_said(msgspec.json.encode(data).decode()))


def test_all_that_is_known() -> None:
    assert known(GOOD | {"other": 1, "state": "x"}) == GOOD
    assert set(GOOD) == set(KEYS)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("value", [None, True, -1, {"$": []}, [[]], "many", 1.5])
def test_a_value_of_a_wrong_type_is_left_out(key: str, value: object) -> None:
    right = type(GOOD[key])
    fits = isinstance(value, right) and value is not True and value != -1
    expected = {key: value} if fits else {key: 1} if (key, value) == ("progress", 1.5) else {}
    assert known({key: value}) == expected


def test_figures_are_read_as_the_fold_reads_them() -> None:
    said = {"tokens_used": 3.0, "progress": 250, "total_steps": 10**10}
    assert known(said) == {"tokens_used": 3, "progress": 100}


@given(st.dictionaries(st.sampled_from([*KEYS, "state", "status"]), JSON) | JSON_OBJECTS)
def test_whatever_is_said_fits_the_stream(data: dict[str, object]) -> None:
    taken = known(data)
    types = {field.name: field.type for field in msgspec.structs.fields(StreamEvent)}
    assert all(msgspec.convert(value, types[name]) == value for name, value in taken.items())
    assert said_state("log", read_said(msgspec.json.encode(data).decode())) in STATES


@pytest.mark.parametrize(
    ("type", "data", "state"),
    [
        ("step_started", {}, "started"),
        ("log", {"state": "retrying"}, "retrying"),
        ("log", {"state": 3}, "running"),
        ("run_ended", {"status": "cancelled"}, "failed"),
        ("run_ended", {"status": "completed"}, "completed"),
    ],
)
def test_the_dashboards_word(type: str, data: object, state: str) -> None:
    assert said_state(type, read_said(msgspec.json.encode(data).decode())) == state
