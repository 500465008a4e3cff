"""One parcel: how it is sent, what a refusal means, and what happens to what others have left behind."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import msgspec
import pytest

from runline.model.errors import Conflict, Invalid, NotFound, RunlineError, Unavailable
from runline.store.remote.client import Client
from runline.store.remote.delivery import Delivery, is_broken, may_pass, send_left_behind
from runline.store.remote.parcel import Parcel, Upload
from runline.store.remote.spool import Spool
from tests.store.remote.parcels import parcel
from tests.store.remote.scripted import Answer, Scripted, refusal


def creation(run_id: str = "r-20261120-184000-0123456789") -> Parcel:
    return Parcel(kind="create", run_id=run_id, key="c", body='{"name":"r"}', vital=True)


def test_events_are_posted_with_their_key(server: Scripted, client: Client, tmp_path: Path) -> None:
    server.script = [Answer(200, b'{"not_stored": 2, "ids": []}')]
    assert Delivery(client).deliver(parcel(7, run_id="a:b"), tmp_path) == 2
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/api/runs/a%3Ab/events", b'{"message":"7"}')
    assert asked.headers["idempotency-key"] == "k7"
    assert asked.headers["content-type"] == "application/x-ndjson"


def test_a_creation_that_was_made_long_ago_is_one(server: Scripted, client: Client, tmp_path: Path) -> None:
    server.script = [Answer(201), refusal(409, "run_exists")]
    delivery = Delivery(client)
    assert delivery.deliver(creation(), tmp_path) == 0
    assert delivery.deliver(creation(), tmp_path) == 0
    assert [asked.path for asked in server.asked] == ["/api/runs", "/api/runs"]


@pytest.mark.parametrize(
    ("run_id", "status", "code", "kind"),
    [
        ("mine", 409, "run_exists", Conflict),
        ("r-20261120-184000-0123456789", 409, "idempotency_conflict", Conflict),
        ("mine", 400, "bad_tenant", Invalid),
    ],
)
def test_events_of_a_run_that_was_refused_go_to_nobody_elses(
    server: Scripted,
    client: Client,
    tmp_path: Path,
    run_id: str,
    status: int,
    code: str,
    kind: type[RunlineError],
) -> None:
    server.script = [refusal(status, code)]
    delivery = Delivery(client)
    with pytest.raises(kind):
        delivery.deliver(creation(run_id), tmp_path)
    with pytest.raises(NotFound):
        delivery.deliver(parcel(run_id=run_id), tmp_path)
    assert len(server.asked) == 1


def test_a_file_is_uploaded_and_then_gone(server: Scripted, client: Client, tmp_path: Path) -> None:
    files = tmp_path / "x.files"
    (files / "r").mkdir(parents=True)
    (files / "r" / "a.txt").write_bytes(b"abc" * 100_000)
    upload = Upload(file="r/a.txt", step="s/1", name="a b.txt", type="report", data=msgspec.Raw(b'{"n":1}'))
    given = Parcel(kind="file", run_id="r", key="k", body=msgspec.json.encode(upload).decode())
    server.script = [refusal(503, "busy"), Answer(201)]
    with pytest.raises(Unavailable):
        Delivery(client).deliver(given, files)
    assert Delivery(client).deliver(given, files) == 0
    asked = server.asked[-1]
    assert asked.method == "PUT"
    assert asked.path == "/api/runs/r/artifacts/s%2F1/a%20b.txt?type=report&data=%7B%22n%22%3A1%7D"
    assert asked.body == b"abc" * 100_000
    assert not files.exists()
    with pytest.raises(Invalid) as told:
        Delivery(client).deliver(given, files)
    assert told.value.code == "artifact_gone"


def test_which_errors_pass() -> None:
    assert may_pass(Unavailable("away"))
    assert may_pass(NotFound("a proxy's", code="no_runline"))
    assert not may_pass(NotFound("gone"))
    assert is_broken(RunlineError("a defect"))
    assert not is_broken(Invalid("no"))


def waiting(folder: Path, url: str, *parcels: Parcel) -> None:
    spool = Spool(folder, url)
    spool.append([found.to_json() for found in parcels])
    spool.close()


def test_what_was_left_behind_is_sent_in_order_and_gone(
    server: Scripted, client: Client, tmp_path: Path
) -> None:
    waiting(tmp_path, server.url, creation(), parcel(1), parcel(2))
    waiting(tmp_path, server.url, parcel(3))
    server.script = [Answer(201), Answer(200, b'{"not_stored": 1}'), refusal(503, "busy")]
    with pytest.raises(Unavailable):
        send_left_behind(tmp_path, server.url, client)
    assert send_left_behind(tmp_path, server.url, client) == 2
    assert [asked.headers["idempotency-key"] for asked in server.asked] == ["c", "k1", "k2", "k2", "k3"]
    assert list(tmp_path.glob("*.spool")) == []
    assert send_left_behind(tmp_path / "nowhere", server.url, client) == 0


def test_what_was_left_for_a_run_that_is_not_there_yet_is_kept_for_a_day(
    server: Scripted, client: Client, tmp_path: Path
) -> None:
    waiting(tmp_path, server.url, parcel(1, run_id="later"))
    waiting(tmp_path, server.url, parcel(2, run_id="here"))
    server.answer = lambda asked: refusal(404, "run_not_found") if "later" in asked.path else Answer()
    assert send_left_behind(tmp_path, server.url, client) == 1
    (left,) = tmp_path.glob("*.spool")
    os.utime(left, (0, 0))
    assert send_left_behind(tmp_path, server.url, client) == 0
    assert [path.suffix for path in tmp_path.iterdir()] == [".refused"]


def test_what_the_server_refuses_is_set_aside_and_told(
    server: Scripted, client: Client, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    waiting(tmp_path, server.url, parcel(1), parcel(2), parcel(3))
    server.script = [refusal(404, "pruned", "Run r was deleted."), *[refusal(500, "internal")] * 3]
    with caplog.at_level(logging.WARNING, "runline"):
        assert send_left_behind(tmp_path, server.url, client) == 1
    (aside,) = tmp_path.glob("*.refused")
    assert [msgspec.json.decode(text)["key"] for text in aside.read_bytes().splitlines()] == ["k1", "k2"]
    assert "Run r was deleted." in caplog.text
    assert str(aside) in caplog.text
