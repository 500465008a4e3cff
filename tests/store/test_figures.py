"""What the writer has done, counted."""

from __future__ import annotations

import pytest

from runline.model.errors import Conflict
from runline.store.figures import COMMIT_BUCKETS_S, Figures
from runline.store.sql_store import SqlStore


def test_events_and_commits_are_counted(store: SqlStore) -> None:
    figures = store.writer.appender.figures
    before = figures.commits
    run = store.create_run("job").run_id
    store.append(run, [{"type": "log"}, {"type": "log"}])
    assert figures.events == 3
    assert figures.commits >= before + 2
    assert sum(figures.buckets) == figures.commits
    assert figures.commit_s > 0


def test_a_transaction_that_fails_is_counted_apart(store: SqlStore) -> None:
    run = store.create_run("job").run_id
    figures = store.writer.appender.figures
    events = figures.events
    with pytest.raises(Conflict):
        store.append(run, [{"type": "run_ended"}, {"type": "log"}])
    figures.rolled_back()
    assert figures.events == events
    assert figures.failures >= 1


def test_there_is_a_bucket_above_the_last_bound() -> None:
    assert len(Figures().buckets) == len(COMMIT_BUCKETS_S) + 1
