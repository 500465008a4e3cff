from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_json_goes_to_standard_output_by_default(cli: CommandLine) -> None:
    run = cli.failed()
    document = json.loads(cli("export").stdout)
    assert document["run_id"] == run.run_id
    assert len(document["events"]) == 13


@pytest.mark.parametrize(("format", "lines"), [("jsonl", 14), ("csv", 14), ("JSONL", 14)])
def test_other_formats_have_a_line_an_event(cli: CommandLine, format: str, lines: int) -> None:
    cli.failed()
    assert len(cli("export", "--format", format).stdout.splitlines()) == lines


def test_the_ending_of_a_file_names_the_format(cli: CommandLine, tmp_path: Path) -> None:
    cli.failed()
    for name, begin in (("run.json", '{"run_id"'), ("run.jsonl", '{"runline"'), ("run.csv", '"run_id"')):
        assert cli("export", "-o", str(tmp_path / name)).output == ""
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(begin)
    assert "add --format" in cli.text("export", "-o", str(tmp_path / "run.txt"), exits=2)
    cli("export", "-o", str(tmp_path / "run.txt"), "--format", "csv")


def test_a_file_is_only_overwritten_by_force(cli: CommandLine, tmp_path: Path) -> None:
    cli.failed()
    file = tmp_path / "run.json"
    file.write_text("mine")
    assert "--force" in cli.text("export", "-o", str(file), exits=4)
    assert file.read_text() == "mine"
    cli("export", "-o", str(file), "--force")
    assert json.loads(file.read_text())


def test_a_broken_export_leaves_nothing_behind(
    cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.failed()

    def broken(*args: object, **fields: object) -> object:
        yield b"{"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("runline.cli.export.export_run", broken)
    folder = tmp_path / "out"
    folder.mkdir()
    assert "No space left" in cli.text("export", "-o", str(folder / "run.json"), exits=5)
    assert list(folder.iterdir()) == []
    place = tmp_path / "no" / "run.json"
    said = cli.text("export", "-o", str(place), exits=2)
    assert said == f"✖ {place} cannot be made: No such file or directory.\n"


def test_wrong_formats_get_a_suggestion(cli: CommandLine) -> None:
    cli.failed()
    assert "Did you mean 'csv'?" in cli.text("export", "--format", "cvs", exits=2)


@pytest.mark.parametrize("format", ["json", "jsonl", "csv"])
def test_on_a_terminal_nothing_acts_upon_it(terminal: CommandLine, format: str) -> None:
    terminal.emitted({"type": "log", "message": "\x1b]0;x\x07 \x9b2J \u202e \u2028 é"})
    raw = terminal("export", "--format", format).stdout
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\u2028"} & set(raw)
    assert "é" in raw
    if format == "json":
        assert json.loads(raw)["events"][1]["message"] == "\x1b]0;x\x07 \x9b2J \u202e \u2028 é"


def test_on_a_terminal_it_says_what_was_written(terminal: CommandLine, tmp_path: Path) -> None:
    terminal.failed()
    assert "13 events" in terminal.text("export", "-o", str(tmp_path / "x.json"))
