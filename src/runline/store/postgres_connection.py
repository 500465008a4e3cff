"""Connections to one PostgreSQL database, and what is read and written through them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg.adapt import Loader
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.bool import BoolDumper
from psycopg.types.numeric import Int8Dumper

from runline.model.errors import Invalid
from runline.store.dialect import bound, spoken
from runline.store.engine import Parameters, Row

Connection = psycopg.Connection[Row]
_DEFAULTS = {
    "application_name": "runline",
    "connect_timeout": "10",
    # A cut cable is noticed within half a minute.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
# Whoever stands still inside a transaction is let go of: followers of all runs wait for it, and so do other writers.
_SETTINGS = """
SET idle_in_transaction_session_timeout = '30s'; SET lock_timeout = '10s'; SET jit = off;
SELECT set_config('synchronous_commit', 'on', FALSE) WHERE current_setting('synchronous_commit') IN ('off', 'local');
"""
_PLAIN_INSERT = re.compile(r"INSERT INTO (\w+(?: \([^)]*\))?) VALUES \([?, ]+\)")


class _WholeBool(BoolDumper):
    """Truth is 0 or 1 in every table."""

    oid = Int8Dumper.oid

    def dump(self, obj: bool) -> bytes:
        return b"1" if obj else b"0"


class _Number(Loader):
    """Sums and averages as int or float, whatever PostgreSQL makes of them."""

    def load(self, data: Any) -> int | float:
        text = bytes(data)
        return float(text) if b"." in text else int(text)


def connect(conninfo: str, *, read_only: bool) -> Connection:
    """A connection as this store wants it: durable, patient for a while, and read-only when asked to be."""
    return configured(psycopg.connect(conninfo, autocommit=True, **options(conninfo)), read_only=read_only)


def options(conninfo: str) -> dict[str, Any]:
    """What is wanted of a connection beside what its URL says."""
    said = conninfo_to_dict(conninfo)
    return {name: value for name, value in _DEFAULTS.items() if name not in said}


def configured(connection: Connection, *, read_only: bool) -> Connection:
    connection.adapters.register_dumper(bool, _WholeBool)
    connection.adapters.register_dumper(int, Int8Dumper)
    connection.adapters.register_loader("numeric", _Number)
    connection.execute(_SETTINGS)
    if read_only:
        connection.execute("SET default_transaction_read_only = on")
    return connection


def fetch(connection: Connection, sql: str, parameters: Parameters = ()) -> list[Row]:
    """All rows. A text without parameters may hold several statements; the last one's rows are given."""
    try:
        cursor = connection.execute(bound(sql), parameters) if parameters else connection.execute(spoken(sql))
    except psycopg.DataError as error:
        if error.sqlstate is not None:
            raise
        return fetch(connection, sql, _without_nul(parameters))
    except UnicodeError as error:
        raise Invalid("A text that is not Unicode cannot be looked up.", code="bad_value") from error
    return cursor.fetchall() if cursor.description else []


def _without_nul(parameters: Parameters) -> Parameters:
    """No text holds NUL, here not even a question: it is what it would have been stored as."""

    def clean(value: Any) -> Any:
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value

    if isinstance(parameters, dict):
        return {name: clean(value) for name, value in parameters.items()}
    return [clean(value) for value in parameters]


class Session:
    """A connection inside a transaction. `apart` performs one statement in a transaction of its own."""

    shared = True

    def __init__(self, connection: Connection, apart: Callable[[str, Parameters], list[Row]]) -> None:
        self._connection = connection
        self.apart = apart

    def execute(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        return fetch(self._connection, sql, parameters)

    def executemany(self, sql: str, rows: Sequence[Row]) -> int:
        """How many rows of the database changed. Plain inserts go by COPY."""
        if not rows:
            return 0
        with self._connection.cursor() as cursor:
            if (plain := _PLAIN_INSERT.fullmatch(sql)) is not None:
                with cursor.copy(f"COPY {plain[1]} FROM STDIN") as copy:
                    write = copy.write_row
                    for row in rows:
                        write(row)
            else:
                cursor.executemany(bound(sql), rows)
            return cursor.rowcount
