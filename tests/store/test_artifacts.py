"""Artifacts: a row for each event that names one, whatever it says."""

from __future__ import annotations

from typing import Any

import pytest

from runline.store.sql_store import SqlStore
from runline.testing import corpus


def test_artifacts_are_listed_in_the_order_they_were_registered(store: SqlStore, clock: Any) -> None:
    run_id = store.create_run("artifacts").run_id
    data = {
        "name": "report.html",
        "path": "out/report.html",
        "type": "report",
        "size_bytes": 7,
        "mime_type": "text/html",
        "encoding": "utf-8",
        "preview_text": "<h1>",
        "pages": 3,
    }
    store.append(run_id, [{"type": "artifact_created", "step": "render", "data": data}, {"type": "log"}])
    store.append(run_id, [{"type": "artifact_created", "data": data | {"size_bytes": 8}}])
    first, second = store.list_artifacts(run_id)
    assert (first.step_id, first.seq, first.name, first.path) == (
        "render",
        2,
        "report.html",
        "out/report.html",
    )
    assert (first.type, first.size_bytes, first.mime_type, first.encoding) == (
        "report",
        7,
        "text/html",
        "utf-8",
    )
    assert (first.preview_text, first.created_at_ms) == ("<h1>", clock.now_ms())
    assert (second.step_id, second.seq, second.size_bytes) == (None, 4, 8)
    assert store.engine.query("SELECT metadata FROM artifacts") == [('{"pages":3}',)] * 2
    assert store.get_run(run_id).artifact_count == 2


@pytest.mark.parametrize(
    ("data", "name", "size"),
    [
        ({}, "unnamed", None),
        ({"name": "", "size_bytes": True}, "unnamed", None),
        ({"name": ["a"], "path": 1, "size_bytes": -1}, "unnamed", None),
        ({"name": "a", "size_bytes": 2**63}, "a", None),
        ({"name": "a", "size_bytes": 2**63 - 1}, "a", 2**63 - 1),
        ({"name": "a", "size_bytes": "7"}, "a", None),
    ],
)
def test_what_is_missing_or_wrong_is_unknown(
    store: SqlStore, data: dict[str, Any], name: str, size: int | None
) -> None:
    run_id = store.create_run("odd").run_id
    store.append(run_id, [{"type": "artifact_created", "data": data}])
    (artifact,) = store.list_artifacts(run_id)
    assert (artifact.name, artifact.path, artifact.size_bytes) == (name, None, size)


def test_a_name_that_looks_for_a_way_out_is_only_a_name(store: SqlStore) -> None:
    run_id = store.create_run("paths").run_id
    names = [path for path in corpus.PATHS if "\0" not in path]
    store.append(
        run_id, [{"type": "artifact_created", "data": {"name": path, "path": path}} for path in names]
    )
    assert [artifact.path for artifact in store.list_artifacts(run_id)] == names
