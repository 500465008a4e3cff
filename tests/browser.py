"""A real browser: the Chromium of this machine, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str:
    """Where it is: `RUNLINE_CHROMIUM`, else on PATH. Fails, saying how to get one."""
    found = os.environ.get("RUNLINE_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.fail(
            "These tests need Chromium: install it (Debian: apt install chromium), or say where it is "
            "with RUNLINE_CHROMIUM=/path/to/chromium."
        )
    return found


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser that asks nobody but the servers of the tests."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=_FLAGS)
        try:
            yield opened
        finally:
            opened.close()
