"""A store of one run, with every sort of text in it, for the tests of export."""

from __future__ import annotations

import msgspec

from runline.model.event import Event
from runline.model.note import Note
from runline.model.run import Run
from runline.model.status import Level
from runline.model.summary import Summary

AT = 1_795_176_600_123

BAD_TEXTS = [
    "=1+1",
    "@SUM(A1)",
    "line\nline\r\nline\rend",
    'quote " and \\ and ,;',
    "\u2028\u2029\u0085\ufeff",
    "\ufffe\uffff\ufffd",
    "\u202eright to left\u202c",
    "\u200bzero\u200dwidth",
    "e" + "\u0301" * 2000,
    "\x1b]52;c;aGk=\x07\x1b[2J\x9b",
    "</script><script>alert(1)</script>",
    "\n\nid: 9\nevent: forged",
    "[/nope] [@click=app.quit]",
    "😀" * 500,
    "\x01\x02\x1f\x7f",
    "x" * 60_000,
]


class Shelf:
    """A store that holds one run, read as a Store is."""

    def __init__(self, run: Run, events: list[Event], notes: list[Note]) -> None:
        self.run = run
        self.events = events
        self.notes = notes
        self.reads: list[tuple[int, int]] = []

    def get_run(self, run_id: str, /) -> Run:
        assert run_id == self.run.run_id
        return self.run

    def summary(self, run_id: str, /) -> Summary:
        assert run_id == self.run.run_id
        return Summary(
            run_id=run_id,
            status=self.run.status,
            started_at_ms=self.run.started_at_ms,
            event_count=len(self.events),
            error_event_count=0,
            warn_event_count=1,
            duration_s=1.5,
            last_stage="run",
            last_message="the end",
            by_stage={"run": 1},
            by_severity={"info": 1, "warn": 1, "error": 0},
        )

    def read(self, run_id: str, /, *, after_seq: int, limit: int) -> list[Event]:
        assert run_id == self.run.run_id
        self.reads.append((after_seq, limit))
        return self.events[after_seq : after_seq + limit]

    def list_notes(self, run_id: str, /, *, limit: int) -> list[Note]:
        assert run_id == self.run.run_id
        return self.notes[::-1][:limit]


def event(
    seq: int, message: str, *, step: str | None = None, level: Level = "info", data: object = None
) -> Event:
    payload = msgspec.json.encode({} if data is None else data).decode()
    return Event(
        seq * 3, "nightly-1", seq, AT + seq, "log", level, step, "agent", message, None, payload, seq
    )
