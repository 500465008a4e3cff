"""The manifest: `runline.yaml` and the pipelines beside it, or Wave's `wave.yaml` and its pipelines.

Reading never fails. What cannot be read, or is wrong, is among the problems with its file and line; a pipeline
with an error is kept by name in `refused`, so that starting it says what is wrong with it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from runline.model.errors import Conflict, NotFound
from runline.pipelines.definition import Adapter, Command, Persona, Pipeline, Runtime
from runline.pipelines.fields import Fields
from runline.pipelines.manifest_fields import Sections, read_sections
from runline.pipelines.pipeline_fields import read_pipeline
from runline.pipelines.problems import Problem, Problems, nearest, shown
from runline.pipelines.yaml_source import MOST_BYTES, BadYaml, Node, read_yaml

FILES = ("runline.yaml", "wave.yaml")
FOLDERS = (".runline/pipelines", ".wave/pipelines", ".agents/pipelines")
_SUFFIXES = frozenset({".yaml", ".yml"})
_MOST_FILES = 1_000
_MOST_PROBLEMS = 1_000
_WITHOUT_EFFECT = ("hooks", "ontology", "project", "server", "skills")


class Manifest(Struct, frozen=True, kw_only=True):
    """Everything defined. `path` is the file, None when there is none; paths in it are relative to `root`."""

    root: Path
    path: Path | None = None
    read_at_ms: int | None = None
    name: str | None = None
    description: str | None = None
    adapters: dict[str, Adapter] = field(default_factory=dict)
    personas: dict[str, Persona] = field(default_factory=dict)
    commands: dict[str, Command] = field(default_factory=dict)
    automations: Any = None
    """As the file has it; whoever runs automations reads it."""
    runtime: Runtime = Runtime()
    pipelines: dict[str, Pipeline] = field(default_factory=dict)
    refused: dict[str, Problem] = field(default_factory=dict)
    """Pipelines that cannot be started, each with its first error."""
    problems: tuple[Problem, ...] = ()

    def startable(self, name: str) -> Pipeline:
        """The pipeline to run. Raises NotFound, or Conflict (`not_startable`) with what keeps it from starting."""
        if name in self.refused:
            raise Conflict(
                f"Pipeline {name!r} cannot be started before its definition is mended: {self.refused[name]}.",
                code="not_startable",
            )
        pipeline = self.pipeline(name)
        if pipeline.unsupported:
            told = ", ".join(pipeline.unsupported[:10])
            raise Conflict(
                f"Pipeline {name!r} cannot be started: Runline reads and does not execute {told}.",
                code="not_startable",
            )
        return pipeline

    def pipeline(self, name: str) -> Pipeline:
        """Also one that cannot be started. Raises NotFound."""
        if name not in self.pipelines:
            raise NotFound(
                f"There is no pipeline {shown(name)}{nearest(name, list(self.pipelines))}.",
                code="unknown_pipeline",
            )
        return self.pipelines[name]

    def persona(self, name: str) -> Persona:
        """Raises NotFound."""
        if name not in self.personas:
            raise NotFound(
                f"There is no persona {shown(name)}{nearest(name, list(self.personas))}.",
                code="unknown_persona",
            )
        return self.personas[name]


def find_manifest(start: Path) -> Path | None:
    """The nearest manifest from that folder upwards; Runline's own before Wave's."""
    for folder in (start, *start.parents):
        for name in FILES:
            if (folder / name).is_file():
                return folder / name
    return None


def manifest_files(path: Path) -> list[Path]:
    """The manifest and its pipelines' files, in the order in which they are read."""
    found = [path]
    for folder in FOLDERS:
        try:
            entries = sorted((path.parent / folder).iterdir())
        except OSError:
            continue  # most projects have one of the three
        found += [entry for entry in entries if entry.suffix in _SUFFIXES]
    return found


def read_manifest(path: Path, *, now_ms: int) -> Manifest:
    """What those files define, read at that time."""
    first, *others = manifest_files(path)
    problems = Problems(first.name)
    fields = Fields(_read(first, problems), "the manifest", problems)
    fields.passed_over("apiVersion", "kind")
    metadata = fields.section("metadata") or Fields(Node(None, 0), "`metadata`", problems)
    sections = read_sections(fields)
    manifest = Manifest(
        root=path.parent,
        path=path,
        read_at_ms=now_ms,
        name=metadata.text("name"),
        description=metadata.text("description"),
        adapters=sections.adapters,
        personas=sections.personas,
        commands=sections.commands,
        automations=fields.plain("automations"),
        runtime=sections.runtime,
    )
    metadata.passed_over("forge", "repo")
    metadata.finish()
    fields.unused(*_WITHOUT_EFFECT)
    fields.finish()
    if len(others) > _MOST_FILES:
        problems.error(0, f"there are more than {_MOST_FILES:,} pipeline files; the others are not read")
    found = [*problems.found]
    for pipeline, told in _pipelines(path.parent, others[:_MOST_FILES], sections):
        _take(manifest, pipeline, told)
        found += told.found
    return msgspec.structs.replace(manifest, problems=tuple(found[:_MOST_PROBLEMS]))


def _pipelines(root: Path, files: list[Path], sections: Sections) -> Iterator[tuple[Pipeline, Problems]]:
    for file in files:
        problems = Problems(file.relative_to(root).as_posix())
        node = _read(file, problems)
        if problems.errors:
            yield Pipeline(name=file.stem, steps=(), source=problems.file), problems
            continue
        read = read_pipeline(node, file.stem, problems, sections)
        unsupported = (*read.unsupported, *sections.unsupported)
        yield msgspec.structs.replace(read, unsupported=unsupported), problems


def _take(manifest: Manifest, pipeline: Pipeline, problems: Problems) -> None:
    other = manifest.pipelines.get(pipeline.name)
    if other is not None:
        problems.error(
            0, f"{other.source} defines a pipeline {pipeline.name!r} too, and is the one that counts"
        )
        return
    manifest.pipelines[pipeline.name] = pipeline
    if problems.errors:
        manifest.refused[pipeline.name] = next(one for one in problems.found if one.severity == "error")


def _read(file: Path, problems: Problems) -> Node:
    """The file's document; an empty one, with an error, when it cannot be read."""
    try:
        # Without blocking: a pipe in the place of a file would wait for a writer for ever.
        with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as source:  # noqa: PTH123
            if stat.S_ISREG(os.fstat(source.fileno()).st_mode):
                return read_yaml(source.read(MOST_BYTES + 1))
            problems.error(0, "this is no regular file")
    except OSError as error:
        problems.error(0, f"this cannot be read: {error.strerror or error}")
    except BadYaml as error:
        problems.error(error.line, error.message)
    return Node(None, 1)
