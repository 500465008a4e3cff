"""Brings a store's schema up to this version: each numbered file once, with its record, in one transaction.

`0001_log.sql` is for both engines, `0001_log.sqlite.sql` what follows it on one of them, in the same transaction.

There is no way back and no `IF NOT EXISTS`: the record says exactly what a store has.
"""

from __future__ import annotations

from importlib.resources import files
from typing import NamedTuple

from runline.model.errors import Invalid
from runline.store.engine import Reading, Writing

RECORD = """CREATE TABLE IF NOT EXISTS migrations (
  number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL)"""


class Migration(NamedTuple):
    """One step of the schema."""

    number: int
    name: str
    sql: str
    own: str = ""
    """What only this engine needs, in its own words."""


def migrations(engine: str = "sqlite") -> list[Migration]:
    """All steps that this version knows, in order, as they are on that engine."""
    texts = {
        entry.name: entry.read_text("utf-8")
        for entry in files("runline.store.migrations").iterdir()
        if entry.name.endswith(".sql")
    }
    shared = sorted(name.removesuffix(".sql") for name in texts if name.count(".") == 1)
    return [
        Migration(int(name[:4]), name[5:], texts[f"{name}.sql"], texts.get(f"{name}.{engine}.sql", ""))
        for name in shared
    ]


def pending(applied: int, engine: str = "sqlite") -> list[Migration]:
    """The steps after number `applied`. Raises Invalid when the store is newer than this version."""
    known = migrations(engine)
    if applied > known[-1].number:
        raise Invalid(
            f"This store has schema {applied}, newer than the {known[-1].number} that this version of "
            "Runline knows. Upgrade Runline to open it.",
            code="store_newer",
        )
    return [step for step in known if step.number > applied]


def applied(source: Reading) -> int:
    """The number of the last step that the store has had."""
    return int(source.execute("SELECT max(number) FROM migrations")[0][0] or 0)


def apply(tx: Writing, step: Migration, now_ms: int) -> None:
    """Runs one step and records it; the caller holds the transaction."""
    tx.execute(step.sql)
    if step.own:
        tx.execute(step.own)
    tx.execute("INSERT INTO migrations VALUES (?, ?, ?)", (step.number, step.name, now_ms))
