"""The graph of a run's steps as JSON, laid out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Struct

from runline.fold.graph import DagEdge, DagNode, lay_out
from runline.model.step import Step
from runline.model.wire.quantity import about


class DagView(Struct, frozen=True, kw_only=True):
    """The steps as boxes of 172 × 50 px, and which waits for which."""

    nodes: Annotated[tuple[DagNode, ...], about("In plan order.")]
    edges: Annotated[tuple[DagEdge, ...], about("`to` waits for `from`.")]


def dag_view(steps: Sequence[Step]) -> DagView:
    """The graph of those steps, each with its state."""
    graph = lay_out(steps)
    return DagView(nodes=graph.nodes, edges=graph.edges)
