"""What leaves the store as a file, and comes back: lists of runs, whole runs."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator, Mapping
from typing import IO, Annotated, Any, BinaryIO, cast

import msgspec
from litestar import Request
from litestar.response import Stream
from msgspec import Struct

from runline.export.load import read_export
from runline.export.run import FORMATS, Format, export_run
from runline.export.runs import LIST_FORMATS, export_runs
from runline.model.clock import from_ms
from runline.model.errors import StoreFull, Unavailable
from runline.model.page import Page
from runline.model.run import Run
from runline.model.wire.runs import RunSummary, run_summary
from runline.server.parameters import about
from runline.server.route import JSON, NDJSON, get, post
from runline.server.routes.runs import RunFilters
from runline.server.threads import in_thread
from runline.store.runs import MAX_PAGE
from runline.store.sql_store import SqlStore

CSV = "text/csv"
MEDIA: Mapping[Format, str] = {"json": JSON, "jsonl": NDJSON, "csv": CSV}
IMPORT_BYTES = 4 * 1024**3
"""Some ten million events; an import never lies in memory."""
_IN_MEMORY_BYTES = 1024 * 1024


class RunListExportQuery(RunFilters, kw_only=True, frozen=True):
    """Which runs, and as what."""

    format: Annotated[str, about("A table, or a document.", one_of=LIST_FORMATS)] = "csv"


class RunExportQuery(Struct, kw_only=True, frozen=True):
    """As what."""

    format: Annotated[
        str,
        about(
            "`json`: one document; `jsonl`: a line for each event; `csv`: a table, which cannot be imported.",
            one_of=FORMATS,
        ),
    ] = "json"


class ImportQuery(Struct, kw_only=True, frozen=True):
    """Under which id."""

    as_id: Annotated[str | None, about("The id to give it, when its own is taken.")] = msgspec.field(
        default=None, name="as"
    )


@get(
    "/api/runs/export",
    query=RunListExportQuery,
    answers={CSV: None, JSON: None},
    summary="Download a list of runs",
    tag="Exports",
    tenants=True,
)
def export_run_list(store: SqlStore, given: RunListExportQuery) -> Stream:
    """All runs that match, not only a page of them, newest start first; streamed.

    As CSV the keys of RunSummary are the columns, and no cell starts a formula in a spreadsheet. As JSON it is
    `{exported_at_utc, runs}`.
    """
    wanted = next(known for known in LIST_FORMATS if known == given.format)
    now_ms = store.clock.now_ms()
    chunks = export_runs(every_run(store, given.of_store()), format=wanted, now_ms=now_ms)
    return as_download(chunks, f"runs-{from_ms(now_ms):%Y%m%d-%H%M%S}.{wanted}", MEDIA[wanted])


@get(
    "/api/runs/{run_id:str}/export",
    query=RunExportQuery,
    answers={JSON: None, NDJSON: None, CSV: None},
    errors=(404,),
    summary="Download a run",
    tag="Exports",
    tenants=True,
)
def export_whole_run(store: SqlStore, given: RunExportQuery, run_id: str) -> Stream:
    """The whole run with its notes, up to the last event it has now; streamed whatever its size.

    JSON and JSONL can be imported again; JSONL is the fastest to read.
    """
    wanted = next(known for known in FORMATS if known == given.format)
    chunks = export_run(store, run_id, format=wanted, now_ms=store.clock.now_ms())
    return as_download(chunks, f"{run_id}.{wanted}", MEDIA[wanted])


@post(
    "/api/runs/import",
    scope="admin",
    query=ImportQuery,
    consumes=(JSON, NDJSON),
    answer=RunSummary,
    status=201,
    errors=(409,),
    max_bytes=IMPORT_BYTES,
    streams=True,
    summary="Take in an exported run",
    tag="Exports",
    tenants=True,
)
async def import_run(request: Request[Any, Any, Any], store: SqlStore, given: ImportQuery) -> RunSummary:
    """A JSON or JSONL export, gzip welcome. Ids, order and times are kept; event ids are new. All of it or nothing.

    409 when its id is taken: give it another with `as`. A token of a tenant takes it in as that tenant's.
    """
    # First to a place of its own: a slow client must not occupy a thread.
    with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES, dir=store.engine.scratch) as file:
        async for piece in request.stream():
            await in_thread(_write, file, piece)
        file.seek(0)
        run = await in_thread(_take_in, store, cast("BinaryIO", file), given.as_id)
    return run_summary(run)


def _write(file: IO[bytes], piece: bytes) -> None:
    try:
        file.write(piece)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull("The disk is full; nothing of the import was kept.") from error
        raise Unavailable(
            f"The import could not be set aside: {error.strerror or error}.", code="import_not_kept"
        ) from error


def _take_in(store: SqlStore, file: BinaryIO, as_id: str | None) -> Run:
    header, events = read_export(file)
    return store.import_run(header.run, events, header.notes, as_id=as_id)


def every_run(store: SqlStore, filters: Mapping[str, Any], *, at_most: int = MAX_PAGE) -> Iterator[Run]:
    """All runs that match, read a page at a time, the first one at once: a wrong filter raises here.

    `at_most`: how many the caller is going to take, when it knows.
    """
    first = store.list_runs(**filters, limit=min(at_most, MAX_PAGE))
    return _pages(store, filters, first)


def _pages(store: SqlStore, filters: Mapping[str, Any], page: Page[Run]) -> Iterator[Run]:
    yield from page.items
    while page.next_cursor is not None:
        page = store.list_runs(**filters, limit=MAX_PAGE, cursor=page.next_cursor)
        yield from page.items


def as_download(chunks: Iterator[bytes], filename: str, media: str) -> Stream:
    """An answer that browsers save under that name. Names are made of ids, which need no quoting."""
    headers = {"content-disposition": f'attachment; filename="{filename}"'}
    return Stream(chunks, media_type=media, headers=headers)


HANDLERS = [export_run_list, export_whole_run, import_run]
