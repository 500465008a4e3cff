from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_json_is_the_api_s_page(cli: CommandLine) -> None:
    runs = [cli.completed(), cli.failed(), cli.running()]
    page = cli.json("ls")
    assert list(page) == ["runs", "next_cursor", "has_more"]
    assert [run["run_id"] for run in page["runs"]] == [run.run_id for run in reversed(runs)]
    assert page["has_more"] is False
    assert page["next_cursor"] is None


def test_pages_follow_each_other(cli: CommandLine) -> None:
    for number in range(5):
        cli.emitted({"type": "log"}, name=f"n{number}")
    first = cli.json("ls", "--limit", "3")
    assert first["has_more"] is True
    rest = cli.json("ls", "--limit", "3", "--cursor", first["next_cursor"])
    names = [run["pipeline_name"] for page in (first, rest) for run in page["runs"]]
    assert names == ["n4", "n3", "n2", "n1", "n0"]
    cli("ls", "--cursor", "nonsense", exits=2)


@pytest.mark.parametrize(
    ("args", "names"),
    [
        (["status:failed"], ["nightly"]),
        (["--status", "failed,running"], ["index", "nightly"]),
        (["--status", "running", "--status", "completed"], ["index", "build"]),
        (["--name", "build"], ["build"]),
        (["--kind", "pipeline"], ["nightly", "build"]),
        (["--tag", "prod", "status:completed"], ["build"]),
        (["--since", "1h"], ["index", "nightly", "build"]),
        (["--until", "1h"], []),
        (["since:1h", "-status:running"], ["nightly", "build"]),
        (["-q", 'pipeline:build,index "ind"'], ["index"]),
        (["nightly", "status:failed"], ["nightly"]),
    ],
)
def test_filters_are_words_or_flags(cli: CommandLine, args: list[str], names: list[str]) -> None:
    cli.completed("build")
    cli.failed()
    cli.running()
    words = ["--" if arg.startswith("-status") else arg for arg in args]
    given = args if "--" not in words else [args[0], "--", *args[1:]]
    assert [run["pipeline_name"] for run in cli.json_of("ls", "--json", *given)["runs"]] == names


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["statu:failed"], "Did you mean 'status'?"),
        (["--status", "faild"], "Did you mean 'failed'?"),
        (["level:error"], "filters events, not runs"),
        (["--since", "yesterday"], "is not a time"),
        (["--limit", "0"], "--limit is 1 to 100, not 0."),
        (["--limit", "1000"], "--limit is 1 to 100, not 1000."),
        (["status:fialed"], "Did you mean 'failed'?"),
        (["--status", "fialed"], "Did you mean 'failed'?"),
    ],
)
def test_a_wrong_filter_says_what_to_write(cli: CommandLine, args: list[str], said: str) -> None:
    cli.completed()
    assert said in cli.text("ls", *args, exits=2)


def test_off_a_terminal_columns_have_tabs_and_ids_are_whole(cli: CommandLine) -> None:
    run = cli.failed()
    cells = cli("ls").stdout.rstrip("\n").split("\t")
    assert cells[:4] == ["✖ failed", run.run_id, "nightly", "just now"]
    assert cells[5:9] == ["", "1/4", "1", "2"]
    assert len(cells) == 10


def test_on_a_terminal_there_is_a_table_with_short_ids(terminal: CommandLine) -> None:
    run = terminal.running()
    with terminal.store() as store:
        store.add_note(run.run_id, "looks slow")
    said = terminal.text("ls")
    assert said.split() == [
        *["STATUS", "ID", "NAME", "STARTED", "TIME", "PROGRESS", "STEPS", "⚠", "✖"],
        *f"◐ running {run.run_id[-4:]} index just now".split(),
        *said.split()[15:],
    ]
    assert " 40 % " in said
    assert " 0/1 " in said


def test_a_wide_terminal_shows_whole_ids_and_notes(
    terminal: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    run = terminal.completed()
    with terminal.store() as store:
        store.add_note(run.run_id, "looks [bold]slow[/bold]")
    said = terminal.text("ls")
    assert run.run_id in said
    assert "⚑ looks [bold]slow[/bold]" in said


def test_what_has_no_progress_shows_its_estimate_alone(cli: CommandLine) -> None:
    cli.emitted({"type": "log"})
    assert cli("ls").stdout.split("\t")[5] == "no estimate yet"
    with cli.store() as store:
        store.end_run(store.list_runs().items[0].run_id)
    assert cli("ls").stdout.split("\t")[5] == ""


def test_more_than_a_page_says_how_to_go_on(terminal: CommandLine) -> None:
    terminal.completed()
    terminal.completed()
    assert "--cursor" in terminal.text("ls", "--limit", "1")


def test_an_empty_store_says_how_to_begin(terminal: CommandLine) -> None:
    with terminal.store():
        pass
    assert "runline exec" in terminal.text("ls")


def test_a_hostile_name_does_nothing(terminal: CommandLine) -> None:
    with terminal.store() as store:
        store.create_run("\x1b]0;owned\x07[red]x[/red]\n\u202eevil")
    raw = terminal("ls").output
    assert "\x1b]" not in raw
    assert "\u202e" not in raw
    assert "[red]x" in raw
    assert raw.count("\n") == 2
