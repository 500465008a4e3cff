"""The known event types: what a row of the catalogue says, and the rows.

A message template fills `{key}` from the data and leaves a `[bracketed part]` out when one of its keys is
missing; when a key outside brackets is missing, the message is the type.

Levels: a type that reports a failure is `error`; one that reports a retry, a limit or a loss is `warn`;
everything else, ends included, is `info` (a failed run has its error in an event of its own).
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from runline.model.status import Level

CallKind = Literal["llm", "tool", "patch", "test", "provider"]
PairRole = Literal["opens", "closes", "retries", "fails"]
Role = Literal[
    "queued",
    "started",
    "ended",
    "step_started",
    "step_progress",
    "step_completed",
    "step_failed",
    "step_skipped",
    "step_retrying",
    "eta",
    "activity",
    "artifact",
    "error",
    "generation",
    "level",
    "queue",
    "scan",
]
EventState = Literal[
    "started",
    "running",
    "completed",
    "failed",
    "step_progress",
    "eta_updated",
    "contract_validating",
    "compaction_progress",
    "retrying",
    "stream_activity",
]
"""The dashboard's word for an event."""
START_TYPES = frozenset({"run_queued", "run_started", "session_started"})
"""The types that a run's first event has."""
END_TYPES = frozenset({"run_ended", "session_ended"})
"""Nothing follows an event of these."""


class Pair(Struct, frozen=True):
    """A type's part in a call: the pair of a request and its response."""

    kind: CallKind
    role: PairRole


class EventType(Struct, frozen=True, kw_only=True):
    """One row of the catalogue. `role` None: the fold only counts it."""

    name: str
    domain: str
    level: Level = "info"
    role: Role | None = None
    pair: Pair | None = None
    state: EventState
    keys: tuple[str, ...] = ()
    message: str = ""
    """The template; blank: the type itself is the message."""


_OWN_STATES: dict[str, EventState] = {
    "step_progress": "step_progress",
    "eta_updated": "eta_updated",
    "contract_validating": "contract_validating",
    "compaction_progress": "compaction_progress",
}
_TRACE = ("llm_", "tool_", "patch_", "test_")


def state_of_type(name: str) -> EventState:
    """One of the dashboard's ten states, by the name alone; it also reads types that are not listed here."""
    if name in _OWN_STATES:
        return _OWN_STATES[name]
    if name.startswith(_TRACE) or name == "stream_activity":
        return "stream_activity"
    if name in START_TYPES or name.endswith("_started"):
        return "started"
    if name in END_TYPES or name.endswith("_completed"):
        return "completed"
    if name == "error" or name.endswith("_failed"):
        return "failed"
    if name == "retry_scheduled" or name.endswith("_retrying"):
        return "retrying"
    return "running"


def _type(
    domain: str,
    name: str,
    keys: str = "",
    message: str = "",
    *,
    level: Level = "info",
    role: Role | None = None,
    pair: tuple[CallKind, PairRole] | None = None,
) -> EventType:
    return EventType(
        name=name,
        domain=domain,
        level=level,
        role=role,
        pair=None if pair is None else Pair(*pair),
        state=state_of_type(name),
        keys=tuple(keys.split()),
        message=message,
    )


_START_KEYS = "name kind tags input parent_run_id original_run_id started_at plan usual"
_END_KEYS = "status error partial"
_STEP_END_KEYS = "persona tokens_used tokens_in tokens_out duration_ms artifacts"
_NODE_KEYS = "level_index node_id path"
_CONTEXT_KEYS = "node_id path agent_id provider_name frame_type"
_PROVIDER_KEYS = "node_id provider_name duration_ms error retry_count"

