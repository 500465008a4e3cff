from __future__ import annotations

from runline.model.clock import from_ms
from runline.model.step import Step


def test_times_of_a_step() -> None:
    waiting = Step(run_id="r", step_id="load", state="pending", index=0)
    assert (waiting.started_at, waiting.completed_at) == (None, None)
    done = Step(run_id="r", step_id="load", state="completed", index=0, started_at_ms=1, completed_at_ms=2)
    assert (done.started_at, done.completed_at) == (from_ms(1), from_ms(2))
