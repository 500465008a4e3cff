"""Why a run failed: its errors as facts, the chain behind the first one, and the answer's shape.

The first error is what a failed run opens on. Its chain is what its data says of it and of its causes
(`error`, `stack`, `cause`), followed by the later errors of the same call or step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec
from msgspec import Struct

from runline.fold import facts as read
from runline.fold.compare import Divergence
from runline.fold.fingerprint import fingerprint
from runline.fold.state import ErrorFact
from runline.model.call import Call
from runline.model.event import Draft, Event

_MOST_CAUSES = 10
_MOST_LINKS = 20


class _Named(Struct):
    name: Any = None


class _Details(Struct):
    name: Any = None
    error: Any = None
    stack: Any = None
    cause: Any = None


_named = msgspec.json.Decoder(_Named)
_details = msgspec.json.Decoder(_Details)


class ErrorLink(Struct, frozen=True):
    """One link of an error chain. A cause has the seq of the event whose data tells of it."""

    relation: Literal["first", "cause", "later"]
    seq: int
    step: str | None
    name: str | None
    message: str
    stack: str | None


class SeenBefore(Struct, frozen=True):
    """In how many of the `of_runs` earlier runs of this name the same error came first, and in which last."""

    count: int
    of_runs: int
    last_run_id: str | None


class Failure(Struct, frozen=True, kw_only=True):
    """The answer to "why": everything that one screen needs. Without an error, `first_error` is None."""

    run_id: str
    first_error: ErrorFact | None
    error_chain: tuple[ErrorLink, ...]
    step: str | None
    blocked: tuple[str, ...]
    open_calls: tuple[Call, ...]
    fingerprint: str | None
    seen_before: SeenBefore | None
    last_good_run_id: str | None
    first_divergence: Divergence | None


def unmarked_error(event: Draft | Event, seq: int) -> ErrorFact:
    """The event as an error, with a blank fingerprint."""
    name = read.name(read.read_facts(_named, event.payload).name) if event.type == "error" else None
    return ErrorFact(seq, event.ts_ms, event.step, event.type, name, event.message, "")


def marked(error: ErrorFact) -> ErrorFact:
    """The same with its fingerprint."""
    mark = fingerprint(error.name, error.message, error.step)
    return msgspec.structs.replace(error, fingerprint=mark)


def new_errors(left: Iterable[Event], right: Iterable[Event]) -> tuple[ErrorFact, ...]:
    """The right run's errors that the left one does not have, each fingerprint once, in order.

    Events that are no errors are passed over.
    """
    known = {error.fingerprint for error in _errors(left)}
    found: dict[str, ErrorFact] = {}
    for error in _errors(right):
        if error.fingerprint not in known:
            found.setdefault(error.fingerprint, error)
    return tuple(found.values())


def error_chain(first: Event, later: Iterable[Event]) -> tuple[ErrorLink, ...]:
    """At most twenty links: the first error, its causes, then later errors of its call or step.

    `later` are events after the first, in order; those that do not belong are passed over, and so is an
    error that the chain already shows.
    """
    said = read.read_facts(_details, first.payload)
    error = said.error if isinstance(said.error, dict) else {}
    name = read.name(said.name) or read.name(error.get("name"))
    stack = read.text(said.stack) or read.text(error.get("stack"))
    links = [ErrorLink("first", first.seq, first.step, name, first.message, stack)]
    told = read.error_text(said.error)
    if told is not None and told not in first.message:
        links.append(ErrorLink("cause", first.seq, first.step, read.name(error.get("name")), told, None))
    links.extend(_causes(first, error.get("cause") if said.cause is None else said.cause))
    shown = {marked(unmarked_error(first, first.seq)).fingerprint}
    for event in later:
        if len(links) >= _MOST_LINKS:
            break
        if event.level != "error" or not _belongs(event, first):
            continue
        fact = marked(unmarked_error(event, event.seq))
        if fact.fingerprint not in shown:
            shown.add(fact.fingerprint)
            details = read.read_facts(_details, event.payload)
            stack = read.text(details.stack)
            links.append(ErrorLink("later", fact.seq, fact.step, fact.name, fact.message, stack))
    return tuple(links)


def _errors(events: Iterable[Event]) -> Iterator[ErrorFact]:
    return (marked(unmarked_error(event, event.seq)) for event in events if event.level == "error")


def _belongs(event: Event, first: Event) -> bool:
    same_call = event.correlation_id is not None and event.correlation_id == first.correlation_id
    return event.seq != first.seq and (same_call or event.step == first.step)


def _causes(event: Event, cause: object) -> list[ErrorLink]:
    """The causes that data nests in one another, outermost first."""
    links: list[ErrorLink] = []
    while cause is not None and len(links) < _MOST_CAUSES:
        told = read.error_text(cause)
        details = cause if isinstance(cause, dict) else {}
        if told is None:
            break
        stack = read.text(details.get("stack"))
        links.append(ErrorLink("cause", event.seq, event.step, read.name(details.get("name")), told, stack))
        cause = details.get("cause")
    return links
