"""What a run amounts to is the same through a server."""

from __future__ import annotations

import pytest

from runline.model.errors import Invalid, NotFound
from tests.store.recorded import plain_run, rich_run
from tests.store.remote.conftest import Both


def test_every_view_is_what_the_store_says(both: Both) -> None:
    rich_run(both.local, "good")
    rich_run(both.local, "bad", status="failed")
    rich_run(both.local, "open", status=None)
    for run_id in ("good", "bad", "open"):
        for name in ("summary", "list_steps", "calls", "histogram", "failure", "state"):
            assert getattr(both.remote, name)(run_id) == getattr(both.local, name)(run_id), (run_id, name)
        assert both.remote.state(run_id, at_seq=3) == both.local.state(run_id, at_seq=3)
        assert both.remote.histogram(run_id, slots=3) == both.local.histogram(run_id, slots=3)
    assert both.remote.compare("good", "bad") == both.local.compare("good", "bad")
    assert both.remote.statistics() == both.local.statistics()
    assert both.remote.statistics(range="24h") == both.local.statistics(range="24h")
    assert both.remote.counts(status="failed") == both.local.counts(status="failed")
    assert both.remote.counts(name=["nightly"], q="status:failed") == both.local.counts(q="status:failed")


def test_calls_come_in_pages(both: Both) -> None:
    rich_run(both.local, "r", status=None)
    first = both.remote.calls("r", limit=1)
    assert first == both.local.calls("r", limit=1)
    assert first.has_more
    last = both.remote.calls("r", limit=1, cursor=first.next_cursor)
    assert last == both.local.calls("r", limit=1, cursor=first.next_cursor)
    assert not last.has_more
    filtered = both.remote.calls("r", status="open", kind=["llm", "tool"], step=None)
    assert filtered == both.local.calls("r", status="open", kind=["llm", "tool"])


def test_what_is_refused_there_is_refused_here(both: Both) -> None:
    plain_run(both.local, "r")
    with pytest.raises(Invalid):
        both.remote.state("r", at_seq=99)
    with pytest.raises(Invalid):
        both.remote.statistics(range="1y")
    with pytest.raises(NotFound):
        both.remote.failure("..")
