"""Servers for tests."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from runline.store import open_local
from runline.testing.serving import client, serving


def test_a_real_one_ends_with_its_block(tmp_path: Path) -> None:
    with open_local(str(tmp_path / "x.db")) as store:
        with serving(store) as server:
            assert httpx.get(f"{server.url}/healthz").status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server.url}/healthz")


def test_one_in_this_process_has_no_network(tmp_path: Path) -> None:
    with open_local(str(tmp_path / "x.db")) as store, client(store) as api:
        assert api.get("/healthz").status_code == 200
        assert api.application.server.store is store
