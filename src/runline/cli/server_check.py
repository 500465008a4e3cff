"""What `runline doctor` finds out about a server: whether it answers, what one may do there, how its store is."""

from __future__ import annotations

from collections.abc import Iterator

import runline
from runline.cli.doctor import Check, runs
from runline.cli.invocation import Invocation
from runline.cli.sizes import format_size
from runline.model.errors import Forbidden, RunlineError
from runline.store.remote.http_store import HttpStore, open_http


def server(invocation: Invocation) -> Iterator[Check]:
    """The checks that take the place of those of a file."""
    yield Check("store", "ok", invocation.url)
    try:
        store = open_http(invocation.url)
    except RunlineError as error:
        yield Check("server", "fail", error.message)
        return
    with store:
        try:
            yield from _facts(store)
            yield from runs(invocation, store)
        except Forbidden as error:
            yield Check("rights", "warn", error.message, "What needs that right was not looked at.")
        except RunlineError as error:
            yield Check("server", "fail", error.message)
        if waiting := store.spooled:
            yield Check(
                "spool",
                "warn",
                f"events wait in {waiting[0].parent}",
                "They are sent once the server takes them, by what is recording or by the next command.",
            )


def _facts(store: HttpStore) -> Iterator[Check]:
    told = store.server()
    same = told.version == runline.__version__
    yield Check(
        "server",
        "ok" if same else "warn",
        f"runline {told.version}",
        "" if same else f"This is runline {runline.__version__}: use the same version on both sides.",
    )
    if told.name is None:
        yield Check(
            "token",
            "fail",
            "none, or one that is not good there",
            "Set RUNLINE_TOKEN to a token of that server.",
        )
        return
    where = f" of tenant {told.tenant}" if told.tenant else ""
    yield Check("token", "ok", f"{told.name}: may {', '.join(told.scopes)}{where}")
    info = store.info()
    yield Check("size", "ok", format_size(info.size_bytes) + _free(info.disk_free_bytes))


def _free(disk_free_bytes: int | None) -> str:
    """Blank where the database lies on another machine."""
    return "" if disk_free_bytes is None else f", {format_size(disk_free_bytes)} free on its disk"
