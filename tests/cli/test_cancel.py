from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_a_run_is_asked_to_stop(terminal: CommandLine) -> None:
    run = terminal.running()
    said = terminal.text("cancel", run.run_id[-4:])
    assert said.startswith(f"asked to stop {run.run_id}\n")
    assert "--force" in said
    assert terminal.json("show")["run"]["cancel_requested"] is True


def test_by_force_it_ends_at_once(cli: CommandLine) -> None:
    run = cli.running()
    assert cli.text("cancel", run.run_id, "--force") == f"⊘ cancelled  {run.run_id}\n"
    assert cli.json("show")["run"]["status"] == "cancelled"


def test_one_whose_writer_is_gone_is_cancelled(cli: CommandLine) -> None:
    run = cli.lost()
    assert cli.json("cancel", run.run_id) == {"run_id": run.run_id, "status": "cancelled"}


def test_an_ended_run_cannot_be_cancelled(cli: CommandLine) -> None:
    cli("cancel", cli.completed().run_id, exits=4)
