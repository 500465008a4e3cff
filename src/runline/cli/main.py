"""The application: global options, commands loaded when they run, and an end without a traceback.

Everything that goes wrong ends here: a sentence on standard error that says what to do, and a code from
`exits.py`. Only Typer is imported at the start; Rich, the store and each command's module come when used,
so that `runline --help` stays quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

import runline
from runline.cli import commands, exits
from runline.cli.argument_help import tell_plainly
from runline.cli.invocation import Invocation
from runline.cli.output import stderr
from runline.cli.roles import Span
from runline.cli.values import read_plainly
from runline.model.errors import RunlineError

_NEWCOMER = """\
Runline records any command as a run, and shows it live and afterwards.

Start with these three:
  runline exec -- make test     record a command
  runline ls                    see what ran
  runline why                   see why the last failed run failed

`runline demo` records real commands to look at; `runline --help` lists everything.
"""
_GLOBAL = ("store_url", "verbose", "utc")
_EPILOG = """\
RUN is a run's id, its beginning or its end where that is unique (the last 4 characters mostly are), or
nothing for the latest run. Every reading command takes --json. Exit codes: 0 done, 1 the run failed or a
check found a problem, 2 usage, 3 not found, 4 conflict, 5 store unavailable or full.
"""


class CommandLine(TyperGroup):
    """A group whose commands are imported when they are invoked, and that turns errors into sentences."""

    def get_params(self, ctx: Any) -> Any:
        params = super().get_params(ctx)
        read_plainly(params)
        return params

    def list_commands(self, _: Any) -> list[str]:
        return list(commands.COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        entry = commands.COMMANDS.get(cmd_name)
        if entry is None:
            return None
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        settings = {"allow_interspersed_args": False} if entry.takes_rest else {}
        app.command(cmd_name, context_settings={**_HELP_NAMES, **settings})(commands.load(entry))
        command = get_command(app)
        command.params.extend(param for param in self.params if param.name in _GLOBAL)
        tell_plainly(command.params)
        read_plainly(command.get_params(ctx))
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        known = not args or args[0].startswith("-") or args[0] in commands.COMMANDS
        if not known and not ctx.resilient_parsing:
            ctx.fail(_unknown_command(args[0]))
        return super().resolve_command(ctx, args)

    def format_commands(self, _: Any, formatter: Any) -> None:
        for section in commands.SECTIONS:
            rows = [(e.name, e.summary) for e in commands.COMMANDS.values() if e.section == section]
            with formatter.section(section):
                formatter.write_dl(rows, col_max=12)

    def format_epilog(self, _: Any, formatter: Any) -> None:
        formatter.write_paragraph()
        formatter.write(_EPILOG)

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> Any:
        """Runs the command and exits with its code."""
        extra.pop("standalone_mode", None)
        try:
            code = _guarded(
                lambda: super(CommandLine, self).main(args, prog_name, standalone_mode=False, **extra)
            )
            sys.stdout.flush()
        except BrokenPipeError:
            code = _broken_pipe()
        sys.exit(code)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.TyperException as error:
            refused: Any = error
            # What the parser itself refuses does not say which command it was for.
            if getattr(refused, "ctx", refused) is None:
                name = ctx.invoked_subcommand
                refused.ctx = typer.Context(self.get_command(ctx, name), parent=ctx, info_name=name)
            raise
        except BrokenPipeError as error:  # before Typer sees it, to whom it is any other failure
            raise typer.Exit(_broken_pipe()) from error


_HELP_NAMES = {"help_option_names": ["-h", "--help"]}


def _guarded(run: Any) -> int:
    """The exit code of running the command; whatever it raised has been told on standard error."""
    try:
        code = run()
    except typer.TyperException as error:
        _tell(*_usage_sentences(error))
        return getattr(error, "exit_code", exits.USAGE)
    except (typer.Abort, KeyboardInterrupt):
        return exits.INTERRUPTED
    except RunlineError as error:
        _tell(error.message)
        return exits.exit_code(error)
    except OSError as error:
        _tell(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}.")
        return exits.STORE
    except Exception as error:
        if os.environ.get("RUNLINE_DEBUG"):
            raise
        _tell(
            f"This is a defect in Runline: {type(error).__name__}: {error}",
            "Nothing more of the command was done. Set RUNLINE_DEBUG=1 to see where it happened, and report it.",
        )
        return exits.BUG
    return code if isinstance(code, int) else exits.OK


def _tell(*sentences: str) -> None:
    err = stderr()
    err.line(Span(f"{err.glyphs['error']} ", "failed"), sentences[0])
    for sentence in sentences[1:]:
        err.line(Span(f"  {sentence}", "dim"))


def _usage_sentences(error: Any) -> tuple[str, ...]:
    ctx = getattr(error, "ctx", None)
    sentence = error.format_message()
    option = getattr(error, "option_name", None)
    if option and hasattr(error, "possibilities"):
        near = error.possibilities
        sentence = f"There is no option {option}." + (f" Did you mean {' or '.join(near)}?" if near else "")
    elif option:
        sentence = f"{option} takes no value." if "not take" in sentence else f"{option} needs a value."
    path = "runline" if ctx is None else ctx.command_path
    return sentence, f"`{path} --help` shows how it is used."


def _unknown_command(word: str) -> str:
    near = get_close_matches(word, commands.COMMANDS, n=1, cutoff=0.5)
    return f"There is no command {word[:60]!r}." + (f" Did you mean {near[0]!r}?" if near else "")


def _broken_pipe() -> int:
    """Whoever read the output is gone: leave without a word, also when Python flushes at the end."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
    except (OSError, ValueError):  # pragma: no cover - a stream without a file descriptor cannot break
        pass
    return exits.BROKEN_PIPE


app = typer.Typer(
    cls=CommandLine,
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=_HELP_NAMES,
)


def _set_store(ctx: typer.Context, value: str | None) -> str | None:
    if value is not None:
        Invocation.of(ctx).store_url = value
    return value


def _set_verbose(ctx: typer.Context, value: bool) -> bool:
    Invocation.of(ctx).verbose |= value
    return value


def _set_utc(ctx: typer.Context, value: bool) -> bool:
    Invocation.of(ctx).utc |= value
    return value


def _say_version(value: bool) -> None:
    if value:
        typer.echo(f"runline {runline.__version__}")
        raise typer.Exit


@app.callback(help="Runline records any command as a run, and shows it live and afterwards.")
def start(
    ctx: typer.Context,
    *,
    store_url: Annotated[
        str | None,
        typer.Option(
            "--store",
            metavar="URL",
            help="The store: a file, or sqlite:///path. Else RUNLINE_STORE, else the nearest .runline/runline.db.",
            callback=_set_store,
            expose_value=False,
        ),
    ] = None,
    verbose: Annotated[
        bool,
        typer.Option(
            "-v", "--verbose", help="Say which store is used.", callback=_set_verbose, expose_value=False
        ),
    ] = False,
    utc: Annotated[
        bool,
        typer.Option("--utc", help="Show absolute times in UTC.", callback=_set_utc, expose_value=False),
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_say_version, is_eager=True)
    ] = False,
) -> None:
    del store_url, verbose, utc, version  # their callbacks have seen to them
    if ctx.invoked_subcommand is None:
        typer.echo(_NEWCOMER, nl=False)


def main() -> None:
    app(prog_name="runline")
