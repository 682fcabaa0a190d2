from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from noria.adapters.database.opening import Database, open_database
from tests.stores.rows import Owner


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await open_database(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def owner(database: Database) -> Owner:
    """Owns all shards of an empty database."""
    return await Owner.of(database.store)
