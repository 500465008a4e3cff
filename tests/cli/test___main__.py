from __future__ import annotations

import runpy
import sys

import pytest

import runline


def test_the_module_is_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["runline", "--version"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("runline.cli", run_name="__main__")
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"runline {runline.__version__}\n"
