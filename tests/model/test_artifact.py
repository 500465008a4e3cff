from __future__ import annotations

from runline.model.artifact import Artifact
from runline.model.clock import from_ms


def test_an_artifact_knows_when_it_was_registered() -> None:
    artifact = Artifact(
        id=1,
        run_id="r",
        step_id=None,
        name="a",
        path=None,
        type=None,
        size_bytes=None,
        created_at_ms=5,
        seq=3,
    )
    assert artifact.created_at == from_ms(5)
