from __future__ import annotations

import pytest

from runline.testing.objects import BAD_VALUES, LARGE_VALUES, Hostile, nested


def test_a_hostile_object_fails_whatever_is_asked() -> None:
    hostile = Hostile()
    for ask in (repr, str, hash, bool, len, lambda it: it.name, lambda it: it == 1):
        with pytest.raises(ValueError):  # noqa: PT011 - that it fails is the point
            ask(hostile)


def test_nested_is_as_deep_as_told() -> None:
    assert nested(2) == [[1]]
    assert nested(2, mapping=True) == {"k": {"k": 1}}


def test_the_mapping_that_lies_has_keys_without_values() -> None:
    lying = BAD_VALUES["a mapping that lies"]
    assert len(lying) == 2  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        dict(lying)  # type: ignore[call-overload]


def test_large_values_are_made_when_called() -> None:
    assert all(callable(make) for make in LARGE_VALUES.values())
