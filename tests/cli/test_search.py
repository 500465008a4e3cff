from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_hits_of_all_runs_stand_below_their_run(cli: CommandLine) -> None:
    first, second = cli.failed(), cli.emitted({"type": "log", "message": "1e309 again"})
    cli.completed()
    lines = cli.text("search", "1e309").splitlines()
    assert lines[0].endswith(second.run_id)
    assert lines[1].endswith("1e309 again")
    assert lines[2].endswith(first.run_id)
    assert lines[3].split("\t")[0] == "11"
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("words", "seqs"),
    [
        (["level:error", "step:transform"], [11, 12]),
        (["does not fit"], [11]),
        (['"does not fit"'], [11]),
        (["fit", "does"], [11]),
        (["type:step_started,step_completed"], [2, 6, 7, 9]),
        (["--", "-step:extract,transform", "-type:run_ended"], [1]),
        (["tokens:>400"], [6]),
        (["nothing like it"], []),
    ],
)
def test_the_filter_language(cli: CommandLine, words: list[str], seqs: list[int]) -> None:
    run = cli.failed()
    assert [hit["seq"] for hit in cli.lines_of("search", "--run", run.run_id, "--json", *words)] == seqs


def test_a_run_alone_is_not_named(cli: CommandLine) -> None:
    run = cli.failed()
    assert [
        line.split("\t")[0]
        for line in cli.text("search", "--run", run.run_id[-4:], "level:error").splitlines()
    ] == ["11", "12"]


def test_the_whole_of_a_long_run_is_searched(cli: CommandLine) -> None:
    with cli.store() as store:
        run = store.create_run("long")
        for first in range(0, 45_000, 5_000):
            store.append(
                run.run_id,
                [{"type": "log", "message": f"needle {n % 10}"} for n in range(first, first + 5_000)],
            )
    hits = cli("search", "needle 7", "--run", run.run_id, "-n", "100000").stdout.splitlines()
    assert len(hits) == 4_500
    assert hits[-1].endswith("needle 7")
    assert len(cli("search", "needle 7", "-n", "2500").stdout.splitlines()) == 2_501


def test_how_many_runs_and_hits(cli: CommandLine) -> None:
    for _ in range(3):
        cli.emitted({"type": "log", "message": "needle"}, {"type": "log", "message": "needle"})
    assert len(cli.lines("search", "needle")) == 6
    assert len(cli.lines("search", "needle", "--runs", "2")) == 4
    assert len(cli.lines("search", "needle", "--runs", "150")) == 6
    assert len(cli.lines("search", "needle", "-n", "3")) == 3
    assert "--limit is at least 1, not 0." in cli.text("search", "needle", "-n", "0", exits=2)
    assert "--runs is at least 1, not -3." in cli.text("search", "needle", "--runs", "-3", exits=2)


def test_a_wrong_field_gets_a_suggestion_before_anything_is_opened(cli: CommandLine) -> None:
    assert "Did you mean 'level'?" in cli.text("search", "levle:error", exits=2)
    assert "Did you mean 'error'?" in cli.text("search", "level:eror", exits=2)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["needle"], "3 hits in the newest 2 runs"),
        (["one"], "1 hit in the newest 2 runs"),
        (["needle", "-n", "2"], "2 hits in the newest 2 runs (there may be more: raise --limit)"),
        (["needle", "--runs", "1"], "1 hit in the newest run"),
    ],
)
def test_on_a_terminal_the_hits_are_counted(terminal: CommandLine, args: list[str], said: str) -> None:
    terminal.emitted({"type": "log", "message": "needle one"}, {"type": "log", "message": "needle"})
    terminal.emitted({"type": "log", "message": "needle"})
    assert said in terminal.text("search", *args)


def test_an_empty_store_has_no_hits(cli: CommandLine) -> None:
    with cli.store():
        pass
    assert cli("search", "x").output == ""
