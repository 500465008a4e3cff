"""The head of a run: what it is, its status, how far it is, what is left, and the facts about it."""

from __future__ import annotations

from runline.cli.moments import absolute, estimate, rounded, running_ms, when
from runline.cli.output import Output
from runline.cli.roles import Span
from runline.model.durations import format_ms
from runline.model.run import Run

_BAR_CELLS, _BAR_CELLS_LEAST = 36, 8


def run_header(out: Output, run: Run, *, now_ms: int, utc: bool) -> None:
    """Prints the head, in two to five lines."""
    out.line(*headline(out, run))
    run_facts(out, run, now_ms=now_ms, utc=utc)
    if run.note_count and run.last_note:
        who = f" ({run.last_note.author})" if run.last_note.author else ""
        out.line(f"  {out.glyphs['note']} {run.last_note.note}", Span(who, "dim"), cut=True)


def run_facts(out: Output, run: Run, *, now_ms: int, utc: bool) -> None:
    """Prints the head without its first line."""
    out.line(*progress_line(out, run, now_ms))
    out.listing([*facts(run, now_ms=now_ms, utc=utc), *_kin(run)], role="dim")


def headline(out: Output, run: Run) -> list[Span]:
    """Status, name and id."""
    spans = [out.status(run.status), Span("  "), Span(run.name, "bold"), Span("  "), Span(run.run_id, "dim")]
    if run.partial:
        spans.append(Span("  partial", "warn"))
    if run.cancel_requested and run.is_active:
        spans.append(Span("  cancel requested", "warn"))
    if run.pinned:
        spans.append(Span("  pinned", "dim"))
    return spans


def progress_line(out: Output, run: Run, now_ms: int) -> list[Span]:
    """The bar with what is left and why, or how the run ended."""
    took = format_ms(running_ms(run, now_ms))
    steps = f"{run.completed_steps}/{run.total_steps} steps" if run.total_steps else ""
    if run.status == "running":
        said = " · ".join(part for part in (estimate(run, now_ms), steps, f"{took} so far") if part)
        if not _has_progress(run):
            return [Span(f"  {said}")]
        room = out.width - len(said) - 12 if out.on_terminal else _BAR_CELLS
        bar = out.glyphs.bar(run.progress, max(_BAR_CELLS_LEAST, min(room, _BAR_CELLS)))
        return [Span(f"  {bar}", "running"), Span(f"  {run.progress:>3} %", "bold"), Span(f"  {said}")]
    match run.status:
        case "pending":
            said = f"waits for a worker, {rounded(now_ms - run.started_at_ms)} so far"
        case "interrupted":
            said = f"its writer is gone, last heard of {rounded(now_ms - _last_seen_ms(run))} ago"
        case _:
            said = f"{run.status} after {took}"
    usual = f"usually {format_ms(run.usual.p50_ms)}" if run.usual and run.duration_ms is not None else ""
    return [Span("  " + " · ".join(part for part in (said, usual, steps) if part))]


def facts(run: Run, *, now_ms: int, utc: bool) -> list[str]:
    """When it started, how much it said, where it runs."""
    started = f"started {when(run.started_at_ms, now_ms=now_ms, utc=utc)}"
    if not utc:
        started += f" ({absolute(run.started_at_ms)})"
    counts = [
        (run.event_count, "event"),
        (run.warn_count, "warning"),
        (run.error_count, "error"),
        (run.total_tokens, "token"),
        (run.note_count, "note"),
        (run.artifact_count, "artifact"),
    ]
    said = [started]
    said += [f"{count:,} {noun}{'' if count == 1 else 's'}" for count, noun in counts if count]
    if run.kind != "run":
        said.append(run.kind)
    if run.host:
        said.append(f"{run.host}, pid {run.pid}" if run.pid else run.host)
    return said


def _kin(run: Run) -> list[str]:
    said = [f"tags {', '.join(run.tags)}"] if run.tags else []
    if run.original_run_id:
        said.append(f"again after {run.original_run_id}")
    if run.parent_run_id and run.parent_run_id != run.original_run_id:
        said.append(f"child of {run.parent_run_id}")
    return said


def _has_progress(run: Run) -> bool:
    return run.progress > 0 or run.total_steps > 0


def _last_seen_ms(run: Run) -> int:
    return max(run.updated_at_ms, run.last_seen_at_ms or 0)
