"""`runline pin`: a run that retention never removes."""

from __future__ import annotations

from typing import Annotated

import typer

from runline.cli.invocation import Invocation
from runline.cli.options import RequiredRun
from runline.cli.roles import Span
from runline.cli.run_ids import find_run


def pin(
    ctx: typer.Context,
    *,
    run: RequiredRun,
    off: Annotated[bool, typer.Option("--off", help="Let it be pruned again.")] = False,
) -> None:
    """Keep a run from being pruned, or with --off let it go."""
    invocation = Invocation.of(ctx)
    with invocation.writing() as store:
        found = find_run(store, run)
        store.pin(found.run_id, on=not off)
    invocation.out.line("unpinned " if off else "pinned ", Span(found.run_id, "bold"))
