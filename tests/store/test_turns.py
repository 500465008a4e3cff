from __future__ import annotations

import time

import pytest

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

    assert Turns(store.engine, store.writer).take(perform) == 32
    assert store.engine.query("SELECT value FROM counters WHERE name = 'made'") == [(32,)]
    assert names == [store.writer._thread]


def test_a_failed_turn_leaves_nothing(store: SqlStore) -> None:
    def perform(tx: Writing, size: int) -> None:
        store.codes.intern(tx, "types", "brand_new")
        raise ValueError(size)

    with pytest.raises(ValueError, match="32"):
        Turns(store.engine, store.writer).take(perform)
    assert store.codes.known("types", ("brand_new",)) == []
    assert store.engine.query("SELECT name FROM types") == []


def test_turns_grow_while_they_are_short_and_shrink_when_they_are_long(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s, pauses, cost_s = [0.0], list[float](), [0.001]
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    monkeypatch.setattr(time, "sleep", pauses.append)

    def perform(tx: Writing, size: int) -> int:
        now_s[0] += cost_s[0]
        return size

    for tight, most in ((False, turns._MOST), (True, turns._TIGHT)):
        taking = Turns(store.engine, store.writer, tight=tight)
        run = store.writer.between if tight else lambda work: work()
        cost_s[0] = 0.001
        sizes = run(lambda taking=taking: [taking.take(perform) for _ in range(20)])  # type: ignore[misc]
        assert sizes == sorted(sizes)
        assert sizes[-1] == most
        cost_s[0] = turns.HELD_S * 0.75
        assert run(lambda taking=taking: [taking.take(perform) for _ in range(3)]) == [most] * 3  # type: ignore[misc]
        cost_s[0] = 1.0
        sizes = run(lambda taking=taking: [taking.take(perform) for _ in range(20)])  # type: ignore[misc]
        assert sizes == sorted(sizes, reverse=True)
        assert sizes[-1] == turns._LEAST
    assert set(pauses) >= {0.001, 1.0}
    assert len([pause for pause in pauses if pause == 1.0]) == 20


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
