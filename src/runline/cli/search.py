"""`runline search`: the filter language over the whole of a run, or of the newest runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from runline.cli.event_lines import event_line
from runline.cli.invocation import Invocation
from runline.cli.options import JsonOption, complete_run
from runline.cli.progress import progress
from runline.cli.roles import Span
from runline.cli.run_ids import find_run
from runline.model.clock import SystemClock
from runline.model.errors import Invalid
from runline.model.filter import parse
from runline.model.run import Run

if TYPE_CHECKING:
    from runline.store.interface import Store

_RUNS = 20
_PAGE = 1000


def search(
    ctx: typer.Context,
    *,
    text: Annotated[
        list[str],
        typer.Argument(
            metavar="TEXT...", help='Words, "phrases", level:error step:load -type:log elapsed:>60.'
        ),
    ],
    run: Annotated[
        str | None, typer.Option("--run", metavar="RUN", help="Only this run.", autocompletion=complete_run)
    ] = None,
    runs: Annotated[int, typer.Option("--runs", metavar="N", help="How many of the newest runs.")] = _RUNS,
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", help="Stop after this many hits.")
    ] = 1000,
    json: JsonOption = False,
) -> None:
    """Search whole runs; hits are printed as they are found. Terms are ANDed, quotes make a phrase."""
    invocation = Invocation.of(ctx)
    for name, value in (("limit", limit), ("runs", runs)):
        if value < 1:
            raise Invalid(f"--{name} is at least 1, not {value}.", fields={name: "below 1"})
    q = " ".join(_word(word) for word in text)
    parse(q, scope="events", now_ms=SystemClock().now_ms())
    hits = 0
    with invocation.reading() as store:
        found = [find_run(store, run)] if run is not None else _newest(store, runs)
        for one in found:
            hits += _search_run(invocation, store, one, q, limit - hits, alone=run is not None, json=json)
            if hits >= limit:
                break
    if not json:
        newest = "the newest run" if len(found) == 1 else f"the newest {len(found)} runs"
        scope = found[0].run_id if run is not None else newest
        reached = " (there may be more: raise --limit)" if hits >= limit else ""
        invocation.hint(f"{hits:,} hit{'' if hits == 1 else 's'} in {scope}{reached}")


def _word(word: str) -> str:
    """A shell argument as a term; one with blanks and no field of its own was quoted, so it is a phrase."""
    if '"' in word or not any(char.isspace() for char in word) or ":" in word.split(maxsplit=1)[0]:
        return word
    return f'"{word}"'


def _newest(store: Store, wanted: int) -> list[Run]:
    found: list[Run] = []
    cursor = None
    while len(found) < wanted:
        page = store.list_runs(limit=min(100, wanted - len(found)), cursor=cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    return found


def _search_run(
    invocation: Invocation, store: Store, run: Run, q: str, limit: int, *, alone: bool, json: bool
) -> int:
    """Prints up to `limit` hits of the run; how many."""
    out = invocation.out
    hits = 0
    with progress(invocation.screen, f"searching {run.name}", run.last_seq) as advance:
        for piece in store.index(run.run_id, q=q):
            advance(piece.scanned_seq)
            wanted = piece.seqs[: limit - hits]
            if wanted and not hits and not alone and not json:
                out.line(
                    out.status(run.status), Span(f"  {run.name}", "bold"), Span(f"  {run.run_id}", "dim")
                )
            hits += len(wanted)
            after, last = (wanted[0] - 1, wanted[-1]) if wanted else (0, 0)
            while after < last:
                page = store.read(run.run_id, after_seq=after, before_seq=last + 1, q=q, limit=_PAGE)
                for event in page:
                    if json:
                        out.json(event.to_json())
                    else:
                        event_line(out, event, utc=invocation.utc)
                after = page[-1].seq if page else last
            if hits >= limit:
                break
    return hits
