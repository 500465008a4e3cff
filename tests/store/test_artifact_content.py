"""Artifacts taken in and read again: whole, redacted, and never from where they may not."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path
from typing import Any

import pytest

from runline.model.clock import ManualClock
from runline.model.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    RunEnded,
    RunlineError,
    StoreFull,
    Unavailable,
)
from runline.model.limits import Limits
from runline.store import artifact_content, artifact_files, open_local
from runline.store.sql_store import SqlStore
from runline.testing import corpus

SECRET = "ghp_" + "a1B2" * 9
MOST = artifact_content.MAX_READ_BYTES


@pytest.fixture
def run_id(store: SqlStore) -> str:
    return store.create_run("r", run_id="r").run_id


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "artifacts"


def registered(store: SqlStore, run_id: str, path: str, *, name: str = "a", step: str | None = None) -> None:
    """As a caller may do who has put no file anywhere."""
    store.append(run_id, [{"type": "artifact_created", "step": step, "data": {"name": name, "path": path}}])


def files(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob("*"))


def test_what_was_put_can_be_read(store: SqlStore, run_id: str, root: Path) -> None:
    put = store.put_artifact(
        run_id, "report.html", b"<h1>Done</h1>", step="render", type="report", data={"pages": 3, "path": "x"}
    )
    assert put == store.list_artifacts(run_id)[0]
    assert (put.name, put.step_id, put.type, put.size_bytes) == ("report.html", "render", "report", 13)
    assert (put.mime_type, put.encoding, put.preview_text) == ("text/html", "utf-8", "<h1>Done</h1>")
    assert put.path == "r/render/report.html"
    assert (root / put.path).stat().st_mode & 0o777 == 0o600
    event = store.read(run_id, types=["artifact_created"])[0]
    assert (event.seq, event.step, event.source, event.data["pages"]) == (put.seq, "render", "runline", 3)
    found = store.read_artifact(run_id, "render", "report.html")
    assert (found.content, found.truncated, found.binary) == ("<h1>Done</h1>", False, False)
    assert found.artifact == put
    file, artifact = store.open_artifact(run_id, "render", "report.html")
    with file:
        assert (file.read(), artifact) == (b"<h1>Done</h1>", put)


def test_the_newest_of_a_name_is_read(store: SqlStore, run_id: str) -> None:
    for text in (b"one", b"two"):
        store.put_artifact(run_id, "log", text, step="s")
    store.put_artifact(run_id, "log", b"of the run")
    assert store.read_artifact(run_id, "s", "log").content == "two"
    for no_step in (None, "_run"):
        assert store.read_artifact(run_id, no_step, "log").content == "of the run"
    assert len(store.list_artifacts(run_id)) == 3
    store.put_artifact(run_id, "log", b"of a step of that name", step="_run")
    assert store.read_artifact(run_id, "_run", "log").content == "of a step of that name"


@pytest.mark.parametrize("name", corpus.PATHS)
def test_a_name_that_looks_for_a_way_out_is_only_a_name(
    store: SqlStore, run_id: str, root: Path, name: str
) -> None:
    put = store.put_artifact(run_id, name, b"here", step=name)
    assert put.path is not None
    assert (root / put.path).resolve().is_relative_to((root / run_id).resolve())
    assert store.read_artifact(run_id, name, name).content == "here"
    assert [path.name for path in root.iterdir()] == [run_id]


@pytest.mark.parametrize("wrong", ["..", ".", "../r", "r/../r", "%2e%2e", "/r", "nobody", "", "\0"])
def test_an_id_that_looks_for_a_way_out_is_no_run(
    store: SqlStore, run_id: str, root: Path, wrong: str
) -> None:
    for ask in (
        lambda: store.put_artifact(wrong, "a", b"x"),
        lambda: store.read_artifact(wrong, None, "a"),
        lambda: store.open_artifact(wrong, None, "a"),
    ):
        with pytest.raises(NotFound) as told:
            ask()
        assert told.value.code == "run_not_found"
    assert not root.exists()


def test_a_stream_is_copied_piece_by_piece(store: SqlStore, run_id: str, tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    (tmp_path / "source").write_bytes(content)
    with (tmp_path / "source").open("rb") as source:
        put = store.put_artifact(run_id, "big.bin", source)
    assert (put.size_bytes, put.preview_text) == (len(content), None)
    file, _ = store.open_artifact(run_id, None, "big.bin")
    with file:
        assert file.read() == content


class Trickle(io.RawIOBase):
    """Hands out a few bytes at a time, then fails if it is told to."""

    def __init__(self, pieces: list[bytes], *, fails: Exception | None = None) -> None:
        self.pieces = pieces
        self.fails = fails

    def read(self, size: int = -1) -> bytes:
        if self.pieces:
            return self.pieces.pop(0)
        if self.fails is not None:
            raise self.fails
        return b""


def test_a_preview_is_made_of_whole_small_pieces(store: SqlStore, run_id: str) -> None:
    put = store.put_artifact(run_id, "a", Trickle([b"ab", b"\xc3", b"\xa4"]))  # type: ignore[arg-type]
    assert (put.preview_text, put.size_bytes) == ("abä", 4)


@pytest.mark.parametrize(
    ("fails", "kind", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), StoreFull, "store_full"),
        (OSError(errno.EIO, "Input/output error"), Unavailable, "artifact_not_kept"),
        (ConnectionResetError("gone"), Unavailable, "artifact_not_kept"),
        (Invalid("cut off", code="cut_off"), Invalid, "cut_off"),
    ],
)
def test_an_upload_that_fails_leaves_nothing(
    store: SqlStore, run_id: str, root: Path, fails: Exception, kind: type[RunlineError], code: str
) -> None:
    with pytest.raises(kind) as told:
        store.put_artifact(run_id, "a", Trickle([b"half"], fails=fails))  # type: ignore[arg-type]
    assert told.value.code == code
    assert not root.exists()
    assert store.list_artifacts(run_id) == []
    assert store.get_run(run_id).last_seq == 1


def test_one_that_is_too_large_is_refused(
    store: SqlStore, run_id: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifact_files, "MAX_BYTES", 1 << 20)
    store.put_artifact(run_id, "most", bytes(1 << 20))
    with pytest.raises(Invalid, match="at most 1 MiB") as told:
        store.put_artifact(run_id, "more", bytes((1 << 20) + 1))
    assert told.value.code == "artifact_too_large"
    assert files(root) == ["_run", "most", "r"]


def test_an_ended_run_takes_none(store: SqlStore, run_id: str, root: Path) -> None:
    class Ending(Trickle):
        def read(self, size: int = -1) -> bytes:
            if not store.get_run(run_id).completed_at_ms:
                store.end_run(run_id)
            return super().read(size)

    for content in (Ending([b"meanwhile"]), b"afterwards"):
        with pytest.raises(RunEnded):
            store.put_artifact(run_id, "a", content)  # type: ignore[arg-type]
    assert not root.exists()


def test_a_run_that_is_full_takes_none(tmp_path: Path, root: Path) -> None:
    with open_local(str(tmp_path / "x.db"), limits=Limits(run_events=1)) as store:
        store.create_run("r", run_id="r")
        with pytest.raises(Invalid) as told:
            store.put_artifact("r", "a", b"x")
    assert told.value.code == "run_full"
    assert not root.exists()


def test_a_store_that_may_not_be_written_takes_none(store: SqlStore, run_id: str, tmp_path: Path) -> None:
    store.put_artifact(run_id, "a", b"kept")
    with open_local(str(tmp_path / "x.db"), read_only=True) as reading:
        with pytest.raises(Invalid) as told:
            reading.put_artifact(run_id, "b", b"x")
        assert told.value.code == "read_only"
        assert reading.read_artifact(run_id, None, "a").content == "kept"
    assert files(tmp_path / "artifacts") == ["_run", "a", "r"]


def test_the_same_upload_again_is_the_same_artifact(store: SqlStore, run_id: str, root: Path) -> None:
    def put(content: bytes = b"x", key: str = "k", **more: Any) -> Any:
        return store.put_artifact(run_id, "a", content, idempotency_key=key, **more)

    first = put(step="s", data={"n": 1})
    assert put(step="s", data={"n": 1}) == first
    for other in ({"content": b"y", "step": "s", "data": {"n": 1}}, {"step": "s"}, {"data": {"n": 1}}):
        with pytest.raises(Conflict) as told:
            put(**other)
        assert told.value.code == "idempotency_conflict"
    assert put(step="s", data={"n": 1}, key="k2") != first
    store.end_run(run_id)
    assert put(step="s", data={"n": 1}) == first
    with pytest.raises(RunEnded):
        put(key="k3")
    assert files(root) == ["a", "a-2", "r", "s"]


def test_they_leave_with_their_run(store: SqlStore, run_id: str, root: Path) -> None:
    store.put_artifact(run_id, "a", b"x")
    store.end_run(run_id)
    assert store.read_artifact(run_id, None, "a").content == "x"
    store.delete_run(run_id)
    assert files(root) == []
    with pytest.raises(NotFound) as told:
        store.read_artifact(run_id, None, "a")
    assert told.value.code == "pruned"


def test_unknown_and_gone_are_told_apart(store: SqlStore, run_id: str, root: Path) -> None:
    def code(name: str, step: str | None = None) -> str:
        with pytest.raises(NotFound) as told:
            store.read_artifact(run_id, step, name)
        return told.value.code

    put = store.put_artifact(run_id, "a", b"x", step="s")
    assert code("a") == code("b", "s") == code("a", "t") == "artifact_not_found"
    (root / str(put.path)).unlink()
    assert code("a", "s") == "artifact_gone"
    store.append(run_id, [{"type": "artifact_created", "data": {"name": "told"}}])
    assert code("told") == "artifact_gone"


def test_what_is_read_is_redacted_and_the_file_is_not(store: SqlStore, run_id: str) -> None:
    store.put_artifact(run_id, "env", f"token {SECRET}\n".encode())
    found = store.read_artifact(run_id, None, "env")
    assert SECRET not in found.content and "token [REDACTED:" in found.content
    file, artifact = store.open_artifact(run_id, None, "env")
    with file:
        assert SECRET.encode() in file.read()
    assert SECRET not in repr(artifact)


def test_a_name_with_a_secret_is_found_by_the_name_it_was_given(store: SqlStore, run_id: str) -> None:
    put = store.put_artifact(run_id, f"{SECRET}.txt", b"x")
    assert SECRET not in put.name
    assert store.read_artifact(run_id, None, f"{SECRET}.txt").artifact == put
    assert store.read_artifact(run_id, None, put.name).artifact == put


@pytest.mark.parametrize("filler", ["x", "ä", "€", "😀"])
def test_a_long_text_is_cut_between_characters(store: SqlStore, run_id: str, filler: str) -> None:
    text = "a" + filler * (MOST // len(filler.encode()) + 10)
    store.put_artifact(run_id, "a", text.encode())
    found = store.read_artifact(run_id, None, "a")
    assert found.truncated
    assert text.startswith(found.content)
    assert MOST - 4 < len(found.content.encode()) <= MOST


def test_just_enough_is_not_cut(store: SqlStore, run_id: str) -> None:
    for size, truncated in ((MOST, False), (MOST + 1, True)):
        store.put_artifact(run_id, "a", b"x" * size)
        found = store.read_artifact(run_id, None, "a")
        assert (len(found.content), found.truncated) == (MOST, truncated)


@pytest.mark.parametrize("before", range(1, len(SECRET), 7))
def test_a_secret_across_the_cut_is_still_one(store: SqlStore, run_id: str, before: int) -> None:
    """Across the end of what is told, and across the end of what is read."""
    words = "word " * (MOST // 5)
    for text in (
        words[: MOST - before] + SECRET + " and on" * 100_000,
        f"{SECRET} " * ((MOST + 65_536) // 41 + 1),
    ):
        store.put_artifact(run_id, "a", text.encode())
        found = store.read_artifact(run_id, None, "a")
        assert found.truncated
        assert SECRET[:10] not in found.content


def test_what_is_no_text_is_not_told(store: SqlStore, run_id: str) -> None:
    store.put_artifact(run_id, "a.bin", b"text\0more")
    found = store.read_artifact(run_id, None, "a.bin")
    assert (found.content, found.binary, found.truncated) == ("", True, False)
    store.put_artifact(run_id, "a.txt", b"caf\xe9")
    assert store.read_artifact(run_id, None, "a.txt").content == "caf\ufffd"


class TestPaths:
    """A path comes from whoever may write an event."""

    @pytest.fixture(autouse=True)
    def _others(self, store: SqlStore, run_id: str, tmp_path: Path) -> None:
        store.put_artifact(run_id, "mine", b"mine")
        store.create_run("other", run_id="other", tenant="theirs")
        store.put_artifact("other", "hers", b"hers")
        (tmp_path / "secret").write_text("outside")
        (tmp_path / "artifacts-2").mkdir()
        (tmp_path / "artifacts-2" / "secret").write_text("sibling")

    @pytest.mark.parametrize(
        "path",
        [
            *(path for path in corpus.PATHS if path.strip()),
            "other/_run/hers",
            "r/../other/_run/hers",
            "{root}/other/_run/hers",
            "{root}/../secret",
            "{root}/../artifacts-2/secret",
            "{root}/../x.db",
            "../secret",
            "../artifacts-2/secret",
            "../x.db",
            "../x.db-wal",
            "/proc/self/environ",
            "/proc/self/root/etc/passwd",
            "/dev/zero",
            "r",
            "{root}",
        ],
    )
    def test_none_leads_out_of_the_runs_folder(
        self, store: SqlStore, run_id: str, root: Path, path: str
    ) -> None:
        registered(store, run_id, path.format(root=root))
        for ask in (store.read_artifact, store.open_artifact):
            with pytest.raises(Forbidden) as told:
                ask(run_id, None, "a")
            assert told.value.code == "artifact_outside"
            assert str(root) not in told.value.message

    @pytest.mark.parametrize("path", ["r/_run/mine", "{root}/r/_run/mine", "r/_run/../_run/mine"])
    def test_ones_own_is_read_however_it_is_written(
        self, store: SqlStore, run_id: str, root: Path, path: str
    ) -> None:
        registered(store, run_id, path.format(root=root))
        assert store.read_artifact(run_id, None, "a").content == "mine"

    def test_links_are_read_as_far_as_they_stay_inside(
        self, store: SqlStore, run_id: str, root: Path, tmp_path: Path
    ) -> None:
        folder = root / "r" / "_run"
        (folder / "near").symlink_to("mine")
        (folder / "far").symlink_to(tmp_path / "secret")
        (folder / "hers").symlink_to(root / "other" / "_run" / "hers")
        (folder / "ring").symlink_to("ring")
        os.link(tmp_path / "secret", folder / "hard")
        os.mkfifo(folder / "fifo")
        for name in ("near", "far", "hers", "ring", "hard", "fifo"):
            registered(store, run_id, f"r/_run/{name}", name=name)
        assert store.read_artifact(run_id, None, "near").content == "mine"
        for name in ("far", "hers", "ring", "hard", "fifo"):
            with pytest.raises(Forbidden):
                store.read_artifact(run_id, None, name)

    def test_a_runs_folder_that_is_a_link_leads_nowhere(
        self, store: SqlStore, root: Path, tmp_path: Path
    ) -> None:
        store.create_run("linked", run_id="linked")
        (root / "linked").symlink_to(tmp_path)
        registered(store, "linked", "linked/secret")
        with pytest.raises(Forbidden):
            store.read_artifact("linked", None, "a")
        with pytest.raises(Unavailable):
            store.put_artifact("linked", "a", b"x")

    def test_what_is_swapped_in_after_the_look_is_not_opened(
        self, store: SqlStore, run_id: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        registered(store, run_id, "r/_run/mine")
        real_path = artifact_files.real_path

        def swapping(path: Path) -> Path:
            found = real_path(path)
            (root / "r" / "_run" / "mine").unlink()
            (root / "r" / "_run" / "mine").symlink_to(tmp_path / "secret")
            return found

        monkeypatch.setattr(artifact_files, "real_path", swapping)
        with pytest.raises(Forbidden):
            store.read_artifact(run_id, None, "a")

    def test_an_allowed_folder_is_read_too(self, run_id: str, clock: ManualClock, tmp_path: Path) -> None:
        out = tmp_path / "out"
        out.mkdir()
        (out / "report.txt").write_text("report")
        (out / "away").symlink_to(tmp_path / "secret")
        (tmp_path / "out-2").mkdir()
        (tmp_path / "out-2" / "report.txt").write_text("sibling")
        (tmp_path / "linked").symlink_to(out)
        roots: Any = (tmp_path / "linked", str(tmp_path / "none"))
        with open_local(str(tmp_path / "x.db"), clock=clock, artifact_roots=roots) as store:
            for path in ("out/report.txt", "linked/report.txt"):
                registered(store, run_id, str(tmp_path / path))
                assert store.read_artifact(run_id, None, "a").content == "report"
            for path in ("out", "out/away", "out-2/report.txt", "secret", "none/../secret"):
                registered(store, run_id, str(tmp_path / path))
                with pytest.raises(Forbidden):
                    store.read_artifact(run_id, None, "a")
            registered(store, run_id, str(out / "gone.txt"))
            with pytest.raises(NotFound) as told:
                store.read_artifact(run_id, None, "a")
            assert told.value.code == "artifact_gone"

    def test_an_allowed_folder_around_the_store_opens_neither_it_nor_other_runs(
        self, run_id: str, clock: ManualClock, tmp_path: Path
    ) -> None:
        with open_local(str(tmp_path / "x.db"), clock=clock, artifact_roots=[tmp_path]) as store:
            for path in ("x.db", "x.db-wal", "x.db-reserve", "artifacts/other/_run/hers"):
                registered(store, run_id, str(tmp_path / path))
                with pytest.raises(Forbidden):
                    store.read_artifact(run_id, None, "a")
            registered(store, run_id, str(tmp_path / "secret"))
            assert store.read_artifact(run_id, None, "a").content == "outside"

    def test_a_file_that_the_server_may_not_open_is_refused(
        self, store: SqlStore, run_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def denied(*_: object) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

        registered(store, run_id, "r/_run/mine")
        monkeypatch.setattr(artifact_files, "open_below", denied)
        with pytest.raises(Forbidden, match="Permission denied"):
            store.read_artifact(run_id, None, "a")

    def test_another_tenants_artifacts_are_not_there(self, store: SqlStore) -> None:
        ours = store.scoped("ours")
        for ask in (
            lambda: ours.read_artifact("other", None, "hers"),
            lambda: ours.open_artifact("other", None, "hers"),
            lambda: ours.put_artifact("other", "x", b"x"),
        ):
            with pytest.raises(NotFound) as told:
                ask()
            assert told.value.code == "run_not_found"
