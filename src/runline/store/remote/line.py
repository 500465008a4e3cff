"""A line into a run behind a server: what comes out of the queue becomes parcels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from runline.model.catalogue import END_TYPES
from runline.model.event import Draft
from runline.store.line import Line, Taker, lost_event
from runline.store.remote.outbox import Outbox
from runline.store.remote.parcel import Parcel, Upload, event_parcels, new_key

_ARTIFACT = "artifact_created"
_FOUND_OUT = frozenset({"name", "type", "path", "size_bytes", "mime_type", "encoding", "preview_text"})
"""What the server finds out about a file by itself."""


class RemoteLine(Line):
    """A line whose events go to the server, or wait on disk while it is away."""

    def __init__(self, taker: Taker, run_id: str) -> None:
        super().__init__(taker, run_id)
        self._over = False
        """Its end event has been packed."""

    def pack(self, outbox: Outbox, drafts: Sequence[Draft], now_ms: int) -> None:
        """Clean events, in order, into the outbox; what cannot be added is counted."""
        if self._over:
            self.refused += len(drafts)
            return
        cut = next((n for n, draft in enumerate(drafts, 1) if draft.type in END_TYPES), None)
        if cut is not None:
            self._over = True
            self.refused += len(drafts) - cut
            drafts = drafts[:cut]
        upto = self.dropped
        lost = upto - self.reporting
        if lost:
            drafts = [lost_event(lost, now_ms), *drafts]
        for parcel, is_file in self._parcels(outbox, drafts):
            if outbox.add(parcel, self, on_disk=is_file):
                self.reporting = max(self.reporting, upto)
            else:
                self.dropped += parcel.count - (self.reporting < upto)

    def _parcels(self, outbox: Outbox, drafts: Sequence[Draft]) -> Iterator[tuple[Parcel, bool]]:
        waiting: list[Draft] = []
        for draft in drafts:
            upload = _upload(outbox, draft) if draft.type == _ARTIFACT else None
            if upload is None:
                waiting.append(draft)
                continue
            yield from ((parcel, False) for parcel in event_parcels(self.run_id, waiting))
            waiting = []
            body = msgspec.json.encode(upload).decode()
            yield Parcel(kind="file", run_id=self.run_id, key=new_key(), body=body, size=len(body)), True
        yield from ((parcel, False) for parcel in event_parcels(self.run_id, waiting))


def _upload(outbox: Outbox, draft: Draft) -> Upload | None:
    """The file that an artifact's event tells of, if a copy of it waits to be sent."""
    data: dict[str, Any] = msgspec.json.decode(draft.payload)
    path = data.get("path")
    if not isinstance(path, str) or Path(path).is_absolute() or not outbox.spool.has_files:
        return None
    files = outbox.spool.files()
    if not (files / path).resolve().is_relative_to(files.resolve()) or not (files / path).is_file():
        return None
    rest = {key: value for key, value in data.items() if key not in _FOUND_OUT}
    kind = data.get("type")
    return Upload(
        file=path,
        step=draft.step,
        name=str(data.get("name")),
        type=kind if isinstance(kind, str) else None,
        data=msgspec.Raw(msgspec.json.encode(rest)),
    )


def files_below(outbox: Outbox) -> Path:
    """The folder in which copies of files wait."""
    with outbox.changed:
        return outbox.spool.files()
