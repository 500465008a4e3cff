"""What a caller gives a run: checked against the pipeline's schema, and how it reaches the steps.

It is on standard input of nothing and in no command line: a step finds the whole in `RUNLINE_INPUT` and each key
in `RUNLINE_INPUT_X`, and what is too large for an environment in the file that `RUNLINE_FILE_INPUT` names. Only
a prompt, which is text on a program's standard input, takes values in the place of `{{ input.x }}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import UNSET, Struct, field

from runline.model.errors import Invalid
from runline.pipelines.definition import Pipeline
from runline.pipelines.references import references, variable
from runline.pipelines.schema import Schema

INPUT_FILE = "RUNLINE_FILE_INPUT"
"""Names the file that holds the whole input as JSON. No key of an input can lead to this name."""
MOST_VALUE_BYTES = 96 * 1024
"""Linux takes 128 KiB for one variable."""
MOST_BYTES = 512 * 1024
"""All of them together; a program's arguments and its whole environment share 2 MiB or more."""
_MOST_VARIABLES = 1_000
_MOST_DEPTH = 8


class Variables(Struct, frozen=True):
    """The environment variables of an input. `left_out` has those that cannot be there, each with the reason."""

    values: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def check(self, source: str) -> None:
        """Raises Invalid when the text refers to one that is left out: it would read as empty."""
        for reference in references(source):
            reason = self.left_out.get(reference.variable)
            if reason is not None:
                name = ".".join((reference.root, *reference.path))
                raise Invalid(
                    f"{{{{ {name} }}}} cannot be given as ${reference.variable}: {reason}. "
                    f"Read it from the file that ${INPUT_FILE} names.",
                    code="input_left_out",
                    fields={name: reason},
                )


def check_input(pipeline: Pipeline, given: Any) -> Any:
    """The input with the defaults of its schema. Raises Invalid (`bad_input`) whose `fields` name each fault."""
    schema = pipeline.input.schema
    if schema is None:
        return given
    value = _with_defaults(schema, given)
    missing = value is None and _types(schema) and "null" not in _types(schema)
    if missing:
        fields = {"input": "is required"}
    else:
        fields = {_name(fault.field): fault.message for fault in Schema(schema).faults(value)}
    if not fields:
        return value
    told = "; ".join(f"{name} {message}" for name, message in list(fields.items())[:5])
    raise Invalid(f"Pipeline {pipeline.name!r} cannot be started with this input: {told}.", code="bad_input", fields=fields)  # fmt: skip


def input_variables(given: Any, item: Any = UNSET) -> Variables:
    """The variables of an input, and of a matrix step's item. Small values first, until the room is used up."""
    found: dict[str, list[str]] = {}
    for root, value in (("input", given), ("matrix", item)):
        if value is not UNSET and not (root == "input" and value is None):
            for path, part in _parts(value, ()):
                found.setdefault(variable(root, path), []).append(_text(part))
    left_out = {name: "two keys lead to this name" for name, texts in found.items() if len(texts) > 1}
    single = {name: texts[0] for name, texts in found.items() if len(texts) == 1}
    values: dict[str, str] = {}
    used_bytes = 0
    for name, text in sorted(single.items(), key=lambda entry: len(entry[1])):
        size_bytes = len(text.encode()) + len(name)
        if size_bytes > MOST_VALUE_BYTES or used_bytes + size_bytes > MOST_BYTES:
            left_out[name] = "it is too large for an environment variable"
        elif len(values) == _MOST_VARIABLES:
            left_out[name] = f"the input has more than {_MOST_VARIABLES:,} keys"
        else:
            values[name] = text
            used_bytes += size_bytes
    return Variables(values, left_out)


def prompt_text(source: str, given: Any, item: Any = UNSET) -> str:
    """The prompt with the values in their places; what is missing is empty."""
    written: list[str] = []
    place = 0
    for reference in references(source):
        value = given if reference.root == "input" else item
        for key in reference.path:
            value = value.get(key) if isinstance(value, dict) else None
        written += [source[place : reference.start], "" if value is UNSET else _text(value)]
        place = reference.end
    return "".join([*written, source[place:]])


def _with_defaults(schema: Any, given: Any) -> Any:
    """Of a schema of objects: no input is an empty one, and what is missing has its default."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if given is None and "object" in _types(schema):
        given = {}
    if not isinstance(given, dict) or not isinstance(properties, dict):
        return given
    defaults = {
        name: one["default"] for name, one in properties.items() if isinstance(one, dict) and "default" in one
    }
    return {**given, **{name: value for name, value in defaults.items() if name not in given}}


def _types(schema: Any) -> list[Any]:
    types = schema.get("type") if isinstance(schema, dict) else None
    if isinstance(types, list):
        return types
    return [] if types is None else [types]


def _name(path: str) -> str:
    if not path:
        return "input"
    return f"input{path}" if path.startswith("[") else f"input.{path}"


def _parts(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The value and, of an object, all below it."""
    yield path, value
    if isinstance(value, dict) and len(path) < _MOST_DEPTH:
        for key, inner in value.items():
            yield from _parts(inner, (*path, str(key)))


def _text(value: Any) -> str:
    """A text as it is, nothing as nothing, all else as JSON; without what no environment can carry."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
