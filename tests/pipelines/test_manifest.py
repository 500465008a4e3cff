"""Manifests: read whole, whatever is wrong with them, and told file by file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runline.model.errors import Conflict, NotFound
from runline.pipelines.definition import Runtime
from runline.pipelines.manifest import find_manifest, manifest_files, read_manifest
from runline.testing.corpus import BAD_TEXTS
from tests.pipelines.conftest import NOW_MS, MakeManifest

STEPS = "steps: [{id: a, exec: {type: command, source: make}}]\n"


def test_a_manifest_and_its_pipelines(manifest_of: MakeManifest, tmp_path: Path) -> None:
    manifest = manifest_of(
        {
            "runline.yaml": """
                metadata: {name: shop, description: The shop}
                adapters: {local: {command: [cat]}}
                personas: {writer: {adapter: local}}
                commands: {lint: {command: [ruff, check]}}
                automations: [{id: x, anything: [goes]}]
                runtime: {max_runs: 2}
                """,
            ".runline/pipelines/nightly.yaml": """
                metadata: {name: nightly}
                steps:
                  - {id: lint, exec: {type: command, command: lint}}
                  - {id: write, persona: writer, exec: {type: prompt, source: x}}
                """,
            ".runline/pipelines/weekly.yml": STEPS,
            ".runline/pipelines/notes.md": "not a pipeline",
        }
    )
    assert manifest.problems == ()
    assert manifest.root == tmp_path and manifest.path == tmp_path / "runline.yaml"
    assert manifest.read_at_ms == NOW_MS
    assert (manifest.name, manifest.description) == ("shop", "The shop")
    assert list(manifest.pipelines) == ["nightly", "weekly"]
    assert manifest.pipelines["weekly"].source == ".runline/pipelines/weekly.yml"
    assert manifest.startable("nightly").steps[0].exec.argv == ("ruff", "check")
    assert manifest.persona("writer").adapter == "local"
    assert manifest.automations == [{"id": "x", "anything": ["goes"]}]
    assert manifest.runtime == Runtime(max_runs=2)


def test_waves_own_files(manifest_of: MakeManifest) -> None:
    manifest = manifest_of(
        {
            "wave.yaml": """
                apiVersion: v1
                kind: WaveManifest
                metadata: {name: project, forge: github}
                project: {language: go}
                adapters: {cli: {binary: agent}}
                personas: {writer: {adapter: cli, system_prompt_file: .wave/personas/writer.md}}
                runtime: {workspace_root: .wave/workspaces, sandbox: {enabled: true}}
                """,
            ".wave/pipelines/one.yaml": "kind: WavePipeline\n" + STEPS,
            ".agents/pipelines/two.yaml": "kind: WavePipeline\n" + STEPS,
        }
    )
    assert list(manifest.pipelines) == ["one", "two"]
    assert {str(problem) for problem in manifest.problems} == {
        "wave.yaml:5: the manifest: `project` is read and not acted on",
        "wave.yaml:6: adapter 'cli': 'agent' is run with the prompt on standard input and no arguments",
    }
    with pytest.raises(Conflict, match=r"does not execute runtime\.sandbox") as caught:
        manifest.startable("one")
    assert caught.value.code == "not_startable"


def test_a_pipeline_with_an_error_is_shown_and_refused(manifest_of: MakeManifest) -> None:
    manifest = manifest_of(
        {
            "runline.yaml": "metadata: {name: x}\n",
            ".runline/pipelines/bad.yaml": "what: 1\nsteps: [{id: a}]\n",
            ".runline/pipelines/good.yaml": STEPS,
            ".runline/pipelines/worse.yaml": "steps: [",
        }
    )
    assert list(manifest.pipelines) == ["bad", "good", "worse"]
    assert manifest.startable("good").name == "good"
    with pytest.raises(Conflict, match=r"bad\.yaml:2: step 'a': `exec` is missing"):
        manifest.startable("bad")
    with pytest.raises(Conflict, match=r"worse\.yaml:1: this is not YAML"):
        manifest.startable("worse")
    assert [problem.file.rpartition("/")[2] for problem in manifest.problems] == [
        "bad.yaml",
        "bad.yaml",
        "worse.yaml",
    ]


def test_unknown_names_suggest_the_nearest(manifest_of: MakeManifest) -> None:
    manifest = manifest_of(
        {
            "runline.yaml": "adapters: {a: {command: [x]}}\npersonas: {writer: {adapter: a}}\n",
            ".runline/pipelines/nightly.yaml": STEPS,
        }
    )
    with pytest.raises(NotFound, match="did you mean 'nightly'") as unknown:
        manifest.startable("nightli")
    assert unknown.value.code == "unknown_pipeline"
    with pytest.raises(NotFound, match="did you mean 'writer'"):
        manifest.persona("writr")


def test_of_two_pipelines_of_one_name_the_first_counts(manifest_of: MakeManifest) -> None:
    manifest = manifest_of(
        {
            "runline.yaml": "",
            ".runline/pipelines/a.yaml": "metadata: {name: x}\n" + STEPS,
            ".agents/pipelines/b.yaml": "metadata: {name: x}\n" + STEPS,
        }
    )
    assert manifest.startable("x").source == ".runline/pipelines/a.yaml"
    assert [str(problem) for problem in manifest.problems] == [
        ".agents/pipelines/b.yaml: .runline/pipelines/a.yaml defines a pipeline 'x' too, and is the one that counts"
    ]


def test_what_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    missing = read_manifest(tmp_path / "runline.yaml", now_ms=NOW_MS)
    assert [str(problem) for problem in missing.problems] == [
        "runline.yaml: this cannot be read: No such file or directory"
    ]
    folder = tmp_path / ".runline" / "pipelines"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "pipe.yaml")
    (folder / "folder.yaml").mkdir()
    (tmp_path / "runline.yaml").write_bytes(b"\xff\xfe")
    found = [str(problem) for problem in read_manifest(tmp_path / "runline.yaml", now_ms=NOW_MS).problems]
    assert found == [
        "runline.yaml:1: this is not UTF-8; save the file as UTF-8",
        ".runline/pipelines/folder.yaml: this cannot be read: Is a directory",
        ".runline/pipelines/pipe.yaml: this is no regular file",
    ]


def test_too_many_files_are_not_read(tmp_path: Path) -> None:
    folder = tmp_path / ".runline" / "pipelines"
    folder.mkdir(parents=True)
    for n in range(1_001):
        (folder / f"p{n}.yaml").write_text("- x")
    (tmp_path / "runline.yaml").write_text("metadata: {name: x}\n")
    manifest = read_manifest(tmp_path / "runline.yaml", now_ms=NOW_MS)
    assert len(manifest.pipelines) == 1_000
    assert "more than 1,000 pipeline files" in str(manifest.problems[0])
    assert len(manifest.problems) == 1_000


def test_the_nearest_manifest_is_found(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "wave.yaml").write_text("")
    assert find_manifest(inner) == tmp_path / "wave.yaml"
    (tmp_path / "runline.yaml").write_text("")
    assert find_manifest(inner) == tmp_path / "runline.yaml"
    assert manifest_files(tmp_path / "runline.yaml") == [tmp_path / "runline.yaml"]


def test_a_place_without_a_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runline.pipelines.manifest.FILES", ("no-such-manifest.yaml",))
    assert find_manifest(tmp_path) is None


@pytest.mark.parametrize("text", BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_odd_texts_anywhere_are_read_or_told(tmp_path: Path, text: str) -> None:
    folder = tmp_path / ".runline" / "pipelines"
    folder.mkdir(parents=True)
    raw = text.encode("utf-8", "surrogatepass")
    (tmp_path / "runline.yaml").write_bytes(b"personas: {p: {adapter: '" + raw + b"'}}\n" + raw + b": 1\n")
    (folder / "p.yaml").write_bytes(
        b"steps:\n  - {id: '" + raw + b"', exec: {type: command, source: make}}\n"
    )
    manifest = read_manifest(tmp_path / "runline.yaml", now_ms=NOW_MS)
    assert all(str(problem) for problem in manifest.problems)
    assert manifest.problems
