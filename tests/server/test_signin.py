"""One-time links."""

from __future__ import annotations

import time

import pytest

from runline.server.signin import LIFE_S, SignIn


def test_a_code_is_good_once() -> None:
    codes = SignIn()
    code = codes.issue("secret")
    assert "secret" not in code
    assert codes.redeem(code) == "secret"
    assert codes.redeem(code) is None


def test_a_code_grows_old(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = SignIn()
    code = codes.issue("secret")
    later_s = time.monotonic() + LIFE_S + 1
    monkeypatch.setattr(time, "monotonic", lambda: later_s)
    assert codes.redeem(code) is None


def test_an_invented_code_is_nothing() -> None:
    assert SignIn().redeem("") is None
