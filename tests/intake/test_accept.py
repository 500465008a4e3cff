from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runline.intake.accept import MAX_EVENT_ID_CHARS, accept, draft
from runline.intake.redact import Redactor
from runline.intake.safe import safe
from runline.model.checksum import content_check
from runline.model.clock import MAX_MS, MIN_MS
from runline.model.errors import Invalid
from runline.model.event import Draft
from runline.model.limits import DEFAULT_LIMITS, Limits
from runline.testing.corpus import (
    BAD_EVENTS,
    BAD_TEXTS,
    BAD_VALUES,
    LARGE_VALUES,
    SECRETS,
    TERMINAL,
    Hostile,
    nested,
)
from tests.intake.fragments import json_values

NOW = 1_795_200_000_000
FIELDS = ("type", "message", "data", "step", "level", "source", "correlation_id", "ts_ms", "event_id")
REDACTOR = Redactor()


def made(**changes: Any) -> Draft:
    fields: dict[str, Any] = {"type": "tool_call", "message": "m", "data": {"a": 1}, "ts_ms": NOW, **changes}
    return draft(fields.pop("type"), fields.pop("message"), fields.pop("data"), **fields)


def _built(value: Any) -> Any:
    """Some objects cannot be parameters: pytest looks at them."""
    return value() if isinstance(value, type) else value


def data_of(event: Draft) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(event.payload)
    return decoded


def well_formed(event: Draft) -> Draft:
    """Every promise that a draft makes, whatever it was made of."""
    assert event.check == content_check(
        event.ts_ms, event.message.encode(), event.correlation_id, event.payload.encode()
    )
    assert isinstance(data_of(event), dict)
    assert event.level in ("info", "warn", "error")
    assert MIN_MS <= event.ts_ms <= MAX_MS
    for name in (event.type, event.step, event.source, event.correlation_id):
        assert name is None or (type(name) is str and 0 < len(name) <= DEFAULT_LIMITS.name_chars)
    if event.type not in ("run_started", "session_started", "run_queued"):
        assert len(event.message.encode()) + len(event.payload.encode()) <= DEFAULT_LIMITS.event_bytes
    return event


def test_an_ordinary_event_is_encoded_once_and_left_for_the_writer() -> None:
    event = made(
        step="extract", level="warn", source="agent", correlation_id="c1", data={"a": [1, {"b": (2,)}]}
    )
    assert well_formed(event) == Draft(
        NOW, "tool_call", "warn", "extract", "agent", "m", "c1", '{"a":[1,{"b":[2]}]}', event.check
    )


def test_no_data_is_an_empty_object() -> None:
    assert made(data=None).payload == "{}"
    assert not made(data=None).clean


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("name", [*BAD_VALUES, *BAD_TEXTS, *TERMINAL])
def test_no_value_anywhere_makes_draft_raise(field: str, name: str) -> None:
    value = {**BAD_VALUES, **BAD_TEXTS, **TERMINAL}[name]
    well_formed(made(**{field: value}))


@pytest.mark.parametrize("name", LARGE_VALUES)
@pytest.mark.parametrize("field", ["data", "message", "step", "type"])
def test_large_values_are_cut(field: str, name: str) -> None:
    event = well_formed(made(**{field: LARGE_VALUES[name]()}))
    assert event.clean or field in ("step", "type")
    if field == "data":
        assert data_of(event)["_cut"]


@given(json_values)
@settings(max_examples=200, deadline=None)
def test_both_paths_tell_the_same(value: Any) -> None:
    data = {"value": value}
    fast = REDACTOR.batch([draft("log", "m", data, ts_ms=NOW, redactor=REDACTOR)])[0]
    slow = draft("log", "m", data, ts_ms=NOW, level=" INFO ", redactor=REDACTOR)
    assert slow.clean
    assert data_of(fast) == data_of(slow) == REDACTOR.value(safe(data))


