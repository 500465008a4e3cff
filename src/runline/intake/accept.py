"""The two doors: `draft` for the recorder, which never raises, and `accept` for mappings from anywhere.

`draft` is the hot path. An ordinary event (exact JSON types, nothing oversize, names seen before) is encoded
once and leaves not yet redacted, because the writer does that for whole batches. Everything else takes
the slow path (`encode`). `accept` reads the canonical names and their aliases and ends in `draft`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from zlib import crc32

import msgspec
import orjson

from runline.intake.encode import LEVEL_NAMES, as_object, encoded
from runline.intake.instants import read_instant
from runline.intake.names import default_redactor, names_for
from runline.intake.plain import plain, shallow
from runline.intake.redact import Redactor
from runline.intake.safe import clean, safe
from runline.model.catalogue import message_for
from runline.model.checksum import content_check
from runline.model.clock import MAX_MS
from runline.model.errors import Invalid
from runline.model.event import Draft
from runline.model.limits import DEFAULT_LIMITS, Limits

MAX_EVENT_ID_CHARS = 128
ALIASES: dict[str, tuple[str, ...]] = {
    "type": ("type",),
    "ts": ("ts", "created_at", "timestamp", "ts_utc"),
    "level": ("level", "severity"),
    "step": ("step", "stage", "step_id"),
    "source": ("source",),
    "message": ("message",),
    "correlation_id": ("correlation_id",),
    "data": ("data", "payload", "details"),
    "event_id": ("event_id",),
}
"""Canonical field → the names it is read from; the first that is there and not null counts."""
READ_ONLY = frozenset({"id", "run_id", "seq", "elapsed_s"})
"""What the store decides: ignored, so that a line of `tail --json` can be fed back."""
OUTPUTS = frozenset({"stdout", "stderr"})
"""Sources whose blank messages are blank lines."""
_MOST_BLANK = 4096
_FIELD_OF = {name: field for field, names in ALIASES.items() for name in names}

_all_scalars = frozenset({str, int, float, bool, type(None)}).issuperset
_kind_of = type
_encode = orjson.dumps
_ONLY_JSON = (
    orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS
)
"""orjson then refuses what has a documented form of its own, so no Python code need look at every value."""
_encode_sorted = msgspec.json.Encoder(order="sorted").encode
_utf8 = str.encode
_LEVELS = LEVEL_NAMES
_HIGH = MAX_MS >> 32
_ORDINARY = names_for(None, DEFAULT_LIMITS.name_chars)


def _most_bytes(limits: Limits) -> int:
    """Up to here an encoded event cannot break a limit, whatever its names are."""
    return min(limits.string_bytes, limits.event_bytes // 4)


_MOST_BYTES = _most_bytes(DEFAULT_LIMITS)


def draft(
    type: Any,
    message: Any,
    data: Any,
    *,
    step: Any = None,
    level: Any = None,
    source: Any = None,
    correlation_id: Any = None,
    ts_ms: int,
    limits: Limits = DEFAULT_LIMITS,
    event_id: str | None = None,
    redactor: Redactor | None = None,
) -> Draft:
    """An event ready for the writer, whatever the arguments are; never raises.

    `redactor` cleans names and what takes the slow path; None is the process's own, which knows the
    secrets of the environment. An `event_id` that may not be one is left out.
    """
    try:
        if redactor is None and limits is DEFAULT_LIMITS:
            names, most_bytes = _ORDINARY, _MOST_BYTES
        else:
            names, most_bytes = names_for(redactor, limits.name_chars), _most_bytes(limits)
        places = names.places
        try:
            word, usual_level = names.types[type]
            place, origin = places[step], places[source]
        except KeyError:
            word, usual_level = names.type(type)
            place, origin = names.place(step), names.place(source)
        payload = None
        if data is None:
            payload = b"{}"
        elif data.__class__ is dict and (
            _all_scalars(map(_kind_of, data.values())) or shallow(data) or plain(data, limits.depth)
        ):
            payload = _encode(data, None, _ONLY_JSON)
            if place is None and "node_id" in data:
                node = data["node_id"]
                place = places.get(node) or names.place(node)
        if payload is not None and (
            message is None or (message.__class__ is str and (not message or message.isspace()))
        ):
            message = message_for(word, data or {})
        raw = _utf8(message)
        if correlation_id is None:
            pair = b""
        else:
            pair = _utf8(correlation_id)
            if correlation_id.__class__ is not str or not 0 < len(pair) <= limits.name_chars:
                payload = None
        high = ts_ms >> 32
        if (
            payload is not None
            and message.__class__ is str
            and len(payload) + len(raw) <= most_bytes
            and 0 <= high < _HIGH
        ):
            made = Draft(
                ts_ms,
                word,
                usual_level if level is None else _LEVELS[level],
                place,
                origin,
                message,
                correlation_id,
                payload.decode(),
                crc32(raw + payload + pair, ts_ms & 0xFFFFFFFF) ^ high,  # content_check, in one call
            )
            if event_id is None:
                return made
            return _identified(
                made, event_id, [type, message, data, step, level, source, correlation_id], redactor
            )
    except Exception:  # noqa: BLE001, S110 - odd in some way: the slow path copes with all of them
        pass
    made = encoded(
        type,
        message,
        data,
        step=step,
        level=level,
        source=source,
        correlation_id=correlation_id,
        ts_ms=ts_ms,
        limits=limits,
        redactor=redactor,
    )
    return (
        made
        if event_id is None
        else _identified(made, event_id, [type, message, data, step, level, source, correlation_id], redactor)
    )


def accept(
    raw: Mapping[str, Any], *, now_ms: int, limits: Limits = DEFAULT_LIMITS, redactor: Redactor | None = None
) -> Draft:
    """An event from a mapping with canonical names or aliases, what is missing filled in.

    Unknown keys move into `data` (beside a key of that name: with `_` appended). `ts` may be ISO 8601 text, a
    datetime or an epoch number (see `instants`); one that cannot be read becomes `now_ms` and is kept in
    `data.original_ts`. With an `event_id` the draft carries the digest of the body as it was given. Raises
    Invalid when `raw` is no mapping or `event_id` is no text of at most 128 characters.
    """
    if not issubclass(_kind_of(raw), Mapping):
        raise Invalid("An event is a JSON object.", code="bad_event", fields={"event": "not an object"})
    given, others = _sorted_out(raw)
    event_id = _checked(given.pop("event_id", None))
    data = given.pop("data", None)
    at_ms, unread = read_instant(given.pop("ts", None), now_ms)
    if unread is not None:
        others["original_ts"] = unread
    if others:
        data = _merged(data, others)
    made = draft(
        given.get("type"),
        given.get("message"),
        data,
        step=given.get("step"),
        level=given.get("level"),
        source=given.get("source"),
        correlation_id=given.get("correlation_id"),
        ts_ms=at_ms,
        limits=limits,
        redactor=redactor,
    )
    if made.source in OUTPUTS:
        made = still_blank(made, given.get("message"))
    if event_id is None:
        return made
    body = {key: value for key, value in raw.items() if key != "event_id"}
    return _identified(made, event_id, body, redactor)


def still_blank(event: Draft, said: object) -> Draft:
    """An empty line of a command's output stays one, where a blank message becomes the type."""
    if type(said) is not str or len(said) > _MOST_BLANK or said.strip() or event.type != "log":
        return event
    check = content_check(event.ts_ms, said.encode(), event.correlation_id, event.payload.encode())
    return msgspec.structs.replace(event, message=said, check=check)


