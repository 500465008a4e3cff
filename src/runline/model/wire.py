"""Steps, calls, artifacts and notes as JSON: the shapes that API, command line and export share.

As in `run_json`: every key is always there, null where unknown; instants are the 24-character text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from runline.model.artifact import Artifact
from runline.model.call import Call
from runline.model.clock import to_iso
from runline.model.note import Note
from runline.model.run_json import duration, iso, usual_json
from runline.model.step import Step


def step_detail(step: Step, artifacts: Iterable[Artifact] = ()) -> dict[str, Any]:
    """StepDetail (contracts section 3) with those of `artifacts` that the step left."""
    return {
        "step_id": step.step_id,
        "index": step.index,
        "persona": step.persona,
        "model": step.model,
        "state": step.state,
        "reason": step.reason,
        "optional": step.optional,
        "dependencies": list(step.dependencies),
        "progress": step.progress,
        "current_action": step.current_action,
        "message": step.message,
        "error": step.error,
        "started_at": iso(step.started_at_ms),
        "completed_at": iso(step.completed_at_ms),
        "updated_at": iso(step.updated_at_ms),
        "duration": duration(step.duration_ms),
        "duration_ms": step.duration_ms,
        "estimated_completion_ms": step.estimated_completion_ms,
        "usual": usual_json(step.usual),
        "attempt": step.attempt,
        "max_attempts": step.max_attempts,
        "tokens_used": step.tokens_used,
        "event_count": step.event_count,
        "warn_count": step.warn_count,
        "error_count": step.error_count,
        "level_index": step.level_index,
        "path": step.path,
        "artifacts": [artifact_summary(a) for a in artifacts if a.step_id == step.step_id],
    }


def artifact_summary(artifact: Artifact) -> dict[str, Any]:
    """ArtifactSummary (contracts section 3)."""
    return {
        "id": artifact.id,
        "step_id": artifact.step_id,
        "name": artifact.name,
        "path": artifact.path,
        "type": artifact.type,
        "size_bytes": artifact.size_bytes,
        "created_at": to_iso(artifact.created_at_ms),
        "mime_type": artifact.mime_type,
        "encoding": artifact.encoding,
        "preview_text": artifact.preview_text,
    }


def call_json(call: Call) -> dict[str, Any]:
    """A row of `/api/runs/{id}/calls`."""
    return {
        "correlation_id": call.correlation_id,
        "kind": call.kind,
        "name": call.name,
        "detail": call.detail,
        "step": call.step,
        "parent": call.parent,
        "first_seq": call.first_seq,
        "last_seq": call.last_seq,
        "started_at": to_iso(call.started_at_ms),
        "duration_ms": call.duration_ms,
        "status": call.status,
        "attempts": call.attempts,
        "tokens_in": call.tokens_in,
        "tokens_out": call.tokens_out,
        "usual": usual_json(call.usual),
    }


def note_json(note: Note) -> dict[str, Any]:
    """A note as the Timeline gives it; `event_index` null: about the run as a whole."""
    return {
        "id": note.id,
        "run_id": note.run_id,
        "created_at_utc": to_iso(note.created_at_ms),
        "author": note.author,
        "note": note.note,
        "labels": list(note.labels),
        "actions": list(note.actions),
        "event_index": note.event_seq,
    }
