"""Pipelines and personas of the loaded manifest. Without a manifest: empty lists."""

from __future__ import annotations

from runline.fold.wire.pipelines import PipelineDetail
from runline.model.errors import NotFound
from runline.model.wire.pipelines import ManifestView, PersonaList, PersonaView, PipelineList
from runline.pipelines.listing import (
    manifest_view,
    persona_list,
    persona_view,
    pipeline_detail,
    pipeline_list,
)
from runline.pipelines.manifest import Manifest
from runline.server.route import get, post
from runline.server.server import Server
from runline.store.sql_store import SqlStore


@get("/api/pipelines", answer=PipelineList, summary="List pipelines", tag="Pipelines", tenants=True)
def list_pipelines(store: SqlStore, server: Server) -> PipelineList:
    """Every pipeline of the loaded manifest with its recent runs, and what is wrong with the manifest."""
    return pipeline_list(server.manifest, store)


@get(
    "/api/pipelines/{name:str}",
    answer=PipelineDetail,
    errors=(404,),
    summary="Show a pipeline",
    tag="Pipelines",
    tenants=True,
)
def show_pipeline(store: SqlStore, server: Server, name: str) -> PipelineDetail:
    """With its steps, and where each stands in the drawing of their dependencies."""
    return pipeline_detail(_manifest(server), store, name)


@post(
    "/api/pipelines/reload",
    scope="operate",
    answer=ManifestView,
    summary="Read the manifest anew",
    tag="Pipelines",
)
def reload_manifest(server: Server) -> ManifestView:
    """What was wrong before may be right now; `errors` says what is not."""
    server.read_manifest()
    return manifest_view(server.manifest)


@get("/api/personas", answer=PersonaList, summary="List personas", tag="Pipelines")
def list_personas(server: Server) -> PersonaList:
    """Every persona of the loaded manifest."""
    return persona_list(server.manifest)


@get("/api/personas/{name:str}", answer=PersonaView, errors=(404,), summary="Show a persona", tag="Pipelines")
def show_persona(server: Server, name: str) -> PersonaView:
    """Who carries out a step, by which adapter and model, and what it may do."""
    found = _manifest(server).personas.get(name)
    if found is None:
        raise NotFound(f"There is no persona {name[:60]!r} in the manifest.", code="persona_not_found")
    return persona_view(found)


def _manifest(server: Server) -> Manifest:
    if server.manifest is None:
        raise NotFound("This server has no manifest; start it with --manifest FILE.", code="no_manifest")
    return server.manifest


HANDLERS = [list_pipelines, show_pipeline, reload_manifest, list_personas, show_persona]
