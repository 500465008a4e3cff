"""Connections as the store wants them, and values on their way."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from runline.model.errors import Invalid
from runline.store.postgres_connection import Connection, Session, connect, fetch
from runline.testing.place import PostgresPlace


@pytest.fixture
def connection(place: PostgresPlace) -> Iterator[Connection]:
    with connect(place.url, read_only=False) as connection:
        yield connection


@pytest.fixture
def session(connection: Connection) -> Session:
    connection.execute("CREATE TEMPORARY TABLE t (n BIGINT PRIMARY KEY, word TEXT, raw BYTEA)")
    return Session(connection, lambda sql, parameters: fetch(connection, sql, parameters))


def test_it_is_durable_and_patient(place: PostgresPlace, connection: Connection) -> None:
    for name, value in (
        ("synchronous_commit", "on"),
        ("idle_in_transaction_session_timeout", "30s"),
        ("lock_timeout", "10s"),
        ("application_name", "runline"),
        ("default_transaction_read_only", "off"),
    ):
        assert fetch(connection, f"SHOW {name}") == [(value,)], name


@pytest.mark.parametrize(
    ("found", "wanted"), [("off", "on"), ("local", "on"), ("remote_apply", "remote_apply")]
)
def test_a_server_that_promises_less_is_asked_for_durability(
    place: PostgresPlace, found: str, wanted: str
) -> None:
    with connect(f"{place.url}&options=-csynchronous_commit%3D{found}", read_only=True) as connection:
        assert fetch(connection, "SHOW synchronous_commit") == [(wanted,)]
        assert fetch(connection, "SHOW default_transaction_read_only") == [("on",)]


def test_what_the_address_says_goes_before_our_own(place: PostgresPlace) -> None:
    with connect(f"{place.url}&application_name=mine", read_only=True) as connection:
        assert fetch(connection, "SHOW application_name") == [("mine",)]


def test_truth_is_a_number_and_so_are_sums(session: Session) -> None:
    session.execute("INSERT INTO t VALUES (?, ?, ?)", (True, None, b"\0x"))
    session.execute("INSERT INTO t VALUES (:n, :word, NULL)", {"n": 2**62, "word": "ü"})
    assert session.execute("SELECT n, word, raw FROM t ORDER BY n") == [(1, None, b"\0x"), (2**62, "ü", None)]
    assert session.execute("SELECT sum(n), avg(n) FROM t WHERE n = ?", (1,)) == [(1, 1.0)]
    ((total,),) = session.execute("SELECT sum(n) FROM t")
    assert (total, type(total)) == (2**62 + 1, int)


def test_plain_inserts_go_by_copy_and_others_one_by_one(session: Session) -> None:
    rows = [(n, "tab\there\\ and\nthere", None) for n in range(100)]
    assert session.executemany("INSERT INTO t VALUES (?, ?, ?)", rows) == 100
    assert session.executemany("INSERT INTO t (n, word) VALUES (?, ?)", [(100, None)]) == 1
    upsert = "INSERT INTO t (n, word) VALUES (?, ?) ON CONFLICT (n) DO UPDATE SET word = excluded.word"
    assert session.executemany(upsert, [(100, "a"), (101, "b")]) == 2
    assert session.executemany("UPDATE t SET word = ? WHERE n = ?", [("c", 1), ("c", 999)]) == 1
    assert session.executemany(upsert, []) == 0
    assert session.execute("SELECT count(*), count(DISTINCT word) FROM t") == [(102, 4)]
    assert session.execute("SELECT word FROM t WHERE n = 5") == [(rows[5][1],)]


def test_nothing_holds_nul_so_nothing_is_found_by_it(session: Session) -> None:
    session.execute("INSERT INTO t VALUES (?, ?, NULL)", (1, "a\ufffdb"))
    assert session.execute("SELECT n FROM t WHERE word = ?", ("\0",)) == []
    assert session.execute("SELECT n FROM t WHERE word = :word AND n = :n", {"word": "a\0b", "n": 1}) == [
        (1,)
    ]


def test_what_cannot_be_asked_is_refused(session: Session) -> None:
    with pytest.raises(Invalid) as told:
        session.execute("SELECT ?", ("\ud800",))
    assert told.value.code == "bad_value"
    with pytest.raises(psycopg.DataError):
        session.execute("SELECT n FROM t WHERE n = ?", (2**63,))


def test_a_script_of_several_statements(session: Session) -> None:
    assert session.execute("INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)") == []
    assert session.apart("SELECT count(*) FROM t WHERE n < ?", (9,)) == [(2,)]
