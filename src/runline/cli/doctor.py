"""`runline doctor`: what this machine, this terminal and the store are like, with advice where it helps."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
import typer
from msgspec import Struct

import runline
from runline.cli import exits
from runline.cli.invocation import Invocation
from runline.cli.moments import absolute
from runline.cli.options import JsonOption
from runline.cli.output import Output
from runline.cli.roles import Span
from runline.cli.sizes import format_size
from runline.model.errors import RunlineError

if TYPE_CHECKING:
    from runline.store.interface import Store
    from runline.store.sql_store import SqlStore

_NETWORK = frozenset(
    [
        "9p",
        "acfs",
        "afs",
        "afpfs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "fuse.davfs",
        "fuse.glusterfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "gfs2",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "orangefs",
        "smb2",
        "smb3",
        "smbfs",
        "vboxsf",
        "webdav",
    ]
)
_LOW_DISK_BYTES = 500_000_000
_LARGE_WAL_BYTES = 64_000_000
_CLOCK_SLACK_MS = 60_000
_VERIFY_AT_MOST = 200_000
"""Events of the newest run up to which it is verified on the spot."""


class Check(Struct, frozen=True):
    """One finding. `fail` makes the command exit with 1."""

    name: str
    status: Literal["ok", "warn", "fail"]
    value: str
    advice: str = ""


def doctor(ctx: typer.Context, *, json: JsonOption = False) -> None:
    """Check Python, SQLite, the store, its disk, the clock and the terminal. Exits 1 when something must be mended."""
    invocation = Invocation.of(ctx)
    out = invocation.out
    checks = [*_program(), *_store(invocation), *_terminal(out)]
    if json:
        out.json({"checks": msgspec.to_builtins(checks)})
    else:
        for check in checks:
            _print(out, check)
    if any(check.status == "fail" for check in checks):
        raise typer.Exit(exits.PROBLEM)


def _print(out: Output, check: Check) -> None:
    sign = {"ok": "completed", "warn": "warn", "fail": "failed"}[check.status]
    role = {"ok": "completed", "warn": "warn", "fail": "failed"}[check.status]
    out.line(Span(f"{out.glyphs[sign]} ", role), Span(f"{check.name:<12}", "bold"), check.value)  # type: ignore[arg-type]
    if check.advice:
        out.line(Span(f"  {'':<12}{check.advice}", "dim"))


def _program() -> Iterator[Check]:
    yield Check("runline", "ok", runline.__version__)
    yield Check(
        "python", "ok", f"{platform.python_version()} ({platform.python_implementation()}), {sys.platform}"
    )


def _store(invocation: Invocation) -> Iterator[Check]:
    from runline.store.location import is_remote, sqlite_path
    from runline.store.postgres_url import is_postgres

    if is_remote(invocation.url):
        from runline.cli.server_check import server

        yield from server(invocation)
        return
    if is_postgres(invocation.url):
        from runline.cli.postgres_check import database

        yield from database(invocation)
        return
    path = Path(sqlite_path(invocation.url))
    yield Check("store", "ok", str(path))
    yield from place(path.parent if path.parent.is_dir() else _nearest_folder(path.parent))
    if not path.exists():
        yield Check(
            "runs",
            "warn",
            "there is no store yet",
            "It is made by the first recording: `runline exec -- make test`.",
        )
        return
    try:
        with invocation.local() as store:  # which also brings an older store up to date
            yield from _contents(invocation, store)
    except RunlineError as error:
        yield Check("open", "fail", error.message)


def _contents(invocation: Invocation, store: SqlStore) -> Iterator[Check]:
    found = store.info()
    yield Check(
        "sqlite",
        "ok",
        f"{found.version.removeprefix('SQLite ')}, schema {found.schema}, {found.journal_mode}, synchronous FULL",
    )
    large = found.wal_bytes > _LARGE_WAL_BYTES
    yield Check(
        "size",
        "warn" if large else "ok",
        f"{format_size(found.size_bytes)}, {format_size(found.free_bytes)} of it free, WAL {format_size(found.wal_bytes)}",
        "A reader has kept the WAL from shrinking; close programs that hold the store open." if large else "",
    )
    yield from runs(invocation, store)


def runs(invocation: Invocation, store: Store) -> Iterator[Check]:
    """How many there are, whether clocks agree, and whether the newest is what was written."""
    counts = store.counts()
    said = [f"{number} {status}" for status, number in counts.by_status.items() if number]
    lost = counts.by_status.get("interrupted", 0)
    yield Check(
        "runs",
        "ok",
        f"{counts.total:,}" + (f": {', '.join(said)}" if said else ""),
        "Interrupted runs lost their writer: `runline ls --status interrupted`." if lost else "",
    )
    newest = store.list_runs(limit=1).items
    if not newest:
        return
    run, now_ms = newest[0], invocation.now_ms()
    ahead = max(run.started_at_ms, run.updated_at_ms) - now_ms > _CLOCK_SLACK_MS
    yield Check(
        "clock",
        "warn" if ahead else "ok",
        absolute(now_ms) + (f", and the newest run is from {absolute(run.updated_at_ms)}" if ahead else ""),
        "The clock was set back, or the run came from a machine that is ahead. Order does not depend on it."
        if ahead
        else "",
    )
    if run.event_count > _VERIFY_AT_MOST:
        return
    report = store.verify(run.run_id)
    yield Check(
        "newest run",
        "ok" if report.ok else "fail",
        f"{run.run_id}: {report.events:,} events, {'sound' if report.ok else f'{report.found:,} problems'}",
        "" if report.ok else "`runline verify` checks the whole store and says what to do.",
    )


def place(folder: Path) -> Iterator[Check]:
    """Whether a store can live in the folder: writable, room left, and not on a network."""
    writable = os.access(folder, os.W_OK | os.X_OK)
    yield Check(
        "writable",
        "ok" if writable else "fail",
        "yes" if writable else f"{folder} is not writable",
        ""
        if writable
        else "SQLite writes beside its file even to read it: mend the permissions, or name another file with --store.",
    )
    free_bytes = shutil.disk_usage(folder).free
    low = free_bytes < _LOW_DISK_BYTES
    yield Check(
        "disk",
        "warn" if low else "ok",
        f"{format_size(free_bytes)} free",
        "Free some space, or run `runline prune`." if low else "",
    )
    kind = filesystem(folder)
    network = kind in _NETWORK
    yield Check(
        "filesystem",
        "warn" if network else "ok",
        kind or "unknown",
        "Locks of network filesystems are not to be trusted by a database: keep the store on a local disk."
        if network
        else "",
    )


def filesystem(folder: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """The type of the filesystem that the folder is on; blank where the system does not tell."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    best, kind = "", ""
    where = str(folder.resolve())
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = fields[1].replace("\\040", " ")
        inside = where == point or where.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind


def _nearest_folder(folder: Path) -> Path:
    while not folder.is_dir():
        folder = folder.parent
    return folder


def _terminal(out: Output) -> Iterator[Check]:
    if not out.on_terminal:
        yield Check("terminal", "ok", "none: plain text, columns separated by tabs")
        return
    colour = out.console.color_system if not out.console.no_color else None
    signs = "UTF-8" if out.glyphs.is_unicode else "ASCII"
    yield Check(
        "terminal",
        "ok",
        f"{out.width} columns, {colour or 'no'} colour, {signs}",
        "" if out.glyphs.is_unicode else "For better signs choose a UTF-8 locale, like LANG=C.UTF-8.",
    )
