from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_a_pinned_run_stays_until_it_is_let_go(cli: CommandLine) -> None:
    run = cli.completed()
    assert cli.text("pin", run.run_id[-4:]) == f"pinned {run.run_id}\n"
    assert cli.json("ls")["runs"][0]["pinned"] is True
    assert cli.json("prune", "--older-than", "0s", "--dry-run")["matched"] == 0
    assert cli.text("pin", run.run_id, "--off") == f"unpinned {run.run_id}\n"
    assert cli.json("ls")["runs"][0]["pinned"] is False
