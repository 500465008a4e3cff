from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runline.fold.failure import error_chain, marked, new_errors, unmarked_error
from runline.model.event import Event

Events = Callable[..., list[Event]]


def test_an_event_as_an_error(events: Events) -> None:
    (event,) = events(("error", "a", {"@message": "boom", "name": "ValueError"}))
    error = unmarked_error(event, 1)
    assert (error.seq, error.step, error.type, error.name, error.message, error.fingerprint) == (
        1,
        "a",
        "error",
        "ValueError",
        "boom",
        "",
    )
    assert len(marked(error).fingerprint) == 16
    (failed,) = events(("step_failed", {"name": "not an error's"}))
    assert unmarked_error(failed, 1).name is None


def test_errors_that_only_the_right_run_has(events: Events) -> None:
    left = events(("error", {"@message": "timeout after 3 s"}), ("log", {"@message": "fine"}))
    right = events(
        ("error", {"@message": "timeout after 9 s"}),
        ("error", {"@message": "disk full"}),
        ("error", {"@message": "disk full"}),
        ("log", {"@message": "bad", "@level": "error"}),
        ("log", {"@message": "warned", "@level": "warn"}),
    )
    assert [(error.seq, error.message) for error in new_errors(left, right)] == [(2, "disk full"), (4, "bad")]


def chain(events: Events, *told: Any) -> list[tuple[str, int, str, str | None]]:
    first, *later = events(*told)
    return [(link.relation, link.seq, link.message, link.name) for link in error_chain(first, later)]


def test_the_chain_begins_with_the_error_and_its_causes(events: Events) -> None:
    data = {
        "@message": "step failed",
        "name": "StepError",
        "stack": "line 1",
        "cause": {"name": "IOError", "message": "no file", "cause": {"message": "disk", "stack": "deep"}},
    }
    (first,) = events(("error", "a", data))
    links = error_chain(first, [])
    assert [(link.relation, link.name, link.message, link.stack) for link in links] == [
        ("first", "StepError", "step failed", "line 1"),
        ("cause", "IOError", "no file", None),
        ("cause", None, "disk", "deep"),
    ]


def test_an_error_object_is_read_like_the_data_itself(events: Events) -> None:
    error = {"name": "ValueError", "message": "bad value", "stack": "line 9", "cause": "bad input"}
    (first,) = events(("step_failed", "a", {"@message": "Step failed", "error": error}))
    links = error_chain(first, [])
    assert [(link.name, link.message, link.stack) for link in links] == [
        ("ValueError", "Step failed", "line 9"),
        ("ValueError", "bad value", None),
        (None, "bad input", None),
    ]
    (first,) = events(("step_failed", "a", {"@message": "Step failed: boom", "error": "boom", "cause": 4}))
    assert len(error_chain(first, [])) == 1


def test_later_errors_of_the_same_call_or_step_follow(events: Events) -> None:
    assert chain(
        events,
        ("error", "a", {"@message": "first 1", "@correlation_id": "c"}),
        ("log", "a", {"@message": "no error"}),
        ("error", "a", {"@message": "first 2"}),
        ("error", "b", {"@message": "elsewhere"}),
        ("error", "b", {"@message": "same call", "@correlation_id": "c", "name": "E"}),
        ("step_failed", "a", {"@message": "gave up", "stack": "s"}),
        ("error", "a", {"@message": "gave up"}),
    ) == [
        ("first", 1, "first 1", None),
        ("later", 5, "same call", "E"),
        ("later", 6, "gave up", None),
    ]


def test_the_first_error_itself_is_not_among_the_later_ones(events: Events) -> None:
    (first,) = events(("error", {"@message": "boom"}))
    assert len(error_chain(first, [first])) == 1


def test_a_chain_has_an_end(events: Events) -> None:
    cause: dict[str, Any] = {}
    for n in range(40):
        cause = {"message": f"cause {n}", "cause": cause}
    told = [("error", {"@message": "boom", "cause": cause})]
    told += [("error", {"@message": "x" * n}) for n in range(1, 30)]
    links = chain(events, *told)
    assert [relation for relation, *_ in links] == ["first"] + ["cause"] * 10 + ["later"] * 9
