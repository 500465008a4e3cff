from __future__ import annotations

from typing import Any

import msgspec
import pytest

from runline.intake.encode import as_object, encoded, instant, read_level
from runline.intake.redact import Redactor
from runline.model.clock import MAX_MS, MIN_MS
from runline.model.event import Draft, Event
from runline.model.limits import DEFAULT_LIMITS
from runline.testing.corpus import Hostile


def whole(**changes: Any) -> Draft:
    given: dict[str, Any] = {
        "step": None, "level": None, "source": None, "correlation_id": None, "ts_ms": 5, "limits": DEFAULT_LIMITS,
        "redactor": None, **changes,
    }  # fmt: skip
    return encoded(given.pop("type", "log"), given.pop("message", "m"), given.pop("data", None), **given)


def test_everything_is_done_at_once() -> None:
    draft = whole(data={"password": "x", "n": float("nan"), "t": "y" * 20_000}, message="token=abc", step="s")
    assert draft.clean
    assert draft.message == "token=[REDACTED:token]"
    data = msgspec.json.decode(draft.payload)
    assert (data["password"], data["n"], len(data["t"])) == ("[REDACTED:password]", None, 16_384)
    assert data["_cut"] == [{"path": "/t", "reason": "string", "size_bytes": 20_000}]


def test_the_canonical_json_stays_within_the_limit() -> None:
    long = '\\"é' * 200
    draft = whole(
        type=long,
        step=long,
        source=long,
        correlation_id=long,
        message="\x01" * 30_000,
        data={"a": ["\x01" * 9000] * 99},
    )
    event = Event(
        2**63, "r" * 128, 10**7, draft.ts_ms, draft.type, draft.level, draft.step, draft.source, draft.message,
        draft.correlation_id, draft.payload, 10**12,
    )  # fmt: skip
    assert len(event.to_json()) <= DEFAULT_LIMITS.event_bytes


def test_an_original_level_that_is_there_is_kept() -> None:
    assert msgspec.json.decode(whole(level="LOUD", data={"original_level": "x"}).payload) == {
        "original_level": "x"
    }


def test_redaction_can_be_switched_off() -> None:
    off = Redactor(enabled=False)
    assert whole(message="token=abc", redactor=off).message == "token=abc"


def test_the_start_event_is_exempt() -> None:
    draft = whole(type="run_started", data={"input": "x" * 300_000}, message="m" * 20_000)
    assert len(draft.payload) > 300_000
    assert len(draft.message) == 20_000


@pytest.mark.parametrize(
    ("form", "data"), [(None, {}), ({"a": 1}, {"a": 1}), ([1], {"value": [1]}), ("x", {"value": "x"})]
)
def test_data_is_always_an_object(form: Any, data: dict[str, Any]) -> None:
    assert as_object(form) == data


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (None, (False, None)),
        (" ", (False, None)),
        ("Error", (True, "error")),
        ("debug", (True, None)),
        (3, (True, None)),
        ({}, (True, None)),
    ],
)
def test_levels(given: Any, read: tuple[bool, str | None]) -> None:
    assert read_level(given) == read


def test_instants() -> None:
    assert [instant(ts) for ts in (5, 5.9, -(10**20), 10**20, "x", None, True)] == [
        5,
        5,
        MIN_MS,
        MAX_MS,
        0,
        0,
        1,
    ]
    assert instant(Hostile()) == 0
