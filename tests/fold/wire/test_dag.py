from __future__ import annotations

import msgspec

from runline.fold.wire.dag import dag_view
from runline.model.step import Step


def test_boxes_and_arrows() -> None:
    steps = [
        Step(run_id="r", step_id="extract", state="failed", index=0, persona="reader", progress=40),
        Step(run_id="r", step_id="load", state="blocked", index=1, dependencies=("extract",)),
    ]
    assert msgspec.json.decode(msgspec.json.encode(dag_view(steps))) == {
        "nodes": [
            {
                "id": "extract",
                "label": "extract",
                "persona": "reader",
                "status": "failed",
                "progress": 40,
                "x": 0,
                "y": 0,
            },
            {
                "id": "load",
                "label": "load",
                "persona": None,
                "status": "blocked",
                "progress": 0,
                "x": 232,
                "y": 0,
            },
        ],
        "edges": [{"from": "extract", "to": "load"}],
    }


def test_a_run_without_steps_has_an_empty_graph() -> None:
    assert msgspec.json.encode(dag_view([])) == b'{"nodes":[],"edges":[]}'
