"""Contracts: files that hold, and sentences about those that do not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from runline.pipelines import contracts
from runline.pipelines.contracts import broken
from runline.pipelines.definition import Contract, Exec, Produced, Step

STEP = Step(
    id="a",
    exec=Exec(type="command", argv=("true",)),
    produced=(Produced(name="said"), Produced(name="out", path="out.json")),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "out.json").write_text('{"id": 7, "lines": [1, "x", "y", "z"]}')
    (tmp_path / "empty").write_text("")
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "folder").mkdir()
    (tmp_path / "schema.json").write_text('{"type": "object", "required": ["id"]}')
    (tmp_path / "no-schema.json").write_text('{"type": "objec"}')
    return tmp_path


def told(folder: Path, contract: Contract, step: Step = STEP) -> str | None:
    return broken(contract, step, folder=folder, root=folder, run_tests=lambda one: f"ran {one.argv}")


def schema(**given: Any) -> Contract:
    return Contract(type="json_schema", **given)


@pytest.mark.parametrize(
    "contract",
    [
        Contract(type="file_exists", source="empty"),
        Contract(type="file_exists", source="folder"),
        Contract(type="non_empty_file", source="out.json"),
        Contract(type="non_empty_file"),
        schema(schema_path="schema.json"),
        schema(schema=True, source="out.json"),
    ],
)
def test_contracts_that_hold(folder: Path, contract: Contract) -> None:
    assert told(folder, contract) is None


@pytest.mark.parametrize(
    ("contract", "why"),
    [
        (Contract(type="file_exists", source="nowhere"), "nowhere is not there"),
        (Contract(type="file_exists", source="x\0"), "x\0 is not there"),
        (Contract(type="non_empty_file", source="empty"), "empty is empty"),
        (Contract(type="non_empty_file", source="folder"), "folder is no regular file"),
        (schema(schema=True, source="bad.json"), "bad.json is not JSON"),
        (schema(schema={"required": ["x"]}), "out.json does not fit its schema at x"),
        (schema(schema={"type": "array"}), "out.json does not fit its schema at the whole"),
        (
            schema(schema={"required": ["x"], "properties": {"lines": {"items": {"type": "integer"}}}}),
            "out.json does not fit its schema at x, lines[1], lines[2] and 1 more",
        ),
        (schema(schema_path="nowhere"), "its schema nowhere cannot be used: No such file or directory"),
        (Contract(type="test_suite", argv=("make",)), "ran ('make',)"),
    ],
)
def test_contracts_that_are_broken_say_why(folder: Path, contract: Contract, why: str) -> None:
    found = told(folder, contract)
    assert found is not None and sorted(found.replace(",", "").split()) == sorted(
        why.replace(",", "").split()
    )


@pytest.mark.parametrize("path", ["no-schema.json", "bad.json"])
def test_a_schema_that_is_none(folder: Path, path: str) -> None:
    found = told(folder, schema(schema_path=path))
    assert found is not None and f"its schema {path} cannot be used" in found


def test_a_contract_needs_a_file(folder: Path) -> None:
    bare = Step(id="a", exec=STEP.exec)
    found = told(folder, Contract(type="non_empty_file"), bare)
    assert found == "non_empty_file names no file, and the step declares no artifact with a path"


def test_a_file_too_large_to_check(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contracts, "_MOST_BYTES", 10)
    assert told(folder, schema(schema=True)) == "out.json is larger than 64 MiB"


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert told(folder, schema(schema=True, source="pipe")) == "pipe is no regular file"
