"""The store as a whole through a server: tokens, audit, pruning, checking, copying."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from runline.model.clock import ManualClock
from runline.model.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized, Unavailable
from runline.server.settings import Settings
from runline.store import open_local
from runline.store.remote import admin
from runline.store.remote.client import Client
from runline.store.remote.http_store import open_http
from runline.testing.serving import serving
from tests.store.recorded import plain_run
from tests.store.remote.conftest import Both
from tests.store.remote.scripted import Answer, Scripted


def test_tokens_are_made_listed_and_revoked(both: Both) -> None:
    made = both.remote.create_token("ci", scopes=["ingest"], tenant="ours", expires_in_days=2)
    other = both.remote.create_token("all", scopes=["read"])
    assert both.local.find_token(made.secret) is not None
    assert {token.id for token in both.remote.list_tokens()} == {made.token.id, other.token.id}
    assert both.remote.list_tokens() == both.local.list_tokens()
    revoked = both.remote.revoke_token(made.token.id)
    assert revoked.revoked_at_ms is not None
    assert both.remote.revoke_token(made.token.id) == revoked
    with pytest.raises(NotFound):
        both.remote.revoke_token("tok_none")
    assert both.remote.tenants() == both.local.tenants() == ["ours"]
    first = both.remote.list_audit(limit=2)
    assert first == both.local.list_audit(limit=2)
    rest = both.remote.list_audit(limit=2, cursor=first.next_cursor)
    assert rest == both.local.list_audit(limit=2, cursor=first.next_cursor)


def test_checking_rebuilding_and_pruning(both: Both, clock: ManualClock) -> None:
    plain_run(both.local, "r", events=5)
    plain_run(both.local, "s")
    seen: list[int] = []
    assert both.remote.verify() == both.local.verify()
    assert both.remote.verify("r", on_progress=seen.append) == both.local.verify("r")
    assert both.remote.rebuild() == 2
    assert both.remote.rebuild("r", on_progress=seen.append) == 1
    assert seen == [7, 7]
    there, here = (msgspec.structs.asdict(store.info()) | {"disk_free_bytes": 0} for store in both)
    assert there == here
    clock.advance(s=20 * 86_400)
    planned = both.remote.prune(dry_run=True)
    assert planned == both.local.prune(dry_run=True)
    assert both.remote.prune(older_than_days=None, keep=1).removed == 1
    assert both.remote.server().name == "local"


def test_a_backup_is_the_whole_store(both: Both, tmp_path: Path) -> None:
    plain_run(both.local, "r", events=2000)
    copy = tmp_path / "copy.db"
    both.remote.backup(str(copy))
    with open_local(str(copy)) as restored:
        assert restored.verify() == both.local.verify()
    with pytest.raises(Conflict):
        both.remote.backup(str(copy))
    with pytest.raises(Invalid):
        both.remote.backup(str(tmp_path / "nowhere" / "copy.db"))
    with pytest.raises(Forbidden):
        both.remote.scoped("ours").backup(str(tmp_path / "other.db"))


def test_a_backup_that_breaks_off_leaves_no_file(server: Scripted, client: Client, tmp_path: Path) -> None:
    server.script = [Answer(200, b"half", cut=True)]
    with pytest.raises(Unavailable):
        admin.backup(client, str(tmp_path / "copy.db"))
    assert not (tmp_path / "copy.db").exists()


def test_the_token_says_who_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_local(str(tmp_path / "x.db")) as local:
        token = local.create_token("reader", scopes=["read"], tenant="ours").secret
        local.scoped("ours").create_run("mine", run_id="mine")
        local.create_run("other", run_id="other")
        with serving(local, Settings(port=0, auth=True)) as served:
            with open_http(served.url) as nobody:
                with pytest.raises(Unauthorized):
                    nobody.list_runs()
                assert nobody.server().name is None
            monkeypatch.setenv("RUNLINE_TOKEN", token)
            with open_http(served.url) as reader:
                assert [run.run_id for run in reader.list_runs().items] == ["mine"]
                assert (reader.server().name, reader.server().tenant) == ("reader", "ours")
                with pytest.raises(Forbidden):
                    reader.create_run("no")
                with pytest.raises(NotFound):
                    reader.get_run("other")
