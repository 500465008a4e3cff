from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from runline.model.run import Eta, Run
from runline.model.status import ACTIVE_STATUSES, RUN_STATUSES, RunStatus

AT = datetime(2026, 11, 20, 12, 10, 0, 123_000, UTC)
RUN = Run(
    run_id="nightly-1",
    tenant_id="default",
    kind="pipeline",
    name="nightly",
    status="running",
    started_at_ms=1_795_176_600_123,
    updated_at_ms=1_795_176_600_123,
    window_start_ms=1_795_176_600_123,
)


def test_a_run_answers_in_the_words_of_its_seeds() -> None:
    assert (RUN.id, RUN.pipeline_name) == ("nightly-1", "nightly")
    assert (RUN.started_at, RUN.updated_at) == (AT, AT)


def test_what_is_not_known_is_none() -> None:
    assert (RUN.completed_at, RUN.cancelled_at, RUN.duration_ms, RUN.eta_ms, RUN.input) == (None,) * 5


def test_what_is_known_is_told() -> None:
    ended = msgspec.structs.replace(
        RUN,
        completed_at_ms=RUN.started_at_ms + 1500,
        cancelled_at_ms=RUN.started_at_ms,
        eta=Eta(4, 3, 6, 23, "history"),
        input_json='{"date":"2026-11-20"}',
    )
    assert ended.duration_ms == 1500
    assert ended.eta_ms == 4
    assert ended.input == {"date": "2026-11-20"}
    assert ended.completed_at is not None
    assert (ended.completed_at - ended.started_at).total_seconds() == 1.5
    assert ended.cancelled_at == AT


def test_a_clock_that_stepped_back_gives_no_negative_duration() -> None:
    assert msgspec.structs.replace(RUN, completed_at_ms=0).duration_ms == 0


@pytest.mark.parametrize("status", RUN_STATUSES)
def test_a_run_is_active_while_it_may_go_on(status: RunStatus) -> None:
    assert msgspec.structs.replace(RUN, status=status).is_active is (status in ACTIVE_STATUSES)
