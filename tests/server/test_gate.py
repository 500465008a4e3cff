"""Who and what gets through the gate, and who does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from litestar import get
from litestar.exceptions import WebSocketDisconnect

from runline.model.errors import Forbidden, Unauthorized
from runline.server import app as application
from runline.server.app import declared
from runline.server.gate import permit
from runline.server.identity import Identity
from runline.server.route import Route
from runline.server.routes import HANDLERS
from runline.server.settings import Settings
from runline.store.sql_store import SqlStore
from runline.testing.serving import client

if TYPE_CHECKING:
    from runline.testing.serving import Client

Ask = Callable[[Settings], "Client"]


@pytest.fixture
def asking(store: SqlStore) -> Iterator[Ask]:
    opened = []

    def ask(settings: Settings) -> Client:
        opened.append(client(store, settings).__enter__())
        return opened[-1]

    yield ask
    for one in opened:
        one.__exit__(None, None, None)


# -- the name in the Host header


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080", "127.8.9.1", "APP.localhost"]
)
def test_loopback_names_are_ours(api: Client, host: str) -> None:
    assert api.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/api/runs", "/docs", "/nowhere"])
@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "10.0.0.1", "127.0.0.1.evil.example"]
)
def test_other_names_are_not_whatever_is_asked(api: Client, host: str, path: str) -> None:
    answer = api.get(path, headers={"Host": host})
    assert (answer.status_code, answer.json()["code"]) == (403, "bad_host")


@pytest.mark.parametrize("host", ["", "a b", "localhost:port", "localhost/x", "\xff", "local@host"])
def test_what_is_no_name_is_refused(api: Client, host: str) -> None:
    answer = api.get("/healthz", headers=[(b"Host", host.encode("latin-1"))])
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_host")


def test_two_names_are_refused(api: Client) -> None:
    answer = api.get("/healthz", headers=[("Host", "localhost"), ("Host", "localhost")])
    assert answer.status_code == 400


def test_a_name_can_be_added(asking: Ask) -> None:
    api = asking(Settings(hosts=("runs.example",)))
    assert api.get("/healthz", headers={"Host": "Runs.Example:80"}).status_code == 200
    assert api.get("/healthz", headers={"Host": "other.example"}).status_code == 403


def test_a_server_for_others_answers_to_any_name_unless_some_are_given(asking: Ask) -> None:
    opened = asking(Settings(bind="0.0.0.0", token="t"))
    assert opened.get("/healthz", headers={"Host": "anything.example"}).status_code == 200
    named = asking(Settings(bind="0.0.0.0", token="t", hosts=("runs.example",)))
    assert named.get("/healthz", headers={"Host": "anything.example"}).status_code == 403


# -- where the request comes from


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9999"},
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_a_page_of_another_site_may_not_call(api: Client, method: str, headers: dict[str, str]) -> None:
    answer = api.request(method, "/api/session", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "bad_origin")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://localhost:8080"},
        {"Origin": "https://localhost:8080"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    ],
)
def test_our_own_pages_and_links_to_us_may(api: Client, headers: dict[str, str]) -> None:
    assert api.get("/api/pipelines", headers={"Host": "localhost:8080", **headers}).status_code == 200


def test_a_link_from_elsewhere_changes_nothing(api: Client) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert api.delete("/api/session", headers=headers).status_code == 403


def test_a_site_can_be_allowed(asking: Ask) -> None:
    api = asking(Settings(origins=("https://board.example",)))
    headers = {"Origin": "https://board.example", "Sec-Fetch-Site": "cross-site"}
    answer = api.get("/api/pipelines", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "https://board.example"
    asked = api.options("/api/runs", headers={**headers, "Access-Control-Request-Method": "POST"})
    assert (asked.status_code, asked.content) == (204, b"")
    assert "idempotency-key" in asked.headers["access-control-allow-headers"]
    assert "access-control-allow-origin" not in api.get("/api/pipelines").headers


def test_nobody_else_is_told_that_they_may(api: Client) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    assert api.options("/api/runs", headers=headers).status_code in (200, 204, 403)
    assert "access-control-allow-origin" not in api.options("/api/runs", headers=headers).headers


# -- who sends it


def test_without_a_token_only_public_paths_answer(asking: Ask) -> None:
    api = asking(Settings(auth=True))
    assert api.get("/healthz").status_code == 200
    for path in ("/api/pipelines", "/docs", "/metrics", "/nowhere", "/healthz/", "/healthz/x", "/static/x"):
        answer = api.get(path)
        assert (path, answer.status_code) == (path, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["code"] == "unauthorized"


def test_the_token_of_the_server_opens_everything(asking: Ask) -> None:
    api = asking(Settings(token="s3cret"))
    assert api.get("/api/pipelines", headers={"Authorization": "Bearer s3cret"}).status_code == 200
    assert api.get("/api/pipelines", headers={"Authorization": "bearer s3cret"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        [("Authorization", "Bearer wrong")],
        [("Authorization", "s3cret")],
        [("Authorization", "Basic s3cret")],
        [("Authorization", "Bearer ")],
        [("Authorization", "")],
        [("Authorization", "Bearer s3cret"), ("Authorization", "Bearer s3cret")],
        [("Authorization", b"Bearer s3cr\xe9t")],
        [("Authorization", "Bearer s3cret s3cret")],
        [("Cookie", "runline_session=wrong")],
    ],
)
def test_wrong_credentials_open_nothing(asking: Ask, headers: list[tuple[str, Any]]) -> None:
    api = asking(Settings(token="s3cret"))
    assert api.get("/api/pipelines", headers=headers).status_code == 401


def test_a_wrong_token_is_told_so_also_where_none_is_needed(api: Client) -> None:
    assert api.get("/api/pipelines", headers={"Authorization": "Bearer x"}).status_code == 401


def test_a_token_in_the_query_is_an_unknown_parameter(asking: Ask) -> None:
    api = asking(Settings(token="s3cret"))
    assert api.get("/api/pipelines?token=s3cret").status_code == 401
    assert api.get("/healthz?token=s3cret").status_code == 400


def test_a_stale_header_does_not_hide_that_the_server_lives(asking: Ask) -> None:
    api = asking(Settings(token="s3cret"))
    stale = {"Authorization": "Bearer of-yesterday"}
    assert api.get("/healthz", headers=stale).status_code == 200
    assert api.delete("/api/session", headers=stale).status_code == 200


@pytest.mark.parametrize(
    "cookie",
    [
        'a={"b":1, "c":2}; runline_session=s3cret',
        'runline_session="s3cret"; a=[b]; bad cookie',
        "runline_session=s3cret",
    ],
)
def test_other_programs_cookies_sign_nobody_out(asking: Ask, cookie: str) -> None:
    api = asking(Settings(token="s3cret"))
    assert api.get("/api/me", headers={"Cookie": cookie}).status_code == 200


def test_nothing_of_ours_stands_in_anothers_page(api: Client) -> None:
    headers = {"Sec-Fetch-Site": "Cross-Site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    assert api.get("/api/pipelines", headers=headers).status_code == 403
    assert api.get("/api/pipelines", headers=headers | {"Sec-Fetch-Dest": "document"}).status_code == 200
    two = [("Origin", "https://evil.example"), ("Origin", "http://127.0.0.1:8080")]
    assert api.post("/api/session", headers=two).status_code == 403


def test_options_changes_nothing_and_is_no_error(api: Client) -> None:
    answer = api.options("/api/runs")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "OPTIONS" in answer.headers["allow"]


def test_head_uses_nothing_up(store: SqlStore) -> None:
    with client(store, Settings(token="s3cret")) as api:
        code = api.application.server.sign_in.issue("s3cret")
        assert api.head(f"/signin?code={code}").status_code == 405
        assert api.get(f"/signin?code={code}", follow_redirects=False).status_code == 200


@pytest.mark.parametrize("path", ["/api/stream", "/api/events"])
def test_head_of_a_stream_ends(api: Client, path: str) -> None:
    answer = api.head(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert api.application.server.hub.followers == 0


def test_a_tenant_is_named_once(api: Client) -> None:
    assert api.get("/api/runs?tenant=a").status_code == 200
    assert api.get("/api/runs?tenant=").status_code == 200
    assert api.get("/api/runs?tenant=a&tenant=b").json()["fields"] == {"tenant": "several"}


def test_a_route_that_declares_nothing_is_closed(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    @get("/forgotten", sync_to_thread=False)
    def forgotten() -> str:
        return "open"

    monkeypatch.setattr(application, "HANDLERS", [*HANDLERS, forgotten])
    with client(store) as api:
        answer = api.get("/forgotten")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_scopes_do_not_include_one_another_except_that_admin_may_all() -> None:
    def route(scope: Any) -> Route:
        return msgspec.convert(
            {
                "method": "GET", "path": "/x", "name": "x", "scope": scope, "summary": "", "description": "",
                "tag": "", "status": 200, "query": None, "body": None, "body_required": True, "consumes": (),
                "answers": {}, "errors": (), "tenants": False, "headers": {}, "max_bytes": None, "head": True, "streams": False,
            },
            Route,
        )  # fmt: skip

    def allowed(scopes: tuple[str, ...], scope: str) -> bool:
        who = Identity(name="t", tenant=None, scopes=scopes, auth="token")
        try:
            permit(who, route(scope))
        except Forbidden:
            return False
        return True

    assert [allowed(("ingest",), scope) for scope in ("ingest", "read", "operate", "admin")] == [
        True,
        False,
        False,
        False,
    ]
    assert [allowed(("admin",), scope) for scope in ("ingest", "read", "operate", "admin")] == [True] * 4
    assert allowed((), "public")


# -- on the way out


def test_every_answer_has_the_headers_that_protect_a_browser(api: Client) -> None:
    for path in ("/healthz", "/docs", "/nowhere", "/api/pipelines?x=1"):
        headers = api.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        assert "script" not in headers["content-security-policy"]
        assert headers["content-security-policy"].startswith("default-src 'none'")


def test_head_is_get_without_its_body(api: Client) -> None:
    answer = api.head("/api/pipelines")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


def test_there_are_no_sockets(api: Client) -> None:
    with pytest.raises(WebSocketDisconnect) as refused, api.websocket_connect("/api/runs"):
        pass
    assert refused.value.code == 1008


def test_nobody_is_let_into_what_needs_somebody() -> None:
    route = next(route for route in declared() if route.scope == "read")
    with pytest.raises(Unauthorized):
        permit(None, route)
