"""Power cuts: a SQLite VFS that remembers every write and sync, and what a disk would hold after any of them.

Synced content survives. Of what was written since, each write may have reached the disk, or not, or some of
its sectors, in any order. A new name in the folder, or one that was removed, survives once the folder was
synced, which SQLite does with the first sync of a new file. One recorded session gives any number of cuts.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import apsw
from msgspec import Struct, field

_SECTOR = 512


class Op(Struct, frozen=True):
    """One thing that happened to a file, or (`mark`) that the program was told."""

    kind: str
    file: int = 0
    name: str = ""
    at: int = 0
    data: bytes = b""
    mark: Any = None


class _File(apsw.VFSFile):
    def __init__(self, log: PowerLog, number: int, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._log = log
        self._number = number

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        super().xWrite(data, offset)
        self._log.ops.append(Op("write", self._number, at=offset, data=bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        super().xTruncate(newsize)
        self._log.ops.append(Op("truncate", self._number, at=newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802
        super().xSync(flags)
        self._log.ops.append(Op("sync", self._number))


class PowerLog(apsw.VFS):
    """The VFS `name`: real files beneath, and `ops`, everything that was done to them, in order."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "")
        self.name = name
        self.ops: list[Op] = []
        self._numbers: dict[str, int] = {}
        self._count = 0

    def mark(self, value: Any) -> None:
        """The program has been told that something is durable."""
        self.ops.append(Op("mark", mark=value))

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        if name is None:
            return super().xOpen(name, flags)
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        number = self._numbers.get(path)
        if number is None or not Path(path).exists():
            self._count += 1
            number = self._numbers[path] = self._count
            self.ops.append(Op("create", number, name=Path(path).name))
        return _File(self, number, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        super().xDelete(filename, syncdir)
        self.ops.append(Op("delete", self._numbers.pop(filename), name=Path(filename).name))


class _Disk(Struct):
    """What has reached the disk for certain, and what is under way."""

    names: dict[str, int] = field(default_factory=dict)
    content: dict[int, bytearray] = field(default_factory=dict)
    renaming: list[Op] = field(default_factory=list)
    pending: dict[int, list[Op]] = field(default_factory=dict)

    def perform(self, op: Op) -> None:
        match op.kind:
            case "create":
                self.renaming.append(op)
                self.content[op.file], self.pending[op.file] = bytearray(), []
            case "delete":
                self.renaming.append(op)
            case "sync":
                for waiting in self.pending[op.file]:
                    _apply(self.content[op.file], waiting)
                self.pending[op.file].clear()
                if op.file not in self.names.values():
                    self._sync_folder()
            case _:
                self.pending[op.file].append(op)

    def cut(self, chance: random.Random) -> dict[str, bytes]:
        """The files as they are when the power comes back."""
        names = dict(self.names)
        for op in self.renaming:
            if chance.random() < 0.5:
                _rename(names, op)
        found: dict[str, bytes] = {}
        for name, number in names.items():
            content = bytearray(self.content[number])
            for op in self.pending[number]:
                fate = chance.random()
                if fate < 0.4:
                    _apply(content, op)
                elif fate < 0.7 and op.kind == "write":
                    for piece in _torn(op, chance):
                        _apply(content, piece)
            found[name] = bytes(content)
        return found

    def _sync_folder(self) -> None:
        for op in self.renaming:
            _rename(self.names, op)
        self.renaming.clear()


def _rename(names: dict[str, int], op: Op) -> None:
    if op.kind == "create":
        names[op.name] = op.file
    else:
        names.pop(op.name, None)


def _torn(op: Op, chance: random.Random) -> Iterator[Op]:
    """Some of the sectors of a write."""
    for start in range(0, len(op.data), _SECTOR):
        if chance.random() < 0.5:
            yield Op("write", op.file, at=op.at + start, data=op.data[start : start + _SECTOR])


def _apply(content: bytearray, op: Op) -> None:
    if op.kind == "truncate":
        del content[op.at :]
        return
    if len(content) < op.at:
        content.extend(bytes(op.at - len(content)))
    content[op.at : op.at + len(op.data)] = op.data


def cuts(ops: Sequence[Op], count: int, seed: int) -> Iterator[tuple[list[Any], dict[str, bytes]]]:
    """`count` cuts at random moments of a recorded session: what had been marked before, and the files."""
    chance = random.Random(seed)
    moments = sorted(chance.randrange(len(ops) + 1) for _ in range(count))
    disk, marks, done = _Disk(), list[Any](), 0
    for moment in moments:
        for op in ops[done:moment]:
            if op.kind == "mark":
                marks.append(op.mark)
            else:
                disk.perform(op)
        done = moment
        yield list(marks), disk.cut(chance)
