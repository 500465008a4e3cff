"""Annotations promise, callers forget."""

from __future__ import annotations

from typing import Any

import pytest

from runline.model.errors import Invalid
from runline.store.given import is_list, is_text, is_whole
from runline.store.sql_store import SqlStore


def test_what_is_what() -> None:
    assert [is_text(given) for given in ("", "a", b"a", None, 5)] == [True, True, False, False, False]
    assert [is_list(given) for given in ((), [1], {2}, "ab", None)] == [True, True, True, False, False]
    assert [is_whole(given) for given in (0, -3, True, 1.0, "1")] == [True, True, False, False, False]


@pytest.mark.parametrize("name", [5, None, b"run", "", "  "])
def test_a_run_needs_a_name(store: SqlStore, name: Any) -> None:
    with pytest.raises(Invalid):
        store.create_run(name)


@pytest.mark.parametrize("tags", [None, "ab", 5, ["x"] * 101])
def test_tags_are_a_list(store: SqlStore, tags: Any) -> None:
    with pytest.raises(Invalid):
        store.create_run("tagged", tags=tags)


@pytest.mark.parametrize(
    "odd",
    [{"note": 5}, {"note": " "}, {"labels": None}, {"labels": "ab"}, {"actions": [5]}, {"event_seq": 1.5},
     {"event_seq": True}],
)  # fmt: skip
def test_a_note_is_text_with_lists_of_texts(store: SqlStore, odd: dict[str, Any]) -> None:
    run_id = store.create_run("noted").run_id
    with pytest.raises(Invalid):
        store.add_note(run_id, **{"note": "a note", **odd})
    assert store.list_notes(run_id) == []


def test_a_filter_has_at_most_a_thousand_values(store: SqlStore) -> None:
    run_id = store.create_run("filtered").run_id
    store.append(run_id, [{"type": f"t{k}"} for k in range(1_001)])
    with pytest.raises(Invalid) as told:
        store.read(run_id, types=[f"t{k}" for k in range(1_001)])
    assert told.value.code == "too_many_values"
