from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_a_note_with_everything(cli: CommandLine) -> None:
    run = cli.failed()
    said = cli.text(
        "note", run.run_id[-4:], "vendor", "API", "slow", "--author", "me", "--label", "vendor,api", "--action", "open a, b", "--event", "11"
    )  # fmt: skip
    assert (
        said == "  ⚑ me  just now · on event 11 · [vendor] · [api]\n    vendor API slow\n    [ ] open a, b\n"
    )
    assert cli.text("note", run.run_id) == said


def test_json_of_one_and_of_all(cli: CommandLine) -> None:
    run = cli.failed()
    added = cli.json("note", run.run_id, "first")
    cli("note", run.run_id, "second")
    listed = cli.json("note", run.run_id)["notes"]
    assert [note["note"] for note in listed] == ["second", "first"]
    assert listed[1] == added


def test_a_run_without_notes_says_how_to_write_one(terminal: CommandLine) -> None:
    run = terminal.completed()
    assert "runline note" in terminal.text("note", run.run_id)


def test_what_cannot_be_noted_says_why(cli: CommandLine) -> None:
    run = cli.completed()
    cli("note", run.run_id, "  ", exits=2)
    cli("note", run.run_id, "x", "--event", "999", exits=2)
    cli("note", "unknown-run", "x", exits=3)
