"""The interface says what it promises, and the SQL store keeps to its signatures."""

from __future__ import annotations

import inspect

import pytest

from runline.store.interface import Store
from runline.store.sql_store import SqlStore

METHODS = sorted(name for name in Store.__abstractmethods__ if callable(getattr(Store, name)))


def test_a_store_cannot_be_made_without_its_verbs() -> None:
    assert len(METHODS) > 25
    with pytest.raises(TypeError, match="abstract"):
        Store()  # type: ignore[abstract]


@pytest.mark.parametrize("name", METHODS)
def test_every_verb_says_what_it_does_and_is_kept(name: str) -> None:
    assert inspect.getdoc(getattr(Store, name))
    promised = inspect.signature(getattr(Store, name)).parameters
    kept = inspect.signature(getattr(SqlStore, name)).parameters
    forwards = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in kept.values())
    for parameter in promised.values():
        if parameter.name in kept:
            assert kept[parameter.name].default == parameter.default
        else:
            assert forwards


def test_leaving_a_store_closes_it(store: SqlStore) -> None:
    with store as entered:
        assert entered is store
    assert store.writer._closed
