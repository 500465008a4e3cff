"""Artifacts through a server: kept, listed, read and fetched."""

from __future__ import annotations

import io

import pytest

from runline.model.errors import NotFound
from tests.store.recorded import plain_run
from tests.store.remote.conftest import Both


def test_what_is_put_is_there(both: Both) -> None:
    plain_run(both.local, "r", status=None)
    content = b"password=hunter2222\n" * 3
    put = both.remote.put_artifact("r", "a b.txt", content, step="s/1", type="report", data={"pages": 2})
    big = both.remote.put_artifact("r", "big.bin", io.BytesIO(bytes(3 << 20)))
    assert [put, big] == both.local.list_artifacts("r") == both.remote.list_artifacts("r")
    assert both.local.read("r", order="desc", limit=2)[1].data["pages"] == 2
    assert both.remote.read_artifact("r", "s/1", "a b.txt") == both.local.read_artifact("r", "s/1", "a b.txt")
    assert "hunter2222" not in both.remote.read_artifact("r", "s/1", "a b.txt").content
    for step, name, expected in (("s/1", "a b.txt", content), (None, "big.bin", bytes(3 << 20))):
        file, artifact = both.remote.open_artifact("r", step, name)
        with file:
            assert file.read() == expected
        assert artifact.name == name
    file, artifact = both.remote.open_artifact("r", "_run", "big.bin")
    file.close()
    assert artifact == big


def test_what_is_not_there_is_not_found(both: Both) -> None:
    plain_run(both.local, "r", status=None)
    with pytest.raises(NotFound) as told:
        both.remote.read_artifact("r", None, "a")
    assert told.value.code == "artifact_not_found"
    with pytest.raises(NotFound):
        both.remote.open_artifact("r", None, "a")


def test_an_artifact_that_goes_while_it_is_fetched_is_not_found(
    both: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain_run(both.local, "r", status=None)
    both.remote.put_artifact("r", "a", b"a")
    monkeypatch.setattr("runline.store.remote.artifacts.listed", lambda *_: [])
    with pytest.raises(NotFound):
        both.remote.open_artifact("r", None, "a")
