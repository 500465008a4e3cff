"""What leaves this process: JSON, without secrets, no larger than what is stored, and the same when repeated."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runline.intake.redact import Redactor
from runline.model.errors import Invalid
from runline.model.limits import DEFAULT_LIMITS
from runline.store.remote.outgoing import event_bodies, plain
from runline.testing import objects

REDACTOR = Redactor(known=["correct-horse-battery"])


def body(event: Any) -> Any:
    (text,) = event_bodies([event], limits=DEFAULT_LIMITS, redactor=REDACTOR)
    return json.loads(text)


def test_an_ordinary_event_leaves_as_it_is() -> None:
    event = {"type": "x", "message": "m", "data": {"a": [1, None]}, "own": 1, "event_id": "e"}
    assert body(event) == event


def test_secrets_do_not_leave() -> None:
    told = body({"message": "correct-horse-battery", "data": {"password": "x"}, "token": "y"})
    assert told == {
        "message": "[REDACTED:known]",
        "data": {"password": "[REDACTED:password]"},
        "token": "[REDACTED:token]",
    }
    secret = body({"event_id": "correct-horse-battery"})["event_id"]
    assert secret.startswith("sha256:")
    assert body({"event_id": 7}) == {"event_id": 7}
    assert plain({"password": "x", "when": {1}}, REDACTOR) == {"password": "[REDACTED:password]", "when": [1]}


@pytest.mark.parametrize("timed", [{}, {"created_at": "2026-01-01T00:00:00Z"}])
def test_a_large_event_is_cut_here_and_the_same_each_time(timed: dict[str, Any]) -> None:
    event = {"message": "m", "data": {"text": "x" * 100_000}, "event_id": "e", **timed}
    told = body(event)
    assert told == body(event)
    assert len(json.dumps(told)) < 64 * 1024
    assert told["data"]["_cut"][0]["path"] == "/text"
    assert told["event_id"] == "e"
    assert ("ts" in told) == bool(timed)


@pytest.mark.parametrize("name", [*objects.BAD_VALUES])
def test_any_value_leaves_as_json(name: str) -> None:
    assert isinstance(body({"data": {"value": objects.BAD_VALUES[name]}}), dict)


@pytest.mark.parametrize("event", ["text", None, [1], objects._LyingMapping()])
def test_what_is_no_event_is_refused(event: Any) -> None:
    with pytest.raises(Invalid) as told:
        event_bodies([event], limits=DEFAULT_LIMITS, redactor=REDACTOR)
    assert told.value.code == "bad_event"
