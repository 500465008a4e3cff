"""The OpenAPI document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from openapi_spec_validator import validate

from runline.server.app import declared
from runline.server.openapi import document, document_json, query_parameters

if TYPE_CHECKING:
    from runline.testing.serving import Client

TOLD = json.loads(document_json(declared(), "1.2.3"))
OPERATIONS = [
    (path, method, operation)
    for path, methods in TOLD["paths"].items()
    for method, operation in methods.items()
]


def test_it_is_a_valid_document() -> None:
    validate(TOLD)


def test_every_route_is_in_it() -> None:
    assert len(OPERATIONS) == len(declared())
    assert TOLD["info"]["version"] == "1.2.3"
    assert TOLD["openapi"].startswith("3.1")


@pytest.mark.parametrize(
    ("path", "method", "operation"), OPERATIONS, ids=lambda x: x if isinstance(x, str) else ""
)
def test_every_operation_is_described(path: str, method: str, operation: dict[str, Any]) -> None:
    assert operation["summary"], (path, method)
    assert operation["description"]
    for parameter in operation["parameters"]:
        assert parameter["description"], parameter["name"]
        assert parameter["schema"], parameter["name"]
    named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
    assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}
    assert all(answer["description"] for answer in operation["responses"].values())


def test_every_reference_leads_to_a_schema() -> None:
    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*map(references, value.values())) if value else own
        return set().union(*map(references, value)) if isinstance(value, list) and value else set()

    names = {f"#/components/schemas/{name}" for name in TOLD["components"]["schemas"]}
    assert references(TOLD) <= names


def test_a_route_without_parameters_has_none() -> None:
    assert query_parameters(None) == []
    assert document([], "0")["paths"] == {}


def test_the_server_gives_it(api: Client) -> None:
    answer = api.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["paths"] == TOLD["paths"]
