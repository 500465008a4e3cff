"""A disk of a given size under one folder, as an apsw VFS: a write that does not fit fails as a full disk does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw


class SmallDisk(apsw.VFS):
    """Counts every file of the folder except the shared memory, which is not on the disk's account."""

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self.folder = folder
        self.size_bytes = size_bytes
        self.vfs_name = f"small-disk-{id(self)}"
        super().__init__(self.vfs_name, base="")

    def xOpen(self, name: Any, flags: list[int]) -> _SmallDiskFile:  # noqa: N802 - apsw's name
        return _SmallDiskFile(self, name, flags)

    def free_bytes(self) -> int:
        used = sum(
            path.stat().st_size
            for path in self.folder.iterdir()
            if path.is_file() and path.suffix != ".db-shm"
        )
        return self.size_bytes - used


class _SmallDiskFile(apsw.VFSFile):
    def __init__(self, disk: SmallDisk, name: Any, flags: list[int]) -> None:
        self._disk = disk
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - apsw's name
        growth = offset + len(data) - self.xFileSize()
        if growth > 0 and growth > self._disk.free_bytes():
            raise apsw.FullError("no space left on the small disk")
        super().xWrite(data, offset)
