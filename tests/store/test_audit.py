"""The audit: who did what, in the transaction in which it happened, and never a secret."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from runline.model.audit import AuditEntry
from runline.model.clock import ManualClock
from runline.model.errors import Conflict, Invalid, NotFound
from runline.store import audit
from runline.store.sql_store import SqlStore
from tests.store.recorded import plain_run

ME = "alice"


def told(store: SqlStore) -> list[tuple[str, str | None, dict[str, Any]]]:
    """Oldest first: action, target and detail."""
    items = store.list_audit(limit=1000).items
    return [(entry.action, entry.target, entry.detail) for entry in reversed(items)]


def test_what_was_done_is_told_with_who_did_it(store: SqlStore, clock: ManualClock) -> None:
    mine = store.acting_as(ME)
    live, done = store.create_run("live", tenant="t").run_id, plain_run(store, "done")
    mine.cancel(live)
    mine.cancel(live, force=True)
    mine.pin(done)
    mine.pin(done, on=False)
    assert mine.rebuild(done) == 1
    exported = [{"type": "run_started", "seq": 1, "ts": "2026-11-20T12:00:00Z"}]
    mine.import_run({"run_id": "brought", "tenant_id": "t"}, exported)
    mine.delete_run(done)
    made = mine.create_token("ci", scopes=["read"], tenant="t")
    mine.revoke_token(made.token.id)
    items = store.list_audit().items[::-1]
    assert [(e.action, e.target, e.tenant, e.detail) for e in items] == [
        ("cancel", live, "t", {"force": False, "status": "cancelling"}),
        ("cancel", live, "t", {"force": True, "status": "cancelled"}),
        ("pin", done, "default", {"pinned": True}),
        ("pin", done, "default", {"pinned": False}),
        ("rebuild", done, None, {"runs": 1, "events": 2}),
        ("import_run", "brought", "t", {"events": 1}),
        ("delete_run", done, "default", {"events": 2}),
        ("create_token", made.token.id, "t", {"name": "ci", "scopes": ["read"]}),
        ("revoke_token", made.token.id, "t", {"name": "ci"}),
    ]
    assert {(e.who, e.at_ms) for e in items} == {(ME, clock.now_ms())}
    assert [e.id for e in items] == sorted({e.id for e in items})


def test_what_was_refused_is_not_told(store: SqlStore) -> None:
    ended = plain_run(store, "ended")
    live = store.create_run("live").run_id
    with pytest.raises(Conflict):
        store.cancel(ended)
    with pytest.raises(Conflict):
        store.delete_run(live)
    with pytest.raises(NotFound):
        store.pin("nobody")
    with pytest.raises(NotFound):
        store.rebuild("nobody")
    with pytest.raises(Conflict):
        store.import_run({"run_id": live}, [{"type": "run_started", "seq": 1}])
    assert store.list_audit().items == []


def test_a_cancelled_run_says_who_asked(store: SqlStore) -> None:
    named, unnamed = store.create_run("a").run_id, store.create_run("b").run_id
    store.acting_as(ME).cancel(named)
    store.cancel(unnamed)
    assert store.read(named, types=["cancel_requested"])[0].data == {"force": False, "by": ME}
    assert store.read(unnamed, types=["cancel_requested"])[0].data == {"force": False}


def test_nobody_named_is_the_user_of_the_process(store: SqlStore) -> None:
    store.pin(plain_run(store, "a"))
    assert store.list_audit().items[0].who == f"{getpass.getuser()}@{socket.gethostname()}"


def test_a_user_without_a_name_is_told_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nameless)
    audit.process_user.cache_clear()
    try:
        assert audit.process_user().split("@")[0].isdigit()
    finally:
        audit.process_user.cache_clear()


def test_acting_and_scoped_combine_in_either_order(store: SqlStore) -> None:
    run_id = plain_run(store, "a", tenant="t")
    for view in (store.acting_as(ME).scoped("t"), store.scoped("t").acting_as(ME)):
        view.pin(run_id)
        view.close()  # a view, so it closes nothing
    store.acting_as("bob").acting_as("carol").pin(run_id)
    assert [e.who for e in store.list_audit().items] == ["carol", ME, ME]
    assert (store.actor, store.tenant) == (None, None)


def test_who_acts_is_cleaned_and_never_blank(store: SqlStore) -> None:
    secret = store.create_token("x", scopes=["read"]).secret
    assert store.acting_as(f" eve {secret} ").who == "eve [REDACTED:runline_token]"
    for nobody in ("", " ", None, 7):
        with pytest.raises(Invalid):
            store.acting_as(nobody)  # type: ignore[arg-type]


def test_pruning_is_one_row_with_its_rules_and_counts(store: SqlStore, clock: ManualClock) -> None:
    for n in range(150):  # more than one turn
        plain_run(store, f"r{n}")
    clock.advance(s=1)
    assert store.prune(older_than_days=0, keep=None, dry_run=True).matched == 150
    assert store.list_audit().items == []
    store.acting_as(ME).prune(older_than_days=0, keep=None)
    assert told(store) == [
        (
            "prune",
            None,
            {"older_than_days": 0, "keep": None, "max_size_bytes": None, "removed": 150, "events": 300},
        )
    ]
    store.prune(older_than_days=0, keep=None)  # nothing left, nothing done
    assert len(told(store)) == 1


def test_a_tenants_pruning_is_that_tenants(store: SqlStore) -> None:
    plain_run(store, "a", tenant="t")
    plain_run(store, "b", tenant="u")
    store.scoped("t").prune(older_than_days=None, keep=0)
    (entry,) = store.scoped("t").list_audit().items
    assert (entry.tenant, entry.detail["removed"]) == ("t", 1)
    assert store.scoped("u").list_audit().items == []


def test_rebuilding_everything_is_one_row(store: SqlStore) -> None:
    for name in "abc":
        plain_run(store, name)
    assert store.rebuild() == 3
    assert told(store) == [("rebuild", None, {"runs": 3, "events": 6})]


def test_a_transaction_that_fails_takes_its_counts_with_it(store: SqlStore) -> None:
    tally = audit.Tally(store, "prune")

    def add(removed: int, *, fails: bool) -> None:
        with store.engine.transaction() as tx:
            tally.add(tx, removed=removed)
            if fails:
                raise LookupError

    def attempts() -> Iterator[None]:
        for removed, fails in ((1, True), (2, False), (4, True), (8, False)):
            if fails:
                with pytest.raises(LookupError):
                    add(removed, fails=True)
            else:
                add(removed, fails=False)
                tally.committed()
            yield

    store.writer.between(lambda: list(attempts()))
    assert told(store) == [("prune", None, {"removed": 10})]


def test_pages_newest_first(store: SqlStore) -> None:
    run_id = plain_run(store, "a")
    for n in range(5):
        store.pin(run_id, on=bool(n % 2))
    seen: list[AuditEntry] = []
    cursor: str | None = None
    while True:
        page = store.list_audit(limit=2, cursor=cursor)
        seen += page.items
        assert page.has_more == (page.next_cursor is not None)
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    assert seen == store.list_audit(limit=10**9).items
    assert [entry.detail["pinned"] for entry in seen] == [False, True, False, True, False]


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1.5", "9" * 19, "²", "1 "])
def test_a_cursor_that_is_none(store: SqlStore, cursor: str) -> None:
    with pytest.raises(Invalid) as error:
        store.list_audit(cursor=cursor)
    assert error.value.code == "bad_cursor"


def test_a_tenant_sees_what_was_about_it(store: SqlStore) -> None:
    for tenant in ("ours", "theirs"):
        store.pin(plain_run(store, tenant, tenant=tenant))
    store.create_token("whole", scopes=["read"])
    assert [e.tenant for e in store.scoped("ours").list_audit().items] == ["ours"]
    assert len(store.list_audit().items) == 3
