"""Contracts: when a step has done its work, whether what it left holds.

A `test_suite` is a program of the manifest's and is run like a step, by whoever gives `run_tests`; the other
contracts look at one file. A file is looked at in the step's folder, and its content never becomes part of a
sentence.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import msgspec

from runline.pipelines.definition import Contract, Step
from runline.pipelines.schema import BadSchema, Schema

_MOST_BYTES = 64 * 1024 * 1024
_SHOWN_FAULTS = 3


def broken(
    contract: Contract, step: Step, *, folder: Path, root: Path, run_tests: Callable[[Contract], str | None]
) -> str | None:
    """Why the contract does not hold, in the middle of a sentence; None when it does.

    `folder` is the step's, `root` the manifest's, which schema paths are relative to.
    """
    if contract.type == "test_suite":
        return run_tests(contract)
    name = contract.source or next((one.path for one in step.produced if one.path is not None), None)
    if name is None:
        return f"{contract.type} names no file, and the step declares no artifact with a path"
    file = folder / name
    try:
        found = os.stat(file)  # noqa: PTH116 - one call tells both that it is there and what it is
    except (OSError, ValueError):
        return f"{name} is not there"
    if contract.type == "file_exists":
        return None
    if not stat.S_ISREG(found.st_mode):
        return f"{name} is no regular file"
    if contract.type == "non_empty_file":
        return None if found.st_size else f"{name} is empty"
    if found.st_size > _MOST_BYTES:
        return f"{name} is larger than 64 MiB"
    return _against_schema(contract, name, file, root)


def _against_schema(contract: Contract, name: str, file: Path, root: Path) -> str | None:
    try:
        schema = contract.schema
        if contract.schema_path is not None:
            schema = msgspec.json.decode((root / contract.schema_path).read_bytes())
        checked = Schema(schema)
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError, BadSchema) as error:
        told = error.strerror if isinstance(error, OSError) else error
        return f"its schema {contract.schema_path} cannot be used: {told}"
    try:
        value = msgspec.json.decode(file.read_bytes())
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
        return f"{name} is not JSON"
    faults = checked.faults(value)
    if not faults:
        return None
    places = ", ".join(fault.field or "the whole" for fault in faults[:_SHOWN_FAULTS])
    more = f" and {len(faults) - _SHOWN_FAULTS} more" if len(faults) > _SHOWN_FAULTS else ""
    return f"{name} does not fit its schema at {places}{more}"
