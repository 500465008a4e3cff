from __future__ import annotations

import pytest

from runline.cli.options import instant, one_of, query, words
from runline.model.clock import parse_instant
from runline.model.errors import Invalid
from runline.model.status import RUN_STATUSES

NOW = parse_instant("2026-11-21T02:00:00Z")


def test_a_value_of_a_closed_list_may_be_written_in_any_case() -> None:
    assert one_of(" Failed ", RUN_STATUSES, "status") == "failed"


def test_a_near_word_is_suggested_and_all_are_named() -> None:
    with pytest.raises(
        Invalid, match=r"'faild' is no status. Did you mean 'failed'\? One of pending, running"
    ):
        one_of("faild", RUN_STATUSES, "status")
    with pytest.raises(Invalid, match=r"'qqq' is no status\. One of"):
        one_of("qqq", RUN_STATUSES, "status")


def test_commas_and_repetition_mean_any_of_them() -> None:
    assert words(["a,b", " c "]) == ("a", "b", "c")
    assert words(None) == ()
    assert words(["Failed,running"], RUN_STATUSES, "status") == ("failed", "running")


def test_instants_and_queries() -> None:
    assert instant("1h", NOW) == NOW - 3_600_000
    assert instant(None, NOW) is None
    assert query(["level:error", None, "", "x"]) == "level:error x"
    assert query([None]) is None
