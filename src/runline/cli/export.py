"""`runline export`: one run as JSON, JSONL or CSV, streamed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from runline.cli.invocation import Invocation
from runline.cli.options import RunArgument, one_of
from runline.cli.output import json_text, visible
from runline.cli.progress import progress
from runline.cli.run_ids import find_run
from runline.export.run import FORMATS, Format, export_run
from runline.model.errors import Conflict, Invalid
from runline.model.run import Run


def export(
    ctx: typer.Context,
    *,
    run: RunArgument = None,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="json (the default), jsonl or csv.",
            autocompletion=lambda: list(FORMATS),
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Write to this file; its ending names the format."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Write the whole run, to standard output unless told a file. `runline import` reads JSON and JSONL back."""
    invocation = Invocation.of(ctx)
    wanted = _format(format, file)
    with invocation.reading() as store:
        found = find_run(store, run)
        if file is None:
            for chunk in export_run(store, found.run_id, format=wanted, now_ms=invocation.now_ms()):
                _to_stdout(invocation, chunk, wanted)
            return
        if file.exists() and not force:
            raise Conflict(f"{file} exists; --force overwrites it.", code="file_exists")
        chunks = export_run(store, found.run_id, format=wanted, now_ms=invocation.now_ms())
        size_bytes = _to_file(invocation, found, file, chunks)
    invocation.hint(f"{found.run_id}: {found.event_count:,} events, {size_bytes:,} bytes in {file}")


def _format(given: str | None, file: Path | None) -> Format:
    name = given or (file.suffix.removeprefix(".").lower() if file is not None else "json")
    if given is None and name not in FORMATS:
        raise Invalid(
            f"The ending of {file} names no format; add --format {', '.join(FORMATS)}.",
            fields={"format": "unknown"},
        )
    wanted = one_of(name, FORMATS, "format")
    return next(known for known in FORMATS if known == wanted)


def _to_stdout(invocation: Invocation, chunk: bytes, format: Format) -> None:
    if not invocation.out.on_terminal:
        sys.stdout.buffer.write(chunk)
        return
    # On a screen the bytes are looked at, not kept: nothing in them may act on the terminal.
    text = chunk.decode("utf-8", "replace")
    for line in text.splitlines(keepends=True):
        shown = visible(line.rstrip("\r\n")) if format == "csv" else json_text(line.rstrip("\r\n").encode())
        sys.stdout.write(shown + ("\n" if line.endswith("\n") else ""))


def _to_file(invocation: Invocation, run: Run, file: Path, chunks: object) -> int:
    """Writes beside the file and puts it in place when whole, so that a broken export is never taken for one."""
    part = file.with_name(f".{file.name}.part-{os.getpid()}")
    written = 0
    usual_bytes = 450
    try:
        opened = part.open("wb")
    except OSError as error:
        raise Invalid(f"{file} cannot be made: {error.strerror}.", code="cannot_create") from error
    try:
        with (
            opened as target,
            progress(invocation.screen, f"exporting {run.name}", run.event_count * usual_bytes) as advance,
        ):
            for chunk in chunks:  # type: ignore[attr-defined]
                target.write(chunk)
                written += len(chunk)
                advance(written)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return written
