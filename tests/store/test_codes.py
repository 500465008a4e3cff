"""Codes: small integers in the log, names everywhere else, shared by all who write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runline.store.codes import Codes
from runline.testing.place import SqlitePlace
from runline.testing.streams import whole


@pytest.fixture
def place(tmp_path: Path) -> Iterator[SqlitePlace]:
    place = SqlitePlace(tmp_path)
    yield place
    place.close()


def test_two_writers_agree_on_every_code(place: SqlitePlace) -> None:
    left, right = place.open(), place.open()
    run_id = left.create_run("codes").run_id
    for n in range(20):
        left.append(run_id, [{"type": f"left_{n}", "source": "s"}, {"type": f"both_{n}"}])
        right.append(run_id, [{"type": f"both_{n}"}, {"type": f"right_{n}", "source": f"s{n}"}])
    events = whole(place.open(), run_id)[1:]
    assert [event.type for event in events] == [
        name for n in range(20) for name in (f"left_{n}", f"both_{n}", f"both_{n}", f"right_{n}")
    ]
    assert [event.source for event in events[::4]] == ["s"] * 20
    names = left.engine.query("SELECT name, count(*) FROM types GROUP BY name")
    assert {count for _, count in names} == {1}


def test_a_reader_learns_what_others_made(place: SqlitePlace) -> None:
    writer, reader = place.open(), place.open()
    run_id = writer.create_run("learns").run_id
    whole(reader, run_id)
    code = writer.append(run_id, [{"type": "brand_new", "source": "new_too"}])[0]
    assert reader.read(run_id, after_seq=1) == [code]
    assert reader.codes.known("types", ("brand_new", "unheard_of")) != []
    assert reader.codes.known("types", ("unheard_of",)) == []


def test_what_a_failed_transaction_made_is_forgotten(place: SqlitePlace) -> None:
    store = place.open()
    codes = Codes(store.engine)
    with store.engine.transaction() as tx:
        kept = codes.intern(tx, "types", "kept")
        codes.committed()
    with store.engine.transaction() as tx:
        assert codes.intern(tx, "types", "kept") == kept
        codes.intern(tx, "types", "undone")
        codes.rolled_back()
        tx.execute("ROLLBACK")
        tx.execute("BEGIN")
    assert codes.known("types", ("kept", "undone")) == [kept]
    with store.engine.transaction() as tx:
        assert codes.intern(tx, "types", "other") == kept + 1
    assert codes.name("types", kept + 1) == "other"
