"""Who is calling."""

from __future__ import annotations

import pytest

from runline.model.clock import ManualClock
from runline.model.errors import Unauthorized
from runline.server.identity import OWNER, identify, verify
from runline.server.settings import Settings
from runline.store.sql_store import SqlStore

OPEN, CLOSED = Settings(), Settings(auth=True)


def test_on_an_open_server_the_caller_is_its_owner(store: SqlStore) -> None:
    assert identify(store, OPEN, [], []) == OWNER
    assert OWNER.tenant is None
    assert "admin" in OWNER.scopes


def test_elsewhere_nobody_is_somebody(store: SqlStore) -> None:
    assert identify(store, CLOSED, [], []) is None


def test_a_token_of_the_store_names_tenant_and_scopes(store: SqlStore, clock: ManualClock) -> None:
    made = store.create_token("ci", scopes=("ingest", "read"), tenant="acme", expires_in_days=1)
    header = [b"Bearer " + made.secret.encode()]
    who = identify(store, CLOSED, header, [])
    assert who is not None
    assert (who.name, who.tenant, set(who.scopes), who.auth) == ("ci", "acme", {"ingest", "read"}, "token")
    assert identify(store, CLOSED, [], [b"a=b; runline_session=" + made.secret.encode()]) == who
    store.revoke_token(made.token.id)
    with pytest.raises(Unauthorized):
        identify(store, CLOSED, header, [])


def test_the_header_wins_over_the_cookie(store: SqlStore) -> None:
    settings = Settings(token="t")
    with pytest.raises(Unauthorized):
        identify(store, settings, [b"Bearer x"], [b"runline_session=t"])
    assert identify(store, settings, [b"Bearer t"], [b"runline_session=x"]) is not None


@pytest.mark.parametrize(
    "cookie", [b"", b"other=1", b"runline_session=", b"runline_session", b"\xff\xfe", b"a b=c;;"]
)
def test_cookies_without_a_session_are_no_credentials(store: SqlStore, cookie: bytes) -> None:
    assert identify(store, CLOSED, [], [cookie]) is None


def test_secrets_are_bytes(store: SqlStore) -> None:
    settings = Settings(token="s3crét")
    assert verify(store, settings, "s3crét".encode()).auth == "server_token"
    with pytest.raises(Unauthorized):
        verify(store, settings, "s3crét".encode("latin-1"))