def test_a_secret_that_a_cut_would_split_is_redacted_before() -> None:
    secret = SECRETS["github classic"][0][1]
    event = made(message="x" * 16_370 + " " + secret, data={"t": "y" * 16_380 + " " + secret})
    assert event.clean
    assert secret[:10] not in event.message + event.payload


@pytest.mark.parametrize(
    ("given", "level"), [(None, "info"), ("", "info"), ("WARN", "warn"), (" error ", "error")]
)
def test_levels_are_read_in_any_case(given: str | None, level: str) -> None:
    event = made(level=given)
    assert (event.level, "original_level" in data_of(event)) == (level, False)


@pytest.mark.parametrize("level", ["LOUD", 7, ["x"]])
def test_an_unknown_level_becomes_info_and_is_kept(level: Any) -> None:
    event = made(type="error", level=level)
    assert event.level == "info"
    assert data_of(event)["original_level"]


def test_the_level_comes_from_the_catalogue() -> None:
    assert made(type="step_failed", level=None).level == "error"


@pytest.mark.parametrize("blank", [None, "", " \n"])
def test_a_blank_message_is_told_from_the_data(blank: str | None) -> None:
    assert made(type="step_failed", message=blank, data={"error": "boom"}).message
    assert made(type="of_my_own", message=blank, data=None).message == "of_my_own"
    assert made(type="of_my_own", message=blank, data=[1]).message == "of_my_own"


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"source": "stdout", "message": ""}, ""),
        ({"source": "stderr", "message": "  "}, "  "),
        ({"source": "stdout", "message": None}, "log"),
        ({"source": "stdout", "message": "", "type": "mine"}, "mine"),
        ({"source": "agent", "message": ""}, "log"),
        ({"source": "stdout", "message": " " * 5_000}, "log"),
    ],
)
def test_a_blank_line_of_output_stays_one(event: dict[str, Any], message: str) -> None:
    found = accepted(event)
    assert found.message == message
    raw = (found.message.encode(), found.correlation_id, found.payload.encode())
    assert found.check == content_check(found.ts_ms, *raw)


def test_a_blank_type_is_log_and_blank_names_are_none() -> None:
    event = made(type=" ", step="", source=" ", correlation_id="")
    assert (event.type, event.step, event.source, event.correlation_id) == ("log", None, None, None)


def test_a_node_is_a_step() -> None:
    assert made(data={"node_id": "n1"}).step == "n1"
    assert made(data={"node_id": 7}, step=" ").step == "7"
    assert made(data={"node_id": "n1"}, step="s").step == "s"
    assert made(data={"node_id": "n1", "when": Hostile()}).step == "n1"
    assert made(data={"node_id": None, "when": Hostile()}).step is None


def test_names_are_cleaned_once_and_redacted() -> None:
    secret = SECRETS["github classic"][0][1]
    event = made(step=f"s {secret}", type=f"t {secret}", source="a\0b", correlation_id="c\ud800")
    assert secret not in f"{event.step}{event.type}"
    assert event.source == "a\ufffdb"
    assert event.correlation_id == "c\ufffd"
    assert made(step=f"s {secret}").step == event.step


@pytest.mark.parametrize(
    "ts_ms", [-1, 0, MIN_MS - 5, MAX_MS + 5, 2**70, 1.5, float("nan"), "x", None, Hostile]
)
def test_any_time_is_stored_within_range(ts_ms: Any) -> None:
    well_formed(made(ts_ms=_built(ts_ms)))
    assert made(ts_ms=-1).ts_ms == -1


def test_limits_and_redactor_are_the_callers() -> None:
    small = Limits(event_bytes=2048, string_bytes=100, name_chars=5)
    event = made(
        limits=small, step="extraction", message="m" * 300, data={"t": "x" * 300, "list": ["y" * 90] * 50}
    )
    assert event.step == "extra"
    assert len(event.message) == 100
    assert len(event.payload) + len(event.message) < 2048
    assert made(limits=small, data={"t": "x" * 90}).clean is False
    off = Redactor(enabled=False)
    assert made(redactor=off, step="password=x", level="LOUD", data={"password": "x"}).step == "password=x"


