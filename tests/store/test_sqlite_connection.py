"""Connections are patient, durable and, where asked, read-only; odd paths and values are no trap."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from runline.model.errors import Invalid
from runline.store.sqlite_connection import READ_ONLY, WRITE, Session, connect, fetch, unwritable, uri


def test_a_path_is_only_a_path(tmp_path: Path) -> None:
    path = tmp_path / "50% of a?b#c.db"
    connect(str(path), WRITE, None).close()
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert uri("/a%b?c#d") == "file:/a%25b%3fc%23d"


def test_a_reading_connection_cannot_write(tmp_path: Path) -> None:
    path = str(tmp_path / "store.db")
    write = connect(path, WRITE, None)
    assert write.pragma("synchronous") == 2
    assert Session(write).execute("CREATE TABLE t (a)") == []
    assert Session(write).executemany("INSERT INTO t VALUES (?)", [(1,), (2,)]) == 2
    read = connect(path, READ_ONLY, None)
    assert fetch(read, "SELECT sum(a) FROM t", ()) == [(3,)]
    with pytest.raises(apsw.ReadOnlyError):
        fetch(read, "INSERT INTO t VALUES (3)", ())
    read.close()
    write.close()


@pytest.mark.parametrize("value", [2**64, "\ud800"])
def test_what_sqlite_cannot_hold_is_refused_in_a_sentence(tmp_path: Path, value: object) -> None:
    connection = connect(str(tmp_path / "store.db"), WRITE, None)
    with pytest.raises(Invalid) as told:
        fetch(connection, "SELECT ?", (value,))
    assert told.value.code == "bad_value"
    connection.close()


def test_an_unwritable_folder_is_named() -> None:
    assert "/here is not writable" in unwritable(Path("/here")).message
