"""What a failure of the database means to its callers: come back later, or never with this value."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import sqlalchemy as sa

from noria.kernel.errors import NoriaError
from noria.operate.ports import StoreFullError, StoreUnavailableError, UnstorableError

_WITHOUT_A_FORM = (OverflowError, UnicodeEncodeError)
"""For values that a database has no form for."""

POSTGRES_FAILURES = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    *_WITHOUT_A_FORM,
)
"""All that asyncpg raises, and encoding for it; a time-out is an OSError."""

SQLITE_FAILURES = (sqlite3.Error, *_WITHOUT_A_FORM)
"""All that the sqlite3 module raises."""

_REFUSED_VALUES = (sqlite3.IntegrityError, sqlite3.DataError, OverflowError, ValueError)
_REFUSED_CLASSES = ("22", "23")
"""SQLSTATE classes of PostgreSQL: data exception, integrity constraint violation."""

_FULL = "53100"
"""SQLSTATE of PostgreSQL: disk full."""


def failure_of(error: BaseException) -> NoriaError:
    """The error to raise for one of the database's driver."""
    sqlstate = getattr(error, "sqlstate", None) or ""
    text = str(error) or type(error).__name__
    if isinstance(error, _REFUSED_VALUES) or sqlstate.startswith(_REFUSED_CLASSES):
        return UnstorableError(f"The database cannot hold this: {text}. Nothing was written.")
    if sqlstate == _FULL or getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return StoreFullError(f"The database has no room left: {text}. Make room on its disk, then retry.")
    return StoreUnavailableError(
        f"The database cannot be used now: {text}. Check that it runs and has room and permissions, then retry."
    )


@contextmanager
def told_apart() -> Iterator[None]:
    """Turn what SQLAlchemy and the drivers below it raise into Noria's errors; wrong SQL stays what it is, a defect."""
    try:
        yield
    except (sa.exc.IntegrityError, sa.exc.ProgrammingError):
        raise
    except sa.exc.DBAPIError as error:
        raise failure_of(error.orig or error) from error
    except (sa.exc.TimeoutError, *POSTGRES_FAILURES, *SQLITE_FAILURES) as error:
        raise failure_of(error) from error
