"""`runline cancel`: asks a run to stop."""

from __future__ import annotations

from typing import Annotated

import typer

from runline.cli.invocation import Invocation
from runline.cli.options import JsonOption, RequiredRun
from runline.cli.roles import Span
from runline.cli.run_ids import find_run


def cancel(
    ctx: typer.Context,
    *,
    run: RequiredRun,
    force: Annotated[
        bool, typer.Option("--force", help="End it now; what it still says is refused.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Ask a run to stop. One whose writer is gone is cancelled at once, and so is any with --force."""
    invocation = Invocation.of(ctx)
    out = invocation.out
    with invocation.writing() as store:
        found = find_run(store, run)
        status = store.cancel(found.run_id, force=force)
    if json:
        out.json({"run_id": found.run_id, "status": status})
    elif status == "cancelling":
        out.line(Span("asked to stop ", "warn"), Span(found.run_id, "bold"))
        invocation.hint(
            f"It decides when. `runline watch {found.run_id[-4:]}` shows it; --force ends it now."
        )
    else:
        out.line(out.status(status), Span(f"  {found.run_id}", "bold"))