def test_an_event_id_brings_a_digest_of_the_body() -> None:
    one, same, other = made(event_id="e"), made(event_id="e"), made(event_id="e", message="n")
    assert one.event_id == "e"
    assert one.digest == same.digest != other.digest
    slow = made(event_id="e", data={"a": Hostile()})
    assert slow.digest is not None
    assert made(event_id="").event_id is None
    assert made(event_id="e" * 129).event_id is None
    assert made(event_id="e" * MAX_EVENT_ID_CHARS).event_id == "e" * 128


def test_an_event_id_that_holds_a_secret_is_kept_as_its_hash() -> None:
    secret = SECRETS["github classic"][0][1]
    event = made(event_id=secret)
    assert event.event_id is not None
    assert event.event_id.startswith("sha256:")
    assert event.event_id == made(event_id=secret).event_id


def test_nested_data_takes_the_hot_path_up_to_its_limits() -> None:
    assert not made(data={"a": nested(63)}).clean
    assert made(data={"a": nested(64)}).clean
    assert not made(data={"a": [1] * 4097}).clean
    assert made(data={"a": [1] * 10_000}).clean
    assert made(data={str(n): [] for n in range(4097)}).clean
    assert made(data={"a": [[] for _ in range(4097)]}).clean
    assert made(data={"a": [[[], []] for _ in range(2100)]}).clean


# accept


def accepted(raw: Any, **options: Any) -> Draft:
    return well_formed(accept(raw, now_ms=NOW, **options))


@pytest.mark.parametrize("name", BAD_EVENTS)
def test_every_bad_event_is_stored(name: str) -> None:
    event = accepted(BAD_EVENTS[name])
    again = accepted({"type": event.type, "message": event.message, "data": data_of(event)})
    assert (again.type, again.message) == (event.type, event.message)


@pytest.mark.parametrize(
    "field", ["type", "ts", "level", "step", "source", "message", "correlation_id", "data", "x"]
)
@pytest.mark.parametrize("name", BAD_VALUES)
def test_no_value_of_a_field_is_refused(field: str, name: str) -> None:
    accepted({field: BAD_VALUES[name]})


@pytest.mark.parametrize("text", [text[:5000] for text in BAD_TEXTS.values()], ids=BAD_TEXTS)
def test_texts_come_back_equal(text: str) -> None:
    event = accepted({"message": f"x{text}", "data": {"t": text, text: 1}})
    (event,) = REDACTOR.batch([event])
    assert event.message == safe(f"x{text}")
    assert data_of(event) == safe({"t": text, text: 1})


def test_canonical_names_are_read() -> None:
    event = accepted(
        {
            "type": "note", "ts": "2026-11-20T12:00:00Z", "level": "warn", "step": "s", "source": "ui",
            "message": "hi", "correlation_id": "c", "data": {"a": 1},
        }
    )  # fmt: skip
    assert event.ts_ms == 1_795_176_000_000
    assert (event.type, event.level, event.step, event.source) == ("note", "warn", "s", "ui")
    assert (event.message, event.correlation_id, event.payload) == ("hi", "c", '{"a":1}')


@pytest.mark.parametrize(
    ("alias", "value", "field"),
    [
        ("payload", {"a": 1}, "payload"),
        ("details", {"a": 1}, "payload"),
        ("created_at", NOW, "ts_ms"),
        ("timestamp", NOW, "ts_ms"),
        ("ts_utc", NOW, "ts_ms"),
        ("severity", "error", "level"),
        ("stage", "s", "step"),
        ("step_id", "s", "step"),
    ],
)
def test_aliases_are_read(alias: str, value: Any, field: str) -> None:
    event = accept({alias: value}, now_ms=NOW - 5)
    stored = data_of(event) if field == "payload" else getattr(event, field)
    assert stored == value
    assert field == "payload" or event.payload == "{}"


