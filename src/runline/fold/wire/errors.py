"""An error event as JSON, as the fold remembers it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from runline.fold.state import ErrorFact
from runline.model.clock import to_iso
from runline.model.wire.quantity import Instant, Seq, about


class ErrorEvent(Struct, frozen=True, kw_only=True):
    """An error of a run."""

    seq: Seq
    ts: Instant
    ts_ms: Annotated[int, about("The same in milliseconds since 1970 UTC.")]
    step: str | None
    type: Annotated[str, about("Of the event.", "error", "step_failed")]
    name: Annotated[str | None, about("The error's class or kind, when it told one.", "TimeoutError")]
    message: str
    fingerprint: Annotated[str, about("Sixteen hex digits; the same for the same error in another run.")]


def error_event(error: ErrorFact) -> ErrorEvent:
    return ErrorEvent(
        seq=error.seq,
        ts=to_iso(error.ts_ms),
        ts_ms=error.ts_ms,
        step=error.step,
        type=error.type,
        name=error.name,
        message=error.message,
        fingerprint=error.fingerprint,
    )


def error_of(view: ErrorEvent) -> ErrorFact:
    """The error that the view was made of."""
    return ErrorFact(view.seq, view.ts_ms, view.step, view.type, view.name, view.message, view.fingerprint)
