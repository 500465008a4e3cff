"""The PostgreSQL store keeps the contract that every engine keeps."""

from __future__ import annotations

from runline.testing.contract import StoreContract


class TestPostgres(StoreContract):
    """Its `place` is the fixture of this folder."""
