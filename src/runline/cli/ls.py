"""`runline ls`: runs, newest first, as a table for people or JSON."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from runline.cli.invocation import Invocation
from runline.cli.moments import running_ms, short_left, when
from runline.cli.options import JsonOption, complete_status, instant, query, words
from runline.cli.output import Column, Output
from runline.cli.roles import Span
from runline.cli.run_ids import short_ids
from runline.model.durations import format_ms
from runline.model.errors import Invalid
from runline.model.page import Page
from runline.model.run import Run
from runline.model.status import RUN_STATUSES
from runline.model.wire.runs import run_list
from runline.store.runs import MAX_PAGE

_BAR_CELLS = 8
_FULL_ID_FROM = 170
_COLUMNS = (
    Column("STATUS"),
    Column("ID"),
    Column("NAME", gives_way=True),
    Column("STARTED", right=True),
    Column("TIME", right=True),
    Column("PROGRESS", from_width=100),
    Column("STEPS", right=True, from_width=80),
    Column("⚠", right=True),
    Column("✖", right=True),
    Column("NOTE", gives_way=True, from_width=120),
)


def ls(
    ctx: typer.Context,
    *,
    filters: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILTER...",
            help='Filter words, like status:failed "timeout" since:7d.',
            show_default=False,
        ),
    ] = None,
    status: Annotated[
        list[str] | None,
        typer.Option("--status", metavar="STATUS", help="running, failed, …", autocompletion=complete_status),
    ] = None,
    name: Annotated[
        list[str] | None, typer.Option("--name", metavar="NAME", help="Runs of this name.")
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option("--kind", metavar="KIND", help="run, pipeline, session, …")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", metavar="TAG", help="Runs with this tag.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="WHEN", help="Started since: 24h, 7d, a time.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="WHEN", help="Started before: 24h, 7d, a time.")
    ] = None,
    q: Annotated[
        str | None, typer.Option("-q", "--filter", metavar="FILTER", help="The filter language.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", metavar="N", help="How many, at most 100.")] = 25,
    cursor: Annotated[
        str | None, typer.Option("--cursor", metavar="CURSOR", help="Go on from `next_cursor`.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """List runs, newest first. All filters must hold; a value with commas means any of them."""
    invocation = Invocation.of(ctx)
    if not 1 <= limit <= MAX_PAGE:
        raise Invalid(f"--limit is 1 to {MAX_PAGE}, not {limit}.", fields={"limit": "out of range"})
    with invocation.reading() as store:
        page = store.list_runs(
            status=words(status, RUN_STATUSES, "status"),
            name=words(name),
            kind=words(kind),
            tag=words(tag),
            since_ms=instant(since, invocation.now_ms()),
            until_ms=instant(until, invocation.now_ms()),
            q=query([*(filters or ()), q]),
            limit=limit,
            cursor=cursor,
        )
    if json:
        invocation.out.json(runs_document(page))
        return
    if not page.items:
        narrowed = any((filters, status, name, kind, tag, since, until, q, cursor))
        invocation.hint(
            "No run matches. Leave a filter out, or see all with `runline ls`."
            if narrowed
            else "No run has been recorded here yet. Record one: `runline exec -- make test`."
        )
        return
    run_table(invocation.out, page.items, now_ms=invocation.now_ms(), utc=invocation.utc)
    if page.has_more:
        invocation.hint(f"There are more: `runline ls --limit 100`, or --cursor {page.next_cursor}")


def runs_document(page: Page[Run]) -> dict[str, object]:
    """`{"runs": […], "next_cursor", "has_more"}`: the API's list, the cursor null where it has none."""
    return {**msgspec.structs.asdict(run_list(page)), "next_cursor": page.next_cursor}


def run_table(out: Output, runs: list[Run], *, now_ms: int, utc: bool) -> None:
    """Prints runs as a table."""
    short = short_ids([run.run_id for run in runs])
    if not out.on_terminal or out.width >= _FULL_ID_FROM:
        short = {run.run_id: run.run_id for run in runs}
    rows = [_row(out, run, short[run.run_id], now_ms, utc) for run in runs]
    out.table(_COLUMNS, rows)


def _row(out: Output, run: Run, short: str, now_ms: int, utc: bool) -> list[Span]:
    return [
        out.status(run.status),
        Span(short, "bold"),
        Span(run.name),
        Span(when(run.started_at_ms, now_ms=now_ms, utc=utc), "dim"),
        Span(format_ms(running_ms(run, now_ms)) if run.status != "pending" else ""),
        _progress(out, run, now_ms),
        Span(f"{run.completed_steps}/{run.total_steps}" if run.total_steps else "", "dim"),
        Span(f"{run.warn_count:,}" if run.warn_count else "", "warn" if run.warn_count else "plain"),
        Span(f"{run.error_count:,}" if run.error_count else "", "failed" if run.error_count else "plain"),
        Span(f"{out.glyphs['note']} {run.last_note.note}" if run.last_note else "", "dim"),
    ]


def _progress(out: Output, run: Run, now_ms: int) -> Span:
    if run.status != "running":
        return Span("")
    left = short_left(run, now_ms)
    if not run.progress and not run.total_steps:
        return Span(left, "dim")
    bar = (
        f"{out.glyphs.bar(run.progress, _BAR_CELLS)} {run.progress:>3} %"
        if out.on_terminal
        else f"{run.progress} %"
    )
    return Span(f"{bar} {left}", "running")
