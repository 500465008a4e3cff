"""`runline import`: an exported run taken into this store, with its id, order and times."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from runline.cli.invocation import Invocation
from runline.cli.options import JsonOption
from runline.cli.progress import Advance, progress
from runline.cli.roles import Span
from runline.model.errors import Conflict, NotFound
from runline.model.wire.runs import run_summary


def import_run(
    ctx: typer.Context,
    *,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A JSON or JSONL export; - for standard input.")
    ],
    as_id: Annotated[
        str | None, typer.Option("--as", metavar="ID", help="The id to give it, when its own is taken.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Take in an exported run. Ids, order and times are kept; an id that is taken needs --as."""
    invocation = Invocation.of(ctx)
    from runline.export.load import read_export

    with _source(file) as (stream, size_bytes), invocation.writing() as store:
        header, events = read_export(stream)
        with progress(invocation.screen, f"importing {header.run.get('run_id')}", size_bytes) as advance:
            told = _told(events, stream, size_bytes, advance)
            try:
                run = store.import_run(header.run, told, header.notes, as_id=as_id)
            except Conflict as error:
                said = error.message.split(";")[0].rstrip(".")
                raise Conflict(f"{said}. Name another id with --as ID.", code=error.code) from error
    if json:
        invocation.out.json(run_summary(run))
        return
    out = invocation.out
    out.line(
        out.status(run.status),
        Span(f"  {run.name}", "bold"),
        Span(f"  {run.run_id}  {run.event_count:,} events"),
    )


@contextmanager
def _source(file: str) -> Iterator[tuple[BinaryIO, int | None]]:
    if file == "-":
        yield sys.stdin.buffer, None
        return
    path = Path(file)
    if not path.is_file():
        raise NotFound(f"There is no file {file!r} to import.", code="no_file")
    with path.open("rb") as stream:
        yield stream, path.stat().st_size


def _told(events: Iterator[Any], stream: BinaryIO, size_bytes: int | None, advance: Advance) -> Iterator[Any]:
    for number, event in enumerate(events):
        if size_bytes is not None and number % 500 == 0:
            advance(stream.tell())
        yield event
