"""Manifests written for one test, and the fields of one map."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from runline.pipelines.fields import Fields
from runline.pipelines.manifest import Manifest, read_manifest
from runline.pipelines.problems import Problems
from runline.pipelines.yaml_source import read_yaml
from runline.record import config, lifetime

MakeFields = Callable[[str], Fields]
MakeManifest = Callable[..., Manifest]
NOW_MS = 1_795_176_600_000


@pytest.fixture
def fields_of() -> MakeFields:
    """The fields of a map written as YAML; its problems are `fields.problems`."""

    def make(text: str) -> Fields:
        return Fields(read_yaml(dedent(text).encode()), "it", Problems("a.yaml"))

    return make


@pytest.fixture
def manifest_of(tmp_path: Path) -> MakeManifest:
    """The manifest of some files, given as text by their paths; the first is the manifest's own."""

    def make(files: dict[str, str]) -> Manifest:
        for name, text in files.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(dedent(text), encoding="utf-8")
        return read_manifest(tmp_path / next(iter(files)), now_ms=NOW_MS)

    return make


@pytest.fixture
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Runs go to a store in `tmp_path`, and none stays open."""
    for name in ("RUNLINE_STORE", "RUNLINE_RUN_ID", "RUNLINE_STEP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(
        config._process, "settings", config.Settings(store=str(tmp_path / "runs" / "runline.db"))
    )
    monkeypatch.setattr(lifetime._runs, "lost", False)
    yield
    assert not lifetime._runs.open
    lifetime.close(10)
