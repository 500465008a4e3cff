"""JSON Schema: what is wrong is named, nothing is fetched, nothing takes long."""

from __future__ import annotations

import time
from typing import Any

import pytest

from runline.pipelines.schema import BadSchema, Fault, Schema

ORDER = {
    "type": "object",
    "required": ["id", "lines"],
    "properties": {
        "id": {"type": "string", "format": "date"},
        "lines": {"type": "array", "items": {"type": "object", "required": ["sku"]}},
    },
}


def test_each_fault_names_its_field() -> None:
    faults = Schema(ORDER).faults({"lines": [{"sku": 1}, {}]})
    assert {fault.field: fault.message for fault in faults} == {
        "id": "is required",
        "lines[1].sku": "is required",
    }
    assert Schema(ORDER).faults({"id": "2026-11-20", "lines": []}) == []
    (fault,) = Schema(ORDER).faults(7)
    assert fault.field == "" and "object" in fault.message


def test_formats_are_checked() -> None:
    (fault,) = Schema(ORDER).faults({"id": "2026-11-31", "lines": []})
    assert fault.field == "id" and "date" in fault.message


def test_faults_are_few_and_short() -> None:
    faults = Schema({"items": {"type": "integer"}}).faults(["x" * 10_000] * 200)
    assert len(faults) == 50
    assert len(faults[0].message) == 300
    assert faults[0].path == (0,)
    assert Fault(("a", 0, 1, "b"), "").field == "a[0][1].b"


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        (7, "must be a map"),
        ("string", "must be a map"),
        ({"type": "objec"}, "objec"),
        ({"pattern": "(a"}, "regex"),
        ({"pattern": "(?=a)b"}, "regex"),
        ({"$ref": "#/nowhere"}, "nowhere"),
        ({"$ref": "http://127.0.0.1:9/x"}, "disabled"),
        ({"$ref": "file:///etc/hostname"}, "disabled"),
        ({"$schema": "http://example.com/mine"}, "meta-schema"),
    ],
)
def test_a_bad_schema_is_refused(schema: Any, told: str) -> None:
    with pytest.raises(BadSchema, match=told):
        Schema(schema)


def test_drafts_and_plain_answers() -> None:
    assert Schema(True).faults(object.__name__) == []
    assert Schema({"$schema": "http://json-schema.org/draft-07/schema#", "type": "string"}).faults("x") == []


def test_a_hostile_text_takes_no_time() -> None:
    began_s = time.process_time()
    assert Schema({"pattern": "^(a+)+$"}).faults("a" * 100_000 + "b")
    assert time.process_time() - began_s < 5


def test_a_schema_that_refers_to_itself_ends() -> None:
    tree = {"$ref": "#/$defs/t", "$defs": {"t": {"type": "array", "items": {"$ref": "#/$defs/t"}}}}
    assert Schema(tree).faults([[], [[]]]) == []
    assert [fault.path for fault in Schema(tree).faults([[], [7]])] == [(1, 0)]
