"""What a caller hands over, made ready for the wire: JSON, redacted here already, and no larger than what is stored.

The server redacts and cuts again; it cannot know the secrets in this process's environment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from runline.intake.accept import ALIASES, accept
from runline.intake.redact import Redactor
from runline.intake.safe import Cut, safe
from runline.model.errors import Invalid
from runline.model.limits import Limits
from runline.store.remote.parcel import event_line

_encode = msgspec.json.Encoder().encode
_NO_TIME_MS = 0


def event_bodies(events: Iterable[Mapping[str, Any]], *, limits: Limits, redactor: Redactor) -> list[bytes]:
    """Each event as a JSON object. Raises Invalid for what is none."""
    return [_body(raw, limits, redactor) for raw in events]


def _body(raw: Mapping[str, Any], limits: Limits, redactor: Redactor) -> bytes:
    if not issubclass(type(raw), Mapping):
        raise Invalid("An event is a JSON object.", code="bad_event", fields={"event": "not an object"})
    cuts: list[Cut] = []
    form = safe(raw, limits=limits, cuts=cuts)
    if not isinstance(form, dict):
        raise Invalid("The event could not be read.", code="bad_event", fields={"event": "not readable"})
    event_id = form.pop("event_id", None)
    if not cuts:
        body = _encode(redactor.value(form) | _identity(event_id, redactor))
        if len(body) <= min(limits.string_bytes, limits.event_bytes):
            return body
    # Cut here as the store would, so that no event is larger than a request may be. Times that nobody gave stay
    # out: a repeated request must be the same.
    timed = any(form.get(name) is not None for name in ALIASES["ts"])
    draft = accept({**raw, "event_id": None}, now_ms=_NO_TIME_MS, limits=limits, redactor=redactor)
    fields: dict[str, Any] = msgspec.json.decode(event_line(redactor.batch([draft])[0]))
    if not timed:
        del fields["ts"]
    return _encode(fields | _identity(event_id, redactor))


def _identity(event_id: Any, redactor: Redactor) -> dict[str, Any]:
    """An id that holds a secret is told as its hash, which is as unique."""
    if event_id is None:
        return {}
    if isinstance(event_id, str) and redactor.text(event_id) != event_id:
        event_id = "sha256:" + hashlib.sha256(event_id.encode()).hexdigest()
    return {"event_id": event_id}


def plain(value: Any, redactor: Redactor) -> Any:
    """Any value in its JSON form, without secrets."""
    return redactor.value(safe(value, exempt=True))
