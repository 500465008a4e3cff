"""`runline watch`: one screen that follows a run's progress until it ends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from runline.cli import exits
from runline.cli.event_lines import event_line, is_noise
from runline.cli.failure_block import cancel_request, failure_block, open_call
from runline.cli.invocation import Invocation
from runline.cli.moments import running_ms
from runline.cli.options import JsonOption, RunArgument
from runline.cli.patience import Patience
from runline.cli.roles import Span
from runline.cli.run_header import run_header
from runline.cli.run_ids import find_run
from runline.cli.step_table import step_table
from runline.model.durations import format_ms
from runline.model.errors import Unavailable
from runline.model.run import Run
from runline.model.step import Step
from runline.model.wire.runs import run_summary

if TYPE_CHECKING:
    from rich.console import RenderableType

    from runline.store.interface import Store

_REDRAW_S = 0.5
_EVENTS = 6
_READ = 100
_STEPS = 20
_PROGRESS_STEP = 5
"""Off a terminal progress is said this often, in percent."""
_GOOD = frozenset({"completed"})


def watch(
    ctx: typer.Context,
    *,
    run: RunArgument = None,
    exit_status: Annotated[
        bool, typer.Option("--exit-status", help="Exit with 1 when the run did not complete.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Watch a run until it ends: progress, estimate, steps, open calls, newest events."""
    invocation = Invocation.of(ctx)
    out = invocation.out
    with invocation.reading() as store:
        found = find_run(store, run)
        if out.on_terminal and not json:
            _live(invocation, store, found)
        else:
            _lines(invocation, store, found, quiet=json)
        ended = store.get_run(found.run_id)
        if json:
            out.json(run_summary(ended))
        elif ended.status not in _GOOD and ended.status != "running":
            out.blank()
            failure_block(
                out,
                ended,
                store.failure(ended.run_id),
                now_ms=invocation.now_ms(),
                whole=False,
                asked=cancel_request(store, ended),
            )
            out.line(Span(f"  runline why {ended.run_id[-4:]}   for the whole story", "dim"))
    if exit_status and ended.status not in _GOOD:
        raise typer.Exit(exits.PROBLEM)


def _is_over(run: Run) -> bool:
    """Nothing more will come: it has ended, or its writer is gone."""
    return not run.is_active


def _lines(invocation: Invocation, store: Store, run: Run, *, quiet: bool) -> None:
    """Off a terminal: what matters, a line each, as it happens."""
    out = invocation.out
    after_seq = said = 0
    patience = Patience(invocation)
    while True:
        try:
            now = store.get_run(run.run_id)
            for event in store.follow(run.run_id, after_seq=after_seq, timeout_s=_REDRAW_S):
                after_seq = event.seq
                if not quiet and (event.level != "info" or (event.step is not None and not is_noise(event))):
                    event_line(out, event, utc=invocation.utc)
        except Unavailable as error:
            patience.wait(error)
            continue
        patience.back()
        if not quiet and now.is_active and now.progress >= said + _PROGRESS_STEP:
            said = now.progress
            out.line(f"{said} %")
        out.flush()
        if _is_over(now):
            break
    if not quiet:
        out.line(
            out.status(now.status),
            Span(f"  {now.name} after {format_ms(running_ms(now, invocation.now_ms()))}"),
        )


def _live(invocation: Invocation, store: Store, run: Run) -> None:
    from rich.live import Live

    out = invocation.out
    with Live(console=out.console, auto_refresh=False, transient=False, vertical_overflow="crop") as live:
        patience = Patience(invocation)
        while True:
            try:
                now = store.get_run(run.run_id)
                live.update(_screen(invocation, store, now), refresh=True)
                if _is_over(now):
                    return
                # Waits until something new happens, and redraws at most a few times a second.
                next(store.follow(run.run_id, after_seq=now.last_seq, timeout_s=_REDRAW_S), None)
            except Unavailable as error:
                patience.wait(error)
                continue
            patience.back()
            time.sleep(_REDRAW_S / 2)


def _screen(invocation: Invocation, store: Store, run: Run) -> RenderableType:
    """The whole view, drawn into text with the same functions that `show` uses."""
    from rich.text import Text

    out = invocation.out
    height = out.console.height
    page = out.offscreen()
    now_ms = invocation.now_ms()
    run_header(page, run, now_ms=now_ms, utc=invocation.utc)
    steps = store.list_steps(run.run_id)
    if steps:
        page.heading("Steps", f"{run.completed_steps} of {run.total_steps}")
        room = max(3, min(_STEPS, height - 16))
        shown = _around(steps, run.current_step_index or 0, room)
        step_table(page, shown, now_ms=now_ms, run_is_active=run.is_active)
        if len(shown) < len(steps):
            page.line(Span(f"  {len(steps) - len(shown)} more steps", "dim"))
    calls = store.calls(run.run_id, status="open", limit=3).items if run.call_count and run.is_active else []
    if calls:
        page.heading("Waiting for")
        for call in calls:
            page.line(*open_call(page, call, now_ms), cut=True)
    newest = [event for event in store.read(run.run_id, order="desc", limit=_READ) if not is_noise(event)]
    page.heading("Newest events", f"{run.last_seq:,}")
    for event in reversed(newest[:_EVENTS]):
        event_line(page, event, utc=invocation.utc, cut=True)
    return Text.from_ansi(page.drawn(), no_wrap=True, overflow="crop")


def _around(steps: list[Step], index: int, room: int) -> list[Step]:
    """At most `room` steps, with the one at `index` among them."""
    start = max(0, min(index - room // 2, len(steps) - room))
    return steps[start : start + room]
