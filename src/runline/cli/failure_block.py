"""Why a run failed, in one screen: first error and chain, step, what it blocked, open calls, history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from runline.cli.moments import offset
from runline.cli.output import Output
from runline.cli.roles import Span
from runline.fold.compare import Divergence
from runline.fold.failure import ErrorLink, Failure, SeenBefore
from runline.model.call import Call
from runline.model.durations import format_ms
from runline.model.event import Event
from runline.model.run import Run

if TYPE_CHECKING:
    from runline.store.interface import Store


def cancel_request(store: Store, run: Run) -> Event | None:
    """The event that asked a cancelled run to stop."""
    if run.status != "cancelled":
        return None
    return next(iter(store.read(run.run_id, types=("cancel_requested",), limit=1)), None)


FAILED = ("failed", "interrupted", "cancelled")
"""Statuses of a run that did not do what it was for."""
_STACK_LINES = 14
_LATER_SHOWN = 5
_HUNG = 3
"""A call counts as hung after this many times its P90."""


def failure_block(
    out: Output,
    run: Run,
    failure: Failure,
    *,
    now_ms: int,
    whole: bool,
    tail: Sequence[str] = (),
    asked: Event | None = None,
) -> None:
    """Prints the failure. `whole`: with the chain, the stack and the history, as `why` does.

    `tail`: the last lines that a command printed before it failed. `asked`: the event that asked it to stop.
    """
    first = failure.first_error
    if run.status == "cancelled":
        out.line(*_cancelled(out, run, asked))
    if first is None and run.status != "cancelled":
        out.line(
            Span(f"{out.glyphs['error']} ", "failed"),
            run.error_message or f"{run.status}, and no event says why",
        )
    elif first is not None:
        name = f"{first.name}: " if first.name and not first.message.startswith(first.name) else ""
        out.line(Span(f"{out.glyphs['error']} {name}{first.message}", "failed"))
        place = [f"step {failure.step}"] if failure.step else []
        place += [f"event {first.seq}", offset(max(0, first.ts_ms - run.started_at_ms)), first.type]
        out.line(Span("  " + " · ".join(place), "dim"))
    if failure.blocked:
        out.line(f"  {out.glyphs['blocked']} blocked  ", Span(", ".join(failure.blocked), "bold"))
    if whole:
        _chain(out, failure.error_chain)
        if [line.strip() for line in tail] not in ([], [first.message if first else ""]):
            out.block("\n".join(tail), indent="    ", role="dim")
    for call in failure.open_calls:
        out.line(*open_call(out, call, now_ms if run.is_active else None))
    if whole:
        _history(out, run, failure)


def _cancelled(out: Output, run: Run, asked: Event | None) -> list[Span]:
    """`⊘ cancelled, as runline asked at event 4, +00:12.020`."""
    said = [Span(f"{out.glyphs['cancelled']} cancelled", "cancelled")]
    if asked is not None:
        who = asked.data.get("by") or asked.source or "somebody"
        forced = ", by force" if asked.data.get("force") is True else ""
        said.append(Span(f", as {who} asked at event {asked.seq}, {offset(asked.elapsed_ms)}{forced}", "dim"))
    if run.error_message:
        said.append(Span(f": {run.error_message}"))
    return said


def open_call(out: Output, call: Call, until_ms: int | None) -> list[Span]:
    """`⧗ waiting for lookup_vat, usually 3s, now 41s`; without `until_ms`, of a run that has ended, `left open`."""
    what = call.name
    if call.detail and call.detail != call.name:
        apart = " " if call.name == call.kind else ": "
        what = call.detail if call.name in call.detail else f"{call.name}{apart}{call.detail}"
    where = f" in {call.step}" if call.step else ""
    if until_ms is None:
        return [Span(f"  {out.glyphs['open']} left open: "), Span(what, "bold"), Span(where, "dim")]
    open_ms = max(0, until_ms - call.started_at_ms)
    hung = call.usual is not None and open_ms > _HUNG * call.usual.p90_ms
    usual = f"usually {format_ms(call.usual.p50_ms)}, " if call.usual else ""
    return [
        Span(f"  {out.glyphs['open']} waiting for ", "warn" if hung else "plain"),
        Span(what, "bold"),
        Span(f"{where}, {usual}now {format_ms(open_ms)}", "dim"),
        Span("  looks hung" if hung else "", "warn"),
    ]


def _chain(out: Output, chain: tuple[ErrorLink, ...]) -> None:
    told = chain[0].message if chain else ""
    later = [link for link in chain if link.relation == "later" and link.message not in told]
    for link in chain:
        if link.relation == "cause":
            name = f"{link.name}: " if link.name and not link.message.startswith(link.name) else ""
            out.line(Span("  caused by  ", "dim"), f"{name}{link.message}")
        if link.stack and link.relation != "later":
            out.block(link.stack.rstrip(), indent="    ", role="dim", most_lines=_STACK_LINES)
    for link in later[:_LATER_SHOWN]:
        out.line(Span(f"  then, event {link.seq}  ", "dim"), link.message, cut=True)
    if len(later) > _LATER_SHOWN:
        out.line(Span(f"  and {len(later) - _LATER_SHOWN} later errors", "dim"))


def _history(out: Output, run: Run, failure: Failure) -> None:
    if failure.seen_before is not None:
        out.line(Span("  seen before  ", "dim"), seen(failure.seen_before, run.name))
    if failure.last_good_run_id is None:
        out.line(Span("  last good    ", "dim"), f"no completed run of {run.name} before this one")
        return
    out.line(Span("  last good    ", "dim"), failure.last_good_run_id)
    out.line(Span("  differs      ", "dim"), divergence(failure.first_divergence))


def seen(before: SeenBefore, name: str) -> str:
    """`in 2 of 23 earlier runs, last in nightly-…`."""
    if before.of_runs == 0:
        return f"this is the first run of {name}"
    runs = "1 earlier run" if before.of_runs == 1 else f"{before.of_runs} earlier runs"
    if before.count == 0:
        return f"never in {runs} of {name}"
    last = f", last in {before.last_run_id}" if before.last_run_id else ""
    return f"in {before.count} of {runs}{last}"


_DIFFER = {"type": "differ in type", "message": "differ in message", "data": "differ in data"}


def divergence(parted: Divergence | None, *, left: str = "that run", right: str = "this run") -> str:
    """Where two runs part, in a sentence: `first in step load: event 4 of A and event 5 of B differ in type`."""
    if parted is None:
        return "nowhere: both did the same"
    where = f"first in step {parted.step}" if parted.step else "first"
    if parted.right_seq is None:
        return f"{where}: event {parted.left_seq} of {left} is missing in {right}"
    if parted.left_seq is None:
        return f"{where}: event {parted.right_seq} of {right} is missing in {left}"
    events = f"event {parted.left_seq} of {left} and event {parted.right_seq} of {right}"
    return f"{where}: {events} {_DIFFER[parted.reason]}"
