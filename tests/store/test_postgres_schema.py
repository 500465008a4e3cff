"""Making, migrating and refusing: what becomes of a database when it is opened."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from runline.model.errors import Invalid, NotFound, RunlineError
from runline.store import migrate, open_local
from runline.store.postgres import PostgresEngine
from runline.testing.place import PostgresPlace
from runline.testing.postgres import PostgresServer


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[str]:
    """A database without a store."""
    url = postgres.create()
    yield url
    postgres.drop(url)


def engine_of(url: str, *, read_only: bool = False) -> PostgresEngine:
    return PostgresEngine(url, read_only=read_only, artifacts=Path("unused"))


def sql(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def test_many_may_make_the_store_at_once(empty: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        for engine in pool.map(lambda _: engine_of(empty), range(6)):
            engine.close()
    assert sql(empty, "SELECT number FROM migrations ORDER BY 1") == [
        (step.number,) for step in migrate.migrations()
    ]


def test_a_step_that_fails_leaves_nothing(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [
        *migrate.migrations("postgres"),
        migrate.Migration(99, "bad", "CREATE TABLE half (n INTEGER); NO SUCH"),
    ]
    monkeypatch.setattr(migrate, "migrations", lambda engine="sqlite": steps)
    with pytest.raises(RunlineError, match="syntax"):
        engine_of(empty)
    assert sql(empty, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == [(0,)]


def test_a_database_of_something_else_is_left_alone(empty: str) -> None:
    sql(empty, "CREATE TABLE runs (n INTEGER)")
    with pytest.raises(Invalid, match="search_path") as told:
        engine_of(empty)
    assert told.value.code == "not_a_store"
    sql(empty, "CREATE SCHEMA runline")
    engine_of(f"{empty}&options=-csearch_path%3Drunline").close()
    assert sql(empty, "SELECT count(*) FROM runline.run_events") == [(0,)]


def test_reading_alone_neither_makes_nor_migrates(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFound) as none:
        engine_of(empty, read_only=True)
    assert none.value.code == "no_store"
    engine_of(empty).close()
    sql(empty, "DELETE FROM migrations WHERE number = 3")
    with pytest.raises(Invalid) as older:
        engine_of(empty, read_only=True)
    assert older.value.code == "store_older"
    sql(empty, "INSERT INTO migrations VALUES (99, 'later', 0)")
    with pytest.raises(Invalid) as newer:
        engine_of(empty)
    assert newer.value.code == "store_newer"


def test_a_store_opened_for_reading_is_not_written(place: PostgresPlace) -> None:
    place.open().create_run("there", run_id="r")
    reading = place.open(read_only=True)
    assert reading.get_run("r").name == "there"
    with pytest.raises(Invalid) as told:
        reading.create_run("no")
    assert told.value.code == "read_only"
    with pytest.raises(Invalid) as told, reading.engine.snapshot() as source:
        source.execute("DELETE FROM runs")
    assert told.value.code == "read_only"


def test_an_old_server_or_one_without_unicode_is_refused(
    postgres: PostgresServer, place: PostgresPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runline.store.postgres_schema.LEAST_VERSION", 99)
    with pytest.raises(Invalid, match="needs 99") as told:
        place.open()
    assert told.value.code == "server_too_old"
    monkeypatch.undo()
    postgres.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    with pytest.raises(Invalid, match="LATIN1"):
        engine_of(postgres.url("latin"))


def test_both_engines_have_the_same_tables_and_views(place: PostgresPlace, tmp_path: Path) -> None:
    store = place.open()
    ours = dict[str, set[str]]()
    for table, column in store.engine.query(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    ):
        ours.setdefault(table, set()).add(column)
    with open_local(str(tmp_path / "x.db")) as other:
        names = other.engine.query(
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
        )
        theirs = {
            name: {row[0] for row in other.engine.query(f"SELECT name FROM pragma_table_info('{name}')")}
            for (name,) in names
        }
    assert ours == theirs


def test_every_unique_key_starts_with_run_or_tenant_or_is_of_a_small_table(place: PostgresPlace) -> None:
    """What a cluster needs to spread the tables; the small ones go to every node."""
    keys = place.sql(
        "SELECT c.relname, (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum = i.indkey[0]) "
        "FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid "
        "WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace"
    )
    small = {"types", "sources", "migrations", "tokens", "audit"}
    lookups = {("runs", "run_id"), ("tombstones", "run_id"), ("notes", "id"), ("artifacts", "id")}
    assert {
        (table, key) for table, key in keys if table not in small and key not in ("run", "tenant")
    } == lookups
