"""Errands and jobs carry their result, or their error, to whoever waits."""

from __future__ import annotations

import pytest

from runline.store.jobs import Errand, Job, nothing
from runline.store.sql_store import SqlStore


def test_an_errand_brings_its_result_or_its_error() -> None:
    done = Errand(lambda: 7)
    done.run()
    assert done.future.result(0) == 7
    failed = Errand(lambda: 1 // 0)
    failed.run()
    with pytest.raises(ZeroDivisionError):
        failed.future.result(0)


def test_a_job_that_does_nothing_still_tells_that_its_turn_came(store: SqlStore) -> None:
    job = Job(nothing)
    store.writer.submit(job)
    assert job.future.done()
