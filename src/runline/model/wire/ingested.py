"""Appending over HTTP: what an event may hold on its way in, and the answer once it is durable."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from runline.model.wire.quantity import Count, about


class GivenEvent(Struct, frozen=True, kw_only=True):
    """An event as a caller sends it. Nothing is required; whatever other key there is moves into `data`."""

    type: Annotated[str | None, about("What happened; `log` when absent.", "tool_call")] = None
    ts: Annotated[str | None, about("When it happened; now when absent.", "2026-11-20T12:10:00.000Z")] = None
    level: Annotated[str | None, about("info, warn or error; as is usual for the type when absent.")] = None
    step: Annotated[str | None, about("Where in the run.", "extract")] = None
    source: Annotated[str | None, about("Who emits it.", "agent")] = None
    message: Annotated[str | None, about("One line for people.", "read config")] = None
    correlation_id: Annotated[str | None, about("Pairs a request with its response.", "c1")] = None
    data: Annotated[dict[str, Any] | None, about("Everything else.")] = None
    event_id: Annotated[
        str | None, about("Unique in the run: an event that comes again with it is stored once.", "4f1c9a7b")
    ] = None


class Ingested(Struct, frozen=True, kw_only=True):
    """Where a request's events went. It is sent when they are durable."""

    run_id: str
    seqs: Annotated[
        Annotated[tuple[int, ...], Meta(min_length=2, max_length=2)] | None,
        about("The lowest and the highest of them; null when none is stored."),
    ]
    ids: Annotated[tuple[int | None, ...], about("In the order of the request; null for what is not stored.")]
    not_stored: Annotated[Count, about("How many came after the run had reached its limit of events.")]
