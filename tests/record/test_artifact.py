from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import runline
from runline.record import artifact
from runline.store.sql_store import SqlStore
from tests.record.conftest import told


def kept(store: SqlStore, run: runline.ActiveRun) -> dict[str, Any]:
    event = next(event for event in reversed(told(store, run.id)) if event.type == "artifact_created")
    return event.data


def root(store: SqlStore) -> Path:
    return Path(store.url.removeprefix("sqlite:///")).parent / "artifacts"


def test_a_file_is_copied_into_keeping(store: SqlStore, tmp_path: Path) -> None:
    report = tmp_path / "out" / "report.html"
    report.parent.mkdir()
    report.write_text("<h1>Done</h1>")
    with runline.run("r") as run, run.step("extract"):
        run.artifact("report.html", path=report, type="report", data={"pages": 3})
        report.write_text("changed since")
    told_of = kept(store, run)
    assert told_of == {
        "name": "report.html",
        "type": "report",
        "path": f"{run.id}/extract/report.html",
        "source_path": str(report),
        "size_bytes": 13,
        "mime_type": "text/html",
        "encoding": "utf-8",
        "preview_text": "<h1>Done</h1>",
        "pages": 3,
    }
    copy = root(store) / told_of["path"]
    assert copy.read_text() == "<h1>Done</h1>"
    assert copy.stat().st_mode & 0o777 == 0o600
    (row,) = store.list_artifacts(run.id)
    assert (row.name, row.step_id, row.size_bytes, row.mime_type) == (
        "report.html",
        "extract",
        13,
        "text/html",
    )


def test_content_is_kept_too_and_a_repeated_name_gets_a_number(store: SqlStore) -> None:
    with runline.run("r") as run:
        run.artifact("log.tar.gz", content=b"one")
        run.artifact("log.tar.gz", content="two")
        run.artifact("log.tar.gz", content=b"three", step="s")
        run.artifact("plain", content="x")
        run.artifact("plain", content="y")
    paths = [row.path for row in store.list_artifacts(run.id)]
    assert paths == [
        f"{run.id}/_run/log.tar.gz",
        f"{run.id}/_run/log-2.tar.gz",
        f"{run.id}/s/log.tar.gz",
        f"{run.id}/_run/plain",
        f"{run.id}/_run/plain-2",
    ]
    assert [(root(store) / str(path)).read_bytes() for path in paths] == [
        b"one",
        b"two",
        b"three",
        b"x",
        b"y",
    ]


def test_only_a_name_is_enough(store: SqlStore) -> None:
    with runline.run("r") as run:
        run.artifact("model.bin", type="model")
    assert kept(store, run) == {"name": "model.bin", "type": "model", "mime_type": "application/octet-stream"}


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("../../escape", "s"),
        ("a/b", "../.."),
        ("/etc/passwd", "/"),
        ("..", ".."),
        (".", "."),
        ("x" * 300 + ".txt", "y" * 300),
        ("new\nline\0nul", "s\0"),
        ("ümläut.txt", "schritt ä"),
        ("_run", "_run"),
        ("\\windows\\", "C:"),
        ("  ", "s"),
    ],
)
def test_no_name_leads_anywhere_else(store: SqlStore, name: str, step: str) -> None:
    with runline.run("r") as run:
        run.artifact(name, step=step, content="here")
    place = kept(store, run)["path"]
    folder = root(store) / run.id
    assert (root(store) / place).resolve().parent.parent == folder.resolve()
    assert (root(store) / place).read_text() == "here"
    assert sum(1 for path in folder.rglob("*") if path.is_file()) == 1
    assert not place.split("/")[1].startswith("_run/")


def test_names_that_look_alike_stay_apart(store: SqlStore) -> None:
    with runline.run("r") as run:
        run.artifact("a/b", content="1")
        run.artifact("a b", content="2")
        run.artifact("x", step="_run", content="3")
        run.artifact("x", content="4")
    paths = {row.path for row in store.list_artifacts(run.id)}
    assert len(paths) == 4
    assert not any("-2" in str(path).split("/")[-1] for path in paths)


def test_a_preview_is_redacted_and_short(store: SqlStore) -> None:
    secret = "ghp_" + "a1B2" * 9
    with runline.run("r") as run:
        run.artifact("env.txt", content=f"token {secret}\n" + "ä" * 5000)
    preview = kept(store, run)["preview_text"]
    assert secret not in preview
    assert "[REDACTED:" in preview
    assert len(preview.encode()) <= 2048
    assert (root(store) / kept(store, run)["path"]).read_text().startswith(f"token {secret}")


