"""The detail of a pipeline as JSON: its steps and how they depend on each other."""

from __future__ import annotations

from typing import Annotated

from runline.fold.wire.dag import DagView
from runline.model.wire.pipelines import PipelineStep, PipelineSummary
from runline.model.wire.quantity import about


class PipelineDetail(PipelineSummary, frozen=True, kw_only=True):
    """The pipeline with its definition."""

    steps: Annotated[tuple[PipelineStep, ...], about("In the order of the definition.")]
    dag: DagView
