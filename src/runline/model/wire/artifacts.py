"""An artifact as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Struct

from runline.model.artifact import Artifact, ArtifactContent
from runline.model.clock import parse_instant, to_iso
from runline.model.wire.quantity import Count, Instant, Seq, about


class ArtifactSummary(Struct, frozen=True, kw_only=True):
    """What is known of a file that a run left behind; its content is another answer."""

    id: int
    step_id: Annotated[str | None, about("Null: it belongs to the run as a whole.")]
    name: str
    path: Annotated[str | None, about("Where it lies; null when only its content was given.")]
    type: Annotated[str | None, about("What its writer called it.", "report")]
    size_bytes: Count | None
    created_at: Instant
    mime_type: Annotated[str | None, about("As RFC 6838 writes it.", "text/html")]
    encoding: Annotated[str | None, about("Of its text.", "utf-8")]
    preview_text: Annotated[str | None, about("How it begins, redacted; null when it is no text.")]
    seq: Annotated[Seq, about("Of the event that registered it.")]


class ArtifactMetadata(ArtifactSummary, frozen=True, kw_only=True):
    """What is known of the file, and how much of it `content` is."""

    truncated: Annotated[bool, about("There is more of it than `content` holds.")]
    binary: Annotated[bool, about("It is no text, and `content` is blank.")]


class ArtifactContentView(Struct, frozen=True, kw_only=True):
    """A file's text."""

    content: Annotated[str, about("Redacted, at most 1 MB of UTF-8.")]
    metadata: ArtifactMetadata


class ArtifactList(Struct, frozen=True):
    """All artifacts of a run, in the order they were registered."""

    artifacts: tuple[ArtifactSummary, ...]


def artifact_summary(artifact: Artifact) -> ArtifactSummary:
    return ArtifactSummary(
        id=artifact.id,
        step_id=artifact.step_id,
        name=artifact.name,
        path=artifact.path,
        type=artifact.type,
        size_bytes=artifact.size_bytes,
        created_at=to_iso(artifact.created_at_ms),
        mime_type=artifact.mime_type,
        encoding=artifact.encoding,
        preview_text=artifact.preview_text,
        seq=artifact.seq,
    )


def artifact_list(artifacts: Iterable[Artifact]) -> ArtifactList:
    return ArtifactList(tuple(map(artifact_summary, artifacts)))


def artifact_content_view(found: ArtifactContent) -> ArtifactContentView:
    known = msgspec.structs.asdict(artifact_summary(found.artifact))
    metadata = ArtifactMetadata(**known, truncated=found.truncated, binary=found.binary)
    return ArtifactContentView(content=found.content, metadata=metadata)


def artifact_content_of(view: ArtifactContentView, run_id: str) -> ArtifactContent:
    """The content that the view was made of."""
    return ArtifactContent(
        artifact=artifact_of(view.metadata, run_id),
        content=view.content,
        truncated=view.metadata.truncated,
        binary=view.metadata.binary,
    )


def artifact_of(view: ArtifactSummary, run_id: str) -> Artifact:
    """The artifact of that run that the view was made of."""
    return Artifact(
        id=view.id,
        run_id=run_id,
        step_id=view.step_id,
        name=view.name,
        path=view.path,
        type=view.type,
        size_bytes=view.size_bytes,
        created_at_ms=parse_instant(view.created_at),
        mime_type=view.mime_type,
        encoding=view.encoding,
        preview_text=view.preview_text,
        seq=view.seq,
    )
