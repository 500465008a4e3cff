"""What a run left behind: a file copied into the store's keeping, and what is told of it.

Copies lie in `artifacts/<run_id>/<step or _run>/` beside the store. Every part of that path is made from what
the caller said, never taken from it: names become plain file names, a repeated one gets a number. Copied are
regular files only, and no symbolic link that leads out of its folder; anything else is told by its path.
"""

from __future__ import annotations

import codecs
import hashlib
import mimetypes
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj
from typing import IO, TYPE_CHECKING, Any

from runline.intake.names import clean_name, clean_text, default_redactor
from runline.record.config import settings
from runline.record.given import as_dict
from runline.store.files import OwnedFiles
from runline.store.location import sqlite_path

if TYPE_CHECKING:
    from runline.record.run import ActiveRun

MAX_BYTES = 256 * 1024 * 1024
PREVIEW_BYTES = 2048
RUN_FOLDER = "_run"
"""The folder of artifacts that belong to no step."""
_HEAD_BYTES = 16 * 1024
"""What the preview is made from: redaction must see a secret whole before the preview is cut."""
_PART_CHARS = 80
_ODD = re.compile(r"[^A-Za-z0-9._\[\]-]+")


def kept(
    run: ActiveRun,
    name: str,
    path: Any,
    *,
    type: str | None,
    step: str | None,
    content: str | bytes | None,
    data: Mapping[str, Any] | None,
    copy: bool,
) -> dict[str, Any]:
    """Takes the file or content into keeping; the data of its `artifact_created` event.

    `name type path size_bytes mime_type encoding preview_text`, `source_path` of a copy, and `not_copied` with the
    reason when it is only told. `path` of a copy is relative to the folder of artifacts.
    """
    shown = clean_name(name) or "unnamed"
    told: dict[str, Any] = as_dict(data) | {"name": shown, "type": type}
    told["mime_type"], told["encoding"] = mimetypes.guess_type(shown, strict=False)
    root = OwnedFiles(sqlite_path(run.store.url)).root
    folder = Path(run.id, _part(clean_name(step)) if step else RUN_FOLDER)
    if content is not None:
        raw = content.encode("utf-8", "replace") if isinstance(content, str) else bytes(content)
        told |= _described(raw[:_HEAD_BYTES], len(raw), told)
        with _placed(root, folder, shown) as (place, target):
            target.write(raw)
        return _without_none(told | {"path": place})
    if path is None:
        return _without_none(told)
    given = str(Path(os.fspath(path)).absolute())
    told["path"] = given
    if told["mime_type"] is None:
        told["mime_type"], told["encoding"] = mimetypes.guess_type(given, strict=False)
    try:
        source = _open(given)
    except (OSError, ValueError) as error:
        return _without_none(told | {"not_copied": str(error)})
    with source:
        size_bytes = os.fstat(source.fileno()).st_size
        told |= _described(source.read(_HEAD_BYTES), size_bytes, told)
        if not copy or size_bytes > MAX_BYTES:
            told["not_copied"] = "larger than 256 MiB" if copy else "only its path was to be kept"
            return _without_none(told)
        source.seek(0)
        with _placed(root, folder, shown) as (place, target):
            copyfileobj(source, target, 1 << 20)
    return _without_none(told | {"path": place, "source_path": given})


def _open(path: str) -> IO[bytes]:
    """The regular file at that place. Raises OSError or ValueError with the reason when there is none to copy."""
    link = Path(path)
    target = link.resolve()
    if link.is_symlink() and not target.is_relative_to(link.parent.resolve()):
        raise ValueError("it is a symbolic link that leads out of its folder")
    # Not to block on a fifo that nobody writes to, and not to follow a link put there in between.
    found = os.open(target, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(found).st_mode):
        os.close(found)
        raise ValueError("it is no regular file")
    return os.fdopen(found, "rb")


@contextmanager
def _placed(root: Path, folder: Path, name: str) -> Iterator[tuple[str, IO[bytes]]]:
    """A new file in the store's keeping and its path below the root; gone again when it cannot be filled."""
    target = root / folder
    target.mkdir(parents=True, exist_ok=True)
    if not target.resolve().is_relative_to(root.resolve()):
        raise OSError(f"{target} leads out of the folder of artifacts")
    place, number = target / _part(name), 1
    while True:
        try:
            opened = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            break
        except FileExistsError:
            number += 1
            stem, dot, ending = _part(name).partition(".")
            place = target / f"{stem}-{number}{dot}{ending}"
    try:
        with os.fdopen(opened, "wb") as file:
            yield str(place.relative_to(root)), file
    except BaseException:
        place.unlink()
        raise


def _part(name: str) -> str:
    """One part of a path for that name: plain ASCII, different for different names."""
    plain = _ODD.sub("_", name).lstrip(".")[:_PART_CHARS]
    if plain == name and plain != RUN_FOLDER:
        return plain
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    stem, dot, ending = plain.rpartition(".")
    return f"{stem}-{mark}.{ending}" if dot and stem else f"{plain}-{mark}"


def _described(head: bytes, size_bytes: int, told: Mapping[str, Any]) -> dict[str, Any]:
    """Size, and for text its charset and a redacted preview."""
    facts: dict[str, Any] = {"size_bytes": size_bytes}
    if b"\0" in head or told.get("encoding") is not None:
        return facts
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) == size_bytes)
    except UnicodeDecodeError:
        return facts
    facts["encoding"] = "utf-8"
    if text:
        redactor = settings().redactor or default_redactor()
        facts["preview_text"] = clean_text(text, limit_bytes=PREVIEW_BYTES, redactor=redactor)
    return facts


def _without_none(told: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if value is not None}
