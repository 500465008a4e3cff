from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_a_failed_run_opens_on_its_first_error(cli: CommandLine) -> None:
    run = cli.failed()
    lines = cli.text("show").splitlines()
    assert lines[0] == f"✖ failed  nightly  {run.run_id}"
    assert lines[1] == "✖ DecimalOverflow: 1e309 does not fit numeric(9,4)"
    assert lines[2].startswith("  step transform · event 11 · ")
    assert lines[3] == "  ▫ blocked  load, report"
    assert lines[4].startswith("  ⧗ left open: lookup_vat in transform")
    assert lines[6].startswith("  failed after ")


def test_steps_events_and_artifacts(cli: CommandLine) -> None:
    cli.failed()
    said = cli.text("show")
    assert re.search(r"^Steps  1 of 4$", said, re.MULTILINE)
    for step in ("extract\t✔ completed", "transform\t✖ failed", "load\t▫ blocked", "report\t▫ blocked"):
        assert step in said
    assert "Newest events  12 of 13 · 1 progress event hidden" in said
    assert "step_progress" not in said
    assert "rows.csv\ttable\t4.1 kB\textract\tout/rows.csv" in said


def test_how_many_events(cli: CommandLine) -> None:
    cli.failed()
    assert "Newest events  2 of 13" in cli.text("show", "-n", "2")
    assert "Newest events" not in cli.text("show", "-n", "0")


def test_a_run_of_noise_alone_shows_no_events(cli: CommandLine) -> None:
    with cli.store() as store:
        run = store.create_run("noisy")
        store.append(run.run_id, [{"type": "heartbeat"}] * 500)
    assert "Newest events" not in cli.text("show")


def test_a_running_run_shows_what_it_waits_for(cli: CommandLine) -> None:
    cli.emitted({"type": "llm_request", "correlation_id": "c1", "data": {"model": "small-1"}})
    said = cli.text("show")
    assert said.startswith("◐ running")
    assert "Waiting for\n  ⧗ waiting for " in said
    assert "Failure" not in said


def test_an_ended_run_shows_what_it_left_open(cli: CommandLine) -> None:
    cli.emitted(
        {"type": "llm_request", "correlation_id": "c1", "data": {"model": "small-1"}}, end="completed"
    )
    said = cli.text("show")
    assert re.search(r"^Left open\n  ⧗ left open: ", said, re.MULTILINE)
    assert "Left open\n" in cli.text("show", "--at", "3")
    assert "waiting" not in said + cli.text("why", said.split()[3]) + cli.text("show", "--at", "3")


def test_a_running_run_with_an_error_shows_it(cli: CommandLine) -> None:
    cli.emitted({"type": "error", "message": "lost a page"})
    assert "First error\n✖ lost a page" in cli.text("show")


def test_notes_are_shown(cli: CommandLine) -> None:
    run = cli.completed()
    with cli.store() as store:
        store.add_note(
            run.run_id, "two\nlines", author="me", labels=["vendor"], actions=["open ticket"], event_seq=3
        )
        store.add_note(run.run_id, "nobody's")
    said = cli.text("show")
    assert "  ⚑ someone  just now\n    nobody's\n" in said
    assert "  ⚑ me  just now · on event 3 · [vendor]\n    two\n    lines\n    [ ] open ticket\n" in said


def test_json_is_one_document(cli: CommandLine) -> None:
    run = cli.failed()
    document = cli.json("show")
    assert list(document) == ["run", "steps", "events", "artifacts", "notes", "open_calls"]
    assert document["run"]["run_id"] == run.run_id
    assert document["run"]["input"] == {"date": "2026-11-20"}
    assert [event["seq"] for event in document["events"]] == list(range(1, 14))
    assert [step["state"] for step in document["steps"]] == ["completed", "failed", "blocked", "blocked"]
    assert document["steps"][0]["artifacts"][0]["name"] == "rows.csv"
    assert document["open_calls"][0]["name"] == "lookup_vat"


