from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_it_answers_for_the_last_failed_run(cli: CommandLine) -> None:
    good, bad = cli.completed(), cli.failed()
    cli.completed("other")
    said = cli.text("why")
    assert said.startswith(f"✖ failed  nightly  {bad.run_id}\n  failed after ")
    assert "✖ DecimalOverflow: 1e309" in said
    assert "blocked  load, report" in said
    assert "caused by  ValueError: empty string" in said
    assert f"last good    {good.run_id}" in said


def test_it_answers_for_any_run(cli: CommandLine) -> None:
    run = cli.completed()
    cli.failed()
    assert "Nothing failed: no error is among its 10 events." in cli.text("why", run.run_id)


def test_of_a_running_run_it_tells_what_is_open(cli: CommandLine) -> None:
    run = cli.emitted({"type": "tool_call", "correlation_id": "c", "data": {"name": "lookup_vat"}})
    said = cli.text("why", run.run_id)
    assert "Nothing failed" in said
    assert "waiting for lookup_vat" in said


def test_of_a_recorded_command_it_shows_what_was_printed_last(cli: CommandLine) -> None:
    script = "import sys; print('working'); print('first', file=sys.stderr); sys.exit('second')"
    cli("exec", "--name", "script", "--", sys.executable, "-c", script, exits=1)
    said = cli.text("why")
    assert "✖ exit code 1: second" in said
    assert "    first\n    second\n" in said


def test_a_run_that_failed_without_an_error_event(cli: CommandLine) -> None:
    run = cli.emitted({"type": "log"}, end="cancelled")
    assert "cancelled" in cli.text("why", run.run_id)
    cli.emitted({"type": "log"}, end="failed")
    assert "✖ " in cli.text("why")


def test_when_nothing_has_failed_it_says_so(cli: CommandLine) -> None:
    cli.completed()
    assert "No run has failed" in cli.text("why", exits=3)


def test_json_is_the_api_s_answer(cli: CommandLine) -> None:
    cli.completed()
    cli.failed()
    document = cli.json("why")
    assert document["first_error"]["seq"] == 11
    assert re.fullmatch(r"[0-9-]{10}T[0-9:.]{12}Z", document["first_error"]["ts"])
    assert document["blocked"] == ["load", "report"]
    assert document["seen_before"] == {"count": 0, "of_runs": 1, "last_run_id": None}
    assert document["open_calls"][0]["started_at"].endswith("Z")
    assert document["first_divergence"]["reason"]


def test_json_without_an_error(cli: CommandLine) -> None:
    run = cli.completed()
    assert cli.json("why", run.run_id)["first_error"] is None


def test_on_a_terminal_it_says_where_to_go_on(terminal: CommandLine) -> None:
    terminal.completed()
    run = terminal.failed()
    said = terminal.text("why")
    assert f"runline show {run.run_id[-4:]} --at 11" in said
    assert f"runline compare {run.run_id[-4:]}" in said
    terminal.failed("alone")
    assert "runline compare" not in terminal.text("why")
