from __future__ import annotations

import os

import pytest

from runline.record.environment import RUN_ID, STEP, STORE, Export, Inherited, variables


@pytest.mark.parametrize("step", [None, "", "nul\0inside", "\ud800"])
def test_what_no_environment_can_carry_is_left_out(step: str | None) -> None:
    assert variables("sqlite:///x", "r", step) == {STORE: "sqlite:///x", RUN_ID: "r"}


def test_what_was_there_before_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RUN_ID, "above")
    export = Export()
    assert export.inherited() == Inherited(None, "above", None)
    export.show(variables("sqlite:///x", "r", "s"))
    assert (os.environ[STORE], os.environ[RUN_ID], os.environ[STEP]) == ("sqlite:///x", "r", "s")
    assert export.inherited() == Inherited(None, "above", None)
    export.show(variables("sqlite:///x", "r", None))
    assert STEP not in os.environ
    export.show(None)
    export.show(None)
    assert os.environ[RUN_ID] == "above"
    assert STORE not in os.environ
    monkeypatch.setenv(RUN_ID, "")
    assert export.inherited().run_id is None
