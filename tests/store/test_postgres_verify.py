"""Verifying and rebuilding on PostgreSQL: what a superuser's hand or a bad disk did is seen, and mended where it can be."""

from __future__ import annotations

import psycopg
import pytest

from runline.model.errors import Unavailable
from runline.store.sql_store import SqlStore
from runline.testing.place import PostgresPlace
from tests.store.recorded import rich_run


@pytest.fixture
def store(place: PostgresPlace) -> SqlStore:
    store = place.open()
    rich_run(store, "one", status="failed")
    rich_run(store, "two", status="completed")
    return store


def hurt(place: PostgresPlace, sql: str) -> None:
    """As somebody would who may do everything."""
    with psycopg.connect(place.url) as connection:
        connection.execute("ALTER TABLE events DISABLE TRIGGER USER")
        connection.execute(sql.encode())
        connection.execute("ALTER TABLE events ENABLE TRIGGER USER")


@pytest.mark.parametrize(
    "change",
    [
        "ts = ts + 1",
        "level = 1 - level",
        "type = CASE type WHEN 1 THEN 2 ELSE 1 END",
        "step = coalesce(step, 0) + 1",
        "source = coalesce(source, 0) + 1",
        "message = message || ' '",
        "correlation_id = coalesce(correlation_id, '') || 'x'",
        "data = data || ' '",
        "crc = crc # 1",
    ],
)
def test_every_change_of_an_event_is_named(place: PostgresPlace, store: SqlStore, change: str) -> None:
    assert store.verify().ok
    hurt(
        place,
        f"UPDATE events SET {change} WHERE seq = 3 AND run = (SELECT run FROM runs WHERE run_id = 'one')",
    )
    report = store.verify()
    assert ("one", 3) in {(problem.run_id, problem.seq) for problem in report.problems}
    assert {problem.run_id for problem in report.problems} == {"one"}


def test_what_is_missing_and_what_belongs_to_nobody(place: PostgresPlace, store: SqlStore) -> None:
    hurt(place, "DELETE FROM events WHERE seq = 4 AND run = (SELECT run FROM runs WHERE run_id = 'one')")
    hurt(
        place,
        "UPDATE events SET run = 999 WHERE seq = 5 AND run = (SELECT run FROM runs WHERE run_id = 'two')",
    )
    kinds = {(problem.run_id, problem.kind) for problem in store.verify().problems}
    assert {("one", "gap"), ("two", "gap"), (None, "orphan")} <= kinds


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE runs SET last_message = 'wrong', total_tokens = 9",
        "UPDATE steps SET state = 'pending'",
        "DELETE FROM slots",
        "DELETE FROM steps WHERE step = 2",
        "UPDATE calls SET status = 'open'",
        "UPDATE artifacts SET name = 'another'",
        "UPDATE run_details SET cold = '{}'",
    ],
)
def test_projections_that_are_wrong_are_seen_and_made_anew(
    place: PostgresPlace, store: SqlStore, sql: str
) -> None:
    before = [store.state(run_id) for run_id in ("one", "two")]
    hurt(place, sql)
    assert not store.verify().ok
    assert store.rebuild() == 2
    assert store.verify().ok
    assert [store.state(run_id) for run_id in ("one", "two")] == before


def test_a_damaged_log_is_no_ground_to_build_on(place: PostgresPlace, store: SqlStore) -> None:
    hurt(place, "UPDATE events SET type = 999 WHERE seq = 2")
    with pytest.raises(Unavailable, match="damaged"):
        store.rebuild("one")


@pytest.mark.parametrize("sql", ["UPDATE events SET ts = 0", "TRUNCATE events", "DELETE FROM events"])
def test_the_log_does_not_change(place: PostgresPlace, store: SqlStore, sql: str) -> None:
    with (
        psycopg.connect(place.url) as connection,
        pytest.raises(psycopg.errors.RaiseException, match="append-only"),
    ):
        connection.execute(sql.encode())
    assert store.verify().ok
