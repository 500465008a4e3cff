from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_a_dry_run_says_what_would_go(cli: CommandLine) -> None:
    run = cli.failed()
    cli.running()
    lines = cli.text("prune", "--older-than", "0s", "--dry-run").splitlines()
    assert lines[0].split("\t")[:4] == ["✖ failed", run.run_id, "just now", "13"]
    assert lines[0].endswith("too old")
    assert lines[1].startswith("would remove 1 run with 13 events, ")
    assert len(cli.json("ls")["runs"]) == 2


def test_then_it_goes(cli: CommandLine) -> None:
    cli.failed()
    cli.completed()
    assert (
        cli.text("prune", "--older-than", "0s").splitlines()[-1].startswith("removed 2 runs with 23 events, ")
    )
    assert cli.json("ls")["runs"] == []
    assert cli.text("prune").startswith("removed 0 runs with 0 events")


def test_rules_can_be_switched_off_and_counted(cli: CommandLine) -> None:
    runs = [cli.completed() for _ in range(3)]
    assert cli.json("prune", "--older-than", "never", "--keep", "all", "--dry-run")["matched"] == 0
    report = cli.json("prune", "--keep", "1", "--dry-run")
    assert {run["run_id"] for run in report["runs"]} == {run.run_id for run in runs[:2]}
    assert "too many" in cli.text("prune", "--keep", "1", "--dry-run")
    assert cli.json("prune", "--max-size", "1kB", "--dry-run")["runs"][0]["reason"] == "size"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--keep", "some"], "--keep all"),
        (["--keep", "-1"], "--keep all"),
        (["--older-than", "old"], "not a duration"),
        (["--max-size", "big"], "500MB"),
    ],
)
def test_wrong_rules_say_what_to_write(cli: CommandLine, args: list[str], said: str) -> None:
    cli.completed()
    assert said in cli.text("prune", *args, exits=2)


def test_a_long_list_is_cut_on_a_terminal(terminal: CommandLine) -> None:
    for _ in range(22):
        terminal.emitted({"type": "log"}, end="completed")
    said = terminal.text("prune", "--older-than", "0s", "--dry-run")
    assert "and 2 more" in said
    assert "would remove 22 runs with 66 events" in said
    assert "EVENTS" in said
