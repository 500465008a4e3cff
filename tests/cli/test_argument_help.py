from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runline.cli.commands import COMMANDS

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


@pytest.mark.parametrize(
    ("name", "usage"),
    [
        ("ls", "[FILTER...]"),
        ("exec", "COMMAND..."),
        ("note", "RUN [TEXT...]"),
        ("backup", "FILE"),
        ("verify", "[RUN]"),
    ],
)
def test_usage_names_what_is_typed(cli: CommandLine, name: str, usage: str) -> None:
    assert cli.text(name, "--help").splitlines()[0] == f"Usage: root {name} [OPTIONS] {usage}"


@pytest.mark.parametrize("name", COMMANDS)
def test_no_help_names_a_type(cli: CommandLine, name: str) -> None:
    said = cli.text(name, "--help")
    assert not {"<str>", "<path>", "<list[str]>", "}", "...]..."} & {
        sign
        for sign in ("<str>", "<path>", "<list[str]>", "}", "...]...")
        if sign in said.split("Options:")[0]
    }


@pytest.mark.parametrize("name", ["verify", "rebuild"])
def test_without_a_run_some_commands_take_every_run(cli: CommandLine, name: str) -> None:
    said = cli.text(name, "--help")
    assert "every run by default" in said
    assert "latest" not in said
