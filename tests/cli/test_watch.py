from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from runline.cli import watch
from runline.cli.invocation import Invocation
from runline.cli.watch import _around
from runline.model.run import Run
from runline.model.step import Step

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_REDRAW_S", 0.05)


def ending(cli: CommandLine, run_id: str, status: str) -> Callable[[Run], bool]:
    """Lets the watched run go on and end once it has been looked at."""
    looked: list[Run] = []

    def is_over(run: Run) -> bool:
        if not looked:
            with cli.store() as store:
                for number in range(5):
                    data = {"progress": 40 + 10 * number}
                    store.append(run_id, [{"type": "step_progress", "step": "scan", "data": data}])
                    store.append(run_id, [{"type": "log", "level": "warn", "message": f"odd {number}"}])
                store.append(run_id, [{"type": "step_completed", "step": "scan"}])
                store.end_run(run_id, status)
        looked.append(run)
        return not run.is_active

    return is_over


def test_off_a_terminal_each_thing_of_note_is_a_line(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = cli.running()
    monkeypatch.setattr(watch, "_is_over", ending(cli, run.run_id, "completed"))
    lines = cli.text("watch", "--exit-status").splitlines()
    assert [line.split("\t")[-1] for line in lines if "\twarn\t" in line] == [
        "slow disk",
        *(f"odd {n}" for n in range(5)),
    ]
    assert any("step_completed" in line for line in lines)
    assert not any("step_progress" in line for line in lines)
    assert re.fullmatch(r"✔ completed  index after \d+m?s|✔ completed  index after .*", lines[-1])


def test_a_failed_run_is_told_and_is_the_exit_status(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = cli.running()
    monkeypatch.setattr(watch, "_is_over", ending(cli, run.run_id, "failed"))
    said = cli.text("watch", "--exit-status", exits=1)
    assert "✖ failed  index after" in said
    assert f"runline why {run.run_id[-4:]}" in said


def test_without_exit_status_it_exits_with_0(cli: CommandLine) -> None:
    cli.failed()
    assert "DecimalOverflow" in cli.text("watch")


def test_a_run_whose_writer_is_gone_is_over(cli: CommandLine) -> None:
    cli.lost()
    assert "◇ interrupted  lost after" in cli.text("watch", "--exit-status", exits=1)


def test_json_is_the_run_as_it_ended(cli: CommandLine) -> None:
    run = cli.completed()
    assert cli.json("watch", "--exit-status")["run_id"] == run.run_id


def test_progress_is_said_when_it_has_moved(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    run = cli.running()
    monkeypatch.setattr(watch, "_is_over", ending(cli, run.run_id, "completed"))
    assert [line for line in cli.text("watch").splitlines() if line.endswith(" %")] == ["40 %"]


def test_on_a_terminal_one_screen_follows_it(terminal: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    run = terminal.emitted(
        {"type": "step_started", "step": "scan"},
        {"type": "tool_call", "step": "scan", "correlation_id": "c", "data": {"name": "lookup_vat"}},
    )
    monkeypatch.setattr(watch, "_is_over", ending(terminal, run.run_id, "completed"))
    said = terminal.text("watch")
    assert f"emitted  {run.run_id}" in said
    assert "Steps  1 of 1" in said
    assert "odd 4" in said
    assert "✔ completed" in said.split("Newest events")[-2]


def test_the_screen_shows_open_calls_and_the_step_at_work(terminal: CommandLine) -> None:
    with terminal.store() as store:
        run = store.create_run("long", plan={"steps": [{"id": f"step-{n:02d}"} for n in range(40)]})
        for n in range(30):
            store.append(
                run.run_id,
                [
                    {"type": "step_started", "step": f"step-{n:02d}"},
                    {"type": "step_completed", "step": f"step-{n:02d}"},
                ],
            )
        store.append(
            run.run_id,
            [
                {"type": "step_started", "step": "step-30"},
                {"type": "llm_request", "correlation_id": "c", "data": {"model": "small"}},
            ],
        )
        invocation = Invocation()
        shown = str(watch._screen(invocation, store, store.get_run(run.run_id)))
    assert "step-30" in shown
    assert "step-00" not in shown
    assert "20 more steps" in shown
    assert "waiting for" in shown


def test_the_screen_of_a_run_without_steps(terminal: CommandLine) -> None:
    terminal.emitted({"type": "log", "message": "hello"}, end="completed")
    said = terminal.text("watch")
    assert "Steps" not in said
    assert "hello" in said


def test_a_long_list_of_steps_is_a_window_around_the_current_one() -> None:
    steps = [Step(run_id="r", step_id=str(n), state="pending", index=n) for n in range(10)]
    assert [step.step_id for step in _around(steps, 5, 4)] == ["3", "4", "5", "6"]
    assert [step.step_id for step in _around(steps, 0, 4)] == ["0", "1", "2", "3"]
    assert [step.step_id for step in _around(steps, 9, 4)] == ["6", "7", "8", "9"]
    assert len(_around(steps, 9, 40)) == 10
