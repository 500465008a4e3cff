"""Figures over many runs, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runline.model.clock import ManualClock
from runline.store.sql_store import SqlStore
from tests.server.routes import shapes

if TYPE_CHECKING:
    from runline.testing.serving import Client
    from tests.server.routes.conftest import Tenant

DAY_S = 86_400


@pytest.fixture
def month(store: SqlStore, clock: ManualClock) -> None:
    """Runs 40, 20, 3 and 0 days ago."""
    for name, status, then_s in (
        ("a", "failed", 20 * DAY_S),
        ("a", "completed", 17 * DAY_S),
        ("b", "cancelled", 3 * DAY_S),
        ("b", "completed", 0),
    ):
        run_id = store.create_run(name).run_id
        clock.advance(s=10)
        store.append(run_id, [{"type": "step_completed", "step": "s", "data": {"tokens_used": 100}}])
        store.end_run(run_id, status)
        clock.advance(s=then_s)


@pytest.mark.parametrize(
    ("query", "range_", "total"),
    [
        ("", "7d", 2),
        ("range=24h", "24h", 1),
        ("range=7d", "7d", 2),
        ("range=30d", "30d", 3),
        ("range=all", "all", 4),
    ],
)
def test_statistics_over_a_range(api: Client, month: None, query: str, range_: str, total: int) -> None:
    told = api.get(f"/api/statistics?{query}").json()
    assert list(told) == ["aggregate", "trends", "pipelines", "time_range"]
    assert (told["time_range"], told["aggregate"]["total"]) == (range_, total)
    assert set(told["aggregate"]) == shapes.OUTCOMES
    assert [set(day) for day in told["trends"]] == [shapes.OUTCOMES | {"date"}] * total
    assert [set(one) for one in told["pipelines"]] == [shapes.PIPELINE] * len(told["pipelines"])


def test_the_figures(api: Client, month: None) -> None:
    told = api.get("/api/statistics?range=all").json()
    assert told["aggregate"] == {
        "total": 4,
        "succeeded": 2,
        "failed": 1,
        "cancelled": 1,
        "pending": 0,
        "running": 0,
        "interrupted": 0,
        "success_rate": 0.5,
    }
    assert told["trends"][0]["date"] < told["trends"][-1]["date"]
    assert told["pipelines"][0] == {
        "pipeline_name": "a",
        "run_count": 2,
        "success_rate": 0.5,
        "avg_duration_ms": 10_000,
        "avg_tokens": 100,
    }


def test_without_runs_there_are_no_rates(api: Client) -> None:
    told = api.get("/api/statistics").json()
    assert (told["aggregate"]["total"], told["aggregate"]["success_rate"]) == (0, None)
    assert (told["trends"], told["pipelines"]) == ([], [])


@pytest.mark.parametrize("range_", ["1h", "7D", "7d,30d", "-1"])
def test_a_range_that_is_none_names_the_known_ones(api: Client, range_: str) -> None:
    answer = api.get(f"/api/statistics?range={range_}")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["range"])
    assert answer.json()["error"] == f"{range_!r} is no range; one of 24h, 7d, 30d, all."


def test_a_tenants_figures_are_its_own(tenants: tuple[Tenant, Tenant], store: SqlStore) -> None:
    acme, _ = tenants
    store.create_run("more", tenant="other")
    assert acme.ask("GET", "/api/statistics").json()["aggregate"]["total"] == 1
    assert acme.ask("GET", "/api/statistics?tenant=other").status_code == 403
