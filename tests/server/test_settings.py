"""When a server asks for tokens."""

from __future__ import annotations

import pytest

from runline.server.settings import Settings, is_loopback


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "a.localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"]
)
def test_this_machine_only(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "0.0.0.0", "::", "10.0.0.1", "localhost.example", "example", "127.0.0.1.example"]
)
def test_reachable_from_elsewhere(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("settings", "asks"),
    [
        (Settings(), False),
        (Settings(bind="::1"), False),
        (Settings(auth=True), True),
        (Settings(token="t"), True),
        (Settings(bind="0.0.0.0"), True),
    ],
)
def test_tokens_are_asked_for_unless_only_this_machine_can_ask(settings: Settings, *, asks: bool) -> None:
    assert settings.needs_token is asks
