"""What waits on disk for a server that is away: one file for a process and a store, in order.

The file begins with a line that names the store. Every parcel is a line of its own, its CRC-32 in front, and
synced to the disk; `sent N` lines say how many have been delivered. A line that a kill or a power cut left
torn is not there. Who writes a file holds its lock, so a file that can be locked is one left behind.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path
from typing import IO
from zlib import crc32

from runline.store.location import FOLDER

MOST_BYTES = 256 * 1024 * 1024
ENDING = ".spool"
FILES = ".files"
_HEAD = b"runline spool 1 "
_SENT = re.compile(rb"sent ([0-9]{1,12})\n")


class SpoolFull(OSError):
    """The file has reached the size that it may have."""


def spool_folder(start: Path | None = None) -> Path:
    """`RUNLINE_SPOOL`, else `spool` in the nearest `.runline` from here upwards, else in one made here."""
    if told := os.environ.get("RUNLINE_SPOOL"):
        return Path(told).absolute()
    here = (start or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        if (folder / FOLDER).is_dir():
            return folder / FOLDER / "spool"
    return here / FOLDER / "spool"


def mark_of(url: str) -> str:
    """What the names of a store's files begin with."""
    return hashlib.sha256(url.encode()).hexdigest()[:12]


def files_of(folder: Path, url: str) -> list[Path]:
    """The store's files of all processes, oldest first."""
    return sorted(folder.glob(f"{mark_of(url)}-*{ENDING}"))


class Spool:
    """A process's file for one store; there is none while nothing waits. Not safe from several threads."""

    def __init__(self, folder: Path, url: str, *, most_bytes: int = MOST_BYTES) -> None:
        self.folder = folder
        self._url = url
        self._most_bytes = most_bytes
        self._file: FileIO | None = None
        self._size = 0
        self._sent = 0
        self._head = 0
        self.path = folder
        self.has_files = False
        """Files wait beside it, or soon may."""

    def append(self, records: Sequence[bytes], *, vital: bool = False) -> list[tuple[int, int]]:
        """Puts the records behind what is there, durable when it returns; offset and length of each.

        All or none of them. Raises OSError, SpoolFull (a vital one may still come) among them.
        """
        lines = [b"%08x %s\n" % (crc32(record), record) for record in records]
        size = sum(map(len, lines))
        if self._size + size > self._most_bytes and not vital:
            raise SpoolFull(f"{self.path} has reached {self._most_bytes // 2**20} MiB")
        file = self._open()
        try:
            self._write(b"".join(lines))
            os.fsync(file.fileno())
        except OSError:
            file.truncate(self._size)
            raise
        places = []
        for line in lines:
            places.append((self._size + 9, len(line) - 10))
            self._size += len(line)
        return places

    def read(self, offset: int, length: int) -> bytes:
        """The record at a place that `append` gave."""
        return os.pread(self._open().fileno(), length, offset)

    def sent(self) -> None:
        """One more has been delivered. Not synced: what is sent twice is stored once."""
        self._sent += 1
        line = b"sent %d\n" % self._sent
        self._write(line)
        self._size += len(line)

    def _write(self, data: bytes) -> None:
        """Puts the bytes at the end, past Python's buffers: a forked child must not find any of them there."""
        file, at, rest = self._open(), self._size, memoryview(data)
        while rest:
            written = os.pwrite(file.fileno(), rest, at)
            at, rest = at + written, rest[written:]

    @property
    def is_open(self) -> bool:
        """Something waits in it, or beside it."""
        return self._file is not None

    def files(self) -> Path:
        """The folder of files that wait with it; from now on it stays until the end."""
        self._open()
        self.has_files = True
        return self.path.with_suffix(FILES)

    def clear(self) -> None:
        """Everything has been delivered. With files the spool itself stays, as one may be on its way into it."""
        if self._file is None:
            return
        if not self.has_files:
            self.end()
            return
        self._size, self._sent = self._head, 0
        self._file.truncate(self._head)

    def end(self) -> None:
        """Nothing waits, and nothing will."""
        if self._file is not None:
            shutil.rmtree(self.path.with_suffix(FILES), ignore_errors=True)
            self.path.unlink(missing_ok=True)
            self.close()

    def close(self) -> None:
        """Lets go of the file; what is in it is now left behind."""
        file, self._file = self._file, None
        self._size = self._sent = 0
        self.has_files = False
        if file is not None:
            file.close()

    def _open(self) -> FileIO:
        if self._file is None:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # The names of a store's files sort by time.
            name = f"{mark_of(self._url)}-{time.time_ns():x}-{os.getpid()}-{secrets.token_hex(3)}"
            new = self.folder / f"{name}.new"
            opened = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            self._file = os.fdopen(opened, "r+b", buffering=0)
            # Locked before it has the name by which it is found.
            fcntl.flock(self._file, fcntl.LOCK_EX)
            head = _HEAD + self._url.encode() + b"\n"
            self._write(head)
            self._size = self._head = len(head)
            self.path = self.folder / f"{name}{ENDING}"
            new.rename(self.path)
        return self._file


class Claimed:
    """A file that a process left behind, while this one holds its lock."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self._file = file
        self._sent = 0

    @property
    def files(self) -> Path:
        return self.path.with_suffix(FILES)

    @property
    def age_s(self) -> float:
        """Since something last waited in it."""
        return time.time() - self.path.stat().st_mtime

    def records(self) -> Iterator[bytes]:
        """Those that were not delivered, in order; a torn or damaged line ends it."""
        found: list[tuple[int, int]] = []
        for offset, line in _lines(self._file):
            if told := _SENT.fullmatch(line):
                self._sent = max(self._sent, int(told[1]))
            elif len(line) < 10 or line[:9] != b"%08x " % crc32(line[9:-1]):
                break
            else:
                found.append((offset + 9, len(line) - 10))
        for offset, length in found[self._sent :]:
            self._file.seek(offset)
            yield self._file.read(length)

    def sent(self) -> None:
        """The record that was last given out has been delivered, or will never be."""
        self._sent += 1
        self._file.seek(0, os.SEEK_END)
        self._file.write(b"sent %d\n" % self._sent)
        self._file.flush()

    def set_aside(self, record: bytes) -> Path:
        """Keeps a record that the server refuses, where nobody sends it again."""
        place = self.path.with_suffix(".refused")
        with place.open("ab") as file:
            file.write(record + b"\n")
        return place

    def remove(self) -> None:
        shutil.rmtree(self.files, ignore_errors=True)
        self.path.unlink(missing_ok=True)


def left_behind(folder: Path, url: str) -> Iterator[Claimed]:
    """The files of that store whose process is gone, oldest first, each locked while it is looked at."""
    for path in files_of(folder, url):
        try:
            file = path.open("r+b")
        except FileNotFoundError:
            continue  # somebody else has just delivered it
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue  # its process lives, or somebody else sends it
            if path.exists() and file.readline() == _HEAD + url.encode() + b"\n":
                yield Claimed(path, file)


def _lines(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """The whole lines from here on, with their offsets."""
    offset = file.tell()
    for line in file:
        if not line.endswith(b"\n"):
            return
        yield offset, line
        offset += len(line)
