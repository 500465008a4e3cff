"""`runline rebuild`: everything that follows from the log, made anew from it."""

from __future__ import annotations

import typer

from runline.cli.invocation import Invocation
from runline.cli.options import EveryRunArgument
from runline.cli.progress import progress
from runline.cli.run_ids import find_run


def rebuild(ctx: typer.Context, *, run: EveryRunArgument = None) -> None:
    """Make the projections (statuses, steps, counters) anew from the log: of one run, or without RUN of all."""
    invocation = Invocation.of(ctx)
    with invocation.writing() as store:
        found = None if run is None else find_run(store, run)
        total = store.info().event_count if found is None else found.event_count
        with progress(invocation.screen, "rebuilding", total) as advance:
            count = store.rebuild(None if found is None else found.run_id, on_progress=advance)
    invocation.out.line(
        f"rebuilt {count:,} run{'' if count == 1 else 's'} from the log; "
        "`runline verify` checks the events themselves"
    )
