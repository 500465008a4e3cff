"""Lines of a step: text, its own events, and nothing that belongs to the run."""

from __future__ import annotations

import json
from tempfile import TemporaryFile
from typing import IO, Any, cast

import pytest

from runline.pipelines.output_events import TAIL_LINES, StepOutput, event_of
from runline.testing.corpus import BAD_JSON, BAD_TEXTS


@pytest.mark.parametrize(
    "kind",
    ["log", "error", "note", "step_progress", "stream_activity", "eta_updated", "artifact_created",
     "llm_request", "tool_call", "patch_applied", "test_result", "tool_anything"],
)  # fmt: skip
def test_a_step_tells_of_itself(kind: str) -> None:
    assert event_of(json.dumps({"type": kind, "message": "m", "data": {"a": 1}})) == {
        "type": kind,
        "message": "m",
        "data": {"a": 1},
    }


@pytest.mark.parametrize(
    "kind",
    ["run_ended", "run_started", "session_ended", "step_started", "step_completed", "step_failed",
     "step_skipped", "step_retrying", "cancel_requested", "generation_completed", "", 7, None],
)  # fmt: skip
def test_a_step_forges_nothing(kind: object) -> None:
    assert event_of(json.dumps({"type": kind})) is None


def test_whose_and_when_is_not_the_steps_to_say() -> None:
    forged = {
        "step": "other",
        "stage": "x",
        "ts": "2020-01-01T00:00:00Z",
        "run_id": "r",
        "seq": 1,
        "event_id": "e",
    }
    event = {"type": "log", "message": "m", **forged, "data": {"total_steps": 9, "node_id": "n", "x": 1}}
    assert event_of(json.dumps(event)) == {"type": "log", "message": "m", "data": {"x": 1}}


@pytest.mark.parametrize(
    "line", ["", "text", "{", "{}", "[1]", '{"type":"log"', "{" + "[" * 300_000, "{" + "[" * 5_000]
)
def test_other_lines_are_text(line: str) -> None:
    assert event_of(line) is None


def through(printed: bytes, **given: Any) -> tuple[list[dict[str, Any]], StepOutput]:
    """The events of what a step printed."""
    source = cast("IO[bytes]", TemporaryFile(buffering=0))  # noqa: SIM115 - the output closes it
    source.write(printed)
    source.seek(0)
    output = StepOutput(source, "stdout", "build", given.pop("noticed", lambda _: True))
    drafts = []
    while not output.ended:
        drafts += output.read()[1]
    drafts += output.finish()
    return [
        {
            "type": one.type,
            "message": one.message,
            "step": one.step,
            "source": one.source,
            **json.loads(one.payload),
        }
        for one in drafts
    ], output


def test_lines_become_events_of_the_step() -> None:
    events, output = through(
        b'plain\n\n {"type":"tool_call","data":{"name":"Read"},"source":"agent"}\r\nlast'
    )
    assert events == [
        {"type": "log", "message": "plain", "step": "build", "source": "stdout"},
        {"type": "log", "message": "", "step": "build", "source": "stdout"},
        {"type": "tool_call", "message": "Read", "step": "build", "source": "agent", "name": "Read"},
        {"type": "log", "message": "last", "step": "build", "source": "stdout"},
    ]
    assert list(output.tail) == ["plain", "last"]


def test_the_tail_is_short() -> None:
    _, output = through(b"".join(b"line %d\n" % n for n in range(100)))
    assert len(output.tail) == TAIL_LINES and output.tail[-1] == "line 99"


def test_what_is_noticed_may_be_kept_back() -> None:
    seen: list[str] = []

    def noticed(event: dict[str, Any]) -> bool:
        seen.append(event["type"])
        return seen[-1] != "artifact_created"

    events, _ = through(b'{"type":"artifact_created","path":"x"}\n{"type":"note"}\n', noticed=noticed)
    assert seen == ["artifact_created", "note"]
    assert [event["type"] for event in events] == ["note"]


def test_a_line_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runline.record.lines.MAX_BYTES", 1_000)
    (event,), _ = through(b"x" * 5_000)
    assert event["line_bytes"] == 5_000


@pytest.mark.parametrize("printed", BAD_JSON.values(), ids=BAD_JSON)
def test_odd_documents_are_taken(printed: bytes) -> None:
    events, _ = through(printed + b"\n")
    assert all(event["step"] == "build" for event in events)


@pytest.mark.parametrize("text", BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_odd_texts_are_taken(text: str) -> None:
    line = json.dumps({"type": "log", "message": text, "data": {text[:40]: text}}).encode()
    (event,), _ = through(line)
    assert (event["type"], event["step"]) == ("log", "build")
