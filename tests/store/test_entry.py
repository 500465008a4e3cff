"""Where a batch went, told event by event."""

from __future__ import annotations

from runline.intake.accept import draft
from runline.store.entry import Placed


def test_a_batch_says_where_each_event_went() -> None:
    log, end = draft("log", "a line", None, ts_ms=1), draft("run_ended", "", None, ts_ms=1)
    assert Placed(4, 6, 0).seqs([log] * 3) == [4, 5, 6]
    assert Placed(4, 6, 0).seqs([log, log, end]) == [4, 5, 6]
    assert Placed(4, 5, 0, 2).seqs([log] * 3) == [4, None, None]
    assert Placed(4, 6, 0, 2).seqs([log, log, log, end]) == [4, None, None, 6]
    assert Placed(4, 5, 0).seqs([end]) == [5]
    assert Placed(4, 3, 0).seqs([]) == []
