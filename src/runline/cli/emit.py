"""`runline emit`: events from shell scripts and from programs in any language."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runline.cli.invocation import Invocation
from runline.cli.options import JsonOption, complete_level, complete_run, one_of, words
from runline.cli.roles import Span
from runline.cli.run_ids import find_run
from runline.intake.document import json_object
from runline.model.errors import Invalid
from runline.model.status import END_STATUSES, LEVELS

if TYPE_CHECKING:
    from runline.store.interface import Store

_BATCH = 500
_MAX_LINE_BYTES = 8 * 1024 * 1024


def emit(
    ctx: typer.Context,
    *,
    type: Annotated[
        str | None,
        typer.Argument(
            metavar="TYPE",
            help="What happened, like cache_cleared. Kept as given, but for blanks, which become _.",
            show_default=False,
        ),
    ] = None,
    message: Annotated[
        str | None, typer.Argument(metavar="MESSAGE", help="One line for people.", show_default=False)
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(
            "--run", metavar="RUN", help="The run; RUNLINE_RUN_ID by default.", autocompletion=complete_run
        ),
    ] = None,
    new: Annotated[
        str | None,
        typer.Option("--new", metavar="NAME", help="Make a run of this name first, and print its id."),
    ] = None,
    kind: Annotated[
        str, typer.Option("--kind", metavar="KIND", help="With --new: run, pipeline, session, …")
    ] = "run",
    tag: Annotated[list[str] | None, typer.Option("--tag", metavar="TAG", help="With --new.")] = None,
    end: Annotated[
        str | None,
        typer.Option(
            "--end",
            metavar="STATUS",
            help="Then end the run: completed, failed, …",
            autocompletion=lambda: list(END_STATUSES),
        ),
    ] = None,
    error: Annotated[
        str | None, typer.Option("--error", metavar="TEXT", help="With --end: what went wrong.")
    ] = None,
    data: Annotated[
        str | None, typer.Option("--data", metavar="JSON", help="Everything else, as a JSON object.")
    ] = None,
    level: Annotated[
        str | None,
        typer.Option("--level", metavar="LEVEL", help="info, warn or error.", autocompletion=complete_level),
    ] = None,
    step: Annotated[
        str | None, typer.Option("--step", metavar="STEP", help="Where in the run; RUNLINE_STEP by default.")
    ] = None,
    source: Annotated[str | None, typer.Option("--source", metavar="SOURCE", help="Who says it.")] = None,
    correlation_id: Annotated[
        str | None, typer.Option("--corr", metavar="ID", help="Pairs a request with its response.")
    ] = None,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Take events from standard input, a JSON object a line.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Add an event to a run, durable when it returns. Prints nothing; with --json, what was stored."""
    invocation = Invocation.of(ctx)
    if type is None and not stdin and new is None and end is None:
        raise Invalid(
            "Name the event's type: `runline emit cache_cleared 'cleared 12 pages'`. Or give --stdin, --new or --end.",
            fields={"type": "missing"},
        )
    status = None if end is None else one_of(end, END_STATUSES, "status")
    event = {
        "type": type,
        "message": message,
        "level": None if level is None else one_of(level, LEVELS, "level"),
        "step": step or os.environ.get("RUNLINE_STEP"),
        "source": source,
        "correlation_id": correlation_id,
        "data": _object(data),
    }
    event = {key: value for key, value in event.items() if value is not None}
    with invocation.writing() as store:
        run_id = _run_id(store, run, new, kind, words(tag))
        if new is not None:
            invocation.out.line(run_id)
            invocation.out.flush()
        if type is not None:
            _append(invocation, store, run_id, [event], json=json)
        if stdin:
            _from_stdin(invocation, store, run_id, json=json)
        if status is not None:
            stored = store.end_run(run_id, status, error=error)
            if json:
                invocation.out.json(stored.to_json())


def _run_id(store: Store, run: str | None, new: str | None, kind: str, tags: tuple[str, ...]) -> str:
    if new is not None:
        if not new.strip():
            raise Invalid("A run needs a name: `runline emit --new nightly-report`.", fields={"new": "blank"})
        return store.create_run(new, kind=kind, run_id=run, tags=tags).run_id
    wanted = run or os.environ.get("RUNLINE_RUN_ID")
    if not wanted:
        raise Invalid(
            "Name the run with --run or RUNLINE_RUN_ID, or make one with --new NAME.",
            fields={"run": "missing"},
        )
    return find_run(store, wanted).run_id


def _object(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        return json_object(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(
            f"--data is not a JSON object: {error}. Write it like '{{\"rows\": 12}}'.",
            fields={"data": "not an object"},
        ) from error


def _from_stdin(invocation: Invocation, store: Store, run_id: str, *, json: bool) -> None:
    batch: list[dict[str, Any]] = []
    stored = 0
    for number, line in enumerate(_lines(), start=1):
        try:
            batch.append(json_object(line))
        except (ValueError, RecursionError) as error:
            _append(invocation, store, run_id, batch, json=json)
            raise Invalid(
                f"Line {number} of standard input is not a JSON object: {error}. What came "
                f"before it is stored ({stored + len(batch):,}).",
                code="bad_line",
                fields={"stdin": f"line {number}"},
            ) from error
        if len(batch) == _BATCH:
            _append(invocation, store, run_id, batch, json=json)
            stored += len(batch)
            batch = []
    _append(invocation, store, run_id, batch, json=json)
    stored += len(batch)
    invocation.hint(f"{stored:,} event{'' if stored == 1 else 's'} stored in {run_id}")


def _lines() -> Iterator[bytes]:
    while line := sys.stdin.buffer.readline(_MAX_LINE_BYTES):
        if line.strip():
            yield line


def _append(
    invocation: Invocation, store: Store, run_id: str, events: list[dict[str, Any]], *, json: bool
) -> None:
    if not events:
        return
    stored = store.append(run_id, events)
    if json:
        for event in stored:
            invocation.out.json(event.to_json())
    if len(stored) < len(events):
        missing = len(events) - len(stored)
        invocation.err.line(
            Span(f"{invocation.err.glyphs['warn']} ", "warn"),
            f"{missing:,} events were not stored: {run_id} has reached the limit of events for one run.",
        )
