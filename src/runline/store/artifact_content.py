"""What artifacts hold: taken into keeping, and read again, whoever wrote the path that is read.

A path comes from an event, so from anybody who may write one. A run's files are read from its own folder alone,
so that no run names another's; other places only below `artifact_roots`, which whoever runs the store allows.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

from runline.intake.names import clean_name
from runline.intake.safe import safe
from runline.model.artifact import Artifact, ArtifactContent
from runline.model.errors import Forbidden, Invalid, NotFound, RunEnded, RunlineError, StoreFull, Unavailable
from runline.store import appends, artifact_files, artifacts
from runline.store.artifact_files import HEAD_BYTES, Outside
from runline.store.artifacts import RUN_FOLDER, UNNAMED
from runline.store.projection import json_text

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore

MAX_READ_BYTES = 1_000_000
_MARGIN_BYTES = 64 * 1024
"""Read beyond the end, and left out again: a secret that lies across it is still seen whole."""
_PIECE_BYTES = 1 << 20
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def put(
    store: SqlStore,
    run_id: str,
    name: str,
    content: bytes | BinaryIO,
    *,
    step: str | None,
    type: str | None,
    data: Mapping[str, Any] | None,
    idempotency_key: str | None = None,
) -> Artifact:
    """Durable when it returns, file and event; when it raises there is neither. See `Store.put_artifact`.

    The same key with the same content and description gives the artifact that is already there, also after the
    run's end. Raises Conflict for a key that was used for another.
    """
    if store.locate(run_id).ended and idempotency_key is None:
        raise RunEnded(f"Run {run_id} has ended; nothing can follow its end event.")
    shown = clean_name(name, redactor=store.redactor) or UNNAMED
    place = clean_name(step, redactor=store.redactor) or None
    told = artifact_files.guessed({**(data or {}), "name": shown, "type": type}, shown)
    source = io.BytesIO(content) if isinstance(content, bytes | bytearray | memoryview) else content
    digest = hashlib.sha256(json_text([shown, place, type, safe(data, exempt=True)]).encode())
    root = store.engine.artifacts
    with (
        suppress(_Known),
        disk_errors(shown),
        artifact_files.placed(root, artifact_files.folder_of(run_id, place), shown) as (path, file),
    ):
        head, size_bytes = _copied(source, file, digest)
        told |= artifact_files.described(
            head, size_bytes, compressed=told["encoding"] is not None, redactor=store.redactor
        )
        told["path"] = path
        data = {key: value for key, value in told.items() if value is not None}
        event = {"type": "artifact_created", "step": place, "source": "runline", "data": data}
        appended = appends.begin(
            store, run_id, [event], idempotency_key=idempotency_key, digest=digest.hexdigest()
        ).result()
        (stored,) = appended.seqs
        if stored is None:
            raise Invalid(
                f"Run {run_id} has reached its limit of events, so nothing can be registered in it.",
                code="run_full",
            )
        seq = stored
        if appended.first is None:
            raise _Known
    return artifacts.of_event(store, run_id, seq)


class _Known(Exception):
    """It was registered before, so this copy goes."""


def _copied(source: BinaryIO, file: IO[bytes], digest: hashlib._Hash) -> tuple[bytes, int]:
    """The first bytes and the size of what was copied, once it is on the disk."""
    head, size_bytes = b"", 0
    while piece := source.read(_PIECE_BYTES):
        size_bytes += len(piece)
        if size_bytes > artifact_files.MAX_BYTES:
            most = f"{artifact_files.MAX_BYTES >> 20} MiB"
            raise Invalid(
                f"An artifact has at most {most}; keep a larger file where it is, and register its path.",
                code="artifact_too_large",
                fields={"content": f"more than {most}"},
            )
        if len(head) < HEAD_BYTES:
            head += piece[: HEAD_BYTES - len(head)]
        file.write(piece)
        digest.update(piece)
    file.flush()
    os.fsync(file.fileno())
    return head, size_bytes


@contextmanager
def disk_errors(name: str) -> Iterator[None]:
    """Says what an OSError while the artifact of that name is written comes to. Raises StoreFull, Unavailable."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise StoreFull("The disk under the artifacts is full; nothing of this one was kept.") from error
        raise Unavailable(
            f"Artifact {name!r} could not be kept: {error.strerror or error}.", code="artifact_not_kept"
        ) from error


def opened(store: SqlStore, run_id: str, step: str | None, name: str) -> tuple[BinaryIO, Artifact]:
    """The newest one's file as it is, for the caller to close. Raises NotFound, Forbidden."""
    artifact = artifacts.newest(store, run_id, step, name)
    if artifact is None:
        where = "the run as a whole" if step in (None, RUN_FOLDER) else f"step {step[:60]!r}"
        raise NotFound(
            f"Run {run_id} has no artifact {name[:60]!r} in {where}; it was never registered.",
            code="artifact_not_found",
        )
    if artifact.path is None:
        raise _gone(artifact, "only its name was registered, its file never kept")
    try:
        return cast("BinaryIO", _open(store, artifact, artifact.path)), artifact
    except Outside as error:
        raise _refused(artifact, str(error)) from error
    except FileNotFoundError as error:
        raise _gone(artifact, "its file has been cleaned up") from error
    except OSError as error:
        raise _refused(artifact, f"its file cannot be opened: {error.strerror}") from error


def read(store: SqlStore, run_id: str, step: str | None, name: str) -> ArtifactContent:
    """Its text, redacted, then cut. See `Store.read_artifact`."""
    file, artifact = opened(store, run_id, step, name)
    with file:
        raw = file.read(MAX_READ_BYTES + _MARGIN_BYTES)
        more = bool(file.read(1))
    if b"\0" in raw:
        return ArtifactContent(artifact=artifact, content="", truncated=False, binary=True)
    text = store.redactor.text(raw.decode("utf-8", "replace"))
    if more:  # in its last bytes half a secret may stand, which nothing recognises
        text = _cut(text, max(0, len(text.encode()) - _MARGIN_BYTES))
    content = _cut(text, MAX_READ_BYTES)
    return ArtifactContent(artifact=artifact, content=content, truncated=more or len(content) < len(text))


def _cut(text: str, most_bytes: int) -> str:
    raw = text.encode()
    return text if len(raw) <= most_bytes else raw[:most_bytes].decode("utf-8", "ignore")


def _open(store: SqlStore, artifact: Artifact, path: str) -> IO[bytes]:
    kept = store.engine.artifacts.resolve()
    real = artifact_files.real_path(kept / path)
    if real.is_relative_to(kept):
        parts = real.relative_to(kept).parts
        if len(parts) < 2 or parts[0] != artifact.run_id:
            raise Outside("its path leads out of the run's own folder")
        return artifact_files.open_below(kept, parts)
    if store.engine.holds(real):
        raise Outside("that is the store itself")
    for allowed in store.artifact_roots:
        root = artifact_files.real_path(allowed)
        if real != root and real.is_relative_to(root):
            return artifact_files.open_below(root, real.relative_to(root).parts)
    raise Outside("its path leads out of the folders that artifacts are read from")


def _gone(artifact: Artifact, why: str) -> RunlineError:
    return NotFound(f"Artifact {artifact.name!r} is known, but {why}.", code="artifact_gone")


def _refused(artifact: Artifact, why: str) -> RunlineError:
    return Forbidden(
        f"Artifact {artifact.name!r} is not read: {why}. Copy it into keeping when it is registered, or allow "
        "its folder among the store's artifact_roots.",
        code="artifact_outside",
    )
