"""Why a run failed, as JSON."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from runline.fold.compare import Divergence
from runline.fold.failure import ErrorLink, Failure, SeenBefore
from runline.fold.wire.errors import ErrorEvent, error_event, error_of
from runline.model.wire.calls import CallView, call_of, call_view
from runline.model.wire.quantity import about


class FailureView(Struct, frozen=True, kw_only=True):
    """Everything that one screen needs to tell why a run failed."""

    run_id: str
    first_error: Annotated[ErrorEvent | None, about("Null: no error is among its events.")]
    error_chain: Annotated[
        tuple[ErrorLink, ...],
        about("At most twenty: the first error, its causes, then later errors of its call or step."),
    ]
    step: Annotated[str | None, about("Where the first error happened.")]
    blocked: Annotated[tuple[str, ...], about("The steps that cannot start any more.")]
    open_calls: Annotated[tuple[CallView, ...], about("What it was waiting for, by request.")]
    fingerprint: Annotated[str | None, about("Of the first error.")]
    seen_before: Annotated[SeenBefore | None, about("In earlier runs of its name; null without an error.")]
    last_good_run_id: Annotated[str | None, about("The last run of its name that completed before it.")]
    first_divergence: Annotated[
        Divergence | None, about("Where it parts from that one (left); null when there is none.")
    ]


def failure_view(failure: Failure) -> FailureView:
    return FailureView(
        run_id=failure.run_id,
        first_error=None if failure.first_error is None else error_event(failure.first_error),
        error_chain=failure.error_chain,
        step=failure.step,
        blocked=failure.blocked,
        open_calls=tuple(map(call_view, failure.open_calls)),
        fingerprint=failure.fingerprint,
        seen_before=failure.seen_before,
        last_good_run_id=failure.last_good_run_id,
        first_divergence=failure.first_divergence,
    )


def failure_of(view: FailureView) -> Failure:
    """The failure that the view was made of."""
    return Failure(
        run_id=view.run_id,
        first_error=None if view.first_error is None else error_of(view.first_error),
        error_chain=view.error_chain,
        step=view.step,
        blocked=view.blocked,
        open_calls=tuple(map(call_of, view.open_calls)),
        fingerprint=view.fingerprint,
        seen_before=view.seen_before,
        last_good_run_id=view.last_good_run_id,
        first_divergence=view.first_divergence,
    )
