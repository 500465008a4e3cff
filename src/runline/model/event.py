"""An event: one thing that happened in a run, and its one canonical JSON form.

`Draft` is an event that has been accepted, cleaned and encoded but has no place in its run yet; the
writer gives it `id` and `seq`, and it becomes an `Event`. `payload` is the JSON text of `data`, kept
as text so that a page of events is spliced into an answer without parsing any of it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from runline.model.clock import from_ms, parse_instant, to_iso
from runline.model.errors import Invalid

NO_STEP = "run"
"""How an event without a step is named where a stage is asked for."""


class Draft(msgspec.Struct, frozen=True, gc=False, kw_only=False):
    """An event on its way to the log. `payload` is a JSON object as text."""

    ts_ms: int
    type: str
    level: str
    step: str | None
    source: str | None
    message: str
    correlation_id: str | None
    payload: str
    check: int = 0
    """CRC-32 over time, message, correlation id and payload; see `model/checksum.py`."""
    clean: bool = False
    """Redaction has been done already (oversize events are redacted before they are cut)."""
    event_id: str | None = None
    digest: str | None = None
    """Of the body as the caller gave it; only set when `event_id` is."""


class Event(msgspec.Struct, frozen=True, gc=False):
    """A stored event (contracts section 1). Equality compares everything but `id`."""

    id: int
    run_id: str
    seq: int
    ts_ms: int
    type: str
    level: str
    step: str | None
    source: str | None
    message: str
    correlation_id: str | None
    payload: str
    elapsed_ms: int

    @property
    def ts(self) -> datetime:
        """When it happened, UTC."""
        return from_ms(self.ts_ms)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run started, never negative."""
        return self.elapsed_ms / 1000

    @property
    def data(self) -> dict[str, Any]:
        """Everything else about it, decoded on each access."""
        decoded: dict[str, Any] = msgspec.json.decode(self.payload)
        return decoded

    def to_json(self) -> bytes:
        """Canonical event JSON: `id run_id seq ts type level step source message correlation_id data elapsed_s`."""
        return _encode(
            _Canonical(
                self.id,
                self.run_id,
                self.seq,
                to_iso(self.ts_ms),
                self.type,
                self.level,
                self.step,
                self.source,
                self.message,
                self.correlation_id,
                msgspec.Raw(self.payload.encode()),
                self.elapsed_ms / 1000,
            )
        )

    @staticmethod
    def from_json(text: bytes | str) -> Event:
        """The event of a canonical event JSON; keys it does not know are ignored.

        Raises Invalid (`bad_event`) when it is not one.
        """
        try:
            read = _decode(text)
            ts_ms = parse_instant(read.ts)
            payload = _encode(read.data).decode()
            elapsed_ms = round(read.elapsed_s * 1000)
        except (ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
            raise Invalid(f"This is not an event: {error}.", code="bad_event") from error
        return Event(
            read.id,
            read.run_id,
            read.seq,
            ts_ms,
            read.type,
            read.level,
            read.step,
            read.source,
            read.message,
            read.correlation_id,
            payload,
            elapsed_ms,
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Event):
            return NotImplemented
        return _identity(self) == _identity(other)

    def __hash__(self) -> int:
        return hash((self.run_id, self.seq))


T = TypeVar("T")


class _Canonical(msgspec.Struct, Generic[T], gc=False):
    id: int
    run_id: str
    seq: int
    ts: str
    type: str
    level: str
    step: str | None
    source: str | None
    message: str
    correlation_id: str | None
    data: T
    elapsed_s: float


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Canonical[dict[str, Any]]).decode


def _identity(event: Event) -> tuple[object, ...]:
    return msgspec.structs.astuple(event)[1:]
