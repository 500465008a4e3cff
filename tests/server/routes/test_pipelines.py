"""Without a manifest there is nothing to start."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runline.testing.serving import Client


def test_without_a_manifest_the_lists_are_empty(api: Client) -> None:
    told = api.get("/api/pipelines").json()
    assert told == {"pipelines": [], "manifest": {"path": None, "read_at": None, "errors": []}}
    assert api.get("/api/personas").json() == {"personas": []}
