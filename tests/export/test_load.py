from __future__ import annotations

import gc
import io
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runline.export import load
from runline.export.load import MAX_DEPTH, read_export
from runline.model.errors import Invalid

SEED = {
    "run_id": "old-1",
    "summary": {"status": "failed", "started_at": "2026-11-20T12:10:00.123Z"},
    "events": [
        {
            "id": 7,
            "run_id": "old-1",
            "event_index": 1,
            "ts_utc": "2026-11-20T12:10:00.123Z",
            "stage": "run",
            "severity": "info",
            "message": "started",
            "elapsed_s": 0.0,
            "details": {"deep": [[1, -2.5, 10**30, True, None]], "é": "é"},
        },
        {"event_index": 2, "stage": "load", "severity": "error", "message": "failed"},
    ],
    "notes": [{"id": 1, "note": "vendor slow"}],
    "exported_at_utc": "2026-11-21T00:00:00.000Z",
}
CANONICAL = [
    {
        "seq": 1,
        "ts": "2026-11-20T12:10:00.123Z",
        "step": None,
        "level": "info",
        "message": "started",
        "data": {"deep": [[1, -2.5, 10**30, True, None]], "é": "é"},
    },
    {"seq": 2, "step": "load", "level": "error", "message": "failed"},
]
RUN = {"run_id": "new-1", "last_seq": 2}
OURS = {"run_id": "new-1", "run": RUN, "notes": [], "events": [{"seq": 1}, {"seq": 2}]}


def read(text: bytes | str) -> tuple[load.ExportHeader, list[dict[str, Any]]]:
    header, events = read_export(io.BytesIO(text.encode() if isinstance(text, str) else text))
    return header, list(events)


def refusal(text: bytes | str) -> str:
    with pytest.raises(Invalid) as refused:
        read(text)
    assert refused.value.code == "bad_export"
    return refused.value.message


@pytest.mark.parametrize("layout", [{}, {"indent": 3}, {"separators": (",", ":")}, {"sort_keys": True}])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_the_timelines_export_of_another_program_is_read_in_any_layout(
    layout: dict[str, Any], encoding: str
) -> None:
    header, events = read(json.dumps(SEED, **layout).encode(encoding))
    assert header.run == {
        "run_id": "old-1",
        "pipeline_name": "old-1",
        "kind": "run",
        "status": "failed",
        "started_at": "2026-11-20T12:10:00.123Z",
    }
    assert header.notes == SEED["notes"]
    assert events == CANONICAL


def test_a_timeline_without_summary_notes_or_events_is_still_a_run() -> None:
    header, events = read('{"run_id": "old-1", "summary": 3}')
    assert (header.run["run_id"], header.run["status"], header.notes, events) == ("old-1", None, [], [])


def test_our_document_streams_and_one_in_another_order_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[Any] = []
    set_aside = load._set_aside

    def watched(first: Any, *rest: Any) -> Any:
        waited.append(first)
        return set_aside(first, *rest)

    monkeypatch.setattr(load, "_set_aside", watched)
    assert read(json.dumps(OURS)) == read(json.dumps(OURS, indent=1))
    assert not waited
    assert read(json.dumps(OURS, sort_keys=True)) == read(json.dumps(OURS))
    assert len(waited) == 1


def test_events_that_nobody_reads_leave_no_open_file() -> None:
    _, events = read_export(io.BytesIO(json.dumps(SEED).encode()))
    file = events.gi_frame.f_locals["items"].gi_frame.f_locals["file"]  # type: ignore[attr-defined]
    assert not file.closed
    del events
    gc.collect()
    assert file.closed


def test_the_canonical_key_wins_over_its_alias() -> None:
    item = {"step": "run", "stage": "other", "type": "log", "unknown": 1}
    document = {"run_id": "r", "run": {"run_id": "r"}, "notes": None, "events": [item]}
    assert read(json.dumps(document))[1] == [{"step": "run", "type": "log"}]


def test_members_nobody_knows_are_passed_over() -> None:
    header, events = read(json.dumps({"more": {"events": [[{}]]}, **OURS, "last": [1]}))
    assert header.run == RUN
    assert len(events) == 2


def test_jsonl_passes_over_blank_lines() -> None:
    header, events = read('\n {"runline" : 1, "run": {"run_id": "r"}}\n\n{"seq": 1}\n  \n{"seq": 2}')
    assert header.run == {"run_id": "r"}
    assert events == [{"seq": 1}, {"seq": 2}]


