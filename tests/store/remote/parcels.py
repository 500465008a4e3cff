"""What the tests of the way to a server share."""

from __future__ import annotations

from typing import Any

from runline.intake.accept import draft
from runline.model.clock import ManualClock
from runline.model.event import Draft
from runline.store.remote.parcel import Parcel

TS_MS = ManualClock().now_ms()


def line(message: str, type: str = "log", **data: Any) -> Draft:
    return draft(type, message, data, ts_ms=TS_MS)


def parcel(number: int = 0, *, run_id: str = "r", vital: bool = False, size: int = 1) -> Parcel:
    return Parcel(
        kind="events",
        run_id=run_id,
        key=f"k{number}",
        body=f'{{"message":"{number}"}}',
        count=1,
        vital=vital,
        size=size,
    )
