"""What comes out of the queue becomes parcels: in order, up to the end, and nothing lost goes untold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runline.intake.accept import draft
from runline.model.event import Draft
from runline.store.remote.line import RemoteLine, files_below
from runline.store.remote.outbox import Outbox
from runline.store.remote.parcel import Parcel, read_upload
from runline.store.remote.spool import Spool
from tests.store.remote.parcels import TS_MS, line


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    made = Outbox(Spool(tmp_path / "spool", "http://127.0.0.1:1"))
    yield made
    made.close()


@pytest.fixture
def way() -> RemoteLine:
    return RemoteLine(None, "r")  # type: ignore[arg-type]  # nothing is queued


def parcels(outbox: Outbox) -> list[Parcel]:
    found = []
    while (first := outbox.head(0)) is not None:
        found.append(first[0])
        outbox.done()
    return found


def messages(found: Parcel) -> list[str]:
    return [json.loads(text)["message"] for text in found.body.split("\n")]


def artifact(path: Any, **more: Any) -> Draft:
    data = {"name": "a.txt", "type": "report", "path": path, "size_bytes": 3, "pages": 2, **more}
    return draft("artifact_created", "Artifact a.txt", data, ts_ms=TS_MS)


def test_nothing_follows_the_end(outbox: Outbox, way: RemoteLine) -> None:
    way.pack(outbox, [line("a"), line("over", "run_ended"), line("b")], TS_MS)
    way.pack(outbox, [line("c"), line("d")], TS_MS)
    (found,) = parcels(outbox)
    assert (messages(found), found.run_id, found.vital) == (["a", "over"], "r", True)
    assert way.refused == 3


def test_what_was_dropped_is_told_once_there_is_room(
    outbox: Outbox, way: RemoteLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    way.dropped = 3
    with monkeypatch.context() as patched:
        patched.setattr(outbox, "add", lambda *_, **__: False)
        way.pack(outbox, [line("lost"), line("too")], TS_MS)
    assert way.dropped == 5
    way.pack(outbox, [line("a")], TS_MS)
    way.pack(outbox, [line("b")], TS_MS)
    first, second = parcels(outbox)
    assert messages(first) == ["5 events were dropped: the queue was full", "a"]
    assert messages(second) == ["b"]
    with monkeypatch.context() as patched:
        patched.setattr(outbox, "add", lambda *_, **__: False)
        way.pack(outbox, [line("lost")], TS_MS)
    assert way.dropped == 6


def test_a_copy_that_waits_is_sent_between_the_events(outbox: Outbox, way: RemoteLine) -> None:
    folder = files_below(outbox)
    (folder / "r").mkdir(parents=True)
    (folder / "r" / "a.txt").write_text("abc")
    way.pack(outbox, [line("before"), artifact("r/a.txt"), line("after")], TS_MS)
    first, upload, last = parcels(outbox)
    assert (messages(first), messages(last)) == (["before"], ["after"])
    told = read_upload(upload.body)
    assert (upload.kind, told.file, told.name, told.step, told.type) == (
        "file",
        "r/a.txt",
        "a.txt",
        None,
        "report",
    )
    assert json.loads(bytes(told.data)) == {"pages": 2}


@pytest.mark.parametrize("path", [None, "/etc/hostname", "../../secret", "nothing there", 7])
def test_an_artifact_that_is_only_told_is_an_event(
    outbox: Outbox, way: RemoteLine, tmp_path: Path, path: Any
) -> None:
    (tmp_path / "secret").write_text("abc")
    way.pack(outbox, [artifact("not yet/a.txt")], TS_MS)
    folder = files_below(outbox)
    way.pack(outbox, [artifact(path, type=None)], TS_MS)
    assert [found.kind for found in parcels(outbox)] == ["events", "events"]
    assert folder.name.endswith(".files")


def test_a_type_that_is_no_text_is_left_out(outbox: Outbox, way: RemoteLine) -> None:
    folder = files_below(outbox)
    folder.mkdir()
    (folder / "a.txt").write_text("abc")
    way.pack(outbox, [artifact("a.txt", type=3)], TS_MS)
    assert read_upload(parcels(outbox)[0].body).type is None
