"""`runline exec`: any command, recorded: its output line by line, and how it ended."""

from __future__ import annotations

from typing import Annotated

import typer

from runline.cli.invocation import Invocation
from runline.cli.options import words


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
    code = record_command(
        command,
        store=invocation.url,
        name=name,
        kind=kind,
        tags=words(tag),
        run_id=run_id,
        best_effort=best_effort,
    )
    err = invocation.err
    if code == 0:
        invocation.hint(f"{err.glyphs['completed']} recorded: `runline show`")
    else:
        invocation.hint(f"{err.glyphs['failed']} exit code {code}, recorded: `runline why`")
    raise typer.Exit(code)
