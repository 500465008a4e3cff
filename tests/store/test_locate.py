"""From an id to its row, within a tenant."""

from __future__ import annotations

import pytest

from runline.model.clock import ManualClock, to_iso
from runline.model.errors import NotFound
from runline.store.locate import locate
from runline.store.sql_store import SqlStore
from runline.testing.streams import tagged


def test_a_run_is_found_by_its_id(store: SqlStore, clock: ManualClock) -> None:
    run_id = store.create_run("found", tenant="acme").run_id
    store.append(run_id, tagged("a", 2))
    for tenant in (None, "acme"):
        found = locate(store.direct, run_id, tenant)
        assert (found.tenant, found.last_seq, found.started_at_ms, found.ended) == (
            "acme",
            3,
            clock.now_ms(),
            False,
        )
    store.end_run(run_id)
    assert locate(store.direct, run_id, None).ended


def test_what_was_removed_says_when_to_its_own_tenant_alone(store: SqlStore, clock: ManualClock) -> None:
    run_id = store.create_run("gone", tenant="acme").run_id
    store.end_run(run_id)
    store.delete_run(run_id)
    for tenant, code in ((None, "pruned"), ("acme", "pruned"), ("other", "run_not_found")):
        with pytest.raises(NotFound) as told:
            locate(store.direct, run_id, tenant)
        assert told.value.code == code
        assert (to_iso(clock.now_ms())[:10] in told.value.message) == (code == "pruned")


def test_it_says_how_it_went(store: SqlStore) -> None:
    for name in ("by-hand", "by-rule"):
        store.end_run(store.create_run(name, run_id=name).run_id)
    store.delete_run("by-hand")
    store.prune(keep=0)
    for name, how in (("by-hand", "was deleted on "), ("by-rule", "was removed by retention on ")):
        with pytest.raises(NotFound, match=f"Run {name} {how}"):
            locate(store.direct, name, None)
