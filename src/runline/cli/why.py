"""`runline why`: the answer to one question, on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from runline.cli.failure_block import FAILED, cancel_request, failure_block, open_call
from runline.cli.invocation import Invocation
from runline.cli.options import JsonOption, complete_run
from runline.cli.roles import Span
from runline.cli.run_header import headline, progress_line
from runline.cli.run_ids import find_run, short_ids
from runline.fold.failure import Failure
from runline.fold.wire.failure import failure_view
from runline.model.errors import NotFound
from runline.model.run import Run

if TYPE_CHECKING:
    from runline.store.interface import Store


def why(
    ctx: typer.Context,
    *,
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN",
            help="Id, or its unique beginning or end; the last failed run by default.",
            autocompletion=complete_run,
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Say why a run failed: first error and its chain, failing step, what it blocked, open calls, history."""
    invocation = Invocation.of(ctx)
    with invocation.reading() as store:
        found = _failed(store) if run is None else find_run(store, run)
        if json:
            invocation.out.json(failure_view(store.failure(found.run_id)))
            return
        print_why(invocation, store, found)


def _failed(store: Store) -> Run:
    latest = store.list_runs(status="failed", limit=1).items
    if not latest:
        raise NotFound("No run has failed. `runline ls` shows all of them.", code="no_run")
    return store.get_run(latest[0].run_id)


def print_why(invocation: Invocation, store: Store, run: Run) -> None:
    """Prints why the run failed, or that nothing did."""
    out, now_ms = invocation.out, invocation.now_ms()
    failure = store.failure(run.run_id)
    out.line(*headline(out, run))
    out.line(*progress_line(out, run, now_ms))
    out.blank()
    if failure.first_error is None and run.status not in FAILED:
        out.line(f"  Nothing failed: no error is among its {run.event_count:,} events.")
        for call in failure.open_calls:
            out.line(*open_call(out, call, now_ms if run.is_active else None))
        return
    tail, asked = _tail(store, run, failure), cancel_request(store, run)
    failure_block(out, run, failure, now_ms=now_ms, whole=True, tail=tail, asked=asked)
    if out.on_terminal and failure.first_error is not None:
        short = short_ids([run.run_id])[run.run_id]
        out.blank()
        hint = f"  runline show {short} --at {failure.first_error.seq}   the run as it was at that moment"
        out.line(Span(hint, "dim"))
        if failure.last_good_run_id is not None:
            out.line(Span(f"  runline compare {short}   beside its last good run", "dim"))


def _tail(store: Store, run: Run, failure: Failure) -> list[str]:
    """What a recorded command printed last, as its error event tells."""
    if failure.first_error is None:
        return []
    seq = failure.first_error.seq
    told = [event.data.get("tail") for event in store.read(run.run_id, after_seq=seq - 1, limit=1)]
    return [str(line) for line in told[0]] if told and isinstance(told[0], list) else []
