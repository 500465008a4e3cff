from __future__ import annotations

from typing import get_args

from runline.model import status


def test_the_tuples_are_the_types() -> None:
    assert get_args(status.RunStatus) == status.RUN_STATUSES
    assert get_args(status.EndStatus) == status.END_STATUSES
    assert get_args(status.StepStatus) == status.STEP_STATES
    assert get_args(status.Level) == status.LEVELS


def test_a_run_is_active_or_ended() -> None:
    assert set(status.RUN_STATUSES) == status.ACTIVE_STATUSES | set(status.END_STATUSES)
    assert not status.ACTIVE_STATUSES & set(status.END_STATUSES)


def test_step_sets_are_step_states() -> None:
    assert status.STEP_DONE < status.STEP_FINISHED < set(status.STEP_STATES)
    assert status.STEP_ACTIVE < set(status.STEP_STATES) - status.STEP_FINISHED


def test_a_run_is_called_interrupted_within_45_seconds_and_never_while_it_beats() -> None:
    assert 2 * status.HEARTBEAT_S * 1000 < status.SILENT_AFTER_MS <= 45_000 < status.UNANNOUNCED_AFTER_MS
