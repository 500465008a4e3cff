from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

import runline
from runline.cli import commands, exits
from runline.cli.commands import COMMANDS
from runline.cli.main import app, main
from runline.model.errors import StoreFull

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

RUNLINE = [sys.executable, "-m", "runline.cli"]


def test_alone_it_shows_a_newcomer_three_commands(cli: CommandLine) -> None:
    said = cli.text()
    for command in ("runline exec -- make test", "runline ls", "runline why"):
        assert command in said
    assert len(said.splitlines()) < 12


def test_help_lists_every_command_and_the_exit_codes(cli: CommandLine) -> None:
    said = cli.text("--help")
    assert all(re.search(rf"^  {name} +\S", said, re.MULTILINE) for name in COMMANDS)
    assert "Exit codes: 0 done" in said
    assert cli.text("-h") == said


def test_help_loads_no_command() -> None:
    code = (
        "import sys; sys.argv = ['runline', '--help']\n"
        "from runline.cli.main import main\n"
        "try: main()\n"
        "finally: print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "runline.cli.commands" in loaded
    assert not {"rich", "apsw", "runline.cli.ls", "runline.store.sql_store"} & set(loaded)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help_with_the_global_options(cli: CommandLine, name: str) -> None:
    said = cli.text(name, "--help")
    assert f"Usage: root {name}" in said
    assert "--store URL" in said
    assert "--utc" in said


def test_the_version(cli: CommandLine) -> None:
    assert cli.text("--version") == f"runline {runline.__version__}\n"


def test_a_wrong_command_gets_a_suggestion(cli: CommandLine) -> None:
    said = cli.text("serach", "x", exits=2)
    assert "There is no command 'serach'. Did you mean 'search'?" in said
    assert "--help" in said
    assert "Did you mean" not in cli.text("qqqq", exits=2)


def test_a_wrong_option_gets_a_suggestion(cli: CommandLine) -> None:
    assert "There is no option --limt. Did you mean --limit" in cli.text("ls", "--limt", "3", exits=2)
    said = cli.text("ls", "--qqqqqqq", exits=2)
    assert "There is no option --qqqqqqq.\n" in said
    assert "root ls --help" in said


def test_a_missing_value_is_named(cli: CommandLine) -> None:
    assert "Missing argument 'RUN'" in cli.text("pin", exits=2)
    assert "'x' is not a whole number" in cli.text("ls", "--limit", "x", exits=2)
    for command, option in (("ls", "--tag"), ("ls", "-n"), ("tail", "--level"), ("exec", "--name")):
        assert cli.text(command, option, exits=2) == (
            f"✖ {option} needs a value.\n  `root {command} --help` shows how it is used.\n"
        )
    assert "--store needs a value.\n  `runline --help`" in cli.text("--store", exits=2)
    assert "--json takes no value." in cli.text("ls", "--json=3", exits=2)


def test_the_store_is_named_before_or_after_the_command(cli: CommandLine, tmp_path: Path) -> None:
    other = str(tmp_path / "other.db")
    with runline.open_store(other) as store:
        store.create_run("elsewhere")
    cli.completed()
    for args in (
        ("--store", other, "ls", "-v"),
        ("ls", "-v", "--store", other),
        ("-v", "ls", "--store", f"sqlite:///{other}"),
    ):
        result = cli(*args)
        assert "elsewhere" in result.stdout
        assert result.stderr == f"store: sqlite:///{other}\n"
    assert "nightly" in cli("ls").stdout


def test_absolute_times_before_or_after_the_command(cli: CommandLine) -> None:
    cli.completed()
    for args in (("--utc", "ls"), ("ls", "--utc")):
        assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", cli.text(*args))
    assert "just now" in cli.text("ls")


def test_a_store_that_cannot_be_read_says_what_to_do(cli: CommandLine, tmp_path: Path) -> None:
    assert "runline exec" in cli.text("ls", exits=3)
    (tmp_path / "text.db").write_text("not a database " * 100)
    said = cli.text("ls", "--store", str(tmp_path / "text.db"), exits=5)
    assert "backup" in said
    assert "scheme" not in cli.text("ls", "--store", "ftp://x/y", exits=2)


def _breaking(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def ls(*, utc: bool = False) -> None:
        raise error

    monkeypatch.setattr(commands, "load", lambda entry: ls)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, ""),
        (EOFError(), 130, ""),
        (StoreFull("The disk is full. Free some space."), 5, "✖ The disk is full. Free some space.\n"),
        (PermissionError(13, "Permission denied", "x.db"), 5, "✖ Permission denied: x.db.\n"),
        (OSError("odd"), 5, "✖ odd.\n"),
        (ZeroDivisionError("by zero"), 70, "✖ This is a defect in Runline: ZeroDivisionError: by zero\n"),
        (BrokenPipeError(), 141, ""),
    ],
)
def test_every_end_has_its_code_and_no_traceback(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    _breaking(monkeypatch, error)
    result = cli("ls", exits=code)
    assert result.stderr.strip("\n").startswith(said.strip("\n"))
    assert "Traceback" not in result.output


def test_a_defect_can_be_looked_into(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    _breaking(monkeypatch, ZeroDivisionError("by zero"))
    assert "RUNLINE_DEBUG=1" in cli("ls", exits=exits.BUG).stderr
    monkeypatch.setenv("RUNLINE_DEBUG", "1")
    result = cli("ls", exits=1)
    assert isinstance(result.exception, ZeroDivisionError)


def test_a_hostile_word_is_shown_harmlessly(cli: CommandLine) -> None:
    cli.completed()
    for args in (("\x1b]0;x\x07",), ("ls", "--\x1b[2J"), ("show", "\x1b[2J"), ("ls", "status:\x9b2J")):
        result = cli(*args, exits=3 if args[0] == "show" else 2)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", result.output)


def test_a_reader_that_leaves_ends_it_quietly(cli: CommandLine) -> None:
    cli.emitted(*({"type": "log", "message": "x" * 200} for _ in range(3000)))
    command = subprocess.Popen([*RUNLINE, "tail", "-n", "-1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert command.stdout is not None
    assert command.stderr is not None
    command.stdout.readline()
    command.stdout.close()
    said = command.stderr.read()
    command.stderr.close()
    assert command.wait() == 141
    assert said == b""


def test_a_reader_that_was_never_there_ends_it_quietly(cli: CommandLine) -> None:
    cli.completed()
    reading, writing = os.pipe()
    os.close(reading)
    command = subprocess.Popen([*RUNLINE, "ls"], stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert command.communicate()[1] == b""
    assert command.returncode == 141


def test_ctrl_c_ends_it_quietly(cli: CommandLine) -> None:
    run = cli.running()
    command = subprocess.Popen(
        [*RUNLINE, "tail", "-f", run.run_id], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert command.stdout is not None
    for _ in range(run.last_seq):
        command.stdout.readline()
    command.send_signal(signal.SIGINT)
    _, said = command.communicate()
    assert command.returncode == 130
    assert said == b""


def complete(cli: CommandLine, words: str) -> list[str]:
    """What bash is told for the words so far."""
    environ = {
        "_RUNLINE_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - (0 if words.endswith(" ") else 1)),
    }
    return CliRunner().invoke(app, [], env=environ, prog_name="runline").stdout.split()


def test_completion_knows_commands_values_and_runs(cli: CommandLine) -> None:
    run = cli.completed()
    assert "search" in complete(cli, "runline se")
    assert complete(cli, "runline show night") == [run.run_id]
    assert complete(cli, "runline ls --status fai") == ["failed"]
    assert complete(cli, "runline tail --level wa") == ["warn"]
    assert complete(cli, "runline export --format js") == ["json", "jsonl"]
    assert complete(cli, "runline emit --end comp") == ["completed"]
    assert complete(cli, "runline nosuch x") == []


def test_without_a_store_nothing_is_completed(cli: CommandLine) -> None:
    assert complete(cli, "runline show n") == []


def test_what_is_left_to_write_at_the_end_may_break_too(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.completed()
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "argv", ["runline", "ls"])
        with pytest.raises(SystemExit) as caught:
            main()
    assert caught.value.code == 141
