"""An artifact: something a step left behind. The row is metadata; the bytes live in a file."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from runline.model.clock import from_ms


class Artifact(Struct, frozen=True, kw_only=True):
    """What is known of one file. `step_id` None: it belongs to the run as a whole."""

    id: int
    run_id: str
    step_id: str | None
    name: str
    path: str | None
    type: str | None
    size_bytes: int | None
    created_at_ms: int
    mime_type: str | None = None
    encoding: str | None = None
    preview_text: str | None = None
    seq: int
    """The `artifact_created` event that registered it."""

    @property
    def created_at(self) -> datetime:
        return from_ms(self.created_at_ms)


class ArtifactContent(Struct, frozen=True, kw_only=True):
    """What an artifact holds, as text and redacted. `content` is blank for what is no text (`binary`)."""

    artifact: Artifact
    content: str
    truncated: bool
    binary: bool = False
