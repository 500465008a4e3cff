"""Figures, readable by the reference parser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from runline.server.metrics import MEDIA
from runline.store.sql_store import SqlStore

if TYPE_CHECKING:
    from runline.testing.serving import Client


def figures(api: Client) -> dict[str, Any]:
    answer = api.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == MEDIA
    return {
        sample.name + "".join(sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)  # type: ignore[no-untyped-call]
        for sample in family.samples
    }


def test_what_was_appended_is_counted(api: Client, store: SqlStore) -> None:
    before = figures(api)
    run = store.create_run("job").run_id
    store.append(run, [{"type": "log"}] * 5)
    now = figures(api)
    assert now["runline_appended_events_total"] - before["runline_appended_events_total"] == 6
    assert now["runline_commit_seconds_count"] > before["runline_commit_seconds_count"]
    assert now["runline_commit_seconds_bucket+Inf"] == now["runline_commit_seconds_count"]
    assert now["runline_commit_seconds_sum"] > 0
    assert now["runline_write_queue"] == now["runline_store_failing"] == now["runline_followers"] == 0
    assert now["runline_store_bytessize"] > 0
    assert now["runline_follower_lag_events"] == now["runline_follower_lag_seconds"] == 0
