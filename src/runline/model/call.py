"""A call: a request event and its response, paired by correlation id."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from runline.model.step import Usual

CallStatus = Literal["done", "failed", "open"]


class Call(Struct, frozen=True, kw_only=True):
    """One call, in the order of its request. `detail` is the request's message."""

    correlation_id: str
    kind: str
    """`llm`, `tool`, `patch`, `test` or `provider`."""
    name: str
    detail: str
    step: str | None
    first_seq: int
    last_seq: int
    started_at_ms: int
    duration_ms: int | None
    """None while open."""
    status: CallStatus
    parent: str | None = None
    attempts: int = 1
    tokens_in: int | None = None
    tokens_out: int | None = None
    usual: Usual | None = None
