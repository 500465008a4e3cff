"""`runline show`: one run on one screen, failure first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from runline.cli.event_lines import event_line, hidden, is_noise, quiet
from runline.cli.failure_block import FAILED, cancel_request, failure_block, open_call
from runline.cli.invocation import Invocation
from runline.cli.moments import when
from runline.cli.options import JsonOption, RunArgument
from runline.cli.output import Column, Output
from runline.cli.roles import Span
from runline.cli.run_header import headline, run_facts
from runline.cli.run_ids import find_run, short_ids
from runline.cli.sizes import format_size
from runline.cli.step_table import step_table
from runline.fold.wire.state import state_view
from runline.model.artifact import Artifact
from runline.model.errors import Invalid
from runline.model.event import Event
from runline.model.note import Note
from runline.model.run import Run
from runline.model.wire.artifacts import artifact_summary
from runline.model.wire.calls import call_view
from runline.model.wire.notes import note_view
from runline.model.wire.runs import run_detail
from runline.model.wire.steps import step_detail

if TYPE_CHECKING:
    from runline.store.interface import Store

_EVENTS = 12
_EVENTS_JSON = 100
_READ = 400
"""Events looked at so that enough are left when noise is folded away."""
_NOTES = 5
_ARTIFACTS = 12
_STRIP_FROM, _STRIP_CELLS = 20, 72


def show(
    ctx: typer.Context,
    *,
    run: RunArgument = None,
    at: Annotated[
        int | None, typer.Option("--at", metavar="SEQ", help="The run as it was after this event.")
    ] = None,
    events: Annotated[
        int, typer.Option("--events", "-n", metavar="N", help="How many of the newest events.")
    ] = _EVENTS,
    json: JsonOption = False,
) -> None:
    """Show one run: what went wrong first, then status, steps, open calls, newest events, notes, artifacts."""
    invocation = Invocation.of(ctx)
    with invocation.reading() as store:
        found = find_run(store, run)
        if at is not None:
            _show_at(invocation, store, found, at, json=json)
        elif json:
            invocation.out.json(run_document(store, found))
        else:
            print_run(invocation, store, found, events)


def run_document(store: Store, run: Run) -> dict[str, Any]:
    """`{run, steps, events (the newest 100, ascending), artifacts, notes, open_calls}`."""
    artifacts = store.list_artifacts(run.run_id)
    newest = store.read(run.run_id, order="desc", limit=_EVENTS_JSON)
    return {
        "run": run_detail(run),
        "steps": [step_detail(step, artifacts) for step in store.list_steps(run.run_id)],
        "events": [event_document(event) for event in reversed(newest)],
        "artifacts": [artifact_summary(artifact) for artifact in artifacts],
        "notes": [note_view(note) for note in store.list_notes(run.run_id)],
        "open_calls": [call_view(call) for call in store.calls(run.run_id, status="open").items],
    }


def event_document(event: Event) -> Any:
    """Canonical event JSON, to be part of a document."""
    import msgspec

    return msgspec.Raw(event.to_json())


def print_run(invocation: Invocation, store: Store, run: Run, events: int) -> None:
    """Prints the whole of a run, with its newest `events` events."""
    out, now_ms = invocation.out, invocation.now_ms()
    out.line(*headline(out, run))
    if run.status in FAILED:
        asked = cancel_request(store, run)
        failure_block(out, run, store.failure(run.run_id), now_ms=now_ms, whole=False, asked=asked)
        if out.on_terminal:
            out.line(
                Span(f"  runline why {short_ids([run.run_id])[run.run_id]}   tells the whole story", "dim")
            )
        out.blank()
    run_facts(out, run, now_ms=now_ms, utc=invocation.utc)
    if out.on_terminal and run.event_count >= _STRIP_FROM:
        _strip(out, store, run)
    open_calls = store.calls(run.run_id, status="open").items if run.call_count else []
    if run.error_count and run.status not in FAILED:
        out.heading("First error")
        failure_block(out, run, store.failure(run.run_id), now_ms=now_ms, whole=False)
    steps = store.list_steps(run.run_id)
    if steps:
        out.heading("Steps", f"{run.completed_steps} of {run.total_steps}")
        step_table(out, steps, now_ms=now_ms, run_is_active=run.is_active)
    if open_calls and not run.error_count:
        out.heading("Waiting for" if run.is_active else "Left open")
        for call in open_calls:
            out.line(*open_call(out, call, now_ms if run.is_active else None))
    if events > 0:
        _events(invocation, store, run, events)
    _notes(out, store.list_notes(run.run_id, limit=_NOTES) if run.note_count else [], run, invocation)
    _artifacts(out, store.list_artifacts(run.run_id) if run.artifact_count else [])


def _strip(out: Output, store: Store, run: Run) -> None:
    """The run from its start to its last event: how much was said when, and where it warned and erred."""
    cells = min(out.width - 4, _STRIP_CELLS)
    counted = store.histogram(run.run_id, slots=cells)
    if len(counted.events) < 2:
        return
    out.line(f"  {out.glyphs.spark(counted.events)}")
    marks = [
        Span(
            *(
                (out.glyphs["error"], "failed")
                if errors
                else (out.glyphs["warn"], "warn")
                if warnings
                else (" ", "plain")
            )
        )
        for warnings, errors in zip(counted.warnings, counted.errors, strict=True)
    ]
    if run.warn_count or run.error_count:
        out.line("  ", *marks)


def _events(invocation: Invocation, store: Store, run: Run, wanted: int, upto: int | None = None) -> None:
    out = invocation.out
    before = None if upto is None else upto + 1
    newest = store.read(run.run_id, before_seq=before, order="desc", limit=max(wanted, _READ))
    shown = quiet(newest)[:wanted]
    if not shown:
        return
    left_out = hidden([event for event in newest if is_noise(event) and event.seq > shown[-1].seq])
    out.heading(
        "Newest events",
        " · ".join(part for part in (f"{len(shown)} of {upto or run.last_seq:,}", left_out) if part),
    )
    for event in reversed(shown):
        event_line(out, event, utc=invocation.utc, cut=True)


def _notes(out: Output, notes: list[Note], run: Run, invocation: Invocation) -> None:
    if not notes:
        return
    out.heading("Notes", str(run.note_count))
    for note in notes:
        note_lines(out, note, now_ms=invocation.now_ms(), utc=invocation.utc)


def note_lines(out: Output, note: Note, *, now_ms: int, utc: bool) -> None:
    """Prints one note: who, when, about which event, labels, text, actions."""
    told = [when(note.created_at_ms, now_ms=now_ms, utc=utc)]
    told += [f"on event {note.event_seq}"] if note.event_seq is not None else []
    told += [f"[{label}]" for label in note.labels]
    out.line(
        f"  {out.glyphs['note']} ",
        Span(note.author or "someone", "bold"),
        Span("  " + " · ".join(told), "dim"),
    )
    out.block(note.note, indent="    ")
    for action in note.actions:
        out.line(f"    [ ] {action}")


def _artifacts(out: Output, artifacts: list[Artifact]) -> None:
    if not artifacts:
        return
    out.heading("Artifacts", str(len(artifacts)))
    rows = [
        [
            Span(artifact.name, "bold"),
            Span(artifact.type or "", "dim"),
            Span(format_size(artifact.size_bytes), "dim"),
            Span(artifact.step_id or "", "dim"),
            Span(artifact.path or "", "dim"),
        ]
        for artifact in artifacts[-_ARTIFACTS:]
    ]
    columns = [
        Column("NAME"),
        Column("TYPE"),
        Column("SIZE", right=True),
        Column("STEP"),
        Column("PATH", gives_way=True),
    ]
    out.table(columns, rows, indent=2, head=False)


def _show_at(invocation: Invocation, store: Store, run: Run, at: int, *, json: bool) -> None:
    if not 1 <= at <= run.last_seq:
        raise Invalid(
            f"{run.run_id} has events 1 to {run.last_seq}; --at takes one of them.",
            fields={"at": "no such event"},
        )
    state = store.state(run.run_id, at_seq=at)
    if json:
        invocation.out.json(state_view(state))
        return
    out = invocation.out
    out.line(
        out.status(state.status),
        Span("  "),
        Span(state.name, "bold"),
        Span(f"  {state.run_id}", "dim"),
        Span(f"  as of event {at:,} of {run.last_seq:,}", "warn"),
    )
    steps = f"{state.completed_steps}/{state.total_steps} steps · " if state.total_steps else ""
    counts = f"{steps}{state.warn_count:,} warnings · {state.error_count:,} errors"
    running = state.status == "running"
    bar = f"{out.glyphs.bar(state.progress, 36)} {state.progress:>3} %  " if running else ""
    out.line(f"  {bar}{counts}")
    if state.first_error is not None:
        out.line(
            Span(
                f"  {out.glyphs['error']} event {state.first_error.seq}: {state.first_error.message}",
                "failed",
            )
        )
    if state.steps:
        out.heading("Steps")
        step_table(out, state.steps, now_ms=state.updated_at_ms, run_is_active=running)
    if state.open_calls:
        out.heading("Waiting for" if running else "Left open")
        for call in state.open_calls:
            out.line(*open_call(out, call, state.updated_at_ms if running else None))
    _events(invocation, store, run, _EVENTS, upto=at)
