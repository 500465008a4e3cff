from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from runline.cli import tail
from runline.cli.event_lines import event_line

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_the_newest_events_one_line_each(cli: CommandLine) -> None:
    cli.failed()
    lines = cli.text("tail", "-n", "3").splitlines()
    assert [line.split("\t")[0] for line in lines] == ["11", "12", "13"]
    assert lines[0].endswith("error\ttransform\terror\t1e309 does not fit numeric(9,4)")


def test_how_many(cli: CommandLine) -> None:
    cli.emitted(*({"type": "log", "message": f"n{number}"} for number in range(1200)))
    assert len(cli.text("tail").splitlines()) == 20
    assert cli.text("tail", "-n", "0") == ""
    assert [line.split("\t")[0] for line in cli.text("tail", "-n", "1100").splitlines()] == [
        str(n) for n in range(102, 1202)
    ]
    assert len(cli.text("tail", "-n", "-1").splitlines()) == 1201
    assert len(cli.text("tail", "-n", "5000").splitlines()) == 1201


@pytest.mark.parametrize(
    ("args", "seqs"),
    [
        (["--level", "error"], [11, 12]),
        (["--step", "extract"], [2, 3, 4, 5, 6]),
        (["--type", "step_started,step_completed"], [2, 6, 7, 9]),
        (["--source", "stdout"], [3]),
        (["-q", '"1e309"'], [11]),
        (["-q", "level:error -type:error", "--step", "transform"], [12]),
        (["--level", "error", "-n", "1"], [12]),
    ],
)
def test_filters(cli: CommandLine, args: list[str], seqs: list[int]) -> None:
    cli.failed()
    found = [event["seq"] for event in cli.lines("tail", *args)]
    assert found == seqs


def test_json_is_canonical_events(cli: CommandLine) -> None:
    run = cli.failed()
    first = cli.lines("tail", "-n", "-1")[0]
    assert list(first) == [
        "id",
        "run_id",
        "seq",
        "ts",
        "type",
        "level",
        "step",
        "source",
        "message",
        "correlation_id",
        "data",
        "elapsed_s",
    ]
    assert first["run_id"] == run.run_id


def test_wrong_values_get_suggestions(cli: CommandLine) -> None:
    cli.failed()
    assert "Did you mean 'warn'?" in cli.text("tail", "--level", "warm", exits=2)
    assert "Did you mean 'level'?" in cli.text("tail", "-q", "levl:error", exits=2)


def test_steps_and_types_that_the_run_does_not_have_are_named(cli: CommandLine) -> None:
    run = cli.failed()
    result = cli("tail", "--type", "tool_cal,log", "--step", "nope,load")
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        f"No event of type tool_cal in {run.run_id}. Did you mean 'tool_call'?",
        f"No event of step nope in {run.run_id}.",
    ]
    assert cli("tail", "-q", "nothing like it").output == ""


def test_on_a_terminal_long_lines_are_cut(terminal: CommandLine) -> None:
    terminal.emitted({"type": "log", "message": "x" * 300})
    assert [len(line) for line in terminal.text("tail", "-n", "1").splitlines()] == [100]
    assert terminal.lines("tail", "-n", "1")[0]["message"] == "x" * 300


def test_following_an_ended_run_ends(terminal: CommandLine) -> None:
    terminal.failed()
    said = terminal.text("tail", "-f", "-n", "2")
    assert said.splitlines()[0].startswith("○ Ended  nightly")
    assert "○ Ended  ✖ failed after " in said
    assert len(terminal.lines("tail", "-f", "-n", "2")) == 2


def test_following_a_live_run_goes_to_its_end(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "_LOOK_S", 0.05)
    run = cli.running()
    seen = threading.Event()
    printed = event_line

    def told(*args: object, **fields: object) -> None:
        printed(*args, **fields)  # type: ignore[arg-type]
        seen.set()

    monkeypatch.setattr(tail, "event_line", told)

    def writer() -> None:
        seen.wait(10)
        with cli.store() as store:
            store.append(run.run_id, [{"type": "log", "message": "one more"}])
            store.end_run(run.run_id)

    thread = threading.Thread(target=writer)
    thread.start()
    lines = cli.text("tail", "-f", "-n", "1").splitlines()
    thread.join()
    assert [line.split("\t")[0] for line in lines] == ["4", "5", "6"]


def test_following_a_run_whose_writer_is_gone_ends(
    terminal: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "_LOOK_S", 0.05)
    run = terminal.lost()
    said = terminal.text("tail", "-f", run.run_id)
    assert "◇ interrupted after " in said


def test_live_is_said_on_a_terminal(terminal: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    run = terminal.running()

    def writer() -> None:
        with terminal.store() as store:
            store.end_run(run.run_id)

    thread = threading.Thread(target=writer)
    hinted = []

    def hint(self: object, text: str) -> None:
        hinted.append(text)
        thread.start()

    monkeypatch.setattr("runline.cli.invocation.Invocation.hint", hint)
    terminal("tail", "-f")
    thread.join()
    assert hinted[0].startswith("●")
    assert "Live" in hinted[0]
