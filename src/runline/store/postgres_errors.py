"""What PostgreSQL's errors mean for Runline: one table, used by the engine and nowhere else."""

from __future__ import annotations

import psycopg
from psycopg import errors
from psycopg_pool import PoolClosed

from runline.model.errors import Invalid, NotFound, RunlineError, StoreFull, Unavailable
from runline.store.engine import OVERTAKEN

_AWAY = ("08", "53", "57")
"""Classes of errors that pass: of the connection, of resources, an operator's."""


def translate(error: psycopg.Error, place: str) -> RunlineError:
    """The Runline error for what PostgreSQL said. `place` is the store's URL without its password."""
    text = (error.diag.message_primary or str(error)).strip()
    match error:
        case errors.SerializationFailure() | errors.DeadlockDetected() | errors.UniqueViolation():
            return Unavailable(f"Another writer of {place} came first ({text}). Try again.", code=OVERTAKEN)
        case errors.LockNotAvailable():
            return Unavailable(f"{place} is locked by another program. Try again.", code="busy")
        case errors.DiskFull():
            return StoreFull(f"The disk under {place} is full. Free some space, or run `runline prune`.")
        # While connecting there are only words.
        case psycopg.OperationalError() if "authentication failed" in text or "no password supplied" in text:
            return Invalid(f"{place} does not let us in: {_gist(text)}.", code="cannot_open")
        case psycopg.OperationalError() if "database" in text and "does not exist" in text:
            return NotFound(f"{place}: {_gist(text)}. Make it with `createdb`.", code="cannot_open")
        case errors.ReadOnlySqlTransaction() | errors.InsufficientPrivilege():
            return Invalid(f"{place} cannot be written: {text}.", code="read_only")
        case errors.DataCorrupted() | errors.IndexCorrupted():
            return Unavailable(f"{place} is damaged ({text}). Restore a backup.", code="corrupt")
        case psycopg.DataError():
            return Invalid(
                "A number is beyond 64 bits, or a text holds NUL; neither can be looked up.", code="bad_value"
            )
        case PoolClosed() | errors.QueryCanceled():
            return Unavailable(f"{place} did not answer in time ({text}).", code="busy")
        case errors.IdleInTransactionSessionTimeout() | psycopg.InterfaceError():
            return Unavailable(f"{place} cannot be reached: {_gist(text)}.", code="away")
        case psycopg.OperationalError() if (error.sqlstate or "08")[:2] in _AWAY:
            return Unavailable(f"{place} cannot be reached: {_gist(text)}.", code="away")
        case _:
            return RunlineError(f"{place}: {text}", code="database_error")


def _gist(text: str) -> str:
    return text.partition("\n")[0].rpartition("FATAL:")[2].strip(" .")
