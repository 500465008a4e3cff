"""Migrations: numbered, each once, none after a newer version."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runline.model.errors import Invalid
from runline.store import migrate, open_local


def test_the_files_are_numbered_without_a_gap() -> None:
    found = migrate.migrations()
    assert [step.number for step in found] == list(range(1, len(found) + 1))
    assert all(re.fullmatch(r"[a-z_]+", step.name) and step.sql.strip() for step in found)
    assert found[0].name == "log"


def test_what_is_pending_follows_what_was_applied() -> None:
    newest = migrate.migrations()[-1].number
    assert [step.number for step in migrate.pending(0)] == list(range(1, newest + 1))
    assert migrate.pending(newest) == []
    with pytest.raises(Invalid) as told:
        migrate.pending(newest + 1)
    assert told.value.code == "store_newer"


def test_every_step_is_recorded_with_its_time(tmp_path: Path) -> None:
    with open_local(str(tmp_path / "x.db")) as store:
        rows = store.engine.query("SELECT number, name, applied_at > 0 FROM migrations ORDER BY number")
        assert rows == [(step.number, step.name, 1) for step in migrate.migrations()]
        with store.engine.snapshot() as source:
            assert migrate.applied(source) == rows[-1][0]


def test_the_tables_are_strict_and_the_log_append_only(tmp_path: Path) -> None:
    with open_local(str(tmp_path / "x.db")) as store:
        loose = store.engine.query(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND strict = 0 "
            "AND name NOT LIKE 'sqlite_%' AND name != 'migrations'"
        )
        assert loose == []
        store.create_run("kept", run_id="kept")
        for statement in ("UPDATE events SET message = ''", "DELETE FROM events"):

            def attempt(statement: str = statement) -> None:
                with store.engine.transaction() as tx:
                    tx.execute(statement)

            with pytest.raises(Exception, match="append-only"):
                store.writer.between(attempt)
        assert len(store.read("kept")) == 1
