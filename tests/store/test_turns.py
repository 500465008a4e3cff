from __future__ import annotations

import time

import pytest

from runline.model.errors import RunlineError
from runline.store import turns
from runline.store.engine import Writing
from runline.store.sql_store import SqlStore
from runline.store.turns import Turns


def test_a_turn_is_one_durable_transaction_in_the_writers_thread(store: SqlStore) -> None:
    names = []

    def perform(tx: Writing, size: int) -> int:
        names.append(store.writer._thread)
        tx.execute("INSERT INTO counters VALUES ('made', ?)", (size,))
        return size

    assert Turns(store.engine, store.writer).take(perform) == 64
    assert store.engine.query("SELECT value FROM counters WHERE name = 'made'") == [(64,)]
    assert names == [store.writer._thread]


def test_a_failed_turn_leaves_nothing(store: SqlStore) -> None:
    def perform(tx: Writing, size: int) -> None:
        store.codes.intern(tx, "types", "brand_new")
        raise ValueError(size)

    with pytest.raises(RunlineError, match="ValueError"):
        Turns(store.engine, store.writer).take(perform)
    assert store.codes.known("types", ("brand_new",)) == []
    assert store.engine.query("SELECT name FROM types") == []


def test_turns_grow_while_they_are_short_and_shrink_when_they_are_long(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s, pauses, cost_s = [0.0], list[float](), [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    monkeypatch.setattr(time, "sleep", pauses.append)

    def perform(tx: Writing, size: int) -> int:
        now_s[0] += cost_s[0] * size
        return size

    def sizes(taking: Turns, each_s: float, *, tight: bool) -> list[int]:
        cost_s[0] = each_s
        if tight:
            return store.writer.between(lambda: [taking.take(perform) for _ in range(20)])
        return [taking.take(perform) for _ in range(20)]

    for tight, most in ((False, turns._MOST), (True, turns._TIGHT)):
        taking = Turns(store.engine, store.writer, tight=tight)
        growing = sizes(taking, 0, tight=tight)
        assert growing[:2] == [turns._FIRST, most if tight else 2 * turns._FIRST]
        assert growing == sorted(growing)
        assert growing[-1] == most
        assert sizes(taking, turns.COST_S / 100, tight=tight)[-1] in (min(99, most), min(100, most))
        assert sizes(taking, 1.0, tight=tight)[-1] == turns._LEAST
    assert min(pauses) == turns._LEAST_PAUSE_S
    assert len(pauses) == 60


def test_free_pages_are_given_back_turn_by_turn(store: SqlStore) -> None:
    with store.engine.transaction() as tx:
        tx.execute("CREATE TABLE filler AS SELECT randomblob(400000) AS data")
    with store.engine.transaction() as tx:
        tx.execute("DROP TABLE filler")
    before = store.engine.sizes()
    assert before["free_bytes"] > 300_000
    taking = Turns(store.engine, store.writer)
    left = [taking.vacuum()]
    while left[-1]:
        left.append(taking.vacuum())
    taking.checkpoint()
    assert len(left) > 1
    after = store.engine.sizes()
    assert after["free_bytes"] == 0
    assert after["size_bytes"] <= before["size_bytes"] - before["free_bytes"]
