"""The corpus of bad input through the command line: stored or refused, never a defect, never a live escape."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from runline.cli.main import app
from runline.testing.corpus import BAD_EVENTS, BAD_JSON, BAD_TEXTS, PATHS, TERMINAL, truncated

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

TEXTS = {**BAD_TEXTS, **TERMINAL}
STYLE = re.compile(r"\x1b\[[0-9;]*[mAK]|\x1b\[\?25[lh]|\r(?=\x1b|$)")
ACTIVE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u200e\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_any_text_is_stored_and_shown_harmlessly(terminal: CommandLine, text: str) -> None:
    with terminal.store() as store:
        run = store.create_run(text if text.strip() else "blank", tags=[text], run_id="run-1")
    given = [
        "--step",
        text,
        "--source",
        text,
        "--corr",
        text,
        "--data",
        json.dumps({"name": text, "stack": text}),
    ]
    runner = CliRunner()
    for args in (
        ["emit", "--run", "run-1", *given, "--", "error", text],
        ["emit", "--run", "run-1", *given, "--", text, text],
        ["note", "run-1", "--author", text, "--label", text, "--action", text, "--", f"note {text}"],
        ["emit", "--run", "run-1", "--end", "failed", "--error", text],
    ):
        result = runner.invoke(app, args)
        assert result.exit_code == 0, result.output
    for show in (["ls"], ["show"], ["why"], ["tail"], ["note", run.run_id], ["show", "--at", "2"]):
        shown = STYLE.sub("", terminal(*show).output)
        assert not ACTIVE.search(shown), show
    terminal("search", "--run", "run-1", "--", "level:error")
    for line in terminal("tail", "--json").stdout.splitlines():
        json.loads(line)


@pytest.mark.parametrize("line", BAD_JSON.values(), ids=BAD_JSON.keys())
def test_any_line_is_stored_or_refused(cli: CommandLine, line: bytes) -> None:
    result = CliRunner().invoke(app, ["emit", "--new", "x", "--stdin"], input=line + b"\n")
    assert result.exit_code in (0, 2), result.output
    assert "Traceback" not in result.output
    assert cli.json("verify")["ok"] is True


@pytest.mark.parametrize("event", BAD_EVENTS.values(), ids=BAD_EVENTS.keys())
def test_any_event_is_stored(cli: CommandLine, event: dict[str, object]) -> None:
    cli("emit", "--new", "x", "--stdin", input=json.dumps(event) + "\n")
    assert cli.json("verify")["ok"] is True


@pytest.mark.parametrize("path", PATHS)
def test_no_id_leaves_its_place(cli: CommandLine, tmp_path: Path, path: str) -> None:
    cli.failed()
    before = sorted(tmp_path.parent.iterdir())
    runner = CliRunner()
    exported = runner.invoke(app, ["export"]).stdout_bytes
    for args in (
        ["show", "--", path],
        ["emit", "--new", "x", "--run", path],
        ["import", "-", "--as", path],
        ["note", "--", path, "x"],
        ["export", "--", path],
    ):
        result = runner.invoke(app, args, input=exported)
        assert result.exit_code in (0, 2, 3, 4), result.output
    assert sorted(tmp_path.parent.iterdir()) == before


def test_an_export_that_was_cut_off_leaves_no_run(cli: CommandLine) -> None:
    cli.failed()
    runner = CliRunner()
    for name in ("json", "jsonl"):
        exported = runner.invoke(app, ["export", "--format", name]).stdout_bytes
        pieces = list(truncated(exported.rstrip()))
        for piece in pieces[:: max(1, len(pieces) // 40)]:
            assert runner.invoke(app, ["import", "-", "--as", "cut"], input=piece).exit_code == 2
    assert len(cli.json("ls")["runs"]) == 1
