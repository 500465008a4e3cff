"""Codes for event types and sources: small integers in the log, names everywhere else.

The dictionary tables only grow, so a process may keep what it has read for ever; a code it does not know
yet was added by another process and is read then.
"""

from __future__ import annotations

from typing import Literal

from runline.store.engine import Engine, Writing

Dictionary = Literal["types", "sources"]
LEVEL_CODES = {"info": 0, "warn": 1, "error": 2}
LEVEL_NAMES = ("info", "warn", "error")


class Codes:
    """Both dictionaries of one store. Reading is safe from any thread; `intern` is the writer's."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._names: dict[Dictionary, dict[int, str]] = {"types": {}, "sources": {}}
        self._codes: dict[Dictionary, dict[str, int]] = {"types": {}, "sources": {}}
        self._fresh: list[tuple[Dictionary, str]] = []

    def name(self, dictionary: Dictionary, code: int) -> str:
        names = self._names[dictionary]
        if code not in names:
            self._load(dictionary)
        return names[code]

    def names(self, dictionary: Dictionary) -> dict[int, str]:
        """Live mapping code → name; may miss the newest, use `name` for those."""
        return self._names[dictionary]

    def known(self, dictionary: Dictionary, names: tuple[str, ...]) -> list[int]:
        """Codes of those names that any event ever had."""
        codes = self._codes[dictionary]
        if any(name not in codes for name in names):
            self._load(dictionary)
        return [codes[name] for name in names if name in codes]

    def intern(self, tx: Writing, dictionary: Dictionary, name: str) -> int:
        """The code of a name, made if it is new."""
        code = self._codes[dictionary].get(name)
        if code is None:
            rows = tx.execute(f"SELECT code FROM {dictionary} WHERE name = ?", (name,))
            if not rows:
                # Two that meet get the same code; the update only makes it told to the second one, too.
                rows = tx.apart(
                    f"INSERT INTO {dictionary} (name) VALUES (?) "
                    "ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING code",
                    (name,),
                )
                self._fresh.append((dictionary, name))
            code = rows[0][0]
            self._codes[dictionary][name] = code
            self._names[dictionary][code] = name
        return code

    def committed(self) -> None:
        self._fresh.clear()

    def rolled_back(self) -> None:
        """Forgets what the failed transaction had made."""
        for dictionary, name in self._fresh:
            code = self._codes[dictionary].pop(name)
            self._names[dictionary].pop(code)
        self._fresh.clear()

    def _load(self, dictionary: Dictionary) -> None:
        for code, name in self._engine.query(f"SELECT code, name FROM {dictionary}"):
            self._names[dictionary][code] = name
            self._codes[dictionary][name] = code
