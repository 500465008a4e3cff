from __future__ import annotations

import msgspec
from hypothesis import given

from runline.model.artifact import Artifact, ArtifactContent
from runline.model.wire.artifacts import (
    artifact_content_of,
    artifact_content_view,
    artifact_list,
    artifact_of,
    artifact_summary,
)
from tests.model.wire.structs import any_of, through_json


def artifact(id: int, step_id: str | None) -> Artifact:
    return Artifact(
        id=id,
        run_id="r",
        step_id=step_id,
        name="a.txt",
        path=None,
        type=None,
        size_bytes=3,
        created_at_ms=0,
        seq=4,
    )


def test_an_artifact() -> None:
    assert msgspec.to_builtins(artifact_summary(artifact(1, "load"))) == {
        "id": 1,
        "step_id": "load",
        "name": "a.txt",
        "path": None,
        "type": None,
        "size_bytes": 3,
        "created_at": "1970-01-01T00:00:00.000Z",
        "mime_type": None,
        "encoding": None,
        "preview_text": None,
        "seq": 4,
    }


@given(any_of(Artifact))
def test_it_leads_back_to_the_very_artifact(one: Artifact) -> None:
    assert artifact_of(through_json(artifact_summary(one)), one.run_id) == one


def test_a_list_keeps_the_order() -> None:
    listed = through_json(artifact_list([artifact(2, None), artifact(1, "load")]))
    assert [one.id for one in listed.artifacts] == [2, 1]


@given(any_of(ArtifactContent))
def test_a_content_leads_back_to_itself(one: ArtifactContent) -> None:
    assert artifact_content_of(through_json(artifact_content_view(one)), one.artifact.run_id) == one
