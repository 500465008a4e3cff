from __future__ import annotations

import msgspec

from runline.model.wire.control import RunAlive, RunCancelled, RunDeleted, RunPinned
from tests.model.wire.structs import through_json


def test_what_a_run_answers() -> None:
    for answer, told in (
        (
            RunAlive(run_id="r", status="running", cancel_requested=True),
            {"run_id": "r", "status": "running", "cancel_requested": True},
        ),
        (RunCancelled(run_id="r", status="cancelling"), {"run_id": "r", "status": "cancelling"}),
        (RunPinned(run_id="r", pinned=False), {"run_id": "r", "pinned": False}),
        (RunDeleted(run_id="r"), {"run_id": "r", "deleted": True}),
    ):
        assert msgspec.to_builtins(answer) == told
        assert through_json(answer) == answer
