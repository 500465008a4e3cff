from __future__ import annotations

import msgspec

from runline.model.artifact import Artifact
from runline.model.call import Call
from runline.model.note import Note
from runline.model.step import Step, Usual
from runline.model.wire import artifact_summary, call_json, note_json, step_detail

ZERO = "1970-01-01T00:00:00.000Z"


def artifact(id: int, step_id: str | None) -> Artifact:
    return Artifact(
        id=id,
        run_id="r",
        step_id=step_id,
        name="a.txt",
        path=None,
        type=None,
        size_bytes=3,
        created_at_ms=0,
        seq=4,
    )


def test_a_step_with_the_artifacts_it_left() -> None:
    step = Step(
        run_id="r",
        step_id="load",
        state="completed",
        index=1,
        started_at_ms=0,
        completed_at_ms=1800,
        duration_ms=1800,
        dependencies=("extract",),
        usual=Usual(1, 2, 3),
    )
    detail = step_detail(step, [artifact(1, "load"), artifact(2, None), artifact(3, "extract")])
    promised = """step_id persona state progress current_action started_at completed_at duration tokens_used error
        artifacts duration_ms attempt max_attempts reason dependencies model warn_count error_count event_count usual"""
    assert set(promised.split()) <= set(detail)
    assert (detail["started_at"], detail["duration"], detail["updated_at"]) == (ZERO, "1.8s", None)
    assert detail["dependencies"] == ["extract"]
    assert detail["usual"] == {"p50_ms": 1, "p90_ms": 2, "n": 3}
    assert [a["id"] for a in detail["artifacts"]] == [1]
    assert msgspec.json.decode(msgspec.json.encode(detail)) == detail


def test_an_artifact() -> None:
    assert artifact_summary(artifact(1, "load")) == {
        "id": 1,
        "step_id": "load",
        "name": "a.txt",
        "path": None,
        "type": None,
        "size_bytes": 3,
        "created_at": ZERO,
        "mime_type": None,
        "encoding": None,
        "preview_text": None,
    }


def test_a_call() -> None:
    call = Call(
        correlation_id="c1",
        kind="llm",
        name="m",
        detail="summarise",
        step=None,
        first_seq=2,
        last_seq=2,
        started_at_ms=0,
        duration_ms=None,
        status="open",
    )
    assert call_json(call) == {
        "correlation_id": "c1",
        "kind": "llm",
        "name": "m",
        "detail": "summarise",
        "step": None,
        "parent": None,
        "first_seq": 2,
        "last_seq": 2,
        "started_at": ZERO,
        "duration_ms": None,
        "status": "open",
        "attempts": 1,
        "tokens_in": None,
        "tokens_out": None,
        "usual": None,
    }


def test_a_note() -> None:
    note = Note(id=1, run_id="r", created_at_ms=0, note="slow", labels=("vendor",), event_seq=3)
    assert note_json(note) == {
        "id": 1,
        "run_id": "r",
        "created_at_utc": ZERO,
        "author": None,
        "note": "slow",
        "labels": ["vendor"],
        "actions": [],
        "event_index": 3,
    }
