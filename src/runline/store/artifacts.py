"""Artifacts: rows made from `artifact_created` events, in the same transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from runline.intake.names import clean_name
from runline.model.artifact import Artifact
from runline.model.event import Draft, Event
from runline.store.engine import Row, Writing
from runline.store.projection import json_text

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore

UNNAMED = "unnamed"
RUN_FOLDER = "_run"
"""What stands for no step in an address and in a path."""
_SELECT = "SELECT id, seq, step, name, path, type, size_bytes, created_at, mime_type, encoding, preview_text FROM artifacts"
_KEYS = ("name", "path", "type", "size_bytes", "mime_type", "encoding", "preview_text")


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


COLUMNS = (
    "run, seq, step, name, path, type, size_bytes, created_at, mime_type, encoding, preview_text, metadata"
)
INSERT = f"INSERT INTO artifacts ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
SAVE = f"{INSERT} ON CONFLICT (run, seq) DO UPDATE SET " + ", ".join(
    f"{column} = excluded.{column}" for column in COLUMNS.split(", ")[2:]
)


def artifact_row(run: int, seq: int, event: Draft | Event) -> Row:
    """The row of an `artifact_created` event; what a caller left out or got wrong is NULL."""
    data: dict[str, Any] = msgspec.json.decode(event.payload)
    size = data.get("size_bytes")
    metadata = {key: value for key, value in data.items() if key not in _KEYS}
    return (
        run,
        seq,
        event.step,
        _text(data.get("name")) or UNNAMED,
        _text(data.get("path")),
        _text(data.get("type")),
        size if type(size) is int and 0 <= size < 2**63 else None,
        event.ts_ms,
        _text(data.get("mime_type")),
        _text(data.get("encoding")),
        _text(data.get("preview_text")),
        json_text(metadata),
    )


def insert(tx: Writing, run: int, seq: int, event: Draft | Event) -> None:
    tx.execute(INSERT, artifact_row(run, seq, event))


def listed(store: SqlStore, run_id: str) -> list[Artifact]:
    """In the order they were registered; a repeated name appears as often as it was."""
    found = store.locate(run_id)
    rows = store.engine.query(f"{_SELECT} WHERE run = ? ORDER BY seq", (found.run,))
    return [_artifact(run_id, row) for row in rows]


def newest(store: SqlStore, run_id: str, step: str | None, name: str) -> Artifact | None:
    """The one of that name in that step that was registered last; a step of None or `_run`: of no step.

    Step and name are those that were given when it was registered, or those that were made of them.
    """
    found = store.locate(run_id)
    place = clean_name(step, redactor=store.redactor)
    where = "step IN (:step, :place)"
    if place in ("", RUN_FOLDER):
        where = f"(step IS NULL OR {where})"
    rows = store.engine.query(
        f"{_SELECT} WHERE run = :run AND name IN (:name, :clean) AND {where} ORDER BY seq DESC LIMIT 1",
        {
            "run": found.run,
            "name": name,
            "clean": clean_name(name, redactor=store.redactor) or UNNAMED,
            "step": step,
            "place": place,
        },
    )
    return _artifact(run_id, rows[0]) if rows else None


def of_event(store: SqlStore, run_id: str, seq: int) -> Artifact:
    """The one that the event registered."""
    found = store.locate(run_id)
    return _artifact(run_id, store.engine.query(f"{_SELECT} WHERE run = ? AND seq = ?", (found.run, seq))[0])


def _artifact(run_id: str, row: Row) -> Artifact:
    id_, seq, step, name, path, type_, size, created_at, mime, encoding, preview = row
    return Artifact(
        id=id_,
        run_id=run_id,
        seq=seq,
        step_id=step,
        name=name,
        path=path,
        type=type_,
        size_bytes=size,
        created_at_ms=created_at,
        mime_type=mime,
        encoding=encoding,
        preview_text=preview,
    )
