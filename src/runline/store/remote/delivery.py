"""Handing one parcel to the server, and what its refusal means."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from msgspec import Struct

from runline.model.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    RunEnded,
    RunlineError,
    StoreFull,
    Unauthorized,
    Unavailable,
)
from runline.store.artifact_files import remove
from runline.store.remote.client import Client, part
from runline.store.remote.parcel import Parcel, read_parcel, read_upload
from runline.store.remote.spool import Claimed, left_behind

log = logging.getLogger("runline")
_NDJSON = "application/x-ndjson"
_ANSWER_S = 30.0
_UPLOAD_S = 300.0
_OURS = re.compile(r".*-[0-9]{8}-[0-9]{6}-[0-9a-f]{10}")
"""An id with 40 random bits: a run of that id can only be the one that was created."""
_YOUNG_S = 24 * 3600
"""For how long what was left for a run that nobody knows is kept for later."""
TRIES = 3
"""How often the server may fail over a parcel before it is given up."""


class _Appended(Struct):
    not_stored: int = 0


class Delivery:
    """Delivers parcels in the order in which they are given."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._refused_runs: set[str] = set()

    def deliver(self, parcel: Parcel, files: Path) -> int:
        """How many of its events were not stored, beyond the run's limit. Raises RunlineError: see `may_pass`."""
        if parcel.run_id in self._refused_runs:
            raise NotFound(f"Run {parcel.run_id} was never created.", code="run_not_found")
        path = f"/api/runs/{part(parcel.run_id)}"
        if parcel.kind == "create":
            self._create(parcel)
            return 0
        if parcel.kind == "file":
            self._upload(path, parcel, files)
            return 0
        told = self._client.send(
            "POST",
            f"{path}/events",
            _Appended,
            parcel.body.encode(),
            media=_NDJSON,
            key=parcel.key,
            timeout_s=_ANSWER_S,
        )
        return told.not_stored

    def _create(self, parcel: Parcel) -> None:
        try:
            self._client.send(
                "POST", "/api/runs", object, parcel.body.encode(), key=parcel.key, timeout_s=_ANSWER_S
            )
        except Conflict as error:
            # The first delivery was so long ago that its key has been forgotten.
            if error.code != "run_exists" or not _OURS.fullmatch(parcel.run_id):
                self._refused_runs.add(parcel.run_id)
                raise
        except Invalid:
            self._refused_runs.add(parcel.run_id)
            raise

    def _upload(self, path: str, parcel: Parcel, files: Path) -> None:
        upload = read_upload(parcel.body)
        where = files / upload.file
        try:
            file = where.open("rb")
        except FileNotFoundError as error:
            raise Invalid(f"The copy of artifact {upload.name} is gone.", code="artifact_gone") from error
        with file:
            self._client.send(
                "PUT",
                f"{path}/artifacts/{part(upload.step or '_run')}/{part(upload.name)}",
                object,
                file,
                media="application/octet-stream",
                params={"type": upload.type, "data": bytes(upload.data).decode()},
                key=parcel.key,
                timeout_s=_UPLOAD_S,
            )
        remove(files, where)


def may_pass(error: RunlineError) -> bool:
    """Whether the same parcel may be accepted later: the server is away, full, or does not know the token."""
    away = isinstance(error, (Unavailable, StoreFull, Unauthorized, Forbidden))
    return away or error.code == "no_runline"


def is_unknown(error: Exception) -> bool:
    """Nobody has heard of the run: the process that makes it may only be about to tell of it."""
    return isinstance(error, NotFound) and error.code == "run_not_found"


def is_broken(error: RunlineError) -> bool:
    """The server itself failed over it."""
    return not isinstance(error, (Conflict, Invalid, NotFound, RunEnded))


def send_left_behind(folder: Path, url: str, client: Client) -> int:
    """Delivers what processes that are gone have left; how many events. Raises as soon as the server is away."""
    delivered = 0
    for claimed in left_behind(folder, url):
        delivery = Delivery(client)
        try:
            for record in claimed.records():
                delivered += _send(delivery, claimed, record)
                claimed.sent()
        except NotFound as error:  # the process that makes its run has not told of it yet
            log.debug("runline: %s waits on: %s", claimed.path, error)
        else:
            claimed.remove()
    return delivered


def _send(delivery: Delivery, claimed: Claimed, record: bytes) -> int:
    parcel = read_parcel(record)
    tries = 1
    while True:
        try:
            return parcel.count - delivery.deliver(parcel, claimed.files)
        except RunlineError as error:
            if may_pass(error) or (is_unknown(error) and claimed.age_s < _YOUNG_S):
                raise
            if is_broken(error) and tries < TRIES:
                tries += 1
                continue
            place = claimed.set_aside(record)
            log.warning(
                "runline: %d events of run %s that had waited were refused and are kept in %s: %s",
                parcel.count,
                parcel.run_id,
                place,
                error,
            )
            return 0
