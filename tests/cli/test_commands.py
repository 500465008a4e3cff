from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from runline.cli.commands import COMMANDS, load

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_there_and_says_what_it_does(name: str) -> None:
    function = load(COMMANDS[name])
    assert inspect.getdoc(function)
    assert COMMANDS[name].section


def test_the_documentation_has_every_command_and_no_other() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert re.findall(r"^### (\w+)$", text, re.MULTILINE) == list(COMMANDS)
    for name in COMMANDS:
        assert f"`runline {name}" in text


def test_every_module_of_a_command_is_in_the_table() -> None:
    modules = {entry.module for entry in COMMANDS.values()}
    assert all((ROOT / "src" / "runline" / "cli" / f"{module}.py").exists() for module in modules)
