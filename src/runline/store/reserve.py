"""Space kept back beside the store for the day the disk is full.

SQLite cannot even DELETE without writing first, so pruning on a full disk needs some room of its own: it
releases this file, removes what it may, and takes the space again.
"""

from __future__ import annotations

import os
from pathlib import Path

SIZE_BYTES = 4 * 1024 * 1024


class Reserve:
    """The file `<database>-reserve`."""

    def __init__(self, database: str) -> None:
        self._path = Path(database + "-reserve")

    @property
    def held(self) -> bool:
        return self._path.exists()

    def keep(self) -> bool:
        """Takes the space unless it is held already; whether it is held now."""
        if self.held:
            return True
        try:
            with self._path.open("xb") as file:
                os.posix_fallocate(file.fileno(), 0, SIZE_BYTES)
        except OSError:
            # Too little room for it now: the next prune tries again.
            self._path.unlink(missing_ok=True)
            return False
        return True

    def release(self) -> bool:
        """Gives the space back; whether there was any."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
