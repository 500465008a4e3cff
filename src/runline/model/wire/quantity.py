"""Instants, durations and figures as JSON has them, with what their names cannot say."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from runline.model.clock import parse_instant, to_iso
from runline.model.durations import format_ms


def about(description: str, *examples: object) -> Meta:
    """What a field means, for the OpenAPI document and the types made from it."""
    return Meta(description=description, examples=list(examples) or None)


Instant = Annotated[
    str,
    Meta(
        description="UTC, to the millisecond, always 24 characters.",
        examples=["2026-11-20T12:10:00.123Z"],
        extra_json_schema={"format": "date-time"},
    ),
]
DurationText = Annotated[str, about("A duration for people, cut and never rounded up.", "850ms", "1m 23s")]
Milliseconds = Annotated[int, Meta(ge=0, description="Milliseconds.", examples=[83000])]
Percent = Annotated[int, Meta(ge=0, le=100, description="0 to 100.", examples=[40])]
Count = Annotated[int, Meta(ge=0)]
Seq = Annotated[int, Meta(ge=0, description="An event's place in its run, counted from 1.", examples=[7])]
Rate = Annotated[float, Meta(ge=0, le=1, description="A fraction, 0 to 1.", examples=[0.96])]


def iso(ms: int | None) -> str | None:
    """The 24-character text of an instant that may be unknown."""
    return None if ms is None else to_iso(ms)


def ms_of(text: str | None) -> int | None:
    """The way back. Raises ValueError when the text is no instant."""
    return None if text is None else parse_instant(text)


def duration(ms: int | None) -> str | None:
    """The text of a duration that may be unknown."""
    return None if ms is None else format_ms(ms)
