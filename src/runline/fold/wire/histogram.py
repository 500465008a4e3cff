"""What was said when, as JSON."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from runline.fold.slots import Histogram
from runline.model.clock import to_iso
from runline.model.wire.quantity import Instant, about


class HistogramView(Struct, frozen=True, kw_only=True):
    """Counts per slot, oldest first; slot n begins n × `slot_ms` after `start`."""

    start: Instant
    start_ms: Annotated[int, about("The same in milliseconds since 1970 UTC.")]
    slot_ms: Annotated[int, Meta(ge=1, description="The width of a slot.", examples=[1000])]
    events: Annotated[tuple[int, ...], about("Warnings and errors included.", [3, 0, 12])]
    warnings: Annotated[tuple[int, ...], about("As many slots.", [0, 0, 1])]
    errors: Annotated[tuple[int, ...], about("As many slots.", [0, 0, 0])]


def histogram_view(histogram: Histogram) -> HistogramView:
    return HistogramView(
        start=to_iso(histogram.start_ms),
        start_ms=histogram.start_ms,
        slot_ms=histogram.slot_ms,
        events=histogram.events,
        warnings=histogram.warnings,
        errors=histogram.errors,
    )


def histogram_of(view: HistogramView) -> Histogram:
    """The histogram that the view was made of."""
    return Histogram(view.start_ms, view.slot_ms, view.events, view.warnings, view.errors)
