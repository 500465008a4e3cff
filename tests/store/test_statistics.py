from __future__ import annotations

from typing import Any

import pytest

from runline.model.clock import ManualClock, to_iso
from runline.model.errors import Invalid
from runline.store.sql_store import SqlStore
from runline.store.statistics import Outcomes, PipelineFigures
from tests.store.recorded import count

DAY_MS = 86_400_000


def run(
    store: SqlStore, name: str, status: str | None, *, took_ms: int = 0, ago_days: int = 0, **given: Any
) -> str:
    """A run that started so many days ago and took so long."""
    started_ms = store.clock.now_ms() - ago_days * DAY_MS
    made = store.create_run(name, started_at_ms=started_ms, **given)
    if status is not None:
        end = {"type": "run_ended", "data": {"status": status}, "ts": to_iso(started_ms + took_ms)}
        store.append(made.run_id, [end])
    return made.run_id


def test_an_empty_store_has_counts(store: SqlStore) -> None:
    found = store.counts()
    assert (found.total, found.by_day, found.median_ms, found.success_rate) == (0, (), None, None)
    assert set(found.by_status.values()) == {0}
    assert len(found.by_status) == 6
    answer = store.statistics()
    assert answer.time_range == "7d"
    assert (answer.aggregate.total, answer.trends, answer.pipelines) == (0, (), ())
    assert answer.aggregate.success_rate is None


def test_counts_follow_the_filters_of_the_list(store: SqlStore) -> None:
    for took_ms, status in ((10, "completed"), (30, "failed"), (20, "failed"), (40, "cancelled")):
        run(store, "a", status, took_ms=took_ms)
    run(store, "a", "completed", took_ms=99, ago_days=1)
    run(store, "b", None)
    found = store.counts(name="a")
    assert found.total == 5
    assert {key: value for key, value in found.by_status.items() if value} == {
        "completed": 2, "failed": 2, "cancelled": 1,
    }  # fmt: skip
    assert [(day.total, day.failed) for day in found.by_day] == [(1, 0), (4, 2)]
    assert [day.date for day in found.by_day] == sorted(day.date for day in found.by_day)
    assert found.median_ms == 30
    assert found.success_rate == 2 / 5
    assert store.counts(status="failed").median_ms == 20
    assert store.counts(q="status:running").total == 1
    assert store.counts(q="status:running").success_rate is None
    with pytest.raises(Invalid):
        store.counts(status="lost")


def test_days_are_utc_days_also_before_1970(store: SqlStore) -> None:
    for ms in (-1, 0, DAY_MS - 1, -DAY_MS, -DAY_MS - 1):
        store.create_run("old", started_at_ms=ms)
    assert [(day.date, day.total) for day in store.counts().by_day] == [
        ("1969-12-30", 1), ("1969-12-31", 2), ("1970-01-01", 2),
    ]  # fmt: skip


def test_an_end_before_the_start_took_no_time(store: SqlStore) -> None:
    run(store, "a", "completed", took_ms=-500)
    assert store.counts().median_ms == 0
    assert store.statistics(range="all").pipelines[0].avg_duration_ms == 0


def test_silent_runs_count_as_interrupted(store: SqlStore, clock: ManualClock) -> None:
    run(store, "a", None)
    run(store, "a", "completed")
    assert store.counts().by_status["running"] == 1
    clock.advance(s=3600)
    found = store.counts()
    assert (found.by_status["running"], found.by_status["interrupted"]) == (0, 1)
    assert found.success_rate == 0.5
    assert store.statistics().aggregate.interrupted == 1


def test_statistics_of_a_range(store: SqlStore) -> None:
    run(store, "a", "completed", took_ms=100)
    run(store, "a", "failed", took_ms=201, ago_days=2)
    run(store, "b", None, ago_days=6)
    run(store, "a", "completed", took_ms=900, ago_days=20)
    run(store, "c", "cancelled", ago_days=400)
    week = store.statistics()
    assert week.aggregate == Outcomes(
        total=3, succeeded=1, failed=1, cancelled=0, pending=0, running=1, interrupted=0, success_rate=0.5
    )
    assert [(trend.total, trend.failed) for trend in week.trends] == [(1, 0), (1, 1), (1, 0)]
    assert week.pipelines == (
        PipelineFigures(pipeline_name="a", run_count=2, success_rate=0.5, avg_duration_ms=150, avg_tokens=0),
        PipelineFigures(
            pipeline_name="b", run_count=1, success_rate=None, avg_duration_ms=None, avg_tokens=0
        ),
    )
    assert [store.statistics(range=span).aggregate.total for span in ("24h", "7d", "30d", "all")] == [
        1,
        3,
        4,
        5,
    ]
    with pytest.raises(Invalid) as caught:
        store.statistics(range="1y")
    assert list(caught.value.fields) == ["range"]


def test_tokens_and_tenants(store: SqlStore) -> None:
    mine = run(store, "a", None, tenant="me")
    store.append(mine, [{"type": "llm_response", "data": {"tokens_used": 7}}])
    run(store, "a", "failed", tenant="you")
    view = store.scoped("me")
    assert view.statistics().pipelines[0].avg_tokens == 7
    assert view.counts().total == 1
    assert store.counts().total == count(store, "runs") == 2
