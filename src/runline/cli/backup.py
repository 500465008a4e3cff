"""`runline backup`: a consistent copy of a store that others go on writing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runline.cli.invocation import Invocation
from runline.cli.progress import sampled
from runline.cli.roles import Span
from runline.cli.sizes import format_size


def backup(
    ctx: typer.Context,
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The new file; it must not exist.")],
) -> None:
    """Copy the live store into a new file. Restoring is putting the file in the store's place."""
    invocation = Invocation.of(ctx)
    with invocation.reading() as store:
        total_bytes = store.info().size_bytes
        with sampled(invocation.screen, "backing up", total_bytes, lambda: _size_bytes(file)):
            store.backup(str(file))
    invocation.out.line(
        "backed up to ", Span(str(file), "bold"), Span(f"  {format_size(file.stat().st_size)}", "dim")
    )


def _size_bytes(file: Path) -> int:
    """How large the file is so far; 0 while it is not there."""
    return file.stat().st_size if file.exists() else 0
