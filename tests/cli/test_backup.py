from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runline.cli.backup import _size_bytes

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_the_copy_is_a_store(cli: CommandLine, tmp_path: Path) -> None:
    run = cli.failed()
    copy = tmp_path / "copy.db"
    assert cli.text("backup", str(copy)).startswith(f"backed up to {copy}  ")
    assert cli.json("show", "--store", str(copy))["run"]["run_id"] == run.run_id
    assert "sound" in cli.text("verify", "--store", str(copy))


def test_a_file_that_exists_is_kept(cli: CommandLine, tmp_path: Path) -> None:
    cli.failed()
    (tmp_path / "copy.db").write_text("mine")
    cli("backup", str(tmp_path / "copy.db"), exits=4)
    assert (tmp_path / "copy.db").read_text() == "mine"


def test_on_a_terminal_there_is_a_bar(terminal: CommandLine, tmp_path: Path) -> None:
    terminal.failed()
    assert "backed up to" in terminal.text("backup", str(tmp_path / "copy.db"))


def test_a_copy_that_is_not_there_yet_has_no_size(tmp_path: Path) -> None:
    assert _size_bytes(tmp_path / "none.db") == 0
    (tmp_path / "some.db").write_text("abc")
    assert _size_bytes(tmp_path / "some.db") == 3
