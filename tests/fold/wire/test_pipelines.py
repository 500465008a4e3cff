from __future__ import annotations

from runline.fold.wire.pipelines import PipelineDetail
from runline.model.wire.pipelines import PipelineSummary


def test_the_detail_is_the_summary_with_its_definition() -> None:
    assert set(PipelineDetail.__struct_fields__) == {*PipelineSummary.__struct_fields__, "steps", "dag"}