# One row is one to three lines, so that the table reads as a table.
# fmt: off
EVENT_TYPES = (
    _type("run", "run_queued", _START_KEYS, "{name} queued", role="queued"),
    _type("run", "run_started", _START_KEYS, "{name} started", role="started"),
    _type("run", "run_ended", _END_KEYS, "Run {status}[: {error}]", role="ended"),
    _type("run", "cancel_requested", "force by", "Cancellation requested[ by {by}]"),
    _type("run", "retry_scheduled", "attempt delay_ms reason", "Retry scheduled[: {reason}]", level="warn"),
    _type("run", "limit_reached", "limit", "Limit reached[: {limit}]", level="warn"),
    _type("run", "events_dropped", "count reason", "{count} events dropped[: {reason}]", level="warn"),
    _type("run", "ingest_failed", "error count", "Events could not be stored[: {error}]", level="error"),
    _type("step", "step_started", "persona model total dependencies max_attempts optional", "Step started",
          role="step_started"),
    _type("step", "step_progress", "progress current_action total_steps completed_steps estimated_time_ms",
          "{progress}%[ {current_action}]", role="step_progress"),
    _type("step", "step_completed", _STEP_END_KEYS + " reused_from",
          "Step completed[ (reused from {reused_from})]", role="step_completed"),
    _type("step", "step_failed", _STEP_END_KEYS + " error stack status", "Step failed[: {error}]",
          level="error", role="step_failed"),
    _type("step", "step_skipped", "reason", "Step skipped[: {reason}]", role="step_skipped"),
    _type("step", "step_retrying", "attempt max_attempts error reason",
          "Step is retried[: {reason}][: {error}]", level="warn", role="step_retrying"),
    _type("step", "eta_updated", "estimated_time_ms total_steps completed_steps",
          "{estimated_time_ms} ms left", role="eta"),
    _type("step", "stream_activity", "tool_name tool_target current_action", "{tool_name}[ {tool_target}]",
          role="activity"),
    _type("step", "artifact_created", "name path type size_bytes mime_type encoding preview_text",
          "Artifact {name}", role="artifact"),
    _type("step", "contract_validating", "validation_phase", "Validating[ {validation_phase}]",
          role="activity"),
    _type("step", "compaction_progress", "compaction_stats current_action", "Compacting[: {current_action}]",
          role="activity"),
    _type("session", "session_started", "command " + _START_KEYS, "{command} started", role="started"),
    _type("session", "session_ended", _END_KEYS, "Session {status}[: {error}]", role="ended"),
    _type("session", "command_summary", "command ok duration_ms message truncated",
          "{command}[: {message}][ ({duration_ms} ms)]"),
    _type("context", "plan_constructed", _CONTEXT_KEYS, "Plan constructed[ for {path}]"),
    _type("context", "node_skipped", _CONTEXT_KEYS + " reason", "[{path} ]skipped[: {reason}]",
          role="step_skipped"),
    _type("context", "descendant_check_started", _CONTEXT_KEYS, "Checking descendants[ of {path}]"),
    _type("context", "descendant_check_passed", _CONTEXT_KEYS, "Descendants[ of {path}] are complete"),
    _type("context", "descendant_check_failed", _CONTEXT_KEYS + " error",
          "Descendants[ of {path}] are incomplete[: {error}]", level="error"),
    _type("orchestrator", "generation_started", "plan_id total_levels total_nodes target_path",
          "Generation started[: {total_nodes} nodes][ in {total_levels} levels]", role="generation"),
    _type("orchestrator", "level_started", "level_index total_count",
          "Level {level_index} started[: {total_count} nodes]", role="level"),
    _type("orchestrator", "node_generation_started", _NODE_KEYS, "Generating[ {path}]", role="step_started"),
    _type("orchestrator", "node_generation_completed", _NODE_KEYS + " tokens_used duration_ms",
          "Generated[ {path}]", role="step_completed"),
    _type("orchestrator", "node_generation_failed", _NODE_KEYS + " error",
          "Generation[ of {path}] failed[: {error}]", level="error", role="step_failed"),
    _type("orchestrator", "level_completed", "level_index generated_count failed_count total_count",
          "Level[ {level_index}] completed[: {generated_count} generated][, {failed_count} failed]",
          role="level"),
    _type("orchestrator", "generation_completed", "total_generated total_failed",
          "Generation completed[: {total_generated} generated][, {total_failed} failed]", role="generation"),
    _type("orchestrator", "generation_failed", "reason", "Generation failed[: {reason}]", level="error",
          role="generation"),
    _type("queue", "request_enqueued", "node_id request_id", "Request enqueued[: {request_id}]"),
    _type("queue", "request_deduplicated", "node_id request_id", "Request deduplicated[: {request_id}]"),
    _type("queue", "request_processing", "node_id request_id", "Request in progress[: {request_id}]"),
    _type("queue", "queue_stats", "pending processing completed failed",
          "{pending} pending, {processing} processing[, {completed} completed][, {failed} failed]",
          role="queue"),
    _type("provider", "provider_request_sent", _PROVIDER_KEYS, "Request sent[ to {provider_name}]",
          pair=("provider", "opens")),
    _type("provider", "provider_response_received", _PROVIDER_KEYS,
          "Response received[ from {provider_name}][ in {duration_ms} ms]", pair=("provider", "closes")),
    _type("provider", "provider_request_failed", _PROVIDER_KEYS,
          "Request[ to {provider_name}] failed[: {error}]", level="error", pair=("provider", "fails")),
    _type("provider", "provider_request_retrying", _PROVIDER_KEYS,
          "Request[ to {provider_name}] is retried[: {error}]", level="warn", pair=("provider", "retries")),
    _type("scanner", "scan_started", "path", "Scan started[: {path}]", role="scan"),
    _type("scanner", "scan_progress", "node_count total_nodes",
          "{node_count} nodes scanned[ of {total_nodes}]", role="scan"),
    _type("scanner", "scan_completed", "node_count duration_ms",
          "Scan completed[: {node_count} nodes][ in {duration_ms} ms]", role="scan"),
    _type("watcher", "watch_started", "workspace", "Watching[ {workspace}]"),
    _type("watcher", "file_changed", "kind path", "{path}[ ({kind})]"),
    _type("watcher", "batch_processed", "event_count affected_nodes", "{event_count} changes processed"),
    _type("trace", "llm_request", "model provider settings prompt_preview", "{model}[ ({provider})]",
          pair=("llm", "opens")),
    _type("trace", "llm_response", "tokens_used tokens_in tokens_out text duration_ms",
          "Response[: {tokens_used} tokens]", pair=("llm", "closes")),
    _type("trace", "tool_call", "name args", "{name}", pair=("tool", "opens")),
    _type("trace", "tool_result", "ok result name duration_ms", "[{name}: ]{result}", pair=("tool",
          "closes")),
    _type("trace", "patch_proposed", "files insertions deletions preview",
          "Patch[ of {files}][ +{insertions}][ −{deletions}]", pair=("patch", "opens")),
    _type("trace", "patch_applied", "ok", "Patch applied: {ok}", pair=("patch", "closes")),
    _type("trace", "test_started", "name", "{name}", pair=("test", "opens")),
    _type("trace", "test_result", "passed failed skipped",
          "{passed} passed[, {failed} failed][, {skipped} skipped]", pair=("test", "closes")),
    _type("trace", "error", "name message stack cause", "[{name}: ]{message}", level="error", role="error"),
    _type("trace", "note"),
    _type("trace", "log"),
)
# fmt: on
