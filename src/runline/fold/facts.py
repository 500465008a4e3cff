"""What the fold reads of an event's data: a few keys, decoded without the rest, each checked on its own.

Data is a caller's. A key may be missing, of the wrong type or absurd; such a value is as good as absent,
and none of them makes the fold fail. So the decoders take any value and the readers below judge it.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from runline.model.clock import MAX_MS, MIN_MS, parse_instant
from runline.model.figures import MOST_TOKENS, count, percent

__all__ = [
    "MOST_MS",
    "MOST_TOKENS",
    "CallFacts",
    "Facts",
    "Figures",
    "RunFacts",
    "SessionFacts",
    "StepFacts",
    "count",
    "error_text",
    "instant_ms",
    "name",
    "names",
    "percent",
    "read_facts",
    "tags",
    "text",
    "tokens",
]

MOST_MS = MAX_MS
_TEXT_CHARS = 2_000
_NAME_CHARS = 200
_MOST_TAGS = 100


class Figures(Struct, gc=False):
    """What any event may say: tokens, progress, time left."""

    tokens_used: Any = None
    tokens_in: Any = None
    tokens_out: Any = None
    progress: Any = None
    estimated_time_ms: Any = None


class StepFacts(Figures):
    """Of an event about a step."""

    total_steps: Any = None
    total: Any = None
    attempt: Any = None
    max_attempts: Any = None
    optional: Any = None
    dependencies: Any = None
    persona: Any = None
    model: Any = None
    current_action: Any = None
    tool_name: Any = None
    tool_target: Any = None
    validation_phase: Any = None
    duration_ms: Any = None
    error: Any = None
    reason: Any = None
    reused_from: Any = None
    status: Any = None
    level_index: Any = None
    path: Any = None


class CallFacts(Figures):
    """Of a request, a response or an error."""

    name: Any = None
    tool_name: Any = None
    model: Any = None
    provider_name: Any = None
    parent: Any = None
    duration_ms: Any = None
    ok: Any = None
    failed: Any = None
    retry_count: Any = None


class RunFacts(Figures):
    """Of a start or an end."""

    name: Any = None
    command: Any = None
    kind: Any = None
    tags: Any = None
    parent_run_id: Any = None
    original_run_id: Any = None
    started_at: Any = None
    plan: Any = None
    usual: Any = None
    total_steps: Any = None
    status: Any = None
    error: Any = None
    partial: Any = None


class SessionFacts(Struct):
    """Of the session catalogue: generations, levels, queue and scanner."""

    plan_id: Any = None
    total_levels: Any = None
    total_nodes: Any = None
    target_path: Any = None
    total_generated: Any = None
    total_failed: Any = None
    reason: Any = None
    level_index: Any = None
    total_count: Any = None
    generated_count: Any = None
    failed_count: Any = None
    pending: Any = None
    processing: Any = None
    completed: Any = None
    failed: Any = None
    node_count: Any = None
    duration_ms: Any = None


Facts = TypeVar("Facts", bound=Struct)


def read_facts(decoder: msgspec.json.Decoder[Facts], payload: str) -> Facts:
    """The keys that the decoder's struct names; none of them when the payload is no JSON object."""
    try:
        return decoder.decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return decoder.decode(b"{}")


def text(value: object) -> str | None:
    """A string that is not blank, cut at 2,000 characters."""
    return value[:_TEXT_CHARS] if isinstance(value, str) and value.strip() else None


def name(value: object) -> str | None:
    """A string that is not blank, cut as names are."""
    return value[:_NAME_CHARS] if isinstance(value, str) and value.strip() else None


def names(value: object) -> tuple[str, ...]:
    """The names in a list, each once, in order; empty when it is no list."""
    if not isinstance(value, list):
        return ()
    return tuple(dict.fromkeys(found for item in value if (found := name(item)) is not None))


def tags(value: object) -> tuple[str, ...]:
    """The first hundred names of a list."""
    return names(value)[:_MOST_TAGS]


def error_text(value: object) -> str | None:
    """An error's text, given as a string or as an object with a message or a name."""
    if isinstance(value, dict):
        return text(value.get("message")) or text(value.get("name"))
    return text(value)


def instant_ms(value: object) -> int | None:
    """An instant given as milliseconds since 1970 UTC or as ISO 8601 text."""
    if isinstance(value, str):
        try:
            return parse_instant(value)
        except ValueError:
            return None
    if isinstance(value, int) and not isinstance(value, bool) and MIN_MS <= value <= MAX_MS:
        return value
    return None


def tokens(figures: Figures) -> tuple[int | None, int, int]:
    """Tokens used, in and out; used is the sum of the two when only they are given, None when nothing is."""
    if figures.tokens_used is None and figures.tokens_in is None and figures.tokens_out is None:
        return None, 0, 0
    used = count(figures.tokens_used, MOST_TOKENS)
    tokens_in = count(figures.tokens_in, MOST_TOKENS)
    tokens_out = count(figures.tokens_out, MOST_TOKENS)
    if used is None and (tokens_in is not None or tokens_out is not None):
        used = (tokens_in or 0) + (tokens_out or 0)
    return used, tokens_in or 0, tokens_out or 0
