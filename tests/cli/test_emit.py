from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from runline.cli import emit as module
from runline.store.sql_store import SqlStore

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_a_script_records_a_run(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = cli("emit", "--new", "nightly", "--kind", "pipeline", "--tag", "prod,eu").stdout.strip()
    monkeypatch.setenv("RUNLINE_RUN_ID", run_id)
    assert cli("emit", "step_started", "--step", "extract").output == ""
    cli(
        "emit", "cache_cleared", "cleared 12 pages", "--data", '{"pages": 12}', "--level", "warn", "--source", "cron", "--corr", "c1"
    )  # fmt: skip
    monkeypatch.setenv("RUNLINE_STEP", "load")
    cli("emit", "log", "in load")
    cli("emit", "--end", "failed", "--error", "no pages left")
    events = cli.lines("tail", "-n", "-1", run_id)
    assert [event["type"] for event in events] == [
        "run_started",
        "step_started",
        "cache_cleared",
        "log",
        "run_ended",
    ]
    third = events[2]
    assert (third["level"], third["source"], third["correlation_id"], third["data"]) == (
        "warn",
        "cron",
        "c1",
        {"pages": 12},
    )
    assert events[3]["step"] == "load"
    run = cli.json("show", run_id)["run"]
    assert (run["status"], run["error_message"], run["kind"], run["tags"]) == (
        "failed",
        "no pages left",
        "pipeline",
        ["prod", "eu"],
    )


def test_everything_in_one_command(cli: CommandLine) -> None:
    result = cli("emit", "--new", "build", "--run", "build-7", "log", "hello", "--end", "completed", "--json")
    first, *events = result.stdout.splitlines()
    assert first == "build-7"
    assert [json.loads(event)["type"] for event in events] == ["log", "run_ended"]


def test_events_come_from_standard_input(cli: CommandLine) -> None:
    lines = "".join(f'{{"type": "log", "message": "n{n}"}}\n\n' for n in range(1203))
    run_id = cli("emit", "--new", "batch", "--stdin", input=lines).stdout.strip()
    assert cli.json("show", run_id)["run"]["event_count"] == 1204


def test_a_bad_line_keeps_what_came_before(cli: CommandLine) -> None:
    said = cli.text(
        "emit", "--new", "batch", "--stdin", exits=2, input='{"type": "log"}\n[1]\n{"type": "log"}\n'
    )
    assert "Line 2 of standard input is not a JSON object" in said
    assert "What came before it is stored (1)" in said
    assert cli.json("show")["run"]["event_count"] == 2


@pytest.mark.parametrize("line", ["nonsense", "NaN", "[" * 100_000, '{"a":', '"x"', "\x00"])
def test_no_line_breaks_it(cli: CommandLine, line: str) -> None:
    assert "Line 1 of standard input" in cli.text("emit", "--new", "x", "--stdin", exits=2, input=line + "\n")


def test_what_json_allows_and_others_write_is_stored_in_its_own_form(cli: CommandLine) -> None:
    line = '{"data": {"nan": NaN, "large": 123456789012345678901234567890}, "message": "\\ud800"}'
    cli("emit", "--new", "x", "--stdin", input=line + "\n")
    event = cli.lines("tail")[1]
    assert event["data"] == {"nan": None, "large": "123456789012345678901234567890"}
    assert event["message"] == "\ufffd"


def test_on_a_terminal_it_says_how_many(terminal: CommandLine) -> None:
    run_id = terminal("emit", "--new", "batch").stdout.split()[0]
    assert "1 event stored" in terminal.text("emit", "--run", run_id, "--stdin", input='{"type": "log"}\n')
    assert "0 events stored" in terminal.text("emit", "--run", run_id, "--stdin", input="")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "Name the event's type"),
        (["log"], "RUNLINE_RUN_ID"),
        (["--new", "  "], "needs a name"),
        (["--new", "x", "log", "--data", "[1]"], "not a JSON object"),
        (["--new", "x", "log", "--data", "{"], "not a JSON object"),
        (["--new", "x", "log", "--level", "erorr"], "Did you mean 'error'?"),
        (["--new", "x", "--end", "complete"], "Did you mean 'completed'?"),
        (["--new", "x", "--run", "../x"], "run id"),
    ],
)
def test_what_is_wrong_is_said(cli: CommandLine, args: list[str], said: str) -> None:
    assert said in cli.text("emit", *args, exits=2)


def test_nothing_follows_the_end(cli: CommandLine) -> None:
    run = cli.completed()
    assert run.run_id in cli.text("emit", "--run", run.run_id, "log", exits=4)
    cli("emit", "--run", "nosuch", "log", exits=3)
    cli("emit", "--new", "again", "--run", run.run_id, exits=4)


def test_events_beyond_the_limit_of_a_run_are_told(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    run = cli.running()
    monkeypatch.setattr(SqlStore, "append", lambda *args, **fields: [])
    assert "1 events were not stored" in cli("emit", "--run", run.run_id, "log").stderr


def test_lines_are_read_in_pieces_of_bounded_size(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_LINE_BYTES", 64)
    said = cli.text(
        "emit", "--new", "x", "--stdin", exits=2, input='{"type": "log", "message": "' + "x" * 200 + '"}\n'
    )
    assert "Line 1" in said
