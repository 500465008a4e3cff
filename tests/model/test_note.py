from __future__ import annotations

from runline.model.clock import from_ms
from runline.model.note import Note


def test_a_note_knows_when_it_was_written() -> None:
    note = Note(id=1, run_id="r", created_at_ms=5, note="vendor API slow")
    assert note.created_at == from_ms(5)
    assert (note.author, note.labels, note.actions, note.event_seq) == (None, (), (), None)
