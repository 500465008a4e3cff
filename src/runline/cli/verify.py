"""`runline verify`: whether every stored event is what was written, and everything that follows from it."""

from __future__ import annotations

import msgspec
import typer

from runline.cli import exits
from runline.cli.invocation import Invocation
from runline.cli.options import EveryRunArgument, JsonOption
from runline.cli.progress import progress
from runline.cli.roles import Span
from runline.cli.run_ids import find_run

_SHOWN = 50


def verify(ctx: typer.Context, *, run: EveryRunArgument = None, json: JsonOption = False) -> None:
    """Check checksums, order and projections: of one run, or without RUN of the whole store. Exits 1 on a problem."""
    invocation = Invocation.of(ctx)
    out = invocation.out
    with invocation.reading() as store:
        found = None if run is None else find_run(store, run)
        total = store.info().event_count if found is None else found.event_count
        with progress(invocation.screen, "verifying", total) as advance:
            report = store.verify(None if found is None else found.run_id, on_progress=advance)
    if json:
        out.json({**msgspec.to_builtins(report), "ok": report.ok})
    else:
        for problem in report.problems[: _SHOWN if out.on_terminal else None]:
            place = problem.run_id or "the database"
            seq = f" event {problem.seq}" if problem.seq is not None else ""
            out.line(
                Span(f"{out.glyphs['error']} ", "failed"),
                Span(f"{place}{seq}  ", "bold"),
                Span(f"{problem.kind}  ", "dim"),
                problem.detail,
            )
        looked = f"{report.runs:,} run{'' if report.runs == 1 else 's'}, {report.events:,} events"
        if report.ok:
            out.line(Span(f"{out.glyphs['completed']} ", "completed"), f"sound: {looked}")
        else:
            out.line(
                Span(f"{report.found:,} problem{'' if report.found == 1 else 's'}", "failed"), f" in {looked}"
            )
            if all(problem.kind in ("projection", "checkpoint") for problem in report.problems):
                out.line(
                    Span("  The log itself is sound: `runline rebuild` makes the rest anew from it.", "dim")
                )
            else:
                hurt = next((problem.run_id for problem in report.problems if problem.run_id), "RUN")
                out.line(
                    Span(f"  Restore a backup, or export what can be read: `runline export {hurt}`.", "dim")
                )
    if not report.ok:
        raise typer.Exit(exits.PROBLEM)
