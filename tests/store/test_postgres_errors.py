"""What PostgreSQL's errors become."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors
from psycopg_pool import PoolClosed, PoolTimeout

from runline.model.errors import Invalid, NotFound, RunlineError, StoreFull, Unavailable
from runline.store.engine import OVERTAKEN
from runline.store.postgres_errors import translate


@pytest.mark.parametrize(
    ("raised", "kind", "code"),
    [
        (errors.SerializationFailure(), Unavailable, OVERTAKEN),
        (errors.DeadlockDetected(), Unavailable, OVERTAKEN),
        (errors.UniqueViolation(), Unavailable, OVERTAKEN),
        (errors.LockNotAvailable(), Unavailable, "busy"),
        (errors.QueryCanceled(), Unavailable, "busy"),
        (PoolClosed(), Unavailable, "busy"),
        (PoolTimeout(), Unavailable, "away"),
        (errors.AdminShutdown(), Unavailable, "away"),
        (errors.IdleInTransactionSessionTimeout(), Unavailable, "away"),
        (errors.TooManyConnections(), Unavailable, "away"),
        (psycopg.OperationalError("gone.\nmore"), Unavailable, "away"),
        (psycopg.InterfaceError("closed"), Unavailable, "away"),
        (errors.DiskFull(), StoreFull, "store_full"),
        (psycopg.OperationalError("FATAL:  password authentication failed for x"), Invalid, "cannot_open"),
        (psycopg.OperationalError("fe_sendauth: no password supplied"), Invalid, "cannot_open"),
        (psycopg.OperationalError('FATAL:  database "x" does not exist'), NotFound, "cannot_open"),
        (errors.ReadOnlySqlTransaction(), Invalid, "read_only"),
        (errors.InsufficientPrivilege(), Invalid, "read_only"),
        (errors.DataCorrupted(), Unavailable, "corrupt"),
        (errors.NumericValueOutOfRange(), Invalid, "bad_value"),
        (errors.ObjectNotInPrerequisiteState("no such thing"), RunlineError, "database_error"),
        (errors.UndefinedTable("no such thing"), RunlineError, "database_error"),
    ],
)
def test_each(raised: psycopg.Error, kind: type[RunlineError], code: str) -> None:
    told = translate(raised, "postgresql://host/db")
    assert (type(told), told.code) == (kind, code)
    assert told.message.endswith((".", "no such thing"))
