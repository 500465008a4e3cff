"""The store as a whole over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from runline.model.clock import ManualClock
from runline.server.settings import Retention, Settings
from runline.store import open_local
from runline.store.sql_store import SqlStore
from runline.testing.serving import client, serving
from tests.store.recorded import plain_run

if TYPE_CHECKING:
    from runline.testing.serving import Client


def leftovers(store: SqlStore) -> list[Path]:
    return list(Path(store.engine.place).parent.glob(".backup-*"))


def test_old_runs_are_removed_by_the_rules(api: Client, store: SqlStore, clock: ManualClock) -> None:
    for n in range(3):
        plain_run(store, f"r{n}")
        clock.advance(s=60)
    dry = api.post("/api/admin/prune", json={"keep": 1, "dry_run": True}).json()
    assert (dry["dry_run"], dry["matched"], dry["removed"]) == (True, 2, 0)
    assert [run["run_id"] for run in dry["runs"]] == ["r0", "r1"]
    report = api.post("/api/admin/prune", json={"keep": 1, "older_than_days": None}).json()
    assert (report["removed"], report["events"]) == (2, 4)
    assert store.counts().total == 1
    (entry,) = api.get("/api/admin/audit").json()["entries"]
    assert (entry["who"], entry["action"], entry["detail"]["removed"]) == ("local", "prune", 2)


def test_without_a_body_the_usual_rules_hold(api: Client, store: SqlStore, clock: ManualClock) -> None:
    plain_run(store, "old")
    clock.advance(s=15 * 86_400)
    plain_run(store, "new")
    assert [run["run_id"] for run in api.post("/api/admin/prune").json()["runs"]] == ["old"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"keep": -1}, "keep"),
        ({"keep": 1.5}, "keep"),
        ({"older_than_days": -0.1}, "older_than_days"),
        ({"older_than_days": "14d"}, "older_than_days"),
        ({"max_size_bytes": -1}, "max_size_bytes"),
        ({"dry_run": "yes"}, "dry_run"),
        ({"dryrun": True}, "dryrun"),
    ],
)
def test_rules_that_are_none(api: Client, store: SqlStore, body: dict[str, Any], field: str) -> None:
    plain_run(store, "kept")
    answer = api.post("/api/admin/prune", json=body)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])
    assert store.counts().total == 1


def test_a_number_beyond_64_bits_removes_nothing(api: Client, store: SqlStore) -> None:
    plain_run(store, "kept")
    answer = api.post(
        "/api/admin/prune", content=b'{"keep": %d}' % 2**70, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert store.counts().total == 1


def test_what_is_stored_is_checked(api: Client, store: SqlStore) -> None:
    plain_run(store, "a", events=5)
    plain_run(store, "b")
    assert api.post("/api/admin/verify").json() == {
        "runs": 2,
        "events": 9,
        "found": 0,
        "problems": [],
        "ok": True,
    }
    assert api.post("/api/admin/verify", json={"run_id": "a"}).json()["events"] == 7
    with store.engine.transaction() as tx:
        tx.execute("UPDATE runs SET error_count = 3 WHERE run_id = 'b'")
    found = api.post("/api/admin/verify").json()
    assert (found["ok"], found["found"], found["problems"][0]["run_id"]) == (False, 1, "b")
    assert api.post("/api/admin/rebuild", json={"run_id": "b"}).json() == {"runs": 1, "events": 2}
    assert api.post("/api/admin/verify").json()["ok"] is True
    assert api.post("/api/admin/rebuild").json() == {"runs": 2, "events": 9}


@pytest.mark.parametrize("path", ["/api/admin/verify", "/api/admin/rebuild"])
def test_a_run_that_is_not_there(api: Client, path: str) -> None:
    answer = api.post(path, json={"run_id": "nobody"})
    assert (answer.status_code, answer.json()["code"]) == (404, "run_not_found")
    assert api.post(path, json={"run": "x"}).status_code == 400


def test_sizes_versions_and_what_the_server_prunes_by_itself(store: SqlStore) -> None:
    plain_run(store, "a")
    with client(store) as api:
        told = api.get("/api/admin/store").json()
        assert told["retention"] is None
        assert (told["run_count"], told["event_count"]) == (1, 2)
        assert told["size_bytes"] > 0 and told["disk_free_bytes"] > 0 and told["wal_bytes"] >= 0
    with client(store, Settings(retention=Retention(keep=7))) as api:
        assert api.get("/api/admin/store").json()["retention"] == {
            "older_than_days": 14,
            "keep": 7,
            "max_size_bytes": None,
        }


def test_the_audit_page_by_page(api: Client, store: SqlStore) -> None:
    run_id = plain_run(store, "a")
    for _ in range(3):
        store.acting_as("me").pin(run_id)
    first = api.get("/api/admin/audit?limit=2").json()
    assert (len(first["entries"]), first["has_more"]) == (2, True)
    rest = api.get("/api/admin/audit", params={"limit": 5000, "cursor": first["next_cursor"]}).json()
    assert (len(rest["entries"]), rest["has_more"], rest["next_cursor"]) == (1, False, None)
    bad = api.get("/api/admin/audit?cursor=x")
    assert (bad.status_code, bad.json()["code"]) == (400, "bad_cursor")


def test_a_tenants_admin_sees_and_removes_its_own(store: SqlStore) -> None:
    for tenant in ("ours", "theirs"):
        plain_run(store, tenant, tenant=tenant)
    secret = store.create_token("boss", scopes=["admin"], tenant="ours").secret
    with client(store, Settings(auth=True)) as api:
        api.headers["Authorization"] = f"Bearer {secret}"
        assert api.get("/api/admin/store").json()["run_count"] == 1
        assert api.post("/api/admin/verify").json()["runs"] == 1
        assert api.post("/api/admin/rebuild", json={"run_id": "theirs"}).status_code == 404
        refused = api.get("/api/admin/backup")
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        removed = api.post("/api/admin/prune", json={"keep": 0, "older_than_days": None}).json()["runs"]
        assert [run["run_id"] for run in removed] == ["ours"]
        told = {(entry["tenant"], entry["who"]) for entry in api.get("/api/admin/audit").json()["entries"]}
        assert {tenant for tenant, _ in told} == {"ours"}
    assert leftovers(store) == []


def test_a_copy_of_the_store_is_whole(store: SqlStore, tmp_path: Path) -> None:
    plain_run(store, "a", events=500)
    with serving(store) as server, httpx.stream("GET", f"{server.url}/api/admin/backup") as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/vnd.sqlite3"
        assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''x-")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert leftovers(store) == []  # from the first byte on
        content = b"".join(answer.iter_raw())
    assert len(content) == int(answer.headers["content-length"])
    (tmp_path / "copy.db").write_bytes(content)
    with open_local(str(tmp_path / "copy.db")) as copy:
        assert copy.verify().ok
        assert copy.counts().total == 1


def test_a_client_that_goes_away_leaves_no_copy_behind(store: SqlStore) -> None:
    plain_run(store, "a", events=20_000)
    before = open_files(store)
    with serving(store) as server, httpx.stream("GET", f"{server.url}/api/admin/backup") as answer:
        next(answer.iter_raw(1000))
    assert leftovers(store) == []
    assert open_files(store) == before


def open_files(store: SqlStore) -> int:
    """Copies that this process still holds open, named or not."""
    found = 0
    for handle in Path("/proc/self/fd").iterdir():
        try:
            found += ".backup-" in str(handle.readlink())
        except OSError:  # that of the listing itself
            continue
    return found


def test_a_copy_that_cannot_be_made_is_told(
    api: Client, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.engine, "backup", lambda _: ["row 3 missing"])
    answer = api.get("/api/admin/backup")
    assert (answer.status_code, answer.json()["code"]) == (503, "corrupt")
    assert leftovers(store) == []
