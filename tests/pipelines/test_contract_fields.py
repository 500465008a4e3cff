"""Contracts: read, refused with their line, or kept as not executed."""

from __future__ import annotations

import pytest

from runline.pipelines.contract_fields import read_contracts
from runline.pipelines.definition import Contract
from tests.pipelines.conftest import MakeFields


def test_contracts_are_read(fields_of: MakeFields) -> None:
    fields = fields_of(
        """
        contract:
          type: jsonschema
          source: out.json
          schema_path: schemas/out.json
          on_failure: retry
          max_retries: 2
          must_pass: true
        contracts:
          - {type: test_suite, command: [pytest, -q], dir: app}
          - {type: test_suite, command: make test, on_failure: skip}
          - {type: non_empty_file, source: report.html}
          - {type: file_exists}
          - {type: json_schema, schema: {type: object}}
          - {type: json_schema, schema: '{"type": "array"}'}
        """
    )
    unsupported: list[str] = []
    assert read_contracts(fields, unsupported) == (
        Contract(
            type="json_schema",
            source="out.json",
            schema_path="schemas/out.json",
            on_failure="retry",
            max_retries=2,
        ),
        Contract(type="test_suite", argv=("pytest", "-q"), dir="app"),
        Contract(type="test_suite", command="make test", on_failure="continue"),
        Contract(type="non_empty_file", source="report.html"),
        Contract(type="file_exists"),
        Contract(type="json_schema", schema={"type": "object"}),
        Contract(type="json_schema", schema={"type": "array"}),
    )
    assert unsupported == []
    assert fields.problems.found == []
    assert read_contracts(fields_of("a: 1"), unsupported) == ()


@pytest.mark.parametrize(
    ("text", "unsupported"),
    [
        ("{type: llm_judge, model: m, criteria: [a]}", ["contract llm_judge"]),
        (
            "{type: test_suite, command: '{{ project.test_command }}', on_failure: rework, rework_step: x}",
            ["contract.on_failure: rework", "{{ project.test_command }}"],
        ),
    ],
)
def test_what_is_not_executed_is_kept_by_name(
    fields_of: MakeFields, text: str, unsupported: list[str]
) -> None:
    found: list[str] = []
    fields = fields_of(f"contract: {text}")
    read_contracts(fields, found)
    assert found == unsupported
    assert fields.problems.found == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", "`type` is missing"),
        ("{type: json_shema}", "did you mean 'json_schema'?"),
        ("{type: json_schema}", "takes `schema` or `schema_path`"),
        ("{type: json_schema, schema: {type: objec}}", "is no JSON Schema"),
        ("{type: json_schema, schema: '[1'}", "is no JSON Schema"),
        ("{type: test_suite}", "takes `command`"),
        ("{type: test_suite, command: 'make {{ input.x }}'}", "takes nothing from the input"),
        ("{type: test_suite, command: ' '}", "`command` is blank"),
        ("{type: test_suite, command: [make, '{{ input }}']}", "a command line takes no"),
        ("{type: file_exists, source: '{{ input.path }}'}", "`source` takes no"),
        ("{type: file_exists, colour: red}", "unknown key 'colour'"),
    ],
)
def test_a_wrong_contract_names_its_fault(fields_of: MakeFields, text: str, told: str) -> None:
    fields = fields_of(f"#\ncontract: {text}")
    read_contracts(fields, [])
    (one,) = fields.problems.found
    assert told in one.message and one.line == 2
