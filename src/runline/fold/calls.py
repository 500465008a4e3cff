"""Calls: requests paired with their responses by correlation id; a provider's also by the node's step.

A request with the key of an open call is that call's next attempt, and so is an announced retry (the
request that follows the announcement is not counted again). A response ends the call; `ok: false`, failed
tests, a `*_failed` type or an `error` event with the call's correlation id end it as failed. A response
to nothing is only an event, and so is one whose kind is not the open call's.
"""

from __future__ import annotations

import msgspec

from runline.fold import facts as read
from runline.fold.facts import CallFacts
from runline.fold.state import Arrival, CallState, RunFold
from runline.fold.steps import count_figures
from runline.model.catalogue import CATALOGUE
from runline.model.event import Draft, Event
from runline.model.event_type import Pair

_decoder = msgspec.json.Decoder(CallFacts)
_PAIRS = {name: row.pair for name, row in CATALOGUE.items() if row.pair is not None}


def call_key(event: Draft | Event) -> str | None:
    """The key of the call that this event may open, continue or close; None when it is in no pair."""
    pair = _PAIRS.get(event.type)
    if pair is None:
        return event.correlation_id if event.type == "error" else None
    return _key(event, pair)


def on_pair(fold: RunFold, at: Arrival) -> None:
    event, seq, step = at.event, at.seq, at.step
    said = read.read_facts(_decoder, event.payload)
    pair = _PAIRS[event.type]
    key = _key(event, pair)
    call = None if key is None else fold.calls.get(key)
    if step is not None and pair.kind == "llm":
        step.model = read.name(said.model) or step.model
    if call is None:
        if pair.role == "opens" and key is not None:
            _open(fold, event, seq, key, said)
    elif call.kind == pair.kind:
        if pair.role == "opens":
            _request_again(call)
        elif pair.role == "retries":
            call.attempts = max(call.attempts, read.count(said.retry_count, 1_000_000) or 0) + 1
            call.last_seq = seq
        else:
            failed = pair.role == "fails" or said.ok is False or bool(read.count(said.failed))
            _close(fold, event, seq, call, said, "failed" if failed else "done")
        fold.touched.calls[call.first_seq] = call
    count_figures(fold, event, step, said)


def on_error(fold: RunFold, at: Arrival) -> None:
    """An error ends the call that it belongs to."""
    event, seq, step = at.event, at.seq, at.step
    said = read.read_facts(_decoder, event.payload)
    key = event.correlation_id
    call = None if key is None else fold.calls.get(key)
    if call is not None:
        _close(fold, event, seq, call, said, "failed")
        fold.touched.calls[call.first_seq] = call
    count_figures(fold, event, step, said)


def _key(event: Draft | Event, pair: Pair) -> str | None:
    """A provider answers one request of a node at a time; without an id, other requests are only events."""
    if event.correlation_id or pair.kind != "provider":
        return event.correlation_id
    return f"provider:{event.step or ''}"


def _open(fold: RunFold, event: Draft | Event, seq: int, key: str, said: CallFacts) -> None:
    kind = _PAIRS[event.type].kind
    given = {"llm": said.model, "provider": said.provider_name}.get(kind)
    call = CallState(
        key=key,
        kind=kind,
        name=read.name(given) or read.name(said.name) or read.name(said.tool_name) or kind,
        detail=event.message,
        step=event.step,
        first_seq=seq,
        last_seq=seq,
        started_at_ms=event.ts_ms,
        parent=read.name(said.parent),
    )
    fold.calls[key] = fold.touched.calls[seq] = call
    fold.call_count += 1
    fold.open_calls += 1


def _request_again(call: CallState) -> None:
    if call.last_seq == call.first_seq:
        call.attempts += 1
    else:
        call.last_seq = call.first_seq


def _close(
    fold: RunFold, event: Draft | Event, seq: int, call: CallState, said: CallFacts, status: str
) -> None:
    duration_ms = read.count(said.duration_ms, read.MOST_MS)
    call.duration_ms = max(0, event.ts_ms - call.started_at_ms) if duration_ms is None else duration_ms
    call.status = status
    call.last_seq = seq
    call.tokens_in = read.count(said.tokens_in, read.MOST_TOKENS)
    call.tokens_out = read.count(said.tokens_out, read.MOST_TOKENS)
    del fold.calls[call.key]
    fold.open_calls -= 1
