"""Two runs side by side, as JSON."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from runline.fold.compare import Comparison, Divergence, StepDelta
from runline.fold.wire.errors import ErrorEvent, error_event, error_of
from runline.model.status import RunStatus
from runline.model.wire.quantity import Milliseconds, about


class ComparisonView(Struct, frozen=True, kw_only=True):
    """Where two runs first part, the steps of both, and the errors that only the right one has."""

    left_run_id: str
    right_run_id: str
    left_status: RunStatus
    right_status: RunStatus
    left_ms: Annotated[Milliseconds | None, about("How long it took; null while it has not ended.")]
    right_ms: Annotated[Milliseconds | None, about("How long it took; null while it has not ended.")]
    first_divergence: Annotated[Divergence | None, about("Null: they did the same.")]
    steps: Annotated[
        tuple[StepDelta, ...], about("The right run's in their order, then those that only the left has.")
    ]
    new_errors: Annotated[tuple[ErrorEvent, ...], about("Each fingerprint once, in order.")]


def comparison_view(found: Comparison) -> ComparisonView:
    return ComparisonView(
        left_run_id=found.left_run_id,
        right_run_id=found.right_run_id,
        left_status=found.left_status,
        right_status=found.right_status,
        left_ms=found.left_ms,
        right_ms=found.right_ms,
        first_divergence=found.first_divergence,
        steps=found.steps,
        new_errors=tuple(map(error_event, found.new_errors)),
    )


def comparison_of(view: ComparisonView) -> Comparison:
    """The comparison that the view was made of."""
    return Comparison(
        left_run_id=view.left_run_id,
        right_run_id=view.right_run_id,
        left_status=view.left_status,
        right_status=view.right_status,
        left_ms=view.left_ms,
        right_ms=view.right_ms,
        first_divergence=view.first_divergence,
        steps=view.steps,
        new_errors=tuple(map(error_of, view.new_errors)),
    )
