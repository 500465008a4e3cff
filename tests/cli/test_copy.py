from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runline.store import open_local

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_runs_are_copied_and_compared(cli: CommandLine, tmp_path: Path) -> None:
    run = cli.failed()
    there = str(tmp_path / "there.db")
    assert "1 runs copied, 0 continued, 0 were there" in cli.text("copy", str(cli.path), there)
    told = cli.json("copy", str(cli.path), there)
    assert (told["same"], told["different"]) == (1, [])
    assert cli.json("show", "--store", there)["run"]["run_id"] == run.run_id


def test_a_difference_is_a_failure(cli: CommandLine, tmp_path: Path) -> None:
    run, there = cli.failed(), str(tmp_path / "there.db")
    with open_local(there) as store:
        store.create_run("another", run_id=run.run_id)
    assert f"{run.run_id}: event 1 is not the same" in cli.text("copy", str(cli.path), there, exits=1)


def test_a_store_is_not_copied_onto_itself(cli: CommandLine) -> None:
    cli.failed()
    assert "one store" in cli.text("copy", str(cli.path), f"sqlite:///{cli.path}", exits=2)


def test_on_a_terminal_there_is_a_bar(terminal: CommandLine, tmp_path: Path) -> None:
    terminal.failed()
    assert "1 runs copied" in terminal.text("copy", str(terminal.path), str(tmp_path / "there.db"))
