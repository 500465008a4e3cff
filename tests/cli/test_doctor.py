from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from runline.cli import doctor
from runline.cli.doctor import filesystem, place
from runline.model.clock import ManualClock, SystemClock
from runline.store import open_store

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def checks(cli: CommandLine, exits: int = 0) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in cli.json("doctor", exits=exits)["checks"]}


def test_a_sound_store(cli: CommandLine) -> None:
    run = cli.completed()
    found = checks(cli)
    assert {check["status"] for check in found.values()} <= {"ok", "warn"}
    assert found["store"]["value"] == str(cli.path)
    assert found["sqlite"]["value"].startswith("3.")
    assert found["runs"]["value"] == "1: 1 completed"
    assert found["newest run"]["value"] == f"{run.run_id}: 10 events, sound"


def test_without_a_store_it_says_how_to_make_one(cli: CommandLine) -> None:
    found = checks(cli)
    assert found["runs"]["advice"].startswith("It is made by the first recording")
    assert "sqlite" not in found
    assert not cli.path.exists()


def test_an_empty_store(cli: CommandLine) -> None:
    with cli.store():
        pass
    assert checks(cli)["runs"]["value"] == "0"


def test_a_file_that_is_no_store_is_a_failure(cli: CommandLine) -> None:
    cli.path.write_text("not a database " * 100)
    assert checks(cli, exits=1)["open"]["status"] == "fail"


def test_for_people_each_check_is_a_line(cli: CommandLine) -> None:
    cli.lost()
    said = cli.text("doctor")
    assert "✔ python" in said
    assert "runline ls --status interrupted" in said


def test_a_clock_that_was_set_back_is_noticed(cli: CommandLine) -> None:
    with open_store(str(cli.path), clock=ManualClock(SystemClock().now_ms() + 3_600_000)) as store:
        store.create_run("from the future")
    assert checks(cli)["clock"]["status"] == "warn"


def test_a_damaged_run_is_a_failure_and_a_long_one_is_left_to_verify(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runline.store.sql_store import SqlStore
    from runline.store.verify import VerifyReport

    cli.completed()
    monkeypatch.setattr(
        SqlStore, "verify", lambda self, run_id=None: VerifyReport(runs=1, events=10, found=2, problems=())
    )
    assert checks(cli, exits=1)["newest run"]["value"].endswith("2 problems")
    monkeypatch.setattr(doctor, "_VERIFY_AT_MOST", 5)
    assert "newest run" not in checks(cli)


def test_a_large_wal_is_noticed(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.completed()
    monkeypatch.setattr(doctor, "_LARGE_WAL_BYTES", -1)
    assert checks(cli)["size"]["status"] == "warn"


class _Usage(NamedTuple):
    free: int


def test_what_a_folder_lacks_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [check.status for check in place(tmp_path)][:1] == ["ok"]
    monkeypatch.setattr("os.access", lambda path, mode: False)
    monkeypatch.setattr("shutil.disk_usage", lambda path: _Usage(1_000))
    monkeypatch.setattr(doctor, "filesystem", lambda folder: "nfs4")
    writable, disk, network = place(tmp_path)
    assert (writable.status, disk.status, network.status) == ("fail", "warn", "warn")
    assert "--store" in writable.advice
    assert "prune" in disk.advice
    assert "local disk" in network.advice


def test_the_filesystem_is_that_of_the_longest_mount(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    folder = tmp_path / "a b"
    folder.mkdir()
    escaped = str(folder.resolve()).replace(" ", "\\040")
    mounts.write_text(
        f"/dev/sda / ext4 rw 0 0\nhost:/x {escaped} nfs4 rw 0 0\nhost:/y {escaped}c cifs rw 0 0\nodd\n"
    )
    assert filesystem(folder, mounts) == "nfs4"
    assert filesystem(tmp_path, mounts) == "ext4"
    assert filesystem(tmp_path, tmp_path / "missing") == ""


def test_a_folder_that_is_not_there_yet(cli: CommandLine, tmp_path: Path) -> None:
    result = cli("doctor", "--store", str(tmp_path / "a" / "b" / "c.db"))
    assert "writable" in result.output


def test_the_terminal(terminal: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "100 columns, 256 colour, UTF-8" in terminal.text("doctor")
    monkeypatch.setenv("LANG", "C")
    monkeypatch.setenv("NO_COLOR", "1")
    said = terminal.text("doctor")
    assert "100 columns, no colour, ASCII" in said
    assert "LANG=C.UTF-8" in said
