"""The page of the API."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import runline
from runline.server import docs
from runline.server.app import declared

if TYPE_CHECKING:
    from runline.testing.serving import Client

PAGE = docs.page(declared(), runline.__version__).decode()


def test_every_route_and_every_parameter_is_there() -> None:
    for route in declared():
        assert f'id="{route.name}"' in PAGE
        assert re.sub(r":\w+\}", "}", route.path) in PAGE


def test_every_link_leads_somewhere() -> None:
    for target in set(re.findall(r'href="#([^"]+)"', PAGE)):
        assert f'id="{target}"' in PAGE


def test_nothing_is_loaded_from_elsewhere_and_nothing_runs() -> None:
    assert not re.findall(r"<(?:script|iframe|img|style)|\bon\w+=|\bstyle=", PAGE)
    assert set(re.findall(r'<link[^>]+href="([^"]+)"', PAGE)) == {"docs/style.css"}
    assert not re.search(rb"url\(|@import", docs.STYLE)


def test_its_policy_allows_its_own_style_only(api: Client) -> None:
    answer = api.get("/docs")
    assert answer.headers["content-type"].startswith("text/html")
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "style-src 'self'" in answer.headers["content-security-policy"]
    style = api.get("/docs/style.css")
    assert (style.status_code, style.content) == (200, docs.STYLE)
    assert style.headers["content-type"].startswith("text/css")
