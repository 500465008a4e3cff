"""Artifacts: uploaded, listed, read as text, and fetched as they are by those who may operate."""

from __future__ import annotations

import functools
import re
import tempfile
from typing import Annotated, Any, BinaryIO, cast
from urllib.parse import quote, unquote_to_bytes

import msgspec
from litestar import Request, Response
from msgspec import Struct

from runline.model.errors import Forbidden, Invalid
from runline.model.wire.artifacts import (
    ArtifactContentView,
    ArtifactList,
    ArtifactSummary,
    artifact_content_view,
    artifact_list,
    artifact_summary,
)
from runline.server.file_answer import FileAnswer
from runline.server.identity import Identity
from runline.server.parameters import about, flag
from runline.server.route import JSON, get, put
from runline.server.threads import in_thread
from runline.store.artifact_content import disk_errors
from runline.store.artifact_files import MAX_BYTES
from runline.store.sql_store import SqlStore

_IN_MEMORY_BYTES = 1 << 20
_PATH = re.compile(rb"/api/runs/[^/]+/artifacts/(?P<step>[^/]*)/(?P<name>.+)", re.DOTALL)
_RAW = "text/plain; charset=utf-8"
_PLACE = "/api/runs/{run_id:str}/artifacts/{step:str}/{name:path}"


class UploadQuery(Struct, kw_only=True, frozen=True):
    """What is told of an upload."""

    type: Annotated[str | None, about("What the writer calls it.", examples=("report",))] = None
    data: Annotated[str | None, about("A JSON object to be told beside it.", examples=('{"pages": 3}',))] = (
        None
    )


class ReadQuery(Struct, kw_only=True, frozen=True):
    """How an artifact is wanted."""

    raw: Annotated[bool, flag("The file as it is, to be saved, instead of its text.")] = False


@get(
    "/api/runs/{run_id:str}/artifacts",
    answer=ArtifactList,
    errors=(404,),
    summary="List a run's artifacts",
    tag="Artifacts",
)
def list_artifacts(store: SqlStore, run_id: str) -> ArtifactList:
    """In the order they were registered; a repeated name appears as often as it was."""
    return artifact_list(store.list_artifacts(run_id))


@get(
    _PLACE,
    query=ReadQuery,
    answers={JSON: ArtifactContentView, "text/plain": None},
    errors=(404,),
    summary="Read an artifact",
    tag="Artifacts",
)
def read_artifact(
    request: Request[Any, Any, Any], store: SqlStore, caller: Identity, given: ReadQuery, run_id: str
) -> Response[Any]:
    """The newest of that name in that step, as text: redacted, cut at 1 MB. A step `_run` stands for the run.

    With `raw=true` the file as it is, unredacted, as an attachment; that needs the scope `operate`. 404 has the
    code `artifact_not_found` when it was never registered, `artifact_gone` when its file has been cleaned up; 403
    `artifact_outside` when it lies where nothing is read from. A slash in the name may be sent as it is, in the
    step as `%2F`.
    """
    step, name = _place(request.scope)
    if not given.raw:
        found = artifact_content_view(store.read_artifact(run_id, step, name))
        return Response(found, media_type=JSON)
    if not {"operate", "admin"} & set(caller.scopes):
        raise Forbidden(
            f"An artifact as it is, unredacted, needs the scope 'operate'; leave out raw=true for its text. "
            f"The token {caller.name!r} has {', '.join(caller.scopes)}.",
            code="missing_scope",
        )
    file, artifact = store.open_artifact(run_id, step, name)
    return FileAnswer(file, artifact.name, media_type=_RAW)


@put(
    _PLACE,
    scope="ingest",
    query=UploadQuery,
    consumes=("*/*",),
    answer=ArtifactSummary,
    status=201,
    errors=(404, 409),
    headers={"Idempotency-Key": "A repeated upload with the same key is kept once; remembered for 24 hours."},
    max_bytes=MAX_BYTES,
    streams=True,
    summary="Upload an artifact",
    tag="Artifacts",
)
async def upload_artifact(
    request: Request[Any, Any, Any], store: SqlStore, given: UploadQuery, run_id: str
) -> Response[ArtifactSummary]:
    """The body is the file, at most 256 MiB; it is kept and registered with an `artifact_created` event, or neither.

    A step `_run` stands for the run as a whole. The media type is guessed from the name.
    """
    step, name = _place(request.scope)
    data = None if given.data is None else _object(given.data)
    with disk_errors(name), tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES, dir=store.engine.scratch) as file:
        # First to a place of its own: a slow client must not occupy a thread.
        async for piece in request.stream():
            await in_thread(file.write, piece)
        file.seek(0)
        keep = functools.partial(
            store.put_artifact,
            run_id,
            name,
            cast("BinaryIO", file),
            step=None if step == "_run" else step,
            type=given.type,
            data=data,
            idempotency_key=request.headers.get("idempotency-key"),
        )
        return Response(artifact_summary(await in_thread(keep)))


def _place(scope: Any) -> tuple[str, str]:
    """Step and name as they were sent: decoded, a slash within the step is no longer one between the two."""
    raw = scope.get("raw_path") or quote(scope["path"]).encode()
    found = _PATH.search(raw.partition(b"?")[0])  # some hosts leave the query in it
    if found is None:
        raise Invalid("Write …/artifacts/<step>/<name>, percent-encoded.", code="bad_path")
    try:
        return unquote_to_bytes(found["step"]).decode(), unquote_to_bytes(found["name"]).decode()
    except UnicodeDecodeError as error:
        raise Invalid("Percent-encode the step and the name as UTF-8.", code="bad_path") from error


def _object(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Invalid(
            "data is a JSON object, percent-encoded.", code="bad_parameter", fields={"data": "no JSON object"}
        ) from error


HANDLERS = [list_artifacts, read_artifact, upload_artifact]
