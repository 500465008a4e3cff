from __future__ import annotations

import pytest

from runline.model.event_type import EVENT_TYPES, state_of_type


def test_no_type_is_listed_twice() -> None:
    names = [row.name for row in EVENT_TYPES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("deploy_started", "started"),
        ("deploy_completed", "completed"),
        ("deploy_failed", "failed"),
        ("deploy_retrying", "retrying"),
        ("llm_failed", "stream_activity"),
        ("deploy", "running"),
    ],
)
def test_an_unlisted_type_is_read_by_its_name(name: str, state: str) -> None:
    assert state_of_type(name) == state
