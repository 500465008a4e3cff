"""The application: global options, commands loaded when they run, and an end without a traceback.

Everything that goes wrong ends here: a sentence on standard error that says what to do, and a code from
`exits.py`. Only Typer is imported at the start; Rich, the store and each command's module come when used,
so that `runline --help` stays quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

import runline
from runline.cli import exits
from runline.cli.command_group import HELP_NAMES, CommandGroup
from runline.cli.invocation import Invocation
from runline.cli.output import stderr
from runline.cli.roles import Span
from runline.model.errors import RunlineError

_NEWCOMER = """\
Runline records any command as a run, and shows it live and afterwards.

Start with these three:
  runline exec -- make test     record a command
  runline ls                    see what ran
  runline why                   see why the last failed run failed

`runline demo` records real commands to look at; `runline --help` lists everything.
"""
_EPILOG = """\
RUN is a run's id, its beginning or its end where that is unique (the last 4 characters mostly are), or
nothing for the latest run. Every reading command takes --json. Exit codes: 0 done, 1 the run failed or a
check found a problem, 2 usage, 3 not found, 4 conflict, 5 store unavailable or full.
"""


class CommandLine(CommandGroup):
    """The whole command line: it turns errors into sentences and exit codes."""

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
        except BrokenPipeError as error:  # before Typer sees it, to whom it is any other failure
            raise typer.Exit(_broken_pipe()) from error


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
    context_settings=HELP_NAMES,
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
            help="The store: a file, sqlite:///path or a server, http://host:port. Else RUNLINE_STORE, else the nearest .runline/runline.db.",
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
