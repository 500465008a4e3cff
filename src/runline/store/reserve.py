"""Space kept back beside the store for the day the disk is full.

SQLite cannot even DELETE without writing first, and what the WAL holds must fit into the database before the
WAL can start over. So the reserve is a little larger than the WAL has ever been: pruning on a full disk
releases it, empties the WAL, removes what it may and takes the space again.
"""

from __future__ import annotations

import os
from pathlib import Path

UNIT_BYTES = 4 * 1024 * 1024
MOST_BYTES = 5 * UNIT_BYTES
_SLACK_BYTES = 1024 * 1024


class Reserve:
    """The file `<database>-reserve`."""

    def __init__(self, database: str) -> None:
        self._path = Path(database + "-reserve")
        self._kept_bytes = 0

    def keep(self, wal_bytes: int = 0) -> None:
        """Takes the space for a WAL of that size, unless it has it already or there is no room for it now."""
        wanted = min(MOST_BYTES, -(-(wal_bytes + _SLACK_BYTES) // UNIT_BYTES) * UNIT_BYTES)
        if wanted <= self._kept_bytes:
            return
        self._kept_bytes = wanted
        try:
            with self._path.open("ab") as file:
                os.posix_fallocate(file.fileno(), 0, wanted)
        except OSError:
            if self._path.exists() and not self._path.stat().st_size:
                self._path.unlink()

    def release(self) -> bool:
        """Gives the space back; whether there was any."""
        self._kept_bytes = 0
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
