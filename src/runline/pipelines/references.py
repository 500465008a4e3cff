"""`{{ input.x }}` in a definition: what it refers to, and the environment variable that carries it.

The whole input is `RUNLINE_INPUT`, a key of it `RUNLINE_INPUT_X`, a matrix item `RUNLINE_MATRIX` and its keys
`RUNLINE_MATRIX_X`. Other texts in double braces are nobody's business here, except those that Wave would fill
in and Runline does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

_REFERENCE = re.compile(r"\{\{\s*(input|matrix)((?:\.[A-Za-z0-9_-]+)*)\s*\}\}")
_WAVES = re.compile(
    r"\{\{\s*((?:artifacts|forge|item|ontology|persona|pipeline_context|pipeline_id|pipeline_name|project"
    r"|step_id|steps|task)\b[^{}]{0,60}?)\s*\}\}"
)
_NOT_IN_NAMES = re.compile(r"[^A-Z0-9_]")


class Reference(Struct, frozen=True):
    """What stands at `start`–`end` of a text: `root` is `input` or `matrix`, `path` the keys below it."""

    root: str
    path: tuple[str, ...]
    start: int
    end: int

    @property
    def variable(self) -> str:
        return variable(self.root, self.path)


def variable(root: str, path: tuple[str, ...]) -> str:
    """The name of the environment variable: `RUNLINE_INPUT_MAX_FILES`."""
    return "_".join(["RUNLINE", *(_NOT_IN_NAMES.sub("_", part.upper()) for part in (root, *path))])


def references(text: str) -> Iterator[Reference]:
    """In the order of the text."""
    for found in _REFERENCE.finditer(text):
        yield Reference(found[1], tuple(found[2].split(".")[1:]), found.start(), found.end())


def whole_reference(text: str) -> Reference | None:
    """The reference that the text consists of; None when it is anything else."""
    found = next(references(text.strip()), None)
    return found if found is not None and (found.start, found.end) == (0, len(text.strip())) else None


def not_filled_in(text: str) -> list[str]:
    """What Wave would fill in and Runline does not, each once: `project.test_command`."""
    return list(dict.fromkeys(found[1].strip() for found in _WAVES.finditer(text)))
