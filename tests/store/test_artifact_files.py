"""Where artifact files lie, and which may be opened: whatever a caller names, nothing leads out."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from runline.intake.names import default_redactor
from runline.store import artifact_files
from runline.store.artifact_files import Outside
from runline.testing import corpus


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "artifacts"


def put(root: Path, name: str, text: str = "x", *, step: str | None = None, run_id: str = "run") -> str:
    with artifact_files.placed(root, artifact_files.folder_of(run_id, step), name) as (place, file):
        file.write(text.encode())
    return place


@pytest.mark.parametrize("name", corpus.PATHS)
def test_a_name_becomes_one_plain_part(root: Path, name: str) -> None:
    for step in (name, None):
        place = put(root, name, "here", step=step)
        parts = Path(place).parts
        assert len(parts) == 3 and parts[0] == "run" and ".." not in parts
        assert place.isascii() and place.isprintable()
        assert (root / place).read_text() == "here"
        assert (root / place).resolve().is_relative_to(root.resolve())
        assert (parts[1] == "_run") is (not step)


def test_different_names_have_different_parts() -> None:
    names = [*corpus.PATHS, "x" * 301, "a b", "a/b", "_run", "log.txt", "log_.txt", "log?.txt"]
    assert len({artifact_files.part(name) for name in names}) == len(names)
    assert artifact_files.part("report[0].html") == "report[0].html"
    assert artifact_files.part("a/b.html").endswith(".html")


def test_a_repeated_name_gets_a_number(root: Path) -> None:
    assert [put(root, name) for name in ("a.tar.gz", "a.tar.gz", "b", "b")] == [
        "run/_run/a.tar.gz",
        "run/_run/a-2.tar.gz",
        "run/_run/b",
        "run/_run/b-2",
    ]


def test_what_cannot_be_filled_leaves_nothing_behind(root: Path) -> None:
    def full() -> None:
        with artifact_files.placed(root, Path("run", "step"), "a"):
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        full()
    assert not root.exists()
    put(root, "kept")
    with pytest.raises(OSError, match="no space"):
        full()
    assert [path.name for path in root.rglob("*")] == ["run", "_run", "kept"]


def test_a_folder_removed_meanwhile_is_made_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, removed = os.open, 2

    def swept(path: Any, flags: int, mode: int = 0o777, **given: Any) -> int:
        nonlocal removed
        if removed and flags & os.O_CREAT:
            removed -= 1
            artifact_files.remove(root, Path(path))
        return opened(path, flags, mode, **given)

    monkeypatch.setattr(os, "open", swept)
    assert (root / put(root, "a")).read_text() == "x"
    removed = 10**6
    with pytest.raises(OSError, match="again and again"):
        put(root, "b", run_id="other")


def test_a_folder_that_leads_out_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    root.mkdir()
    (root / "run").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="leads out"):
        put(root, "a")
    assert not list((tmp_path / "elsewhere").rglob("a"))


@pytest.mark.parametrize(
    ("head", "size", "compressed", "facts"),
    [
        (b"abc", 3, False, {"size_bytes": 3, "encoding": "utf-8", "preview_text": "abc"}),
        (b"", 0, False, {"size_bytes": 0, "encoding": "utf-8"}),
        (b"abc", 3, True, {"size_bytes": 3}),
        (b"a\0c", 3, False, {"size_bytes": 3}),
        (b"\xff\xfe", 2, False, {"size_bytes": 2}),
        (b"\xc3", 2, False, {"size_bytes": 2, "encoding": "utf-8"}),
        (b"\xc3", 1, False, {"size_bytes": 1}),
    ],
)
def test_what_is_told_of_a_file(head: bytes, size: int, compressed: bool, facts: dict[str, Any]) -> None:
    told = artifact_files.described(head, size, compressed=compressed, redactor=default_redactor())
    assert told == facts


def test_the_ending_tells_what_it_is() -> None:
    told = artifact_files.guessed({"name": "n"}, "a.csv.gz")
    assert told == {"name": "n", "mime_type": "text/csv", "encoding": "gzip"}


def test_only_regular_files_are_copied_from(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("text")
    (tmp_path / "near").symlink_to("there")
    with artifact_files.open_source(str(tmp_path / "near")) as found:
        assert found.read() == b"text"
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "far").symlink_to(tmp_path / "there")
    with pytest.raises(ValueError, match="leads out of its folder"):
        artifact_files.open_source(str(inside / "far"))
    os.mkfifo(tmp_path / "fifo")
    for place in (tmp_path / "fifo", tmp_path):
        with pytest.raises(ValueError, match="no regular file"):
            artifact_files.open_source(str(place))


def below(root: Path, *parts: str) -> bytes:
    with artifact_files.open_below(root, parts) as file:
        return file.read()


def test_a_file_is_reached_part_by_part(root: Path) -> None:
    assert below(root, *Path(put(root, "a", "text", step="s")).parts) == b"text"


def test_no_link_is_followed_on_the_way(root: Path, tmp_path: Path) -> None:
    """As when it was put there after the path had been resolved."""
    put(root, "a", step="s")
    elsewhere = tmp_path / "artifacts-2"
    elsewhere.mkdir()
    (elsewhere / "a").write_text("outside")
    (root / "run" / "link").symlink_to(elsewhere)
    (root / "run" / "s" / "b").symlink_to(elsewhere / "a")
    (root / "run" / "s" / "ring").symlink_to("ring")
    for parts in (("run", "link", "a"), ("run", "s", "b"), ("run", "s", "ring")):
        with pytest.raises(OSError, match=r"symbolic links|Not a directory"):
            below(root, *parts)
    with pytest.raises(FileNotFoundError):
        below(root, "run", "s", "c")


def test_what_is_no_regular_file_with_one_name_is_not_opened(root: Path, tmp_path: Path) -> None:
    put(root, "a")
    folder = root / "run" / "_run"
    (tmp_path / "secret").write_text("outside")
    os.link(tmp_path / "secret", folder / "hard")
    os.mkfifo(folder / "fifo")
    with pytest.raises(Outside, match="hard link"):
        below(root, "run", "_run", "hard")
    for parts in (("run", "_run", "fifo"), ("run", "_run")):
        with pytest.raises(Outside, match="no regular file"):
            below(root, *parts)
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(folder)  # the path of a socket is short
        try:
            listening.bind("socket")
        finally:
            os.chdir(here)
        with pytest.raises(OSError, match="No such device"):
            below(root, "run", "_run", "socket")
    assert below(root, "run", "_run", "a") == b"x"


def test_a_path_that_leads_nowhere_is_outside(tmp_path: Path) -> None:
    assert artifact_files.real_path(tmp_path / "a" / ".." / "b") == tmp_path.resolve() / "b"
    with pytest.raises(Outside, match="nowhere"):
        artifact_files.real_path(tmp_path / "a\0b")
    (tmp_path / "ring").symlink_to("ring")
    with pytest.raises(Outside, match="nowhere"):
        artifact_files.real_path(tmp_path / "ring")
