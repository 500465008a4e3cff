"""How a run reaches child processes: three environment variables, set while it is the process's run.

`RUNLINE_STORE` and `RUNLINE_RUN_ID` name the run that a child's `runline.event` joins, `RUNLINE_STEP` the
step its events belong to. What the process itself inherited is put back when its own run ends.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from runline.store.postgres_url import reachable

STORE = "RUNLINE_STORE"
RUN_ID = "RUNLINE_RUN_ID"
STEP = "RUNLINE_STEP"
_NAMES = (STORE, RUN_ID, STEP)


class Inherited(NamedTuple):
    """What the parent process said; None for what it did not."""

    store: str | None
    run_id: str | None
    step: str | None


def variables(store_url: str, run_id: str, step: str | None) -> dict[str, str]:
    """The variables of a run; what no environment can carry is left out."""
    given = {STORE: reachable(store_url), RUN_ID: run_id, STEP: step or ""}
    return {name: value for name, value in given.items() if value and _fits(value)}


class Export:
    """`os.environ` as child processes see it: overlaid while a run is exported, else as inherited."""

    def __init__(self) -> None:
        self._before: dict[str, str | None] | None = None

    def show(self, values: Mapping[str, str] | None) -> None:
        """Sets the variables; None puts back what was there before."""
        if values is None:
            if self._before is not None:
                for name, value in self._before.items():
                    _assign(name, value)
                self._before = None
            return
        if self._before is None:
            self._before = {name: os.environ.get(name) for name in _NAMES}
        for name in _NAMES:
            _assign(name, values.get(name))

    def inherited(self) -> Inherited:
        """The parent process's run, whatever is exported now."""
        source = os.environ if self._before is None else self._before
        return Inherited(*((source.get(name) or None) for name in _NAMES))


def _fits(value: str) -> bool:
    try:
        return b"\0" not in os.fsencode(value)
    except UnicodeEncodeError:
        return False


def _assign(name: str, value: str | None) -> None:
    if os.environ.get(name) != value:
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
