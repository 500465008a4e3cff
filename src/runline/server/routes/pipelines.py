"""Pipelines and personas of the manifest. Without a manifest: empty lists."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from runline.server.route import get


class Manifest(Struct, frozen=True, kw_only=True):
    """Where the definitions come from; all null or empty when there is none."""

    path: str | None = None
    read_at: str | None = None
    errors: tuple[str, ...] = ()


class PipelineList(Struct, frozen=True, kw_only=True):
    """The pipelines that can be started."""

    pipelines: tuple[dict[str, Any], ...] = ()
    manifest: Manifest = Manifest()


class PersonaList(Struct, frozen=True, kw_only=True):
    """Who can carry out a step."""

    personas: tuple[dict[str, Any], ...] = ()


@get("/api/pipelines", answer=PipelineList, summary="List pipelines", tag="Pipelines")
def list_pipelines() -> PipelineList:
    """Every pipeline of the loaded manifest; none without a manifest."""
    return PipelineList()


@get("/api/personas", answer=PersonaList, summary="List personas", tag="Pipelines")
def list_personas() -> PersonaList:
    """Every persona of the loaded manifest; none without a manifest."""
    return PersonaList()


HANDLERS = [list_pipelines, list_personas]
