"""Every route × every kind of caller, from the table of routes: a new route is here by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from runline.model.clock import ManualClock
from runline.server.app import declared
from runline.server.examples import EXAMPLES, body_text, target
from runline.server.route import JSON, SSE, Route
from runline.server.settings import Settings
from runline.store import open_local
from runline.testing.serving import Client, client
from tests.server.furnished import furnish, manifest

ROUTES = declared()
SCOPES = ("ingest", "read", "operate", "admin")
DAY_MS = 86_400_000
# What another tenant's caller gets where a run or a token of ours is named: exactly what nobody's id gives.
UNKNOWN_ID = "nobody-20261120-060000-0000000000"
# These answer about what is named in the query or the body; an unknown id is no error there.
# Not for the admin of one tenant.
OF_THE_WHOLE_STORE = {"fetch_backup"}
LISTS_OF_NOTHING = {"list_timeline_events", "list_timeline_notes"}


class Place(NamedTuple):
    api: Client
    names: dict[str, str]
    tokens: dict[str, str | None]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    clock = ManualClock()
    folder = tmp_path_factory.mktemp("matrix")
    settings = Settings(auth=True, token="server-secret", heartbeat_s=0.05, manifest=manifest(folder))
    with open_local(str(folder / "x.db"), clock=clock) as store:
        expired = store.create_token("expired", scopes=SCOPES, expires_in_days=1)
        clock.advance(ms=2 * DAY_MS)
        revoked = store.create_token("revoked", scopes=SCOPES)
        store.revoke_token(revoked.token.id)
        tokens: dict[str, str | None] = {
            "nobody": None,
            "invented": "rl_invented",
            "expired": expired.secret,
            "revoked": revoked.secret,
            "server": "server-secret",
        }
        for scope in SCOPES:
            tokens[scope] = store.create_token(scope, scopes=(scope,), tenant="acme").secret
        tokens["elsewhere"] = store.create_token("elsewhere", scopes=SCOPES, tenant="other").secret
        with client(store, settings) as api:
            yield Place(api, {}, tokens)


def ask(place: Place, route: Route, who: str, names: dict[str, str]) -> tuple[int, str]:
    """Status and error code."""
    names = names | {"CODE": "no-code", "TOKEN": "rl_invented"}
    path = re.sub(r"\$([A-Z_]+)", lambda found: names[found[1]], target(route))
    body = body_text(route)
    if body is not None:
        body = re.sub(r"\$([A-Z_]+)", lambda found: names[found[1]], body).replace('"default"', '"acme"')
    example = EXAMPLES.get(route.name)
    headers = {"Content-Type": example.media if example else JSON, "Accept": JSON}
    if SSE in route.answers and JSON not in route.answers:
        headers["Accept"] = SSE
    if (token := place.tokens[who]) is not None:
        headers["Authorization"] = f"Bearer {token}"
    place.api.cookies.clear()
    endless = SSE in route.answers and JSON not in route.answers
    if endless and allowed(route, who):
        return 200, ""  # a stream that does not end; the tests of the hub open them
    answer = place.api.request(route.method, path, content=body, headers=headers, follow_redirects=False)
    code = (
        answer.json().get("code", "") if answer.headers.get("content-type") == JSON and answer.content else ""
    )
    return answer.status_code, code


def allowed(route: Route, who: str) -> bool:
    return (route.scope in ("public", "any") and (who != "nobody" or route.scope == "public")) or who in (
        "server", "elsewhere", "admin", route.scope,
    )  # fmt: skip


@pytest.mark.parametrize("who", ["nobody", "invented", "expired", "revoked"])
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_who_is_nobody_gets_in_nowhere(place: Place, route: Route, who: str) -> None:
    names = furnish(place.api.application.server.store, "acme")
    status, code = ask(place, route, who, names)
    if route.scope == "public":
        assert status in (route.status, 401)  # a sign-in with a wrong token is refused for that
    else:
        assert (status, code) == (401, "unauthorized")


@pytest.mark.parametrize("who", SCOPES)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_a_scope_opens_its_own_routes(place: Place, route: Route, who: str) -> None:
    names = furnish(place.api.application.server.store, "acme")
    status, code = ask(place, route, who, names)
    if allowed(route, who):
        assert (status == 403) is (route.name in OF_THE_WHOLE_STORE), (status, code)
        assert status < 500
    else:
        assert (status, code) == (403, "missing_scope")


@pytest.mark.parametrize("route", [r for r in ROUTES if r.scope != "public"], ids=lambda route: route.name)
def test_another_tenants_id_answers_as_an_unknown_one(place: Place, route: Route) -> None:
    store = place.api.application.server.store
    ours = furnish(store, "acme")
    if not any(
        f"${name}" in target(route) + (body_text(route) or "")
        for name in ("RUN", "OTHER", "FAILED", "TOKEN_ID")
    ):
        return
    before = {name: store.get_run(ours[name]).last_seq for name in ("RUN", "OTHER", "FAILED")}
    nobodys = dict.fromkeys(ours, UNKNOWN_ID)
    theirs = ask(place, route, "elsewhere", ours)
    assert theirs == ask(place, route, "elsewhere", nobodys)
    assert (theirs[0] == 404) is (route.name not in LISTS_OF_NOTHING)
    assert before == {name: store.get_run(ours[name]).last_seq for name in ("RUN", "OTHER", "FAILED")}


def test_lists_of_another_tenant_show_none_of_ours(place: Place) -> None:
    ours = furnish(place.api.application.server.store, "acme")
    headers = {"Authorization": f"Bearer {place.tokens['elsewhere']}"}
    for path in ("/api/runs", "/api/timeline/runs", "/api/runs/export", "/api/tokens", "/api/admin/audit", "/api/tenants",
                 "/api/runs/counts", "/api/statistics", "/api/timeline/live"):  # fmt: skip
        told = place.api.get(path, headers=headers)
        assert told.status_code == 200, path
        assert "acme" not in told.text, path
        assert ours["RUN"] not in told.text, path
        refused = place.api.get(path, headers=headers, params={"tenant": "acme"})
        assert refused.status_code in (400, 403), path
