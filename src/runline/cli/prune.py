"""`runline prune`: retention, by age, then count, then size; first as a dry run if one wants to see."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from runline.cli.invocation import Invocation
from runline.cli.moments import when
from runline.cli.options import JsonOption
from runline.cli.output import Column
from runline.cli.progress import sampled
from runline.cli.roles import Span
from runline.cli.sizes import format_size, parse_size
from runline.model.durations import parse_span_ms
from runline.model.errors import Invalid

_DAY_MS = 86_400_000
_SHOWN = 20
_WHY = {"age": "too old", "count": "too many", "size": "too large a store"}


def prune(
    ctx: typer.Context,
    *,
    older_than: Annotated[
        str,
        typer.Option("--older-than", metavar="AGE", help="Runs that ended longer ago; `never` for no limit."),
    ] = "14d",
    keep: Annotated[
        str, typer.Option("--keep", metavar="N", help="How many of the rest stay; `all` for no limit.")
    ] = "500",
    max_size: Annotated[
        str | None,
        typer.Option("--max-size", metavar="SIZE", help="Then the oldest until the store is this small."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    json: JsonOption = False,
) -> None:
    """Remove old runs. Active, interrupted, pinned and annotated ones always stay."""
    invocation = Invocation.of(ctx)
    out, now_ms = invocation.out, invocation.now_ms()
    rules: dict[str, Any] = {
        "older_than_days": None if older_than == "never" else parse_span_ms(older_than) / _DAY_MS,
        "keep": None if keep == "all" else _count(keep),
        "max_size_bytes": None if max_size is None else parse_size(max_size),
    }
    with invocation.writing() as store:
        report = store.prune(**rules, dry_run=True)
        if not dry_run:
            before_bytes = store.info().size_bytes
            total_bytes = sum(run.size_bytes for run in report.runs)
            with sampled(
                invocation.screen, "pruning", total_bytes, lambda: before_bytes - store.info().size_bytes
            ):
                report = store.prune(**rules)
    if json:
        out.json(msgspec.to_builtins(report))
        return
    rows = [
        [
            out.status(run.status),
            Span(run.run_id, "bold"),
            Span(when(run.completed_at_ms, now_ms=now_ms, utc=invocation.utc), "dim"),
            Span(f"{run.event_count:,}"),
            Span(format_size(run.size_bytes), "dim"),
            Span(_WHY[run.reason], "dim"),
        ]
        for run in report.runs
    ]
    columns = [
        Column(title, right=title in ("EVENTS", "SIZE"))
        for title in ("STATUS", "RUN", "ENDED", "EVENTS", "SIZE", "WHY")
    ]
    shown = rows if not out.on_terminal else rows[:_SHOWN]
    if shown:
        out.table(columns, shown)
    if len(rows) > len(shown):
        out.line(Span(f"and {len(rows) - len(shown):,} more", "dim"))
    verb = "would remove" if dry_run else "removed"
    count = report.matched if dry_run else report.removed
    events = sum(run.event_count for run in report.runs) if dry_run else report.events
    freed = sum(run.size_bytes for run in report.runs) if dry_run else report.freed_bytes
    out.line(f"{verb} {count:,} run{'' if count == 1 else 's'} with {events:,} events, {format_size(freed)}")


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise Invalid(
            f"{text[:60]!r} is not a number of runs; write --keep 500 or --keep all.",
            fields={"keep": "no number"},
        )
    return int(text)
