"""`runline tail`: a run's events, one line each, and with `-f` as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from runline.cli.event_lines import event_line
from runline.cli.invocation import Invocation
from runline.cli.moments import running_ms
from runline.cli.options import (
    JsonOption,
    LevelOption,
    QueryOption,
    RunArgument,
    SourceOption,
    StepOption,
    TypeOption,
    did_you_mean,
    words,
)
from runline.cli.patience import Patience
from runline.cli.roles import Span
from runline.cli.run_ids import find_run
from runline.model.durations import format_ms
from runline.model.errors import Unavailable
from runline.model.event import Event
from runline.model.run import Run
from runline.model.status import LEVELS

if TYPE_CHECKING:
    from runline.store.interface import Store

_PAGE = 1000
_LOOK_S = 2.0
"""A silent run is looked at this often, should its writer be gone."""


def tail(
    ctx: typer.Context,
    *,
    run: RunArgument = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until the run ends.")] = False,
    lines: Annotated[
        int, typer.Option("-n", "--lines", metavar="N", help="How many of the newest; 0 none, -1 all.")
    ] = 20,
    level: LevelOption = None,
    step: StepOption = None,
    type: TypeOption = None,
    source: SourceOption = None,
    q: QueryOption = None,
    json: JsonOption = False,
) -> None:
    """Print a run's newest events, one line each: number, time since the start, level, step, type, message."""
    invocation = Invocation.of(ctx)
    filters: dict[str, Any] = {
        "levels": words(level, LEVELS, "level"),
        "steps": words(step),
        "types": words(type),
        "sources": words(source),
        "q": q,
    }
    with invocation.reading() as store:
        found = find_run(store, run)
        after_seq = _start(store, found, lines, filters)
        if follow:
            _follow(invocation, store, found, after_seq, filters, json=json)
            return
        printed = 0
        for event in _pages(store, found, after_seq, filters):
            _print(invocation, event, json=json)
            printed += 1
        if not printed and lines:
            _say_unknown(invocation, store, found, filters)


def _say_unknown(invocation: Invocation, store: Store, run: Run, filters: dict[str, Any]) -> None:
    """Names, on standard error, the steps and types asked for that the run does not have."""
    if not filters["types"] and not filters["steps"]:
        return
    state = store.state(run.run_id)
    seen = {
        "type": (filters["types"], list(state.types)),
        "step": (filters["steps"], [step.step_id for step in (*state.steps, *state.stages)]),
    }
    for what, (asked, known) in seen.items():
        for word in asked:
            if word not in known:
                near = did_you_mean(word, known)
                invocation.err.line(f"No event of {what} {word} in {run.run_id}.{near}")


def _start(store: Store, run: Run, lines: int, filters: dict[str, Any]) -> int:
    """The seq after which the last `lines` matching events begin."""
    if lines < 0:
        return 0
    left, before, seq = lines, None, run.last_seq
    while left > 0:
        page = store.read(run.run_id, before_seq=before, order="desc", limit=min(left, _PAGE), **filters)
        if not page:
            break
        left -= len(page)
        before = page[-1].seq
        seq = before - 1
    return seq


def _pages(store: Store, run: Run, after_seq: int, filters: dict[str, Any]) -> Any:
    while True:
        page = store.read(run.run_id, after_seq=after_seq, limit=_PAGE, **filters)
        yield from (event for event in page if event.seq <= run.last_seq)
        if len(page) < _PAGE or page[-1].seq >= run.last_seq:
            return
        after_seq = page[-1].seq


def _follow(
    invocation: Invocation, store: Store, run: Run, after_seq: int, filters: dict[str, Any], *, json: bool
) -> None:
    out, err = invocation.out, invocation.err
    if not json:
        said = f"{err.glyphs['live']} Live" if run.is_active else f"{err.glyphs['ended']} Ended"
        invocation.hint(f"{said}  {run.name}  {run.run_id}")
    patience = Patience(invocation)
    while True:
        try:
            before = store.get_run(run.run_id)
            for event in store.follow(run.run_id, after_seq=after_seq, timeout_s=_LOOK_S, **filters):
                after_seq = event.seq
                _print(invocation, event, json=json)
                out.flush()
        except Unavailable as error:
            patience.wait(error)
            continue
        patience.back()
        if not before.is_active:  # it had ended, or its writer was gone, and nothing more has come
            break
        after_seq = max(after_seq, before.last_seq)
    if not json and err.on_terminal:
        took = format_ms(running_ms(before, invocation.now_ms()))
        err.line(
            Span(f"{err.glyphs['ended']} Ended  ", "dim"),
            err.status(before.status),
            Span(f" after {took}", "dim"),
        )


def _print(invocation: Invocation, event: Event, *, json: bool) -> None:
    if json:
        invocation.out.json(event.to_json())
    else:
        event_line(invocation.out, event, utc=invocation.utc, cut=True)