def test_a_second_name_for_the_same_field_moves_into_data() -> None:
    event = accepted({"step": "a", "stage": "b", "data": {"x": 1}, "payload": {"y": 2}})
    assert event.step == "a"
    assert data_of(event) == {"x": 1, "stage": "b", "payload": {"y": 2}}


def test_other_keys_move_into_data() -> None:
    assert data_of(accepted({"colour": "red"})) == {"colour": "red"}
    assert data_of(accepted({"a": 1, "data": {"a": 2, "a_": 3}})) == {"a": 2, "a_": 3, "a__": 1}
    assert data_of(accepted({"a": 1, "data": [1]})) == {"value": [1], "a": 1}
    assert data_of(accepted({7: 1})) == {"7": 1}


def test_a_line_of_tail_can_be_fed_back() -> None:
    line = {
        "id": 9,
        "run_id": "r",
        "seq": 4,
        "elapsed_s": 1.5,
        "type": "log",
        "message": "m",
        "data": {"a": 1},
    }
    assert accepted(line).payload == '{"a":1}'


def test_a_time_that_cannot_be_read_is_now_and_kept() -> None:
    event = accepted({"ts": "yesterday"})
    assert (event.ts_ms, data_of(event)) == (NOW, {"original_ts": "yesterday"})


def test_the_digest_is_of_the_body_as_given() -> None:
    body = {"type": "log", "message": "m", "password": "x"}
    one = accepted({**body, "event_id": "e1"})
    assert one.event_id == "e1"
    assert one.digest == accept({**body, "event_id": "e1", "seq": 3}, now_ms=NOW + 99).digest
    assert one.digest != accepted({**body, "event_id": "e1", "password": "y"}).digest
    assert accepted({**body, "event_id": ""}).digest is None


@pytest.mark.parametrize("event_id", [7, ["x"], "e" * 129, "a\0b", "\ud800", Hostile])
def test_a_bad_event_id_is_refused(event_id: Any) -> None:
    with pytest.raises(Invalid) as refused:
        accept({"event_id": _built(event_id)}, now_ms=NOW)
    assert refused.value.code == "bad_event_id"
    assert list(refused.value.fields) == ["event_id"]


class _Broken(Mapping[str, object]):
    def __getitem__(self, key: str) -> object:
        raise ValueError

    def __iter__(self) -> Any:
        raise ValueError

    def __len__(self) -> int:
        return 1


@pytest.mark.parametrize("raw", [None, "x", 7, [], [("type", "log")], Hostile, _Broken])
def test_what_is_no_mapping_is_refused(raw: Any) -> None:
    with pytest.raises(Invalid) as refused:
        accept(_built(raw), now_ms=NOW)
    assert list(refused.value.fields) == ["event"]


def test_a_mapping_in_data_that_fails_is_described() -> None:
    assert data_of(accepted({"data": _Broken()}))
    assert data_of(accepted({"data": _Broken(), "a": 1}))["a"] == 1


def test_keyboard_interrupt_passes() -> None:
    class Interrupting:
        def __repr__(self) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(data={"a": Interrupting()})


@given(st.dictionaries(st.text(max_size=5), json_values, max_size=4))
@settings(max_examples=100, deadline=None)
def test_accepting_what_was_accepted_changes_nothing(raw: dict[str, Any]) -> None:
    raw.pop("event_id", None)
    (first,) = REDACTOR.batch([accepted(raw, redactor=REDACTOR)])
    canonical = {
        "type": first.type, "ts": first.ts_ms, "level": first.level, "step": first.step, "source": first.source,
        "message": first.message, "correlation_id": first.correlation_id, "data": data_of(first),
    }  # fmt: skip
    canonical["ts"] = msgspec.json.decode(msgspec.json.encode(first.ts_ms))
    (again,) = REDACTOR.batch([accepted(canonical, redactor=REDACTOR)])
    assert (again.type, again.level, again.step, again.message) == (
        first.type,
        first.level,
        first.step,
        first.message,
    )
    assert data_of(again) == data_of(first)
