from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_all_runs_or_one(cli: CommandLine) -> None:
    cli.failed()
    run = cli.completed()
    before = cli.json("ls")
    assert (
        cli.text("rebuild") == "rebuilt 2 runs from the log; `runline verify` checks the events themselves\n"
    )
    assert (
        cli.text("rebuild", run.run_id[-4:])
        == "rebuilt 1 run from the log; `runline verify` checks the events themselves\n"
    )
    assert cli.json("ls") == before