def test_the_run_as_of_an_event(cli: CommandLine) -> None:
    cli.failed()
    said = cli.text("show", "--at", "10")
    assert said.splitlines()[0].startswith("◐ running  nightly  ")
    assert "as of event 10 of 13" in said
    assert "transform\t◐ running" in said
    assert "Waiting for" in said
    assert "event 11:" not in said
    assert "Newest events  9 of 10" in said
    later = cli.text("show", "--at", "11")
    assert "✖ event 11: 1e309 does not fit" in later


def test_the_run_as_of_its_first_event_has_no_steps_yet(cli: CommandLine) -> None:
    cli.running()
    said = cli.text("show", "--at", "1")
    assert "Steps" not in said
    assert "0 warnings · 0 errors" in said


def test_the_state_as_json(cli: CommandLine) -> None:
    cli.failed()
    state = cli.json("show", "--at", "10")
    assert (state["seq"], state["status"]) == (10, "running")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]{12}Z", state["started_at"])
    assert state["completed_at"] is None
    assert [step["state"] for step in state["steps"]][:2] == ["completed", "running"]
    assert state["open_calls"][0]["name"] == "lookup_vat"
    assert state["stages"] == []


@pytest.mark.parametrize("seq", ["0", "14", "-1"])
def test_an_event_that_is_not_there(cli: CommandLine, seq: str) -> None:
    cli.failed()
    assert "has events 1 to 13" in cli.text("show", "--at", seq, exits=2)


def test_on_a_terminal_it_has_a_strip_of_the_run_and_a_way_on(terminal: CommandLine) -> None:
    with terminal.store() as store:
        run = store.create_run("long", started_at_ms=1_795_200_000_000)
        store.append(
            run.run_id,
            [
                {"type": "log", "ts": f"2026-11-20T18:{minute:02d}:00Z", "level": level}
                for minute, level in zip(
                    range(40, 60), ["info"] * 10 + ["warn", "error"] + ["info"] * 8, strict=True
                )
            ],
        )
        store.append(
            run.run_id, [{"type": "run_ended", "data": {"status": "failed"}, "ts": "2026-11-20T19:00:00Z"}]
        )
    said = terminal.text("show")
    assert re.search(r"[▁█]", said)
    assert re.search(r"^ +⚠ *✖ +$", said, re.MULTILINE)
    assert f"runline why {run.run_id[-4:]}" in said


def test_a_quiet_or_short_run_has_no_marks_below_its_strip(terminal: CommandLine) -> None:
    terminal.emitted(*({"type": "log"} for _ in range(30)))
    assert "⚠" not in terminal.text("show")
    with terminal.store() as store:
        run = store.create_run("calm", started_at_ms=1_795_200_000_000)
        store.append(
            run.run_id, [{"type": "log", "ts": f"2026-11-20T18:{minute:02d}:00Z"} for minute in range(30, 59)]
        )
    shown = terminal.text("show", run.run_id)
    assert re.search(r"▁|█", shown)
    assert not re.search(r"^ +[⚠✖]", shown, re.MULTILINE)


def test_nothing_hostile_reaches_the_terminal(terminal: CommandLine) -> None:
    evil = "\x1b]52;c;eA==\x07\x9b2J\x1b[2J\r\u202e[/nope]"
    with terminal.store() as store:
        run = store.create_run(evil, tags=[evil], kind=evil)
        store.append(
            run.run_id,
            [
                {"type": "step_started", "step": evil},
                {"type": evil, "message": evil, "step": evil, "source": evil},
                {"type": "tool_call", "data": {"name": evil}, "correlation_id": "c"},
                {"type": "artifact_created", "data": {"name": evil, "path": evil, "type": evil}},
                {"type": "error", "message": evil, "data": {"name": evil, "stack": evil, "tail": [evil]}},
            ],
        )
        store.add_note(run.run_id, evil, author=evil, labels=[evil], actions=[evil])
        store.end_run(run.run_id, "failed", error=evil)
    for args in (
        ("show",),
        ("why",),
        ("tail",),
        ("ls",),
        ("note", run.run_id),
        ("search", "nope"),
        ("show", "--at", "5"),
    ):
        raw = re.sub(r"\x1b\[[0-9;]*[mAK]|\x1b\[\?25[lh]|\r", "", terminal(*args).output)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", raw), args
        assert "[/nope]" in raw, args