@pytest.mark.parametrize("raw", [b"\0binary", b"\xff\xfe\xfd"])
def test_what_is_no_text_has_no_preview(store: SqlStore, raw: bytes) -> None:
    with runline.run("r") as run:
        run.artifact("x", content=raw)
    assert kept(store, run) == {"name": "x", "size_bytes": len(raw), "path": f"{run.id}/_run/x"}


def test_an_empty_text_has_no_preview(store: SqlStore) -> None:
    with runline.run("r") as run:
        run.artifact("x.txt", content="")
    assert "preview_text" not in kept(store, run)
    assert kept(store, run)["size_bytes"] == 0


def test_a_text_cut_within_a_character_is_still_text(store: SqlStore) -> None:
    with runline.run("r") as run:
        run.artifact("x", content="a" + "ä" * 20_000)
    assert kept(store, run)["encoding"] == "utf-8"


def test_compressed_files_keep_their_encoding(store: SqlStore) -> None:
    with runline.run("r") as run:
        run.artifact("x.csv.gz", content=b"abc")
    assert kept(store, run)["encoding"] == "gzip"
    assert "preview_text" not in kept(store, run)


def test_a_link_within_its_folder_is_followed_and_one_that_leads_out_is_not(
    store: SqlStore, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("outside")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "real").write_text("inside")
    (inside / "near").symlink_to("real")
    (inside / "far").symlink_to("../secret")
    with runline.run("r") as run:
        run.artifact("near", inside / "near")
        near = kept_now(store, run)
        run.artifact("far", inside / "far")
        far = kept_now(store, run)
    assert (root(store) / near["path"]).read_text() == "inside"
    assert far == {
        "name": "far",
        "path": str(inside / "far"),
        "not_copied": "it is a symbolic link that leads out of its folder",
    }


def kept_now(store: SqlStore, run: runline.ActiveRun) -> dict[str, Any]:
    assert run.flush()
    return kept(store, run)


def test_only_regular_files_are_copied(store: SqlStore, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with runline.run("r") as run:
        run.artifact("fifo", tmp_path / "fifo")
        assert kept_now(store, run)["not_copied"] == "it is no regular file"
        run.artifact("folder", tmp_path)
        assert kept_now(store, run)["not_copied"] == "it is no regular file"
        run.artifact("gone.json", tmp_path / "gone")
        gone = kept_now(store, run)
    assert "No such file" in gone["not_copied"]
    assert gone["mime_type"] == "application/json"


def test_a_file_may_be_only_told(store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    big = tmp_path / "big.txt"
    big.write_text("12345678")
    with runline.run("r") as run:
        run.artifact("x", big, copy=False)
        assert kept_now(store, run) == {
            "name": "x",
            "path": str(big),
            "mime_type": "text/plain",
            "encoding": "utf-8",
            "size_bytes": 8,
            "preview_text": "12345678",
            "not_copied": "only its path was to be kept",
        }
        monkeypatch.setattr(artifact, "MAX_BYTES", 7)
        run.artifact("x", big)
        assert kept_now(store, run)["not_copied"] == "larger than 256 MiB"
    assert not root(store).exists()


def test_a_folder_that_leads_out_is_refused(store: SqlStore, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with runline.run("r") as run:
        (root(store) / run.id).mkdir(parents=True)
        (root(store) / run.id / "_run").symlink_to(elsewhere)
        run.artifact("x", content="x")
        assert "leads out" in kept_now(store, run)["not_copied"]
    assert not list(elsewhere.iterdir())


def test_what_cannot_be_filled_leaves_nothing_behind(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    source.write_text("x")

    def full(*_: object) -> None:
        raise OSError("no space left")

    with runline.run("r") as run:
        monkeypatch.setattr(artifact, "copyfileobj", full)
        run.artifact("x", source)
        assert "no space left" in kept_now(store, run)["not_copied"]
    assert not [path for path in root(store).rglob("*") if path.is_file()]


def test_what_was_not_kept_is_a_warning_that_says_why(store: SqlStore, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("x")
    with runline.run("r") as run:
        run.artifact("gone", tmp_path / "gone")
        run.artifact("there", tmp_path / "there", copy=False)
    gone, there = store.read(run.id, types=["artifact_created"])
    assert gone.level == "warn"
    assert gone.message.startswith("Artifact gone was not kept: ")
    assert "No such file" in gone.message
    assert (there.level, there.message) == ("info", "Artifact there")
