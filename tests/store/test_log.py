from __future__ import annotations

import pytest

from runline.store import log
from runline.store.codes import Codes
from runline.store.sql_store import SqlStore
from tests.store.recorded import rich_run


def test_rows_decode_to_the_stored_events(store: SqlStore) -> None:
    rich_run(store, "one")
    run = store.locate("one").run
    assert log.span(store.direct, run, None) == (1, 12)
    assert log.span(store.direct, run, 5) == (6, 12)
    assert log.span(store.direct, run, 12) is None
    rows = log.rows(store.direct, run, 1, 12)
    assert all(row.sound for row in rows)
    decoder = log.Decoder(Codes(store.engine), "one", log.step_names(store.direct, run))
    events = [decoder.event(row) for row in rows]
    assert [event.to_json() for event in events] == [event.to_json() for event in store.read("one")]
    assert len(log.rows(store.direct, run, 3, 4)) == 2


def test_a_code_without_a_name_is_an_error(store: SqlStore) -> None:
    rich_run(store, "one")
    row = log.rows(store.direct, store.locate("one").run, 2, 2)[0]
    with pytest.raises(KeyError):
        log.Decoder(Codes(store.engine), "one", {}).event(row)
    with pytest.raises(KeyError):
        log.Decoder(Codes(store.engine), "one", {1: "extract"}).event(row._replace(type=999))
    with pytest.raises(IndexError):
        log.Decoder(Codes(store.engine), "one", {1: "extract"}).event(row._replace(level=9))
