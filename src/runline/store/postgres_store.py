"""Opening a store in a PostgreSQL database."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from runline.intake.names import default_redactor
from runline.model.clock import Clock
from runline.model.errors import Invalid
from runline.model.limits import DEFAULT_LIMITS, Limits
from runline.store.location import FOLDER
from runline.store.postgres_url import postgres_url
from runline.store.sql_store import SqlStore

if TYPE_CHECKING:
    from runline.intake.redact import Redactor


def open_postgres(
    url: str,
    *,
    read_only: bool = False,
    clock: Clock | None = None,
    limits: Limits = DEFAULT_LIMITS,
    redactor: Redactor | None = None,
    queue_size: int = 20_000,
    artifact_roots: Sequence[str | os.PathLike[str]] = (),
) -> SqlStore:
    """Opens the store, making it if need be. Without a clock, the server's is followed. Raises like `open_store`."""
    try:
        from runline.store.postgres import PostgresEngine
    except ImportError as error:
        raise Invalid(
            "A PostgreSQL store needs its driver: `pip install 'runline[postgres]'`.", code="no_driver"
        ) from error
    address = postgres_url(url)
    engine = PostgresEngine(address, read_only=read_only, artifacts=artifacts_folder())
    return SqlStore(
        engine,
        url=address,
        clock=clock or engine.time,
        limits=limits,
        redactor=redactor or default_redactor(),
        queue_size=queue_size,
        artifact_roots=artifact_roots,
    )


def artifacts_folder() -> Path:
    """Where artifact files lie, for the database does not hold them: RUNLINE_ARTIFACTS, else `.runline/artifacts` here."""
    given = os.environ.get("RUNLINE_ARTIFACTS")
    return Path(given).expanduser().absolute() if given else Path.cwd() / FOLDER / "artifacts"
