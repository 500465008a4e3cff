from __future__ import annotations

import msgspec
from hypothesis import given

from runline.model.wire.pipelines import PersonaView, PipelineSummary, StartedRun
from tests.model.wire.structs import any_of, through_json


def test_the_names_that_the_contract_gives() -> None:
    assert set(PipelineSummary.__struct_fields__) >= {
        "name",
        "description",
        "step_count",
        "input",
        "last_run",
        "recent",
        "success_rate",
        "usual",
        "next_run_at",
        "source",
        "definition_sha256",
    }
    assert PersonaView.__struct_fields__ == (
        "name",
        "description",
        "adapter",
        "model",
        "temperature",
        "system_prompt_file",
        "allowed_tools",
        "denied_tools",
    )
    assert StartedRun.__struct_fields__ == ("run_id", "pipeline_name", "status", "started_at")


@given(any_of(PersonaView))
def test_a_persona_comes_back_as_it_is(view: PersonaView) -> None:
    assert through_json(view) == view
    assert set(msgspec.to_builtins(view)) == set(PersonaView.__struct_fields__)
