"""Runs told in a few words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from runline.fold.apply import apply
from runline.fold.state import RunFold
from runline.model.catalogue import START_TYPES, default_level
from runline.model.event import Draft, Event

STARTED_AT_MS = 1_000_000
Said = tuple[Any, ...]
"""type, then in any order: step (str), data (dict), and a number: milliseconds since the start."""


def _draft(said: Said, place: int, extra: dict[str, Any]) -> Draft:
    type_, *rest = said
    step = next((part for part in rest if isinstance(part, str)), None)
    data = next((part for part in rest if isinstance(part, dict)), {})
    offset_ms = next((part for part in rest if isinstance(part, int)), place * 1000)
    fields = {
        "level": default_level(type_),
        "message": type_,
        "source": None,
        "correlation_id": None,
        **extra,
    }
    fields |= {key[1:]: data[key] for key in data if key.startswith("@")}
    payload = msgspec.json.encode({key: data[key] for key in data if not key.startswith("@")}).decode()
    return Draft(ts_ms=STARTED_AT_MS + offset_ms, type=type_, step=step, payload=payload, **fields)


@pytest.fixture
def tell() -> Callable[..., RunFold]:
    """Folds a run of the events told; a `run_started` comes first unless a start is told. `@key` in data sets a field."""

    def telling(*events: Said, onto: RunFold | None = None, **extra: Any) -> RunFold:
        fold = onto
        if fold is None:
            fold = RunFold("r", 0)
            if not events or events[0][0] not in START_TYPES:
                events = (("run_started", {"name": "nightly"}, 0), *events)
        for said in events:
            apply(fold, _draft(said, fold.last_seq, extra), fold.last_seq + 1)
        return fold

    return telling


@pytest.fixture
def events() -> Callable[..., list[Event]]:
    """The same words as stored events, with seqs from 1 and nothing added."""

    def listing(*told: Said, **extra: Any) -> list[Event]:
        stored = []
        for seq, said in enumerate(told, 1):
            d = _draft(said, seq - 1, extra)
            stored.append(
                Event(
                    id=seq,
                    run_id="r",
                    seq=seq,
                    ts_ms=d.ts_ms,
                    type=d.type,
                    level=d.level,
                    step=d.step,
                    source=d.source,
                    message=d.message,
                    correlation_id=d.correlation_id,
                    payload=d.payload,
                    elapsed_ms=0,
                )
            )
        return stored

    return listing
