"""What definitions say of themselves: fingerprints, waits, permissions."""

from __future__ import annotations

import msgspec
import pytest

from runline.pipelines.definition import Backoff, Exec, Persona, Pipeline, Retry, Step
from runline.pipelines.permissions import Permissions

STEP = Step(id="a", exec=Exec(type="command", argv=("true",)))


def test_a_fingerprint_follows_the_definition_alone() -> None:
    one = Pipeline(name="p", steps=(STEP,), source="a.yaml")
    assert one.definition_sha256 == Pipeline(name="p", steps=(STEP,), source="b.yaml").definition_sha256
    assert one.definition_sha256 == msgspec.structs.replace(one, unsupported=("x",)).definition_sha256
    assert one.definition_sha256 != Pipeline(name="q", steps=(STEP,)).definition_sha256
    changed = msgspec.structs.replace(STEP, env={"A": "1", "B": "2"})
    again = msgspec.structs.replace(STEP, env={"B": "2", "A": "1"})
    first, second = (Pipeline(name="p", steps=(step,)).definition_sha256 for step in (changed, again))
    assert first == second != one.definition_sha256


def test_a_fingerprint_outlives_versions() -> None:
    """Fields at their defaults are no part of it; a change of this figure marks every pipeline as changed."""
    found = Pipeline(name="p", steps=(STEP,)).definition_sha256
    assert found == "ef7e96c45848816e2c560a96d780514beda6171652d8e8790ac757ee91d44231"


@pytest.mark.parametrize(
    ("backoff", "waits"),
    [
        ("fixed", [2.0, 2.0, 2.0, 2.0]),
        ("linear", [2.0, 4.0, 6.0, 8.0]),
        ("exponential", [2.0, 4.0, 8.0, 10.0]),
    ],
)
def test_waits_between_attempts(backoff: Backoff, waits: list[float]) -> None:
    retry = Retry(max_attempts=9, backoff=backoff, delay_s=2.0, max_delay_s=10.0)
    assert [retry.wait_s(attempt) for attempt in (1, 2, 3, 4)] == waits
    assert retry.wait_s(10_000) == waits[-1] if backoff == "fixed" else retry.wait_s(10_000) == 10.0


def test_a_persona_says_what_it_allows() -> None:
    persona = Persona(name="p", adapter="a", permissions=Permissions(allowed_tools=("Read",)))
    assert persona.allows("Read(x)")
    assert not persona.allows("Write(x)")
