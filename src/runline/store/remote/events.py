"""One run's events over the wire: appending, pages, and the seqs of a search as they are found."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from runline.fold.apply import apply
from runline.fold.snapshot import snapshot
from runline.fold.state import RunFold
from runline.intake.redact import Redactor
from runline.model.event import Event
from runline.model.limits import Limits
from runline.model.wire.events import StreamEvent, TracePage, event_of
from runline.store.remote import runs
from runline.store.remote.client import Client, part
from runline.store.remote.outgoing import event_bodies

if TYPE_CHECKING:
    from runline.fold.snapshot import RunState
    from runline.store.events import Hits

_PAGE = 1000
_INDEX_S = 60.0


class _Appended(msgspec.Struct):
    ids: list[int | None]


def path_of(run_id: str) -> str:
    return f"/api/runs/{part(run_id)}"


def append(
    client: Client,
    run_id: str,
    events: Iterable[Mapping[str, Any]],
    *,
    idempotency_key: str | None,
    limits: Limits,
    redactor: Redactor,
) -> list[Event]:
    """What was stored, in request order, as the server has it now."""
    bodies = event_bodies(events, limits=limits, redactor=redactor)
    told = client.send(
        "POST",
        f"{path_of(run_id)}/events",
        _Appended,
        b"[%b]" % b",".join(bodies),
        key=idempotency_key,
        again=idempotency_key is not None,
    )
    ids = [id_ for id_ in told.ids if id_ is not None]
    found: dict[int, Event] = {}
    for id_ in sorted(set(ids)):
        if id_ not in found:
            page = read(client, run_id, {}, after_id=id_ - 1, limit=min(_PAGE, len(ids)))
            found.update({event.id: event for event in page})
    return [found[id_] for id_ in ids]


def end(client: Client, run_id: str, status: str, error: str | None, *, key: str | None) -> Event:
    body = {"status": status} | ({} if error is None else {"error": error})
    return event_of(client.post(f"{path_of(run_id)}/end", StreamEvent, body, key=key))


def filter_parameters(
    *,
    types: Sequence[str] = (),
    levels: Sequence[str] = (),
    steps: Sequence[str] = (),
    sources: Sequence[str] = (),
    correlation_id: str | None = None,
    q: str | None = None,
) -> dict[str, Any]:
    """The filters of events as the API names them."""
    return {
        "types": runs.words(types),
        "level": runs.words(levels),
        "step": runs.words(steps),
        "source": runs.words(sources),
        "correlation_id": correlation_id,
        "q": q,
    }


def read(
    client: Client,
    run_id: str,
    filters: Mapping[str, Any],
    *,
    after_seq: int = 0,
    before_seq: int | None = None,
    after_id: int | None = None,
    order: str = "asc",
    limit: int = 100,
) -> list[Event]:
    if before_seq is not None and before_seq < 1:
        before_seq = 1
    asked = {
        **filter_parameters(**filters),
        "afterSeq": max(0, after_seq),
        "beforeSeq": before_seq,
        "afterId": None if after_id is None else max(0, after_id),
        "order": order,
        "limit": limit,
    }
    return [event_of(event) for event in client.get(f"{path_of(run_id)}/events", TracePage, asked).events]


def count(client: Client, run_id: str, filters: Mapping[str, Any]) -> int:
    asked = {**filter_parameters(**filters), "limit": 1, "count": True}
    return client.get(f"{path_of(run_id)}/events", TracePage, asked).total or 0


def index(client: Client, run_id: str, filters: Mapping[str, Any], *, after_seq: int) -> Iterator[Hits]:
    """In pieces as the server finds them; it tells no progress beside the seqs themselves."""
    from runline.store.events import Hits

    last_seq = runs.get(client, run_id).last_seq
    asked = {**filter_parameters(**filters), "afterSeq": max(0, after_seq)}
    with client.stream(
        f"{path_of(run_id)}/events/index", params=asked, media="application/octet-stream", silence_s=_INDEX_S
    ) as answer:
        for seqs in numbers(answer.iter_raw()):
            yield Hits(seqs, seqs[-1], max(last_seq, seqs[-1]))
    yield Hits(array("I"), last_seq, last_seq)


def numbers(chunks: Iterable[bytes]) -> Iterator[array[int]]:
    """Little-endian numbers of 32 bits out of bytes that break off anywhere, in pieces that are not empty."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        whole = len(rest) - len(rest) % 4
        found = array("I", rest[:whole])
        rest = rest[whole:]
        if sys.byteorder == "big":
            found.byteswap()
        if found:
            yield found


def replay(client: Client, run_id: str, *, to_seq: int | None) -> Iterator[RunState]:
    """The fold of the pages, made here."""
    run = runs.get(client, run_id)
    fold = RunFold(run.run_id, run.started_at_ms)
    last = run.last_seq if to_seq is None else min(to_seq, run.last_seq)
    while fold.last_seq < last:
        page = read(client, run_id, {}, after_seq=fold.last_seq, limit=min(_PAGE, last - fold.last_seq))
        for event in page:
            apply(fold, event, event.seq)
            yield snapshot(fold)
