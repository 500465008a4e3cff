"""A recorder finds the same in every store."""

from __future__ import annotations

from pathlib import Path

from runline.store.recording_store import RecordingStore
from runline.store.sql_store import SqlStore


def test_a_local_store_is_one(store: SqlStore, tmp_path: Path) -> None:
    recording: RecordingStore = store
    run_id = recording.create_run("r", announced=True).run_id
    assert recording.waiting is None
    assert recording.artifacts_folder() == tmp_path / "artifacts"
    assert not recording.is_cancelled(run_id)
    recording.cancel(run_id)
    assert recording.is_cancelled(run_id)
    assert recording.flush(5)
    assert recording.shut(5)
