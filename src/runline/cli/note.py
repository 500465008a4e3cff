"""`runline note`: what a person has to say beside a run, or one of its events."""

from __future__ import annotations

from typing import Annotated

import typer

from runline.cli.invocation import Invocation
from runline.cli.options import JsonOption, RequiredRun, words
from runline.cli.run_ids import find_run
from runline.cli.show import note_lines
from runline.model.wire.notes import note_list, note_view


def note(
    ctx: typer.Context,
    *,
    run: RequiredRun,
    text: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TEXT...", help="The note; without it, the notes are listed.", show_default=False
        ),
    ] = None,
    author: Annotated[str | None, typer.Option("--author", metavar="NAME", help="Who says it.")] = None,
    label: Annotated[
        list[str] | None, typer.Option("--label", metavar="LABEL", help="May be given again.")
    ] = None,
    action: Annotated[
        list[str] | None,
        typer.Option("--action", metavar="TEXT", help="Something to do; may be given again."),
    ] = None,
    event: Annotated[
        int | None, typer.Option("--event", metavar="SEQ", help="The event that it is about.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Write a note beside a run, at any time, or list its notes. A run with a note is never pruned."""
    invocation = Invocation.of(ctx)
    out, now_ms = invocation.out, invocation.now_ms()
    if text:
        with invocation.writing() as store:
            added = store.add_note(
                find_run(store, run).run_id,
                " ".join(text),
                author=author,
                labels=words(label),
                actions=tuple(action or ()),
                event_seq=event,
            )
        if json:
            out.json(note_view(added))
        else:
            note_lines(out, added, now_ms=now_ms, utc=invocation.utc)
        return
    with invocation.reading() as store:
        notes = store.list_notes(find_run(store, run).run_id, limit=500)
    if json:
        out.json(note_list(notes))
        return
    for one in notes:
        note_lines(out, one, now_ms=now_ms, utc=invocation.utc)
    if not notes:
        invocation.hint(f"No notes yet. Write one: `runline note {run} what you found`.")
