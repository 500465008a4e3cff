"""What SQLite's errors mean for Runline: one table, used by the engine and nowhere else."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import apsw

from runline.model.errors import Invalid, NotFound, RunlineError, StoreFull, Unavailable

_PAGE_ROOM = 65_536


def translate(error: apsw.Error | OSError, path: str) -> RunlineError:
    """The Runline error for what SQLite said."""
    text = str(error)
    match error:
        case apsw.FullError():
            return StoreFull(f"The disk under {path} is full. Free some space, or run `runline prune`.")
        case apsw.BusyError() | apsw.LockedError():
            return Unavailable(f"{path} is locked by another program. Try again.", code="busy")
        case apsw.InterruptError():
            return Unavailable("This store is closed.", code="closed")
        case apsw.NotADBError() | apsw.CorruptError():
            return Unavailable(
                f"{path} is damaged or is not a Runline store ({text}). Restore a backup, or run "
                "`runline verify` to see what is hurt.",
                code="corrupt",
            )
        case apsw.CantOpenError():
            return NotFound(f"{path} cannot be opened ({text}).", code="cannot_open")
        case apsw.ReadOnlyError() | apsw.PermissionsError() | apsw.AuthError():
            return Invalid(f"{path} cannot be written: {text}.", code="read_only")
        case apsw.IOError():
            if "disk full" in text.lower() or _no_space(path):
                return StoreFull(f"The disk under {path} is full. Free some space, or run `runline prune`.")
            return Unavailable(f"The disk under {path} failed: {text}.", code="disk_error")
        case _:
            return RunlineError(f"{path}: {text}", code="database_error")


def _no_space(path: str) -> bool:
    """A write that fails for lack of space may come back as a bare I/O error (file-size limits do)."""
    try:
        if os.statvfs(Path(path).parent).f_bavail == 0:
            return True
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
        files = [file for suffix in ("", "-wal") if (file := Path(path + suffix)).exists()]
        return limit != resource.RLIM_INFINITY and any(
            file.stat().st_size + _PAGE_ROOM >= limit for file in files
        )
    except OSError:
        return False
