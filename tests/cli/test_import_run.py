from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runline.store import open_store

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


@pytest.mark.parametrize("format", ["json", "jsonl"])
def test_what_was_exported_comes_back_equal(cli: CommandLine, tmp_path: Path, format: str) -> None:
    run = cli.failed()
    with cli.store() as store:
        store.add_note(run.run_id, "vendor", author="me")
        events = store.read(run.run_id, limit=1000)
    file = tmp_path / f"run.{format}"
    cli("export", "-o", str(file))
    other = tmp_path / "other.db"
    said = cli.text("import", str(file), "--store", str(other))
    assert said == f"✖ failed  nightly  {run.run_id}  13 events\n"
    with open_store(str(other)) as store:
        assert store.read(run.run_id, limit=1000) == events
        assert [note.note for note in store.list_notes(run.run_id)] == ["vendor"]


def test_from_standard_input_and_under_another_id(cli: CommandLine) -> None:
    run = cli.failed()
    exported = cli("export").stdout
    result = cli("import", "-", "--as", "again-1", "--json", input=exported)
    assert '"run_id":"again-1"' in result.stdout
    assert cli.json("show", "again-1")["run"]["event_count"] == run.event_count


def test_an_id_that_is_taken_is_a_conflict(cli: CommandLine) -> None:
    cli.failed()
    exported = cli("export", "--format", "jsonl").stdout
    said = cli.text("import", "-", exits=4, input=exported)
    assert re.fullmatch(r"✖ There is already a run 'nightly-\S+'\. Name another id with --as ID\.\n", said)


def test_what_is_no_export_is_refused(cli: CommandLine, tmp_path: Path) -> None:
    assert "There is no file" in cli.text("import", str(tmp_path / "missing.json"), exits=3)
    assert "neither JSON nor JSONL" in cli.text("import", "-", exits=2, input="hello")
    assert ".." not in cli.text("import", "-", exits=2, input="hello")


def test_a_long_run_comes_through(terminal: CommandLine, tmp_path: Path) -> None:
    terminal.emitted(
        *({"type": "log", "message": f"n{n}"} for n in range(1200)), name="long", end="completed"
    )
    file = tmp_path / "long.jsonl"
    terminal("export", "-o", str(file))
    assert "1,202 events" in terminal.text("import", str(file), "--as", "long-2")
