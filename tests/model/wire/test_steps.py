from __future__ import annotations

import msgspec
from hypothesis import given

from runline.model.step import Step, Usual
from runline.model.wire.steps import StepDetail, step_detail, step_list, step_of
from tests.model.wire.structs import any_of, through_json
from tests.model.wire.test_artifacts import artifact


def test_a_step_with_the_artifacts_it_left() -> None:
    step = Step(
        run_id="r",
        step_id="load",
        state="completed",
        index=1,
        started_at_ms=0,
        completed_at_ms=1800,
        duration_ms=1800,
        dependencies=("extract",),
        usual=Usual(1, 2, 3),
    )
    left = [artifact(1, "load"), artifact(2, None), artifact(3, "extract")]
    detail = msgspec.json.decode(msgspec.json.encode(step_detail(step, left)))
    promised = """step_id persona state progress current_action started_at completed_at duration tokens_used error
        artifacts duration_ms attempt max_attempts reason dependencies model warn_count error_count event_count usual"""
    assert set(promised.split()) <= set(detail)
    assert (detail["started_at"], detail["duration"]) == ("1970-01-01T00:00:00.000Z", "1.8s")
    assert detail["updated_at"] is None
    assert detail["dependencies"] == ["extract"]
    assert detail["usual"] == {"p50_ms": 1, "p90_ms": 2, "n": 3}
    assert [a["id"] for a in detail["artifacts"]] == [1]


@given(any_of(Step))
def test_it_leads_back_to_the_very_step(step: Step) -> None:
    assert step_of(through_json(step_detail(step)), step.run_id) == step


def test_a_detail_has_every_fact_of_a_step() -> None:
    named = {name.replace("_at_ms", "_at") for name in Step.__struct_fields__}
    assert named - {"run_id"} <= set(StepDetail.__struct_fields__)


def test_each_step_of_a_list_has_its_own_artifacts() -> None:
    steps = [Step(run_id="r", step_id=name, state="pending", index=0) for name in ("extract", "load", "none")]
    left = [artifact(1, "load"), artifact(2, None), artifact(3, "extract"), artifact(4, "load")]
    listed = step_list(steps, left)
    assert listed.steps == tuple(step_detail(step, left) for step in steps)
    assert [[one.id for one in step.artifacts] for step in listed.steps] == [[3], [1, 4], []]
    assert through_json(listed) == listed
