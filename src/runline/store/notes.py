"""Notes: beside the stream, at any time, also on ended runs. Newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from runline.intake.names import clean_name, clean_text
from runline.model.errors import Invalid
from runline.model.event import Draft
from runline.model.note import Note
from runline.store.append import Appender
from runline.store.given import is_list, is_text, is_whole
from runline.store.jobs import Job
from runline.store.projection import json_text

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore

_MAX_WORDS = 50
_decode_texts = msgspec.json.Decoder(tuple[str, ...]).decode


def add(
    store: SqlStore,
    run_id: str,
    note: str,
    *,
    author: str | None,
    labels: Sequence[str],
    actions: Sequence[str],
    event_seq: int | None,
) -> Note:
    """Raises Invalid for a blank note, lists that are none, an event that the run does not have; NotFound."""
    text, who, clean_labels, clean_actions = cleaned(store, note, author, labels, actions)
    if event_seq is not None and not is_whole(event_seq):
        raise Invalid("event_seq is a whole number.", fields={"event_index": "not a whole number"})
    tenant = store.tenant

    def perform(appender: Appender, _: Sequence[Draft]) -> Note:
        entry = appender.entry(run_id, tenant)
        if event_seq is not None and not 1 <= event_seq <= entry.fold.last_seq:
            raise Invalid(
                f"Run {run_id} has no event {event_seq}; it has 1 to {entry.fold.last_seq}.",
                fields={"event_index": "no such event"},
            )
        row = (
            entry.run,
            appender.now_ms,
            who,
            text,
            json_text(clean_labels),
            json_text(clean_actions),
            event_seq,
        )
        note_id = appender.tx.execute(
            "INSERT INTO notes (run, created_at, author, note, labels, actions, event_seq) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
            row,
        )[0][0]
        appender.tx.execute("UPDATE runs SET note_count = note_count + 1 WHERE run = ?", (entry.run,))
        return Note(
            id=note_id,
            run_id=run_id,
            created_at_ms=appender.now_ms,
            note=text,
            author=who,
            labels=clean_labels,
            actions=clean_actions,
            event_seq=event_seq,
        )

    return store.writer.submit(Job(perform))


def cleaned(
    store: SqlStore, note: str, author: str | None, labels: Sequence[str], actions: Sequence[str]
) -> tuple[str, str | None, tuple[str, ...], tuple[str, ...]]:
    """Note, author, labels and actions as they are stored. Raises Invalid."""
    if not is_text(note) or not note.strip():
        raise Invalid("A note needs some text.", fields={"note": "blank"})
    for field, words in (("labels", labels), ("actions", actions)):
        if not is_list(words) or len(words) > _MAX_WORDS or not all(map(is_text, words)):
            raise Invalid(
                f"{field} is a list of at most {_MAX_WORDS} texts.", fields={field: "not a list of texts"}
            )
    redactor, most = store.redactor, store.limits.string_bytes
    texts = [clean_text(text.strip(), limit_bytes=most, redactor=redactor) for text in (note, *actions)]
    who = None if author is None else clean_name(author, redactor=redactor)
    return texts[0], who, tuple(clean_name(label, redactor=redactor) for label in labels), tuple(texts[1:])


def listed(store: SqlStore, run_id: str, *, limit: int, before_id: int | None = None) -> list[Note]:
    found = store.locate(run_id)
    rows = store.engine.query(
        "SELECT id, created_at, author, note, labels, actions, event_seq FROM notes WHERE run = :run "
        "AND (CAST(:before AS BIGINT) IS NULL OR (created_at, id) < "
        "(SELECT n.created_at, n.id FROM notes AS n WHERE n.run = :run AND n.id = :before)) "
        "ORDER BY created_at DESC, id DESC LIMIT :limit",
        {"run": found.run, "limit": limit, "before": before_id},
    )
    return [
        Note(
            id=id_,
            run_id=run_id,
            created_at_ms=created_at,
            author=author,
            note=note,
            labels=_decode_texts(labels),
            actions=_decode_texts(actions),
            event_seq=event_seq,
        )
        for id_, created_at, author, note, labels, actions, event_seq in rows
    ]
