"""The artifact files that Runline owns: `artifacts/<run_id>/` beside the store. They leave with their run.

A folder is renamed inside the transaction that removes its run and deleted afterwards. Whoever finds such a
folder later knows from the store whether that transaction was committed.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from runline.store.engine import Writing

log = logging.getLogger("runline")
_ASIDE = ".removed-"


class OwnedFiles:
    """The artifact folders of one store."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def set_aside(self, run: int, run_id: str) -> bool:
        """Takes the run's folder out of sight, if it has one; whether it did."""
        return self._rename(self.root / run_id, self.root / f"{_ASIDE}{run}")

    def put_back(self, run: int, run_id: str) -> None:
        """The removal did not happen after all."""
        self._rename(self.root / f"{_ASIDE}{run}", self.root / run_id)

    def doomed(self, tx: Writing) -> list[Path]:
        """The folders of removed runs; those whose removal was never committed are put back.

        Under the write lock, so that no removal is half done.
        """
        found = []
        for path in self.root.glob(f"{_ASIDE}*"):
            number = path.name.removeprefix(_ASIDE)
            rows = number.isdecimal() and tx.execute("SELECT run_id FROM runs WHERE run = ?", (int(number),))
            if rows:
                self.put_back(int(number), rows[0][0])
            else:
                found.append(path)
        return found

    @staticmethod
    def delete(paths: list[Path]) -> None:
        """What cannot be deleted now stays for the next prune."""
        for path in paths:
            if path.is_symlink():
                path.unlink(missing_ok=True)
            else:
                shutil.rmtree(path, ignore_errors=True)

    @staticmethod
    def _rename(source: Path, target: Path) -> bool:
        try:
            source.rename(target)
        except FileNotFoundError:
            return False
        except OSError as error:
            log.warning("runline: %s could not be moved: %s", source, error)
            return False
        return True
