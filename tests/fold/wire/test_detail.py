from __future__ import annotations

import msgspec

from runline.fold.wire.dag import dag_view
from runline.fold.wire.detail import run_detail_response
from runline.model.event import Event
from runline.model.step import Step
from runline.model.wire.artifacts import artifact_summary
from runline.model.wire.events import event_summary
from runline.model.wire.runs import run_detail
from runline.model.wire.steps import step_detail
from tests.model.wire.structs import through_json
from tests.model.wire.test_artifacts import artifact
from tests.model.wire.test_runs import RUN


def test_a_run_with_all_that_its_page_opens_with() -> None:
    step = Step(run_id="nightly-1", step_id="load", state="running", index=0)
    event = Event(1, "nightly-1", 1, 0, "step_started", "info", "load", None, "go", None, "{}", 0)
    left = artifact(1, "load")
    detail = run_detail_response(RUN, steps=[step], events=[event], artifacts=[left])
    assert list(msgspec.structs.asdict(detail)) == ["run", "steps", "events", "artifacts", "dag"]
    assert detail.run == run_detail(RUN)
    assert detail.steps == (step_detail(step, [left]),)
    assert detail.events == (event_summary(event),)
    assert detail.artifacts == (artifact_summary(left),)
    assert detail.dag == dag_view([step])
    assert through_json(detail) == detail
