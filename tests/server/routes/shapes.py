"""The keys of the seeds' answers and those that the contract adds, as one reads them there."""

from __future__ import annotations


def _keys(text: str) -> frozenset[str]:
    return frozenset(text.split())


RUN = _keys(
    """run_id pipeline_name status current_step total_tokens started_at completed_at duration tags progress
    error_message kind tenant_id warn_count error_count event_count last_seq note_count pinned cancelled_at
    updated_at eta_ms total_steps completed_steps current_step_index parent_run_id original_run_id usual duration_ms
    artifact_count call_count failed_steps last_note last_seen_at host pid cancel_requested tokens_in tokens_out eta"""
)
STEP = _keys(
    """step_id persona state progress current_action started_at completed_at duration tokens_used error artifacts
    duration_ms attempt max_attempts reason dependencies model warn_count error_count event_count usual"""
)
EVENT = _keys("id seq timestamp step_id state persona message tokens_used duration_ms type level")
ARTIFACT = _keys("id step_id name path type size_bytes created_at mime_type encoding preview_text")
NODE = _keys("id label persona status progress x y")
CANONICAL = _keys("id run_id seq ts type level step source message correlation_id data elapsed_s")
CALL = _keys(
    """correlation_id kind name detail step parent first_seq last_seq started_at duration_ms status attempts
    tokens_in tokens_out usual"""
)
FAILURE = _keys(
    """first_error error_chain step blocked open_calls fingerprint seen_before last_good_run_id first_divergence"""
)
OUTCOMES = _keys("total succeeded failed cancelled pending running interrupted success_rate")
PIPELINE = _keys("pipeline_name run_count success_rate avg_duration_ms avg_tokens")
TIMELINE_RUN = _keys("run_id status started_at window_start window_end event_count")
TIMELINE_EVENT = _keys("id run_id event_index ts_utc stage severity message elapsed_s details")
TIMELINE_SUMMARY = _keys(
    """run_id status started_at event_count error_event_count warn_event_count duration_s last_stage last_message
    by_stage by_severity"""
)
TIMELINE_EXPORT = _keys("run_id summary events notes exported_at_utc")
NOTE = _keys("id run_id created_at_utc author note labels actions event_index")
