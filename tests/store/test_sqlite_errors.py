"""Each thing that SQLite may say has its one Runline error."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from types import SimpleNamespace

import apsw
import pytest

from runline.model.errors import Invalid, NotFound, RunlineError, StoreFull, Unavailable
from runline.store.sqlite_errors import translate


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (apsw.FullError("database or disk is full"), StoreFull, "store_full"),
        (apsw.BusyError("database is locked"), Unavailable, "busy"),
        (apsw.LockedError("table is locked"), Unavailable, "busy"),
        (apsw.NotADBError("file is not a database"), Unavailable, "corrupt"),
        (apsw.CorruptError("malformed"), Unavailable, "corrupt"),
        (apsw.CantOpenError("unable to open"), NotFound, "cannot_open"),
        (apsw.ReadOnlyError("readonly"), Invalid, "read_only"),
        (apsw.PermissionsError("no"), Invalid, "read_only"),
        (apsw.AuthError("no"), Invalid, "read_only"),
        (apsw.IOError("disk I/O error"), Unavailable, "disk_error"),
        (apsw.IOError("write failed: Disk full"), StoreFull, "store_full"),
        (apsw.ConstraintError("events are append-only"), RunlineError, "database_error"),
        (apsw.SQLError("syntax error"), RunlineError, "database_error"),
    ],
)
def test_what_sqlite_says_becomes_one_of_ours(
    tmp_path: Path, error: apsw.Error, kind: type[RunlineError], code: str
) -> None:
    told = translate(error, str(tmp_path / "x.db"))
    assert type(told) is kind
    assert told.code == code
    assert str(tmp_path) in told.message


@pytest.mark.parametrize(
    ("size_bytes", "limit", "full"), [(90_000, 100_000, True), (10, 100_000, False), (90_000, -1, False)]
)
def test_a_file_at_its_size_limit_is_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size_bytes: int, limit: int, full: bool
) -> None:
    (tmp_path / "x.db-wal").write_bytes(bytes(size_bytes))
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (limit, -1))
    told = translate(apsw.IOError("disk I/O error"), str(tmp_path / "x.db"))
    assert isinstance(told, StoreFull) is full


def test_a_disk_without_a_free_block_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_bavail=0))
    assert isinstance(translate(apsw.IOError("disk I/O error"), str(tmp_path / "x.db")), StoreFull)


def test_a_disk_that_is_not_there_any_more_is_not_full(tmp_path: Path) -> None:
    told = translate(apsw.IOError("disk I/O error"), str(tmp_path / "gone" / "x.db"))
    assert isinstance(told, Unavailable)
