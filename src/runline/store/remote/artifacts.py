"""Artifacts over the wire: uploaded, listed, read as text, or fetched as they are."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from typing import Any, BinaryIO, cast

import msgspec

from runline.intake.safe import safe
from runline.model.artifact import Artifact, ArtifactContent
from runline.model.errors import NotFound
from runline.model.wire.artifacts import (
    ArtifactContentView,
    ArtifactList,
    ArtifactSummary,
    artifact_content_of,
    artifact_of,
)
from runline.store.artifacts import RUN_FOLDER
from runline.store.remote.client import Client, part

_SILENCE_S = 60.0
_IN_MEMORY = 1 << 20


def _path(run_id: str, step: str | None, name: str) -> str:
    return f"/api/runs/{part(run_id)}/artifacts/{part(step or RUN_FOLDER)}/{part(name)}"


def put(
    client: Client,
    run_id: str,
    name: str,
    content: bytes | BinaryIO,
    *,
    step: str | None,
    type: str | None,
    data: Mapping[str, Any] | None,
) -> Artifact:
    more = None if data is None else msgspec.json.encode(safe(data, exempt=True)).decode()
    told = client.send(
        "PUT",
        _path(run_id, step, name),
        ArtifactSummary,
        content,
        media="application/octet-stream",
        params={"type": type, "data": more},
    )
    return artifact_of(told, run_id)


def listed(client: Client, run_id: str) -> list[Artifact]:
    told = client.get(f"/api/runs/{part(run_id)}/artifacts", ArtifactList)
    return [artifact_of(artifact, run_id) for artifact in told.artifacts]


def _newest(client: Client, run_id: str, step: str | None, name: str) -> Artifact:
    """The artifact that an address stands for."""
    wanted = None if step == RUN_FOLDER else step
    for artifact in reversed(listed(client, run_id)):
        if (artifact.step_id, artifact.name) == (wanted, name):
            return artifact
    raise NotFound(f"Run {run_id} has no artifact {name!r}.", code="artifact_not_found")


def read(client: Client, run_id: str, step: str | None, name: str) -> ArtifactContent:
    return artifact_content_of(client.get(_path(run_id, step, name), ArtifactContentView), run_id)


def opened(client: Client, run_id: str, step: str | None, name: str) -> tuple[BinaryIO, Artifact]:
    """The file, fetched: in memory while it is small."""
    file = cast("BinaryIO", tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115 - the caller closes it
    try:
        with client.stream(
            _path(run_id, step, name), params={"raw": True}, media="*/*", silence_s=_SILENCE_S
        ) as answer:
            for chunk in answer.iter_bytes():
                file.write(chunk)
        artifact = _newest(client, run_id, step, name)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file, artifact
