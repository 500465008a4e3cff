"""Counts and rates over many runs, from one row a run; never from the log.

A rate is the share of completed runs among all that are over: completed, failed, cancelled, interrupted. It
is None when none is. Days are UTC days of the start; only days with runs are listed, oldest first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Struct

from runline.model.clock import to_iso
from runline.model.errors import Invalid
from runline.model.status import ACTIVE_STATUSES, RUN_STATUSES, RunStatus
from runline.model.wire.quantity import Milliseconds, Rate, about
from runline.store.engine import Row
from runline.store.search import RunFilter, Where, run_where, status_sql

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore

_DAY_MS = 86_400_000
_PIPELINES = 500
Range = Literal["24h", "7d", "30d", "all"]
RANGES_MS: dict[Range, int | None] = {"24h": _DAY_MS, "7d": 7 * _DAY_MS, "30d": 30 * _DAY_MS, "all": None}
_FROM = "FROM runs LEFT JOIN liveness ON liveness.run = runs.run"
# Whole division rounds towards zero, and runs may have started before 1970.
_DAY = f"((runs.started_at - ((runs.started_at % {_DAY_MS}) + {_DAY_MS}) % {_DAY_MS}) / {_DAY_MS})"
_DURATION = (
    "CASE WHEN runs.completed_at < runs.started_at THEN 0 ELSE runs.completed_at - runs.started_at END"
)
Day = Annotated[str, about("A UTC day.", "2026-11-20")]


class DayCount(Struct, frozen=True):
    """Runs that started on one UTC day, `date` as `YYYY-MM-DD`."""

    date: Day
    total: int
    failed: int


class Counts(Struct, frozen=True, kw_only=True):
    """Totals over a list's filters. `by_status` has every status; `median_ms` is of the runs that ended."""

    total: int
    by_status: dict[RunStatus, int]
    by_day: tuple[DayCount, ...]
    median_ms: Milliseconds | None
    success_rate: Rate | None


class Outcomes(Struct, frozen=True, kw_only=True):
    """How runs ended, or did not yet."""

    total: int
    succeeded: int
    failed: int
    cancelled: int
    pending: int
    running: int
    interrupted: int
    success_rate: Rate | None


class Trend(Outcomes, frozen=True, kw_only=True):
    """The outcomes of the runs that started on one UTC day."""

    date: Day


class PipelineFigures(Struct, frozen=True, kw_only=True):
    """The runs of one name; `avg_duration_ms` is of those that ended, None when none has."""

    pipeline_name: str
    run_count: int
    success_rate: Rate | None
    avg_duration_ms: Milliseconds | None
    avg_tokens: int


class Statistics(Struct, frozen=True, kw_only=True):
    """Runs that started within `time_range`; the 500 names with the most runs, those first."""

    aggregate: Outcomes
    trends: tuple[Trend, ...]
    pipelines: tuple[PipelineFigures, ...]
    time_range: Range


def counts(store: SqlStore, wanted: RunFilter) -> Counts:
    """Raises Invalid for an unknown status."""
    now_ms = store.clock.now_ms()
    where = run_where(wanted, store.tenant, now_ms)
    by_day = _by_day(store, where, now_ms)
    by_status = _summed(by_day)
    total = sum(by_status.values())
    return Counts(
        total=total,
        by_status=by_status,
        by_day=tuple(
            DayCount(_date(day), sum(found.values()), found.get("failed", 0)) for day, found in by_day.items()
        ),
        median_ms=_median(store, where),
        success_rate=_rate(by_status),
    )


def statistics(store: SqlStore, range: str) -> Statistics:
    """Raises Invalid for a range that is none of 24h, 7d, 30d and all."""
    if range not in RANGES_MS:
        raise Invalid(
            f"{range[:60]!r} is no range; one of {', '.join(RANGES_MS)}.", fields={"range": "unknown"}
        )
    span_ms, now_ms = RANGES_MS[range], store.clock.now_ms()
    since_ms = None if span_ms is None else now_ms - span_ms
    where = run_where(RunFilter(since_ms=since_ms), store.tenant, now_ms)
    by_day = _by_day(store, where, now_ms)
    return Statistics(
        aggregate=Outcomes(**_outcomes(_summed(by_day))),
        trends=tuple(Trend(date=_date(day), **_outcomes(found)) for day, found in by_day.items()),
        pipelines=tuple(_pipelines(store, where, now_ms)),
        time_range=range,
    )


def _by_day(store: SqlStore, where: Where, now_ms: int) -> dict[int, dict[RunStatus, int]]:
    rows = store.engine.query(
        f"SELECT {_DAY}, {status_sql(':now')}, count(*) {_FROM} WHERE {where.sql} GROUP BY 1, 2 ORDER BY 1",
        {**where.parameters, "now": now_ms},
    )
    days: dict[int, dict[RunStatus, int]] = {}
    for day, status, count in rows:
        days.setdefault(day, {})[status] = count
    return days


def _median(store: SqlStore, where: Where) -> int | None:
    """Nearest rank, as everywhere."""
    ended = f"{_FROM} WHERE runs.completed_at IS NOT NULL AND {where.sql}"
    rows = store.engine.query(
        f"SELECT {_DURATION} {ended} ORDER BY 1 LIMIT 1 OFFSET (SELECT (count(*) - 1) / 2 {ended})",
        where.parameters,
    )
    return rows[0][0] if rows else None


def _pipelines(store: SqlStore, where: Where, now_ms: int) -> list[PipelineFigures]:
    status = status_sql(":now")
    active = ", ".join(f"'{word}'" for word in sorted(ACTIVE_STATUSES))
    rows = store.engine.query(
        f"SELECT runs.name, count(*), count(*) FILTER (WHERE {status} = 'completed'), "
        f"count(*) FILTER (WHERE {status} NOT IN ({active})), "
        f"avg({_DURATION}) FILTER (WHERE runs.completed_at IS NOT NULL), avg(runs.total_tokens) "
        f"{_FROM} WHERE {where.sql} GROUP BY runs.name ORDER BY 2 DESC, 1 LIMIT {_PIPELINES}",
        {**where.parameters, "now": now_ms},
    )
    return [_figures(row) for row in rows]


def _figures(row: Row) -> PipelineFigures:
    name, count, completed, over, duration, tokens = row
    return PipelineFigures(
        pipeline_name=name,
        run_count=count,
        success_rate=completed / over if over else None,
        avg_duration_ms=None if duration is None else round(duration),
        avg_tokens=round(tokens),
    )


def _summed(by_day: dict[int, dict[RunStatus, int]]) -> dict[RunStatus, int]:
    return {status: sum(found.get(status, 0) for found in by_day.values()) for status in RUN_STATUSES}


def _outcomes(by_status: Mapping[RunStatus, int]) -> dict[str, Any]:
    named: dict[str, int] = {status: by_status.get(status, 0) for status in RUN_STATUSES}
    return {
        "total": sum(named.values()),
        "succeeded": named.pop("completed"),
        **named,
        "success_rate": _rate(by_status),
    }


def _rate(by_status: Mapping[RunStatus, int]) -> float | None:
    over = sum(count for status, count in by_status.items() if status not in ACTIVE_STATUSES)
    return by_status.get("completed", 0) / over if over else None


def _date(day: int) -> str:
    return to_iso(day * _DAY_MS)[:10]
