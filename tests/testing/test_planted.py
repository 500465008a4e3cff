from __future__ import annotations

import pytest

from runline.testing.planted import KEYED, ORDINARY, SAMPLES_PER_FAMILY, SECRETS


@pytest.mark.parametrize("family", SECRETS)
def test_every_sample_holds_its_secret(family: str) -> None:
    samples = SECRETS[family]
    assert len(samples) in (1, SAMPLES_PER_FAMILY)
    assert all(secret in text and len(secret) >= 8 for text, secret in samples)


def test_there_are_enough_to_measure_recall_and_false_hits() -> None:
    assert len(SECRETS) >= 40
    assert len(ORDINARY) >= 40
    assert len(KEYED) >= 20
    assert len(set(ORDINARY)) == len(ORDINARY)
