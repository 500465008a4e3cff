from __future__ import annotations

from runline.model.limits import DEFAULT_LIMITS, Limits


def test_the_limits_of_the_contract() -> None:
    assert DEFAULT_LIMITS == Limits(
        event_bytes=65_536,
        string_bytes=16_384,
        depth=64,
        input_bytes=1_048_576,
        run_events=10_000_000,
    )


def test_a_string_fits_an_event() -> None:
    assert DEFAULT_LIMITS.string_bytes < DEFAULT_LIMITS.event_bytes < DEFAULT_LIMITS.input_bytes
