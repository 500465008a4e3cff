"""`runline compare`: two runs side by side, or a failed one beside its last good one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from runline.cli.event_lines import event_line
from runline.cli.failure_block import divergence
from runline.cli.invocation import Invocation
from runline.cli.moments import running_ms
from runline.cli.options import JsonOption, complete_run
from runline.cli.output import Column, Output, visible
from runline.cli.roles import Span, role_of
from runline.cli.run_header import headline
from runline.cli.run_ids import find_run
from runline.fold.compare import Comparison, StepDelta
from runline.fold.wire.comparison import comparison_view
from runline.model.durations import format_ms
from runline.model.errors import NotFound
from runline.model.run import Run

if TYPE_CHECKING:
    from runline.store.interface import Store

_ENDED = ("failed", "cancelled", "interrupted")
_ERRORS = 10
_SLOWER_MS = 1000
"""A step counts as slower or faster from this difference on, when it is a tenth of its time as well."""


def compare(
    ctx: typer.Context,
    *,
    left: Annotated[
        str | None,
        typer.Argument(
            metavar="LEFT",
            help="A run; alone it is compared with its last good one.",
            autocompletion=complete_run,
            show_default=False,
        ),
    ] = None,
    right: Annotated[
        str | None,
        typer.Argument(
            metavar="RIGHT",
            help="The run to compare with it.",
            autocompletion=complete_run,
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Compare two runs: where they first part, how long each step took, errors that only RIGHT has."""
    invocation = Invocation.of(ctx)
    with invocation.reading() as store:
        if right is None:
            second = find_run(store, left, status=_ENDED if left is None else None)
            first = find_run(store, _last_good(store, second))
        else:
            first, second = find_run(store, left), find_run(store, right)
        found = store.compare(first.run_id, second.run_id)
        if json:
            invocation.out.json(comparison_view(found))
            return
        _print(invocation, store, first, second, found)


def _last_good(store: Store, run: Run) -> str:
    good = store.failure(run.run_id).last_good_run_id
    if good is None:
        raise NotFound(
            f"No run of {run.name} completed before {run.run_id}; name the run to compare with: "
            f"`runline compare OTHER {run.run_id[-4:]}`.",
            code="no_good_run",
        )
    return good


def _print(invocation: Invocation, store: Store, left: Run, right: Run, found: Comparison) -> None:
    out = invocation.out
    if left.name != right.name:
        said = f"These are runs of different names, {left.name} and {right.name}: expect them to differ."
        out.line(Span(said, "warn"))
    for side, run, other in (("A", left, right), ("B", right, left)):
        took = format_ms(running_ms(run, invocation.now_ms()))
        status, gap, name, *rest = headline(out, run)
        pad = max(0, len(other.status) - len(run.status)) * " "
        name_pad = Span(max(0, len(visible(other.name)) - len(visible(run.name))) * " ")
        time = Span(f"{pad}  {took:>7}")
        out.line(Span(f"{side}  ", "bold"), status, time, gap, name, name_pad, *rest, cut=True)
    out.heading("First divergence")
    parted = found.first_divergence
    out.line(f"  {divergence(parted, left='A', right='B')}")
    if parted is not None:
        for side, run, seq in (("A", left, parted.left_seq), ("B", right, parted.right_seq)):
            if seq is None:
                out.line(Span(f"  {side}  ", "bold"), Span("nothing", "dim"))
                continue
            for event in store.read(run.run_id, after_seq=seq - 1, before_seq=seq + 1, limit=1):
                if out.on_terminal:
                    out.line(
                        Span(f"  {side}  ", "bold"),
                        Span(f"{event.seq}  {event.type}  ", "dim"),
                        Span(event.message, role_of(event.level) if event.level != "info" else "plain"),
                        cut=True,
                    )
                else:
                    event_line(out, event)
    if found.steps:
        out.heading("Steps")
        out.table(
            (
                Column("STEP"),
                Column("A"),
                Column("TIME", right=True),
                Column("B"),
                Column("TIME", right=True),
                Column("B − A", right=True),
            ),
            [_step(out, delta) for delta in found.steps],
            indent=2,
        )
    out.heading("New errors in B", str(len(found.new_errors)) if found.new_errors else "")
    if not found.new_errors:
        out.line(Span("  none", "dim"))
    for error in found.new_errors[:_ERRORS]:
        out.line(
            Span(f"  {out.glyphs['error']} ", "failed"),
            Span(f"event {error.seq}  ", "dim"),
            error.message,
            cut=True,
        )
    if len(found.new_errors) > _ERRORS:
        out.line(Span(f"  and {len(found.new_errors) - _ERRORS} more", "dim"))


def _step(out: Output, delta: StepDelta) -> list[Any]:
    return [
        Span(delta.step_id),
        out.status(delta.left_state) if delta.left_state else Span("–", "dim"),
        Span(format_ms(delta.left_ms) if delta.left_ms is not None else "", "dim"),
        out.status(delta.right_state) if delta.right_state else Span("–", "dim"),
        Span(format_ms(delta.right_ms) if delta.right_ms is not None else "", "dim"),
        _difference(delta),
    ]


def _difference(delta: StepDelta) -> Span:
    if delta.delta_ms is None or delta.left_ms is None:
        return Span("")
    text = f"{'+' if delta.delta_ms >= 0 else '−'}{format_ms(abs(delta.delta_ms))}"
    notable = abs(delta.delta_ms) >= _SLOWER_MS and abs(delta.delta_ms) * 10 >= delta.left_ms
    if not notable:
        return Span(text, "dim")
    return Span(text, "warn" if delta.delta_ms > 0 else "completed")
