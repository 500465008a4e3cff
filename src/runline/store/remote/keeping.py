"""What is done to a run from outside, over the wire: notes, pins, cancelling, signs of life."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from runline.intake.redact import Redactor
from runline.model.note import Note
from runline.model.wire.notes import NoteList, NoteView, note_of
from runline.store.remote.client import Client, part
from runline.store.remote.outgoing import plain

_LOOK_S = 2.0


class _Cancelled(msgspec.Struct):
    status: str


class _Asked(msgspec.Struct):
    cancel_requested: bool


class _Run(msgspec.Struct):
    run: _Asked


def _path(run_id: str) -> str:
    return f"/api/runs/{part(run_id)}"


def heartbeat(client: Client, run_id: str) -> None:
    client.send("POST", f"{_path(run_id)}/heartbeat", object, b"{}", again=True)


def cancel(client: Client, run_id: str, *, force: bool) -> str:
    return client.post(f"{_path(run_id)}/cancel", _Cancelled, {"force": force}).status


def is_cancelled(client: Client, run_id: str) -> bool:
    return client.get(_path(run_id), _Run, timeout_s=_LOOK_S, again=False).run.cancel_requested


def add_note(client: Client, run_id: str, given: Mapping[str, Any], redactor: Redactor) -> Note:
    body = {name: plain(value, redactor) for name, value in given.items() if value is not None}
    return note_of(client.post(f"{_path(run_id)}/notes", NoteView, body))


def list_notes(client: Client, run_id: str, *, limit: int) -> list[Note]:
    """Page by page, newest first."""
    notes: list[Note] = []
    asked: dict[str, Any] = {"limit": limit}
    while True:
        page = client.get(f"{_path(run_id)}/notes", NoteList, asked).notes
        notes += map(note_of, page)
        if not page or len(notes) >= limit:
            return notes
        asked = {"limit": limit - len(notes), "before_id": page[-1].id}


def pin(client: Client, run_id: str, *, on: bool) -> None:
    client.send("POST", f"{_path(run_id)}/pin", object, msgspec.json.encode({"pinned": on}), again=True)


def delete_run(client: Client, run_id: str) -> None:
    client.ask("DELETE", _path(run_id))
