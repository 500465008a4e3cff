from __future__ import annotations

import getpass
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_who_did_what_newest_first(cli: CommandLine) -> None:
    run = cli.completed()
    cli("pin", run.run_id)
    cli("pin", run.run_id, "--off")
    lines = cli.text("audit").splitlines()
    assert [re.split(r"\t", line)[2:] for line in lines] == [
        ["pin", run.run_id, "default", '{"pinned":false}'],
        ["pin", run.run_id, "default", '{"pinned":true}'],
    ]
    assert all(line.split("\t")[1].startswith(f"{getpass.getuser()}@") for line in lines)


def test_as_json_page_by_page(cli: CommandLine) -> None:
    run = cli.completed()
    for off in ((), ("--off",)):
        cli("pin", run.run_id, *off)
    first = cli.json("audit", "--limit", "1")
    assert first["has_more"] is True
    second = cli.json("audit", "-n", "1", "--cursor", first["next_cursor"])
    assert [page["entries"][0]["detail"]["pinned"] for page in (first, second)] == [False, True]
    assert (second["has_more"], second["next_cursor"]) == (False, None)
    assert "not one that this store gave out" in cli.text("audit", "--cursor", "x", exits=2)


def test_on_a_terminal_hints_say_what_is_next(terminal: CommandLine) -> None:
    run = terminal.completed()
    assert "Nobody has" in terminal.text("audit")
    terminal("pin", run.run_id)
    terminal("pin", run.run_id)
    assert "There are more: `runline audit --cursor 2`" in terminal.text("audit", "-n", "1")
