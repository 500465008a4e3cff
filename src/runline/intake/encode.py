"""Odd and oversize events, all at once: JSON forms → redact → truncate → encode.

Slower than the hot path and complete: what leaves here needs nothing more. It raises for nothing.
"""

from __future__ import annotations

from typing import Any

from runline.intake.names import clean_name, clean_text, default_redactor, names_for
from runline.intake.redact import Redactor
from runline.intake.safe import Cut, safe
from runline.intake.truncate import EXEMPT, fit
from runline.model.catalogue import message_for
from runline.model.checksum import content_check
from runline.model.clock import MAX_MS, MIN_MS
from runline.model.event import Draft
from runline.model.limits import Limits
from runline.model.status import Level

LEVEL_NAMES: dict[object, Level] = {"info": "info", "warn": "warn", "error": "error"}
DATA_KEY = "value"
"""Where `data` that is no object is kept."""


def encoded(
    type: object,
    message: object,
    data: object,
    *,
    step: object,
    level: object,
    source: object,
    correlation_id: object,
    ts_ms: object,
    limits: Limits,
    redactor: Redactor | None,
) -> Draft:
    """A clean draft of anything."""
    redactor = redactor or default_redactor()
    names = names_for(redactor, limits.name_chars)
    word, usual_level = names.type(type)
    exempt = word in EXEMPT
    cuts: list[Cut] = []
    body = as_object(safe(data, limits=limits, exempt=exempt, cuts=cuts))
    given, known_level = read_level(level)
    if given and known_level is None:
        body.setdefault("original_level", clean_name(level, redactor=redactor))
    place = names.place(step) or (names.place(body["node_id"]) if body.get("node_id") is not None else None)
    origin = names.place(source)
    pair = clean_text(correlation_id, limit_bytes=2**62, redactor=redactor)[: limits.name_chars] or None
    body = redactor.value(body)
    line = clean_text(message, limit_bytes=2**62, redactor=redactor)
    if not line.strip():
        line = clean_text(message_for(word, body), limit_bytes=2**62, redactor=redactor)
    names_bytes = sum(2 * len(name.encode()) for name in (word, place, origin, pair) if name)
    line, payload = fit(line, body, limits=limits, exempt=exempt, names_bytes=names_bytes, cuts=cuts)
    at = instant(ts_ms)
    return Draft(
        at,
        word,
        known_level or ("info" if given else usual_level),
        place,
        origin,
        line,
        pair,
        payload.decode(),
        content_check(at, line.encode(), pair, payload),
        True,
    )


def as_object(form: Any) -> dict[str, Any]:
    """`data` as an object: None is empty, anything else that is no object stands under `value`."""
    if isinstance(form, dict):
        return form
    return {} if form is None else {DATA_KEY: form}


def read_level(level: object) -> tuple[bool, Level | None]:
    """Whether a level was given, and which of the three it is, in any case; None for none of them."""
    if level is None:
        return False, None
    form = safe(level)
    word = form.strip().lower() if isinstance(form, str) else form
    if word == "":
        return False, None
    return True, LEVEL_NAMES.get(word) if isinstance(word, str) else None


def instant(ts_ms: object) -> int:
    """Whole milliseconds within the years 1 to 9999; 0 for what is no number."""
    form = ts_ms if type(ts_ms) is int else safe(ts_ms)
    return int(min(max(form, MIN_MS), MAX_MS)) if isinstance(form, int | float) else 0
