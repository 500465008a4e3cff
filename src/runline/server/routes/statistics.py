"""Figures over many runs."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from runline.server.parameters import about
from runline.server.route import get
from runline.store.sql_store import SqlStore
from runline.store.statistics import RANGES_MS, Statistics


class StatisticsQuery(Struct, kw_only=True, frozen=True):
    """How far back."""

    range: Annotated[str, about("Runs that started within this span back from now.", one_of=RANGES_MS)] = "7d"


@get(
    "/api/statistics",
    query=StatisticsQuery,
    answer=Statistics,
    summary="Success rates and durations",
    tag="Statistics",
    tenants=True,
)
def show_statistics(store: SqlStore, given: StatisticsQuery) -> Statistics:
    """How runs ended, all together, by UTC day of the start, and by name. Rates are fractions from 0 to 1."""
    return store.statistics(range=given.range)


HANDLERS = [show_statistics]
