from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_reading_never_makes_a_store(cli: CommandLine) -> None:
    cli("ls", exits=3)
    assert not cli.path.exists()


def test_writing_makes_one(cli: CommandLine) -> None:
    cli("emit", "--new", "first")
    assert cli.path.exists()


def test_hints_are_for_people_alone(terminal: CommandLine) -> None:
    terminal.emitted({"type": "log"}, end="completed")
    assert "No run matches" in terminal.text("ls", "status:failed")


def test_off_a_terminal_there_are_none(cli: CommandLine) -> None:
    cli.completed()
    assert cli("ls", "status:failed").output == ""
