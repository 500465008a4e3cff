"""A call as JSON: a request event and its response."""

from __future__ import annotations

from typing import Annotated, cast

from msgspec import UNSET, Meta, Struct, UnsetType

from runline.model.call import Call, CallStatus
from runline.model.clock import parse_instant, to_iso
from runline.model.event_type import CallKind
from runline.model.page import Page
from runline.model.step import Usual
from runline.model.wire.quantity import Count, Instant, Milliseconds, Seq, about


class CallView(Struct, frozen=True, kw_only=True):
    """One call."""

    correlation_id: Annotated[str, about("What pairs the two; made up when the events have none.", "c1")]
    kind: CallKind
    name: Annotated[str, about("The model, tool, test or provider that was asked.", "read_file")]
    detail: Annotated[str, about("The request's message.")]
    step: str | None
    parent: Annotated[str | None, about("The call that this one is a part of, as its request says.")]
    first_seq: Annotated[Seq, about("Of the request.")]
    last_seq: Annotated[
        Seq, about("Of the response; while open, of the retry that was announced, else of the request.")
    ]
    started_at: Instant
    duration_ms: Annotated[Milliseconds | None, about("Null while open.")]
    status: CallStatus
    attempts: Annotated[int, Meta(ge=1)]
    tokens_in: Count | None
    tokens_out: Count | None
    usual: Annotated[Usual | None, about("Durations of earlier calls of this name; null without any.")]


class CallCounts(Struct, frozen=True, kw_only=True):
    """How many calls of the kinds and steps asked for there are, whatever the page and the status."""

    total: Count
    done: Count
    failed: Count
    open: Count


class CallList(Struct, frozen=True, kw_only=True):
    """A page of calls, in the order of their requests."""

    calls: tuple[CallView, ...]
    counts: CallCounts
    next_cursor: Annotated[
        str | UnsetType, about("Opaque: where the next page begins; absent on the last.")
    ] = UNSET


def call_view(call: Call) -> CallView:
    return CallView(
        correlation_id=call.correlation_id,
        kind=cast("CallKind", call.kind),
        name=call.name,
        detail=call.detail,
        step=call.step,
        parent=call.parent,
        first_seq=call.first_seq,
        last_seq=call.last_seq,
        started_at=to_iso(call.started_at_ms),
        duration_ms=call.duration_ms,
        status=call.status,
        attempts=call.attempts,
        tokens_in=call.tokens_in,
        tokens_out=call.tokens_out,
        usual=call.usual,
    )


def call_list(page: Page[Call], counts: CallCounts) -> CallList:
    return CallList(
        calls=tuple(map(call_view, page.items)),
        counts=counts,
        next_cursor=UNSET if page.next_cursor is None else page.next_cursor,
    )


def call_of(view: CallView) -> Call:
    """The call that the view was made of."""
    return Call(
        correlation_id=view.correlation_id,
        kind=view.kind,
        name=view.name,
        detail=view.detail,
        step=view.step,
        first_seq=view.first_seq,
        last_seq=view.last_seq,
        started_at_ms=parse_instant(view.started_at),
        duration_ms=view.duration_ms,
        status=view.status,
        parent=view.parent,
        attempts=view.attempts,
        tokens_in=view.tokens_in,
        tokens_out=view.tokens_out,
        usual=view.usual,
    )
