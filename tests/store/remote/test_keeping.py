"""Notes, pins, cancelling and signs of life through a server."""

from __future__ import annotations

import pytest

from runline.model.errors import Conflict, Invalid, NotFound
from tests.store.recorded import plain_run
from tests.store.remote.conftest import Both


def test_notes_are_written_and_listed_page_by_page(both: Both) -> None:
    plain_run(both.local, "r")
    note = both.remote.add_note("r", "slow", author="me", labels=["vendor"], actions=["ticket"], event_seq=1)
    assert [note] == both.local.list_notes("r")
    assert both.remote.add_note("r", "password=hunter2222").note == "password=[REDACTED:password]"
    for n in range(600):
        both.local.add_note("r", f"{n}")
    for limit in (1, 500, 501, 700):
        assert both.remote.list_notes("r", limit=limit) == both.local.list_notes("r", limit=limit)
    with pytest.raises(Invalid):
        both.remote.add_note("r", " ")
    with pytest.raises(Invalid):
        both.remote.list_notes("r", limit=0)


def test_a_run_is_pinned_cancelled_and_deleted(both: Both) -> None:
    plain_run(both.local, "r", status=None)
    both.remote.pin("r")
    assert both.local.get_run("r").pinned
    both.remote.pin("r", False)
    assert not both.local.get_run("r").pinned
    both.remote.heartbeat("r")
    assert both.local.get_run("r").last_seen_at_ms is not None
    assert not both.remote.is_cancelled("r")
    assert both.remote.cancel("r") == "cancelling"
    assert both.remote.is_cancelled("r")
    with pytest.raises(Conflict):
        both.remote.delete_run("r")
    assert both.remote.cancel("r", force=True) == "cancelled"
    both.remote.delete_run("r")
    with pytest.raises(NotFound) as told:
        both.remote.get_run("r")
    assert told.value.code == "pruned"
