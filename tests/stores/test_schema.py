"""The schema that migrations make is the one in the code, and opening a database is safe to repeat."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from noria.adapters.database.opening import DatabaseUrlError, open_database
from noria.adapters.database.schema import metadata
from noria.operate.ports import StoreUnavailableError


def differences(connection: sa.Connection) -> list[object]:
    def known(name: str | None, kind: str, _parents: object) -> bool:
        # The search index is of each database's own kind; SQLite keeps it in tables beside it.
        return kind != "table" or not (name == "search" or (name or "").startswith("search_"))

    opts = {"compare_type": True, "compare_server_default": True, "include_name": known}
    context = MigrationContext.configure(connection, opts=opts)
    return compare_metadata(context, metadata)


async def test_a_fresh_database_has_the_schema_of_the_code(database_url: str) -> None:
    database = await open_database(database_url)
    async with database.reading() as db:
        found = await db.run_sync(differences)
    await database.close()
    assert found == []


async def test_opening_a_database_again_keeps_what_is_in_it(database_url: str) -> None:
    database = await open_database(database_url)
    shards = await database.store.own_shards("first")
    await database.close()
    database = await open_database(database_url)
    again = await database.store.own_shards("second")
    await database.close()
    assert [shard.epoch for shard in again] == [shard.epoch + 1 for shard in shards]


@pytest.mark.parametrize("url", ["mysql://localhost/noria", "no address at all", "oracle://localhost/noria"])
async def test_another_kind_of_database_is_refused_by_name(url: str) -> None:
    with pytest.raises(DatabaseUrlError):
        await open_database(url)


async def test_a_server_that_is_not_there_is_told_as_unavailable() -> None:
    with pytest.raises(StoreUnavailableError):
        await open_database("postgresql://noria:noria@127.0.0.1:1/noria")


async def test_a_wrong_password_is_told_as_unavailable(postgres_url: str) -> None:
    user, _, host = postgres_url.rpartition("@")
    with pytest.raises(StoreUnavailableError, match="password"):
        await open_database(f"{user}x@{host}")


async def test_a_file_that_is_no_database_is_told_as_unavailable(sqlite_url: str, tmp_path) -> None:
    (tmp_path / "noria.db").write_bytes(b"not a database, but long enough to look like one" * 100)
    before = {*threading.enumerate()}
    with pytest.raises(StoreUnavailableError):
        await open_database(sqlite_url)
    left = [thread.name for thread in {*threading.enumerate()} - before]
    assert not any("connection" in name for name in left), "its thread would answer when nobody listens any more"
