from __future__ import annotations

import subprocess
import sys
import time

import pytest

import runline
from runline.model import errors

CONTRACT = [
    "run",
    "current",
    "event",
    "flush",
    "close",
    "configure",
    "open_store",
    "errors",
    "RunlineError",
    "NotFound",
    "Conflict",
    "RunEnded",
    "Invalid",
    "Unauthorized",
    "Forbidden",
    "StoreFull",
    "Unavailable",
    "Page",
    "Event",
    "Run",
    "RunState",
    "Note",
    "Artifact",
    "Step",
]


@pytest.mark.parametrize("name", runline.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(runline, name) is not None
    assert name in dir(runline)


def test_the_names_of_the_contract_are_public() -> None:
    assert set(CONTRACT) <= set(runline.__all__)
    assert runline.errors is errors


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonesuch'"):
        runline.nonesuch  # noqa: B018


def test_importing_takes_no_time() -> None:
    source = "import time; began = time.perf_counter(); import runline; print(time.perf_counter() - began)"
    fastest_s = min(
        float(
            subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True).stdout
        )
        for _ in range(5)
    )
    assert fastest_s <= 0.060
    assert time.perf_counter() > 0