@pytest.mark.parametrize("length", [1, 3, 4096])
def test_a_stream_may_give_little_at_a_time(length: int) -> None:
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, length))

    for text in (json.dumps(OURS), '{"runline":1,"run":{"run_id":"new-1","last_seq":1}}\n{"seq":1}\n'):
        header, events = read_export(Trickle(text.encode()))
        assert header.run["run_id"] == "new-1"
        assert len(list(events)) == header.run["last_seq"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "It is neither JSON nor JSONL"),
        ("hello", "It is neither JSON nor JSONL"),
        ("[]", "It is no JSON object"),
        ('"text"', "It is no JSON object"),
        ("{}", "'run_id' is missing"),
        ('{"run_id": 3}', "'run_id' is missing"),
        ('{"run": 3, "run_id": "r"}', "'run_id' is missing"),
        ('{"run_id": "r", "events": {}}', "Its 'events' are no list"),
        ('{"run_id": "r", "events": [3]}', "Event 1 is no object"),
        ('{"run_id": "r", "notes": {}}', "Its 'notes' are no list of objects"),
        ('{"run_id": "r", "notes": [3]}', "Its 'notes' are no list of objects"),
        ('{"run_id": "r"} {}', "It is neither JSON nor JSONL"),
        ('{"run_id": "r", "run": ' + "9" * 5000 + "}", "It is neither JSON nor JSONL"),
        ('{"run_id": "r", "events": [NaN]}', "It is neither JSON nor JSONL"),
        (b'{"run_id": "\xff"}', "It is neither JSON nor JSONL"),
        (json.dumps(OURS).encode("utf-16"), "It is neither JSON nor JSONL"),
        ('{"runline": 2, "run": {}}', "It is of version 2; this Runline reads version 1"),
        ('{"runline": 1}', "'run_id' is missing"),
        ('{"runline": 1, "run": {"run_id": "r"}, "notes": 3}', "Its 'notes' are no list of objects"),
        ('{"runline": 1', "Line 1: "),
        ('{"runline": 1, "run": {"run_id": "r"}}\n{"seq": 1}\nnope\n', "Line 3: "),
        ('{"runline": 1, "run": {"run_id": "r"}}\n[]\n', "Line 2: "),
        ('{"runline": 1, "run": {"run_id": "r"}}\n{"a": "\\ud800"}\n', "Line 2: "),
        ('{"runline": 1, "run": {"run_id": "r"}}\n' + '{"a":' * 100_000, "Line 2: "),
    ],
)
def test_what_is_no_export_is_refused_with_a_reason(text: bytes | str, said: str) -> None:
    assert said in refusal(text)


def test_a_file_that_lacks_events_is_refused_at_its_end() -> None:
    lines = ['{"runline":1,"run":{"run_id":"r","last_seq":2}}', '{"seq":1}']
    assert "It has 1 events of 2: it is not complete." in refusal("\n".join(lines))
    assert "It has 0 events of 2" in refusal(json.dumps({**OURS, "events": []}))


def test_hostile_nesting_costs_nothing() -> None:
    assert f"nested deeper than {MAX_DEPTH} levels" in refusal(b'{"events":' + b"[" * 10_000_000)
    assert f"nested deeper than {MAX_DEPTH} levels" in refusal(b'{"a":' * 1_000_000)


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "MAX_LINE_BYTES", 1024 * 1024)
    assert "Line 2 is longer than 1 MiB." in refusal(
        '{"runline":1,"run":{"run_id":"r"}}\n' + " " * 1024 * 1024 + " "
    )


@given(
    st.data(),
    st.sampled_from(
        [json.dumps(OURS), json.dumps(SEED), '{"runline":1,"run":{"run_id":"r","last_seq":2}}\n{}\n{}\n']
    ),
)
def test_a_file_cut_anywhere_is_refused(data: st.DataObject, text: str) -> None:
    refusal(text.rstrip()[: data.draw(st.integers(0, len(text.rstrip()) - 1))])


@given(st.binary(max_size=200))
def test_any_bytes_are_an_export_or_refused(text: bytes) -> None:
    for prefix in (b"", b'{"runline":1,', b'{"run_id":"r","events":['):
        with suppress(Invalid):
            read(prefix + text)
