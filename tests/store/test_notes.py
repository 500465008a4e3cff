"""Notes: beside the stream, at any time, cleaned like everything a caller writes."""

from __future__ import annotations

from typing import Any

import pytest

from runline.model.clock import ManualClock
from runline.model.errors import Invalid, NotFound
from runline.store import notes
from runline.store.sql_store import SqlStore
from runline.testing import corpus
from runline.testing.streams import tagged


def test_notes_are_listed_newest_first(store: SqlStore, clock: ManualClock) -> None:
    run_id = store.create_run("noted").run_id
    store.append(run_id, tagged("a", 3))
    made = []
    for n in range(5):
        clock.advance(ms=n % 2)
        made.append(
            store.add_note(
                run_id, f" note {n} ", author="me", labels=["l"], actions=["a "], event_seq=n or None
            )
        )
    listed = store.list_notes(run_id)
    assert listed == made[::-1]
    assert (listed[0].note, listed[0].author, listed[0].labels, listed[0].actions) == (
        "note 4",
        "me",
        ("l",),
        ("a",),
    )
    assert [note.event_seq for note in listed] == [4, 3, 2, 1, None]
    assert store.list_notes(run_id, limit=2) == made[:2:-1]
    assert notes.listed(store, run_id, limit=9, before_id=made[2].id) == made[1::-1]


def test_a_note_needs_no_running_run(store: SqlStore) -> None:
    run_id = store.create_run("over").run_id
    store.end_run(run_id)
    before = store.get_run(run_id)
    note = store.add_note(run_id, "afterwards")
    after = store.get_run(run_id)
    assert (after.last_seq, after.status, after.note_count) == (before.last_seq, "completed", 1)
    assert (note.author, note.labels, note.event_seq) == (None, (), None)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"note": " \n"}, "note"),
        ({"labels": "one"}, "labels"),
        ({"labels": ["l"] * 51}, "labels"),
        ({"actions": [1]}, "actions"),
        ({"event_seq": 0}, "event_index"),
        ({"event_seq": 2}, "event_index"),
        ({"event_seq": 2**70}, "event_index"),
    ],
)
def test_what_is_no_note_is_refused_by_field(store: SqlStore, given: dict[str, Any], field: str) -> None:
    run_id = store.create_run("refused").run_id
    with pytest.raises(Invalid) as told:
        store.add_note(run_id, **{"note": "a note", **given})
    assert list(told.value.fields) == [field]
    assert store.list_notes(run_id) == []
    assert store.get_run(run_id).note_count == 0


@pytest.mark.parametrize("text", [*corpus.BAD_TEXTS.values(), *corpus.TERMINAL.values()])
def test_any_text_makes_a_note(store: SqlStore, text: str) -> None:
    run_id = store.create_run("any").run_id
    made = store.add_note(run_id, f"x {text}", author=text, labels=[text], actions=[text])
    assert store.list_notes(run_id) == [made]
    assert "\0" not in made.note


def test_a_run_that_is_not_there_has_no_notes(store: SqlStore) -> None:
    with pytest.raises(NotFound):
        store.add_note("nobody", "a note")
    with pytest.raises(NotFound):
        store.list_notes("nobody")
    with pytest.raises(Invalid):
        store.list_notes(store.create_run("x").run_id, limit=0)


def test_a_page_goes_on_where_the_last_one_ended_whatever_the_clock_did(
    store: SqlStore, clock: ManualClock
) -> None:
    run_id = store.create_run("clock set back").run_id
    for step_s in (0, 60, -90, 10, 0):
        clock.advance(s=step_s)
        store.add_note(run_id, f"after {step_s}")
    every = store.list_notes(run_id)
    paged: list[int] = []
    while page := store.list_notes(run_id, limit=2, before_id=paged[-1] if paged else None):
        paged += [note.id for note in page]
    assert paged == [note.id for note in every]
    assert store.list_notes(run_id, before_id=10**9) == []
