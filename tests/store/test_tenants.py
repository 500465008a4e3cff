from __future__ import annotations

from runline.store.sql_store import SqlStore
from tests.store.recorded import plain_run


def test_a_run_or_a_token_names_a_tenant(store: SqlStore) -> None:
    assert store.tenants() == []
    store.create_token("whole", scopes=["admin"])
    assert store.tenants() == []
    for n, tenant in enumerate(("b", "a", "b", "ü")):
        plain_run(store, f"r{n}", tenant=tenant)
    store.create_token("ci", scopes=["read"], tenant="c")
    store.revoke_token(store.create_token("old", scopes=["read"], tenant="d").token.id)
    assert store.tenants() == ["a", "b", "c", "d", "ü"]
    assert store.scoped("b").tenants() == ["b"]
    assert store.scoped("c").tenants() == ["c"]
    assert store.scoped("nobody").tenants() == []


def test_names_are_found_without_looking_at_every_run(store: SqlStore) -> None:
    from runline.store import tenants

    steps = [row[3] for row in store.engine.query(f"EXPLAIN QUERY PLAN {tenants._NAMED}")]
    assert not [step for step in steps if step.startswith("SCAN runs")]
