"""Leases of engine processes on PostgreSQL, by the database's own clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import asyncpg

from noria.adapters.database import statements as s
from noria.adapters.database.postgres_store import MAKE_SHARDS, PostgresStore
from noria.operate.leases import Member, Renewal, Standing, share_of
from noria.operate.rows import SHARDS, Shard

# Any number that nothing else in this database locks.
_LEASES = 7_006_019
_NOW = "(extract(epoch FROM clock_timestamp()) * 1000)::int8"
HANGS_MS_MIN, HANGS_MS_MAX = 1_000, 5_000
"""Who is cut off in the middle of renewing keeps all others from it so long: half a lease, for theirs run meanwhile."""
_BEGIN = "SELECT set_config('idle_in_transaction_session_timeout', $2, true), pg_advisory_xact_lock($1)"
_PUT = """
INSERT INTO process (id, address, machine, lease_until) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until
"""
_ALIVE = f"SELECT id, address, machine FROM process WHERE lease_until > {_NOW}"  # noqa: S608 - no text from outside
# The rows are locked in one order, so that two of these and a commit cannot deadlock.
_GIVE = """
WITH given AS (SELECT shard FROM shard WHERE shard = ANY($2) ORDER BY shard FOR UPDATE)
UPDATE shard t SET owner = $1, epoch = epoch + 1 FROM given WHERE t.shard = given.shard
"""


class PostgresLeases:
    """`LeaseStore`. Leases are decided by one process at a time, under a lock that lasts as long as the transaction."""

    def __init__(self, store: PostgresStore) -> None:
        self._store = store

    async def renew(self, member: Member, lease_ms: int, dead: Collection[str]) -> Renewal:
        """Renew a lease, free the shards of those whose lease has run out, and claim a share of the free."""

        async def work(db: asyncpg.Connection) -> Renewal:
            async with db.transaction():
                await db.execute(_BEGIN, _LEASES, str(min(max(lease_ms // 2, HANGS_MS_MIN), HANGS_MS_MAX)))
                now_ms = await db.fetchval(f"SELECT {_NOW}")
                await db.execute(_PUT, member.id, member.address, member.machine, now_ms + lease_ms)
                await db.execute(
                    "DELETE FROM process WHERE id <> $1 AND (lease_until <= $2 OR id = ANY($3))",
                    member.id,
                    now_ms,
                    list(dead),
                )
                await db.execute(MAKE_SHARDS, bytes(32), SHARDS - 1)
                standing = await _standing(db)
                lost = [number for number, owner in standing.owners.items() if owner not in standing.members]
                if lost:
                    await db.execute(_GIVE, "", lost)
                    for number in lost:
                        del standing.owners[number]
                claimed = await _claim(db, member.id, standing)
                own = await db.fetch("SELECT shard, epoch FROM shard WHERE owner = $1", member.id)
            return Renewal(standing, {row["shard"]: row["epoch"] for row in own}, claimed)

        return await self._store.do(work)

    async def standing(self) -> Standing:
        """How things stand."""
        found = await self._store.do(_standing)
        found.owners = {number: owner for number, owner in found.owners.items() if owner in found.members}
        return found

    async def release(self, member: str, shards: Collection[int]) -> None:
        """Free shards that a process owns."""
        await self._store.do(lambda db: self._free(db, member, shards))

    async def leave(self, member: str) -> None:
        """End a process's lease and free all that it owns."""

        async def work(db: asyncpg.Connection) -> None:
            async with db.transaction():
                await self._free(db, member, range(SHARDS))
                await db.execute("DELETE FROM process WHERE id = $1", member)

        await self._store.do(work)

    @staticmethod
    async def _free(db: asyncpg.Connection, member: str, shards: Collection[int]) -> None:
        query = "SELECT shard FROM shard WHERE owner = $1 AND shard = ANY($2)"
        await db.execute(_GIVE, "", [row[0] for row in await db.fetch(query, member, list(shards))])


async def _standing(db: asyncpg.Connection) -> Standing:
    members = await db.fetch(_ALIVE)
    owners = await db.fetch("SELECT shard, owner FROM shard WHERE owner <> ''")
    return Standing({row["id"]: Member(*row) for row in members}, {row["shard"]: row["owner"] for row in owners})


async def _claim(db: asyncpg.Connection, member: str, standing: Standing) -> list[Shard]:
    free = [number for number in range(SHARDS) if number not in standing.owners]
    lacking = share_of(len(standing.members)) - Counter(standing.owners.values())[member]
    wanted = free[: max(0, lacking)]
    if not wanted:
        return []
    await db.execute(_GIVE, member, wanted)
    standing.owners.update(dict.fromkeys(wanted, member))
    rows = await db.fetch(f"{s.SELECT_SHARDS} WHERE shard = ANY($1) ORDER BY shard", wanted)
    return [Shard(*row) for row in rows]
