"""Tokens over HTTP: told once, good at once, refused at once, and kept by a browser where no script reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from runline.model.wire.tokens import NewTokenView, TokenList, TokenView, new_token_view
from runline.server.settings import Settings
from runline.store.sql_store import SqlStore
from runline.testing.serving import client

if TYPE_CHECKING:
    from runline.testing.serving import Client

SERVER = {"Authorization": "Bearer s3cret-of-the-server"}


@pytest.fixture
def guarded(store: SqlStore) -> Iterator[Client]:
    with client(store, Settings(token="s3cret-of-the-server")) as api:
        yield api


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_made_listed_used_and_revoked(guarded: Client, store: SqlStore) -> None:
    answer = guarded.post(
        "/api/tokens", json={"name": "ci", "scopes": ["read"], "expires_in_days": 7}, headers=SERVER
    )
    assert answer.status_code == 201
    made = answer.json()
    assert set(made) == {"token", "secret"} and set(made["token"]) == set(TokenView.__struct_fields__)
    assert guarded.get("/api/tenants", headers=bearer(made["secret"])).status_code == 200
    assert guarded.get("/api/tokens", headers=bearer(made["secret"])).status_code == 403
    listed = guarded.get("/api/tokens", headers=SERVER).json()
    assert [token["id"] for token in listed["tokens"]] == [made["token"]["id"]]
    assert made["secret"] not in str(listed)
    for _ in range(2):
        revoked = guarded.delete(f"/api/tokens/{made['token']['id']}", headers=SERVER)
        assert (revoked.status_code, revoked.json()["revoked_at"] is None) == (200, False)
    refused = guarded.get("/api/tenants", headers=bearer(made["secret"]))
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
    assert {entry.who for entry in store.list_audit().items} == {"server token"}


def test_a_tenants_admin_has_its_tenant_alone(guarded: Client, store: SqlStore) -> None:
    secret = store.create_token("boss", scopes=["admin"], tenant="ours").secret
    hers = store.create_token("hers", scopes=["read"], tenant="theirs").token
    made = guarded.post("/api/tokens", json={"name": "a", "scopes": ["read"]}, headers=bearer(secret)).json()
    assert made["token"]["tenant"] == "ours"
    other = guarded.post(
        "/api/tokens", json={"name": "a", "scopes": ["read"], "tenant": "theirs"}, headers=bearer(secret)
    )
    assert (other.status_code, other.json()["code"]) == (403, "other_tenant")
    gone = guarded.delete(f"/api/tokens/{hers.id}", headers=bearer(secret))
    assert (gone.status_code, gone.json()["code"]) == (404, "token_not_found")
    names = {t["name"] for t in guarded.get("/api/tokens", headers=bearer(secret)).json()["tokens"]}
    assert names == {"boss", "a"}
    assert guarded.get("/api/tenants", headers=bearer(secret)).json() == {"tenants": ["ours"]}
    assert guarded.get("/api/tenants", headers=SERVER).json() == {"tenants": ["ours", "theirs"]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "a"}, "scopes"),
        ({"name": "", "scopes": ["read"]}, "name"),
        ({"name": "a", "scopes": []}, "scopes"),
        ({"name": "a", "scopes": ["reed"]}, "scopes"),
        ({"name": "a", "scopes": "read"}, "scopes"),
        ({"name": "a", "scopes": ["read"], "tenant": "a\nb"}, "tenant"),
        ({"name": "a", "scopes": ["read"], "expires_in_days": -1}, "expires_in_days"),
        ({"name": "a", "scopes": ["read"], "expires_in_days": "x"}, "expires_in_days"),
        ({"name": "a", "scopes": ["read"], "expires": 3}, "expires"),
    ],
)
def test_what_is_wrong_is_named(api: Client, body: dict[str, Any], field: str) -> None:
    answer = api.post("/api/tokens", json=body)
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]


def test_the_answers_are_what_the_document_says(api: Client, store: SqlStore) -> None:
    made = api.post("/api/tokens", json={"name": "a", "scopes": ["admin"]}).json()
    assert set(made) == set(NewTokenView.__struct_fields__)
    assert set(api.get("/api/tokens").json()) == set(TokenList.__struct_fields__)
    assert new_token_view(store.create_token("b", scopes=["read"])).token.name == "b"


class TestSession:
    def test_a_browser_signs_in_and_out(self, guarded: Client, store: SqlStore) -> None:
        secret = store.create_token("me", scopes=["read"], tenant="t").secret
        assert guarded.get("/api/me").status_code == 401
        answer = guarded.post("/api/session", json={"token": secret})
        me = {"name": "me", "tenant": "t", "scopes": ["read"], "auth": "token"}
        assert (answer.status_code, answer.json()) == (200, me)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith(f"runline_session={secret};")
        assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(cookie.split("; "))
        assert "Secure" not in cookie and "Max-Age" not in cookie
        assert secret not in answer.text
        assert guarded.get("/api/me").json() == me
        assert guarded.get("/api/tenants").status_code == 200
        out = guarded.delete("/api/session")
        assert out.json()["auth"] == "none" and "Max-Age=0" in out.headers["set-cookie"]
        assert guarded.get("/api/tenants").status_code == 401

    def test_over_https_the_cookie_is_for_https_alone(self, guarded: Client) -> None:
        answer = guarded.post("https://localhost/api/session", json={"token": "s3cret-of-the-server"})
        assert "Secure" in answer.headers["set-cookie"].split("; ")
        assert answer.json()["auth"] == "server_token"

    @pytest.mark.parametrize("token", ["", "wrong", "rl_" + "x" * 43, "ümläut", "\ud800"])
    def test_a_wrong_token_opens_nothing(self, guarded: Client, token: str) -> None:
        body = b'{"token": "%s"}' % token.encode("utf-8", "surrogatepass")
        answer = guarded.post("/api/session", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 401)
        assert "set-cookie" not in answer.headers

    def test_a_stale_cookie_keeps_nobody_out(self, guarded: Client, store: SqlStore) -> None:
        made = store.create_token("old", scopes=["read"])
        guarded.post("/api/session", json={"token": made.secret})
        store.revoke_token(made.token.id)
        assert guarded.get("/api/tenants").status_code == 401
        assert guarded.get("/healthz").status_code == 200
        assert guarded.get("/api/me").status_code == 401
        assert guarded.post("/api/session", json={"token": "s3cret-of-the-server"}).status_code == 200
        assert guarded.get("/api/me").json()["auth"] == "server_token"
        assert guarded.get("/api/me", headers=bearer(made.secret)).status_code == 401

    def test_another_servers_cookie_keeps_nobody_out_who_needs_none(self, api: Client) -> None:
        api.cookies.set("runline_session", "rl_of-another-port")
        assert api.get("/api/tenants").status_code == 200
        assert api.get("/api/me").json()["auth"] == "open"
        assert api.get("/api/tenants", headers=bearer("rl_of-another-port")).status_code == 401

    def test_where_nobody_is_asked_one_is_oneself(self, api: Client) -> None:
        assert api.get("/api/me").json() == {
            "name": "local",
            "tenant": None,
            "scopes": ["ingest", "read", "operate", "admin"],
            "auth": "open",
        }

    def test_another_sites_page_cannot_sign_in(self, guarded: Client) -> None:
        for headers in ({"Origin": "https://evil.example"}, {"Content-Type": "text/plain"}):
            answer = guarded.post(
                "/api/session", content=b'{"token": "s3cret-of-the-server"}', headers=headers
            )
            assert answer.status_code in (403, 415)
            assert "set-cookie" not in answer.headers
