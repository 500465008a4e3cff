"""An online backup: a consistent copy of a store in use, checked before anybody relies on it."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from runline.model.errors import Conflict, Invalid, Unavailable

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore


def backup(store: SqlStore, destination: str) -> None:
    """Copies the whole store (of all tenants) as it is at one moment into a new file; writers go on.

    Raises Conflict when the file exists, Invalid when it cannot be made, StoreFull, and Unavailable when the
    copy is damaged; in each case no file is left behind.
    """
    path = Path(destination)
    try:
        with path.open("xb"):
            pass
    except FileExistsError as error:
        raise Conflict(f"{destination} exists already; name a new file.", code="file_exists") from error
    except OSError as error:
        raise Invalid(f"{destination} cannot be made: {error.strerror}.", code="cannot_create") from error
    with ExitStack() as on_error:
        for suffix in ("", "-journal", "-wal", "-shm"):
            on_error.callback(Path(f"{path}{suffix}").unlink, missing_ok=True)
        wrong = store.engine.backup(str(path))
        if wrong:
            raise Unavailable(
                f"The copy is damaged, and so is the store ({wrong[0]}). Run `runline verify`.",
                code="corrupt",
            )
        on_error.pop_all()
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Makes the new name itself durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
