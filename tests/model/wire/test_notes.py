from __future__ import annotations

import msgspec
from hypothesis import given

from runline.model.note import Note
from runline.model.wire.notes import note_list, note_of, note_view
from tests.model.wire.structs import any_of, through_json

NOTE = Note(id=1, run_id="r", created_at_ms=0, note="slow", labels=("vendor",), event_seq=3)


def test_a_note() -> None:
    assert msgspec.to_builtins(note_view(NOTE)) == {
        "id": 1,
        "run_id": "r",
        "created_at_utc": "1970-01-01T00:00:00.000Z",
        "author": None,
        "note": "slow",
        "labels": ("vendor",),
        "actions": (),
        "event_index": 3,
    }


@given(any_of(Note))
def test_it_leads_back_to_the_very_note(note: Note) -> None:
    assert note_of(through_json(note_view(note))) == note


def test_a_list() -> None:
    assert [note_of(one) for one in through_json(note_list([NOTE])).notes] == [NOTE]
