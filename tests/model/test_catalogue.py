from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runline.model.catalogue import (
    CATALOGUE,
    END_TYPES,
    NOISE,
    START_TYPES,
    STATES,
    default_level,
    message_for,
    state_of,
)

ROOT = Path(__file__).parents[2]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generator", ROOT / "scripts" / "generate_events_doc.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_lists_every_type_of_the_contract() -> None:
    contract = """
        run_queued run_started run_ended cancel_requested retry_scheduled limit_reached events_dropped ingest_failed
        step_started step_progress step_completed step_failed step_skipped step_retrying eta_updated stream_activity
        artifact_created contract_validating compaction_progress session_started session_ended command_summary
        plan_constructed node_skipped descendant_check_started descendant_check_passed descendant_check_failed
        generation_started level_started node_generation_started node_generation_completed node_generation_failed
        level_completed generation_completed generation_failed request_enqueued request_deduplicated
        request_processing queue_stats provider_request_sent provider_response_received provider_request_failed
        provider_request_retrying scan_started scan_progress scan_completed watch_started file_changed
        batch_processed llm_request llm_response tool_call tool_result patch_proposed patch_applied test_started
        test_result error note log
    """
    assert sorted(CATALOGUE) == sorted(contract.split())


def test_start_and_end_types_have_their_roles() -> None:
    assert {name for name, row in CATALOGUE.items() if row.role in ("queued", "started")} == START_TYPES
    assert {name for name, row in CATALOGUE.items() if row.role == "ended"} == END_TYPES


def test_noise_is_the_contracts() -> None:
    assert " ".join(sorted(NOISE)) == (
        "compaction_progress heartbeat queue_stats scan_progress step_progress stream_activity"
    )


def test_failures_are_errors_and_retries_limits_and_losses_warnings() -> None:
    for name, row in CATALOGUE.items():
        if name.endswith("_failed") or name == "error":
            assert row.level == "error", name
        elif name.endswith(("_retrying", "_reached", "_dropped", "_scheduled")):
            assert row.level == "warn", name
        else:
            assert row.level == "info", name
        assert default_level(name) == row.level


def test_an_unknown_type_is_info() -> None:
    assert default_level("made_up") == "info"


def test_every_pair_is_opened_and_closed() -> None:
    roles: dict[str, set[str]] = {}
    for row in CATALOGUE.values():
        if row.pair is not None:
            roles.setdefault(row.pair.kind, set()).add(row.pair.role)
    assert set(roles) == {"llm", "tool", "patch", "test", "provider"}
    assert all({"opens", "closes"} <= found for found in roles.values())
    assert roles["provider"] == {"opens", "closes", "retries", "fails"}


@pytest.mark.parametrize(
    ("type_", "data", "message"),
    [
        ("run_started", {"name": "nightly"}, "nightly started"),
        ("run_started", {}, "run_started"),
        ("step_failed", {"error": "boom\nat line 2"}, "Step failed: boom at line 2"),
        ("step_failed", {}, "Step failed"),
        ("step_progress", {"progress": 40}, "40%"),
        ("step_progress", {"progress": 12.5, "current_action": "page 3"}, "12.5% page 3"),
        ("level_started", {"level_index": 0, "total_count": 12}, "Level 0 started: 12 nodes"),
        ("patch_applied", {"ok": True}, "Patch applied: yes"),
        ("patch_applied", {"ok": False}, "Patch applied: no"),
        ("patch_proposed", {"files": ["a", "b"]}, "Patch of a, b"),
        ("patch_proposed", {"files": list("abcde"), "insertions": 3}, "Patch of a, b, c and 2 more +3"),
        ("patch_proposed", {"files": [1, {}]}, "Patch"),
        ("tool_call", {"name": "{args}[x]", "args": "secret"}, "{args}[x]"),
        ("tool_call", {"name": {"deep": 1}}, "tool_call"),
        ("tool_call", {"name": 10**5000}, "tool_call"),
        ("tool_call", {"name": "x" * 900}, "x" * 200),
        ("log", {"message": "x"}, "log"),
        ("made_up", {"message": "x"}, "made_up"),
    ],
)
def test_a_blank_message_is_filled_from_the_template(
    type_: str, data: dict[str, object], message: str
) -> None:
    assert message_for(type_, data) == message


@given(st.sampled_from(sorted(CATALOGUE)), st.data())
def test_no_value_makes_a_message_or_a_state_fail(type_: str, draw: st.DataObject) -> None:
    keys = (*CATALOGUE[type_].keys, "state", "status")
    data = draw.draw(st.dictionaries(st.sampled_from(keys), JSON))
    assert message_for(type_, data)
    assert state_of(type_, data) in STATES


@pytest.mark.parametrize(
    ("type_", "data", "state"),
    [
        ("run_queued", {}, "started"),
        ("run_started", {}, "started"),
        ("session_started", {}, "started"),
        ("step_started", {}, "started"),
        ("scan_started", {}, "started"),
        ("step_completed", {}, "completed"),
        ("run_ended", {}, "completed"),
        ("run_ended", {"status": "completed"}, "completed"),
        ("run_ended", {"status": "failed"}, "failed"),
        ("session_ended", {"status": "cancelled"}, "failed"),
        ("session_ended", {"status": "interrupted"}, "failed"),
        ("step_failed", {}, "failed"),
        ("error", {}, "failed"),
        ("step_progress", {}, "step_progress"),
        ("eta_updated", {}, "eta_updated"),
        ("contract_validating", {}, "contract_validating"),
        ("compaction_progress", {}, "compaction_progress"),
        ("step_retrying", {}, "retrying"),
        ("provider_request_retrying", {}, "retrying"),
        ("retry_scheduled", {}, "retrying"),
        ("llm_request", {}, "stream_activity"),
        ("tool_result", {}, "stream_activity"),
        ("patch_applied", {}, "stream_activity"),
        ("test_started", {}, "stream_activity"),
        ("stream_activity", {}, "stream_activity"),
        ("step_skipped", {}, "running"),
        ("made_up", {}, "running"),
        ("made_up", {"state": "failed"}, "failed"),
        ("run_ended", {"status": "failed", "state": "completed"}, "completed"),
        ("made_up", {"state": "nonsense"}, "running"),
        ("made_up", {"state": ["failed"]}, "running"),
    ],
)
def test_states_are_the_dashboards(type_: str, data: dict[str, object], state: str) -> None:
    assert state_of(type_, data) == state


def test_the_table_carries_the_state_that_its_type_alone_gives() -> None:
    assert all(state_of(name, {}) == row.state for name, row in CATALOGUE.items())


def test_the_events_document_is_current() -> None:
    assert (ROOT / "docs" / "events.md").read_text(encoding="utf-8") == generator().render()
