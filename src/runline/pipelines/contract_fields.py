"""Contracts as a file has them: what must hold when a step has done its work."""

from __future__ import annotations

from typing import Literal

from runline.pipelines.definition import Contract, OnFailure
from runline.pipelines.fields import Fields
from runline.pipelines.references import not_filled_in, references
from runline.pipelines.schema import BadSchema, Schema
from runline.pipelines.yaml_source import BadYaml, read_yaml

_Type = Literal["json_schema", "test_suite", "non_empty_file", "file_exists"]
_TYPES: dict[str, _Type] = {
    "json_schema": "json_schema",
    "jsonschema": "json_schema",
    "test_suite": "test_suite",
    "non_empty_file": "non_empty_file",
    "file_exists": "file_exists",
}
_NOT_EXECUTED = (
    "agent_review",
    "event_contains",
    "format",
    "llm_judge",
    "markdown_spec",
    "source_diff",
    "spec_derived_test",
    "template",
    "typescript_interface",
)
_ON_FAILURE: dict[str, OnFailure] = {
    "fail": "fail",
    "retry": "retry",
    "continue": "continue",
    "skip": "continue",
    "warn": "continue",
}
_MOST_RETRIES = 100


def read_contracts(fields: Fields, unsupported: list[str]) -> tuple[Contract, ...]:
    """Those of `contract` and of `contracts`; what is not executed is added to `unsupported`."""
    given = [] if (one := fields.node("contract")) is None else [one]
    read = [
        _contract(Fields(node, f"{fields.where}: a contract", fields.problems), unsupported)
        for node in [*given, *fields.items("contracts")]
    ]
    return tuple(contract for contract in read if contract is not None)


def _contract(fields: Fields, unsupported: list[str]) -> Contract | None:
    written = fields.word("type", (*_TYPES, *_NOT_EXECUTED))
    if written is None or written in _NOT_EXECUTED:
        if "type" not in fields:
            fields.error("type", f"`type` is missing: one of {', '.join(_TYPES)}")
        elif written is not None:
            unsupported.append(f"contract {written}")
        fields.passed_over(*fields)
        return None
    kind = _TYPES[written]
    on_failure = fields.word("on_failure", (*_ON_FAILURE, "rework"))
    if on_failure == "rework":
        unsupported.append("contract.on_failure: rework")
    command = _command(fields, unsupported) if kind == "test_suite" else None
    contract = Contract(
        type=kind,
        source=fields.fixed("source"),
        schema=_schema(fields) if kind == "json_schema" else None,
        schema_path=fields.fixed("schema_path") if kind == "json_schema" else None,
        argv=command if isinstance(command, tuple) else (),
        command=command if isinstance(command, str) else None,
        dir=fields.fixed("dir"),
        on_failure=_ON_FAILURE.get(on_failure or "", "fail"),
        max_retries=fields.whole("max_retries", least=0, most=_MOST_RETRIES) or 0,
    )
    if kind == "json_schema" and ("schema" in fields) == ("schema_path" in fields):
        fields.error("type", "a json_schema contract takes `schema` or `schema_path`")
    fields.passed_over("validate", "must_pass", "rework_step")
    fields.finish()
    return contract


def _command(fields: Fields, unsupported: list[str]) -> tuple[str, ...] | str | None:
    """An argument list or shell text of the manifest's, which takes nothing from a caller."""
    node = fields.node("command")
    if node is None:
        fields.error("type", "a test_suite contract takes `command`: what runs the tests")
        return None
    if not isinstance(node.value, str):
        return fields.arguments("command")
    text = fields.text("command")
    missing = not_filled_in(text or "")
    unsupported += [f"{{{{ {name} }}}}" for name in missing]
    if any(references(text or "")):
        fields.error("command", "a contract takes nothing from the input; read $RUNLINE_INPUT in the command")
    return text


def _schema(fields: Fields) -> object:
    """A schema written in place: as YAML, or as JSON text."""
    node = fields.node("schema")
    if node is None:
        return None
    try:
        schema = read_yaml(node.value.encode()).plain() if isinstance(node.value, str) else node.plain()
        Schema(schema)
    except (BadSchema, BadYaml) as error:
        fields.error("schema", f"`schema` is no JSON Schema: {error}")
        return None
    return schema
