from __future__ import annotations

import msgspec
from hypothesis import given

from runline.fold.snapshot import RunState, snapshot
from runline.fold.state import RunFold
from runline.fold.wire.state import StateView, state_of_view, state_view
from tests.model.wire.structs import any_of, through_json


def one_run(state: RunState) -> RunState:
    """The state, its steps being of its own run."""
    own = {
        name: tuple(msgspec.structs.replace(step, run_id=state.run_id) for step in getattr(state, name))
        for name in ("steps", "stages")
    }
    return msgspec.structs.replace(state, **own)


@given(any_of(RunState).map(one_run))
def test_it_leads_back_to_the_very_state(state: RunState) -> None:
    assert state_of_view(through_json(state_view(state))) == state


def test_nothing_of_a_state_is_left_out_and_instants_are_text() -> None:
    told = msgspec.json.decode(msgspec.json.encode(state_view(snapshot(RunFold("r", 0, status="pending")))))
    assert {name.replace("_at_ms", "_at") for name in RunState.__struct_fields__} <= set(told)
    assert told["started_at"] == told["window_start"] == "1970-01-01T00:00:00.000Z"
    assert told["completed_at"] is told["first_error"] is told["last_error"] is None


def test_a_view_has_every_key_of_its_struct() -> None:
    told = msgspec.json.decode(msgspec.json.encode(state_view(snapshot(RunFold("r", 0)))))
    assert tuple(told) == StateView.__struct_fields__
