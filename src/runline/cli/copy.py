"""`runline copy`: every run of one store into another, whatever holds them."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from runline.cli import exits
from runline.cli.invocation import Invocation
from runline.cli.options import JsonOption
from runline.cli.progress import progress
from runline.cli.roles import Span
from runline.model.errors import Invalid


def copy(
    ctx: typer.Context,
    *,
    source: Annotated[str, typer.Argument(metavar="FROM", help="A store: a file, postgresql://…, http://….")],
    target: Annotated[str, typer.Argument(metavar="TO", help="Another one, made if need be.")],
    json: JsonOption = False,
) -> None:
    """Copy all runs into another store and compare them. Run it again to go on after a break, or to catch up."""
    invocation = Invocation.of(ctx)
    from runline.export.copy import copy as copy_runs
    from runline.store import open_store
    from runline.store.location import address

    ours, theirs = address(source), address(target)
    if ours == theirs:
        raise Invalid("That is one store; name another one to copy it to.", fields={"to": "the same store"})
    with open_store(ours, read_only=True) as here, open_store(theirs) as there:
        total = here.counts().total
        with progress(invocation.screen, "copying", total) as advance:
            report = copy_runs(here, there, on_progress=lambda done, _: advance(done))
    out = invocation.out
    if json:
        out.json(msgspec.to_builtins(report))
    else:
        out.line(
            out.status("failed" if report.different else "completed"),
            f"{report.copied:,} runs copied, {report.continued:,} continued, {report.same:,} were there; "
            f"{report.events:,} events written",
        )
        for one in report.different:
            out.line(Span(one.run_id, "bold"), f": {one.detail}")
    if report.different:
        raise typer.Exit(exits.PROBLEM)