def _sorted_out(raw: Mapping[Any, Any]) -> tuple[dict[str, Any], dict[Any, Any]]:
    """The canonical fields, and everything else by its own key."""
    try:
        items = dict(raw)
    except Exception as error:
        raise Invalid(
            "The event could not be read.", code="bad_event", fields={"event": "not readable"}
        ) from error
    given: dict[str, Any] = {}
    for field, names in ALIASES.items():
        for name in names:
            if items.get(name) is not None:
                given[field] = items.pop(name)
                break
    others = {
        key: value for key, value in items.items() if key not in READ_ONLY and not _is_spent(key, value)
    }
    return given, others


def _is_spent(key: object, value: object) -> bool:
    """A field of the event that says nothing."""
    return value is None and key in _FIELD_OF


def _merged(data: Any, others: dict[Any, Any]) -> dict[Any, Any]:
    form = data if _kind_of(data) is dict else safe(data)
    merged = dict(as_object(form))
    for key, value in others.items():
        name = key
        while name in merged:
            name = f"{name}_"
        merged[name] = value
    return merged


def _checked(event_id: object) -> str | None:
    if event_id is None:
        return None
    if type(event_id) is not str or len(event_id) > MAX_EVENT_ID_CHARS or clean(event_id) is not event_id:
        raise Invalid(
            f"An event_id is text of at most {MAX_EVENT_ID_CHARS} characters.",
            code="bad_event_id",
            fields={"event_id": f"not text of at most {MAX_EVENT_ID_CHARS} characters"},
        )
    return event_id or None


def _identified(made: Draft, event_id: object, body: Any, redactor: Redactor | None) -> Draft:
    """The draft with its idempotency key; one that holds a secret is kept as its hash, which is as unique."""
    try:
        key = _checked(event_id)
    except Invalid:
        return made
    if key is None:
        return made
    from hashlib import sha256

    if (redactor or default_redactor()).text(key) != key:
        key = "sha256:" + sha256(key.encode()).hexdigest()
    return msgspec.structs.replace(made, event_id=key, digest=body_digest([body]))


def body_digest(bodies: Iterable[Any]) -> str:
    """SHA-256 of what a caller gave, before anything is cut or redacted: the same body gives the same digest.

    What the store decides (`READ_ONLY`) does not count; neither does the order of keys.
    """
    from hashlib import sha256

    digest = sha256()
    for body in bodies:
        given = body
        if issubclass(_kind_of(body), Mapping):
            given = {key: value for key, value in body.items() if key not in READ_ONLY}
        digest.update(_encode_sorted(safe(given, exempt=True)) + b"\n")
    return digest.hexdigest()
