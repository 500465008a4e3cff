"""What a recorder sends: a run's creation, a batch of its events, or a file; each can be sent again without harm."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec
from msgspec import Raw, Struct

from runline.model.catalogue import END_TYPES
from runline.model.clock import to_iso
from runline.model.event import Draft

MOST_EVENTS = 500
MOST_BYTES = 1024 * 1024

Kind = Literal["create", "events", "file"]


class Parcel(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`body` is the request's: JSON, a line of JSON for each event, or the JSON of an `Upload`."""

    kind: Kind
    run_id: str
    key: str
    """Of idempotency: the server takes a second delivery for the first."""
    body: str
    count: int = 1
    """Events in it."""
    vital: bool = False
    """A creation or an end: kept even when there is no more room for others."""
    size: int = 0

    def to_json(self) -> bytes:
        return _encode(self)


class Upload(Struct, frozen=True, kw_only=True):
    """A file to be sent, below the folder of files that wait. `data` is what is told of it beside its content."""

    file: str
    step: str | None
    name: str
    type: str | None
    data: Raw


_encode = msgspec.json.Encoder().encode
read_parcel = msgspec.json.Decoder(Parcel).decode
read_upload = msgspec.json.Decoder(Upload).decode


class _Sent(Struct, gc=False, omit_defaults=True):
    type: str
    ts: str
    level: str
    message: str
    data: Raw
    step: str | None = None
    source: str | None = None
    correlation_id: str | None = None
    event_id: str | None = None


def event_line(draft: Draft) -> bytes:
    """A clean draft as the server takes it in, without the line's end."""
    return _encode(
        _Sent(
            draft.type,
            to_iso(draft.ts_ms),
            draft.level,
            draft.message,
            Raw(draft.payload.encode()),
            draft.step,
            draft.source,
            draft.correlation_id,
            draft.event_id,
        )
    )


def event_parcels(run_id: str, drafts: Sequence[Draft]) -> Iterator[Parcel]:
    """The events in order, in parcels of at most 500 events and about 1 MiB."""
    lines: list[bytes] = []
    size = 0
    vital = False
    for draft in drafts:
        line = event_line(draft)
        if lines and (len(lines) == MOST_EVENTS or size + len(line) > MOST_BYTES):
            yield _events(run_id, lines, size, vital=vital)
            lines, size = [], 0
        lines.append(line)
        size += len(line) + 1
        vital = draft.type in END_TYPES
    if lines:
        yield _events(run_id, lines, size, vital=vital)


def _events(run_id: str, lines: list[bytes], size: int, *, vital: bool) -> Parcel:
    body = b"\n".join(lines).decode()
    return Parcel(
        kind="events", run_id=run_id, key=new_key(), body=body, count=len(lines), vital=vital, size=size
    )


def new_key() -> str:
    return f"rl-{secrets.token_hex(16)}"
