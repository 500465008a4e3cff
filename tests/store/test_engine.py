"""The verbs of an engine, and that SQLite has them all."""

from __future__ import annotations

import inspect

import pytest

from runline.store.engine import Engine, Reading, Writing
from runline.store.sqlite import SqliteEngine
from runline.store.sqlite_connection import Session


@pytest.mark.parametrize(
    ("promised", "kept"), [(Engine, SqliteEngine), (Reading, Session), (Writing, Session)]
)
def test_sqlite_has_every_verb(promised: type, kept: type) -> None:
    verbs = {
        name: verb for name, verb in vars(promised).items() if inspect.isfunction(verb) and name[0] != "_"
    }
    assert verbs
    for name, verb in verbs.items():
        assert list(inspect.signature(getattr(kept, name)).parameters) == list(
            inspect.signature(verb).parameters
        )
