"""All structs that answers are made of: named once, so that a schema and a type can be named after each."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterator
from types import ModuleType

import msgspec
import pytest

import runline.fold.wire
import runline.model.wire

PLACES = (runline.model.wire, runline.fold.wire)


def modules() -> Iterator[ModuleType]:
    for place in PLACES:
        for found in pkgutil.iter_modules(place.__path__, place.__name__ + "."):
            yield importlib.import_module(found.name)


STRUCTS = [
    found
    for module in modules()
    for found in vars(module).values()
    if isinstance(found, type) and issubclass(found, msgspec.Struct) and found.__module__ == module.__name__
]


def test_each_struct_of_an_answer_has_a_name_of_its_own() -> None:
    _, components = msgspec.json.schema_components(STRUCTS, ref_template="#/components/schemas/{name}")
    # Where two share a name msgspec says the whole path of each.
    assert all(name.isidentifier() for name in components)
    assert not [name for name, times in Counter(one.__name__ for one in STRUCTS).items() if times > 1]


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda one: one.__name__)
def test_an_answer_cannot_be_changed_and_says_what_it_is(struct: type[msgspec.Struct]) -> None:
    if struct.__name__ != "Said":
        assert struct.__struct_config__.frozen
    assert struct.__doc__
