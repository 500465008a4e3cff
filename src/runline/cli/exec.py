"""`runline exec`: any command, recorded: its output line by line, and how it ended."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from runline.cli.invocation import Invocation
from runline.cli.options import words
from runline.cli.shown import Screen
from runline.model.errors import Invalid, RunlineError
from runline.model.run import Run

_NO_PLACE = frozenset({"cannot_create", "read_only"})


def exec_command(
    ctx: typer.Context,
    *,
    command: Annotated[
        list[str], typer.Argument(metavar="COMMAND...", help="The command and its arguments, best after --.")
    ],
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="What to call the run, else the command.")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", metavar="TAG", help="May be given again.")] = None,
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help="run, session, …")] = "run",
    run_id: Annotated[str | None, typer.Option("--id", metavar="ID", help="An id of your own.")] = None,
    best_effort: Annotated[
        bool, typer.Option("--best-effort", help="Run it even when the store cannot take it.")
    ] = False,
) -> None:
    """Run a command and record it. It ends as the command does: with its exit code, or 128 + its signal."""
    invocation = Invocation.of(ctx)
    from runline.record.process import record_command

    invocation.say_store()
    since_ms, screen = invocation.now_ms(), Screen()
    try:
        code = record_command(
            command,
            store=invocation.url,
            name=name,
            kind=kind,
            tags=words(tag),
            run_id=run_id,
            stdout=screen.of(sys.stdout.buffer),
            stderr=screen.of(sys.stderr.buffer),
            best_effort=best_effort,
        )
    except RunlineError as error:
        if error.code not in _NO_PLACE:
            raise
        raise Invalid(
            f"{error.message} Or run the command unrecorded: --best-effort.", code="not_recorded"
        ) from error
    if invocation.err.on_terminal:
        if not screen.at_line_start:
            invocation.err.blank()
        invocation.hint(_ending(invocation, code, since_ms))
    raise typer.Exit(code)


def _ending(invocation: Invocation, code: int, since_ms: int) -> str:
    """The closing line, as the run was stored: a command that was stopped is cancelled, not failed."""
    glyphs = invocation.err.glyphs
    if code == 0:
        return f"{glyphs['completed']} recorded: `runline show`"
    run = _run_of_this_process(invocation, since_ms)
    if run is None:
        return f"{glyphs['failed']} exit code {code}, not recorded"
    if run.status == "cancelled":
        return f"{glyphs['cancelled']} cancelled (exit code {code}), recorded: `runline show`"
    return f"{glyphs['failed']} exit code {code}, recorded: `runline why`"


def _run_of_this_process(invocation: Invocation, since_ms: int) -> Run | None:
    try:
        with invocation.reading() as store:
            newest = store.list_runs(since_ms=since_ms, limit=100).items
    except RunlineError:
        return None
    return next((run for run in newest if run.pid == os.getpid()), None)
