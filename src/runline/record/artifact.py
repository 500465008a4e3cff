"""What a run left behind: a file copied into the store's keeping, and what is told of it.

Copied are regular files only, and no symbolic link that leads out of its folder; anything else is told by its
path. Where copies lie is the rule of `store/artifact_files.py`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from shutil import copyfileobj
from typing import TYPE_CHECKING, Any

from runline.intake.names import clean_name, default_redactor
from runline.record.config import settings
from runline.record.given import as_dict
from runline.store.artifact_files import (
    HEAD_BYTES,
    MAX_BYTES,
    described,
    folder_of,
    guessed,
    open_source,
    placed,
)

if TYPE_CHECKING:
    from runline.record.run import ActiveRun


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
    told = guessed(as_dict(data) | {"name": shown, "type": type}, shown)
    root = run.store.artifacts_folder()
    folder = folder_of(run.id, clean_name(step) if step else None)
    if content is not None:
        raw = content.encode("utf-8", "replace") if isinstance(content, str) else bytes(content)
        told |= _described(raw[:HEAD_BYTES], len(raw), told)
        with placed(root, folder, shown) as (place, target):
            target.write(raw)
        return _without_none(told | {"path": place})
    if path is None:
        return _without_none(told)
    given = str(Path(os.fspath(path)).absolute())
    told["path"] = given
    if told["mime_type"] is None:
        told = guessed(told, given)
    try:
        source = open_source(given)
    except (OSError, ValueError) as error:
        return _without_none(told | {"not_copied": str(error)})
    with source:
        size_bytes = os.fstat(source.fileno()).st_size
        told |= _described(source.read(HEAD_BYTES), size_bytes, told)
        if not copy or size_bytes > MAX_BYTES:
            told["not_copied"] = "larger than 256 MiB" if copy else "only its path was to be kept"
            return _without_none(told)
        source.seek(0)
        with placed(root, folder, shown) as (place, target):
            copyfileobj(source, target, 1 << 20)
    return _without_none(told | {"path": place, "source_path": given})


def _described(head: bytes, size_bytes: int, told: Mapping[str, Any]) -> dict[str, Any]:
    redactor = settings().redactor or default_redactor()
    return described(head, size_bytes, compressed=told.get("encoding") is not None, redactor=redactor)


def _without_none(told: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if value is not None}
