"""Artifact files: where a copy is put, what is told of it, and which file may be opened to be copied or read.

Copies lie in `artifacts/<run_id>/<step or _run>/` beside the store. Every part of that path is made from what
the caller said, never taken from it: names become plain file names, a repeated one gets a number.
"""

from __future__ import annotations

import codecs
import hashlib
import mimetypes
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from runline.intake.names import clean_text
from runline.store.artifacts import RUN_FOLDER

if TYPE_CHECKING:
    from runline.intake.redact import Redactor

MAX_BYTES = 256 * 1024 * 1024
PREVIEW_BYTES = 2048
HEAD_BYTES = 16 * 1024
"""What the preview is made from: redaction must see a secret whole before the preview is cut."""
_PART_CHARS = 80
_ODD = re.compile(r"[^A-Za-z0-9._\[\]-]+")
_PATIENCE = 100
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
"""Neither blocks on a fifo that nobody writes to, nor follows a link put there in between."""


class Outside(Exception):
    """The file lies where nothing may be read from, or is no regular file with one name. Its text says which."""


def folder_of(run_id: str, step: str | None) -> Path:
    """The folder of that step's artifacts, below the root. `step` is clean."""
    return Path(run_id, part(step) if step else RUN_FOLDER)


def part(name: str) -> str:
    """One part of a path for that name: plain ASCII, different for different names."""
    plain = _ODD.sub("_", name).lstrip(".")[:_PART_CHARS]
    if plain == name and plain != RUN_FOLDER:
        return plain
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    stem, dot, ending = plain.rpartition(".")
    return f"{stem}-{mark}.{ending}" if dot and stem else f"{plain}-{mark}"


@contextmanager
def placed(root: Path, folder: Path, name: str) -> Iterator[tuple[str, IO[bytes]]]:
    """A new file in the store's keeping and its path below the root; gone again when it cannot be filled."""
    place, opened = _new_file(root, root / folder, name)
    try:
        with os.fdopen(opened, "wb") as file:
            yield str(place.relative_to(root)), file
    except BaseException:
        remove(root, place)
        raise


def remove(root: Path, place: Path) -> None:
    """Removes the file, and the folders below the root that it leaves empty."""
    place.unlink(missing_ok=True)
    folder = place.parent
    with suppress(OSError):  # not empty, or gone
        while folder != root.parent:
            folder.rmdir()
            folder = folder.parent


def _new_file(root: Path, folder: Path, name: str) -> tuple[Path, int]:
    number, stem_of = 1, part(name).partition(".")
    for _ in range(_PATIENCE):
        folder.mkdir(parents=True, exist_ok=True)
        if not folder.resolve().is_relative_to(root.resolve()):
            raise OSError(f"{folder} leads out of the folder of artifacts")
        while True:
            stem, dot, ending = stem_of
            place = folder / (f"{stem}-{number}{dot}{ending}" if number > 1 else part(name))
            try:
                return place, os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            except FileExistsError:
                number += 1
            except FileNotFoundError:  # somebody has just removed the empty folder
                break
    raise OSError(f"{folder} is removed again and again")


def described(head: bytes, size_bytes: int, *, compressed: bool, redactor: Redactor) -> dict[str, Any]:
    """`size_bytes`, and for text its `encoding` and a redacted `preview_text`. `head`: the first `HEAD_BYTES`."""
    facts: dict[str, Any] = {"size_bytes": size_bytes}
    if b"\0" in head or compressed:
        return facts
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) == size_bytes)
    except UnicodeDecodeError:
        return facts
    facts["encoding"] = "utf-8"
    if text:
        facts["preview_text"] = clean_text(text, limit_bytes=PREVIEW_BYTES, redactor=redactor)
    return facts


def guessed(told: Mapping[str, Any], path: str) -> dict[str, Any]:
    """What is told, with the media type and encoding that the path's ending stands for."""
    mime_type, encoding = mimetypes.guess_type(path, strict=False)
    return {**told, "mime_type": mime_type, "encoding": encoding}


def open_source(path: str) -> IO[bytes]:
    """The regular file at that place. Raises OSError or ValueError with the reason when there is none to copy."""
    link = Path(path)
    target = link.resolve()
    if link.is_symlink() and not target.is_relative_to(link.parent.resolve()):
        raise ValueError("it is a symbolic link that leads out of its folder")
    found = os.open(target, _READ)
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        raise ValueError("it is no regular file")
    return os.fdopen(found, "rb")


def real_path(path: Path) -> Path:
    """Where the path leads now, links resolved, whether there is something or not. Raises Outside."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a ring of links, a NUL, a name too long
        raise Outside("its path leads nowhere") from error


def open_below(root: Path, parts: tuple[str, ...]) -> IO[bytes]:
    """The regular file at that path below `root`, walked part by part without following any link.

    So what is swapped after its path was resolved is not opened. A file with a second name (a hard link) is
    refused, as nobody can tell where that one lies. Raises Outside, OSError.
    """
    at = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in parts[:-1]:
            below = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            os.close(at)
            at = below
        found = os.open(parts[-1], _READ, dir_fd=at)
    finally:
        os.close(at)
    facts = os.fstat(found)
    if stat.S_ISREG(facts.st_mode) and facts.st_nlink <= 1:
        return os.fdopen(found, "rb")
    os.close(found)
    raise Outside(
        "it has another name elsewhere (a hard link)"
        if stat.S_ISREG(facts.st_mode)
        else "it is no regular file"
    )
