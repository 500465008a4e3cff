"""A run's steps as a table: state, time, progress, what it is doing, attempts, tokens."""

from __future__ import annotations

from collections.abc import Sequence

from runline.cli.moments import NO_NEWS_MS, rounded
from runline.cli.output import Column, Output
from runline.cli.roles import Span
from runline.model.durations import format_ms
from runline.model.status import STEP_ACTIVE
from runline.model.step import Step

_BAR_CELLS = 8
_COLUMNS = (
    Column("STEP"),
    Column("STATE"),
    Column("TIME", right=True),
    Column("PROGRESS", from_width=70),
    Column("USUALLY", right=True, from_width=100),
    Column("TRIES", right=True, from_width=90),
    Column("TOKENS", right=True, from_width=100),
    Column("", gives_way=True),
)


def step_table(out: Output, steps: Sequence[Step], *, now_ms: int, run_is_active: bool) -> None:
    """Prints the steps in the order of the run's plan."""
    tries = any(step.attempt > 1 or (step.max_attempts or 1) > 1 for step in steps)
    tokens = any(step.tokens_used for step in steps)
    usual = any(step.usual for step in steps)
    keep = {"USUALLY": usual, "TRIES": tries, "TOKENS": tokens}
    places = [place for place, column in enumerate(_COLUMNS) if keep.get(column.title, True)]
    rows = [_row(out, step, now_ms, run_is_active) for step in steps]
    if not out.on_terminal:
        places = list(range(len(_COLUMNS)))  # what a program reads has the same columns every time
    out.table(
        [_COLUMNS[place] for place in places], [[row[place] for place in places] for row in rows], indent=2
    )


def _row(out: Output, step: Step, now_ms: int, run_is_active: bool) -> list[Span]:
    active = run_is_active and step.state in STEP_ACTIVE
    return [
        Span(step.step_id, "bold" if step.state in ("running", "failed") else "plain"),
        out.status(step.state),
        Span(_time(step, active, now_ms)),
        Span(_progress(out, step, active), "running" if active else "dim"),
        Span(f"{format_ms(step.usual.p50_ms)}" if step.usual else "", "dim"),
        Span(_tries(step), "warn" if step.attempt > 1 else "dim"),
        Span(f"{step.tokens_used:,}" if step.tokens_used else "", "dim"),
        _doing(step, active, now_ms),
    ]


def _time(step: Step, active: bool, now_ms: int) -> str:
    if step.duration_ms is not None:
        return format_ms(step.duration_ms)
    if active and step.started_at_ms is not None:
        return format_ms(max(0, now_ms - step.started_at_ms))
    return ""


def _progress(out: Output, step: Step, active: bool) -> str:
    if active or 0 < step.progress < 100:
        if not out.on_terminal:
            return f"{step.progress} %"
        return f"{out.glyphs.bar(step.progress, _BAR_CELLS)} {step.progress:>3} %"
    return ""


def _tries(step: Step) -> str:
    if step.max_attempts and step.max_attempts > 1:
        return f"{step.attempt}/{step.max_attempts}"
    return str(step.attempt) if step.attempt > 1 else ""


def _doing(step: Step, active: bool, now_ms: int) -> Span:
    """The most telling thing about the step in one phrase."""
    if step.error:
        return Span(step.error, "failed" if step.state == "failed" else "warn")
    if step.reason:
        return Span(step.reason, "dim")
    if not active:
        return Span("")
    said = step.current_action or step.message or ""
    silent_ms = now_ms - step.updated_at_ms if step.updated_at_ms is not None else 0
    if silent_ms >= NO_NEWS_MS:
        said = f"no news for {rounded(silent_ms)}" + (f" · {said}" if said else "")
        return Span(said, "warn")
    if step.estimated_completion_ms is not None:
        left_ms = max(0, step.estimated_completion_ms - silent_ms)
        said = f"~{rounded(left_ms)} left" + (f" · {said}" if said else "")
    return Span(said, "dim")
