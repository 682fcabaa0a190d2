"""Laws of leases, on PostgreSQL itself: whatever happens in which order, the fence knows one owner of each shard."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator

import asyncpg
import pytest

from noria.adapters.database import leases as leasing
from noria.adapters.database.leases import PostgresLeases
from noria.adapters.database.opening import Database, open_database
from noria.operate.leases import Member, Renewal, Standing, share_of
from noria.operate.ports import StaleOwnerError
from noria.operate.rows import SHARDS, Commit, ShardMove
from tests.stores.rows import FIRST_EPOCH, GENESIS, a_post

LONG_MS = 3_600_000
OVER_MS = -1
"""A lease that has run out as soon as it is there."""


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    opened = await open_database(postgres_url)
    yield opened
    await opened.close()


@pytest.fixture
def leases(database: Database) -> PostgresLeases:
    return PostgresLeases(database.store)


def member(name: str) -> Member:
    return Member(name, f"127.0.0.1:{len(name)}")


async def renew(leases: PostgresLeases, name: str, lease_ms: int = LONG_MS, dead: tuple[str, ...] = ()) -> Renewal:
    return await leases.renew(member(name), lease_ms, dead)


async def test_the_first_process_claims_all_and_keeps_its_epochs_while_it_renews(leases: PostgresLeases) -> None:
    first = await renew(leases, "a")
    assert (len(first.claimed), set(first.epochs.values())) == (SHARDS, {1})
    again = await renew(leases, "a")
    assert (again.claimed, again.epochs) == ([], first.epochs)


async def test_a_second_process_gets_nothing_until_the_first_gives_some_up(leases: PostgresLeases) -> None:
    await renew(leases, "a")
    assert (await renew(leases, "b")).epochs == {}
    await leases.release("a", range(40, 64))
    claimed = (await renew(leases, "b")).claimed
    assert [shard.shard for shard in claimed] == list(range(40, 64))


@pytest.mark.parametrize(("lease_ms", "hangs"), [(2_000, "1s"), (6_000, "3s"), (LONG_MS, "5s"), (OVER_MS, "1s")])
async def test_whoever_hangs_while_renewing_is_given_up_when_half_of_the_lease_is_over(
    leases: PostgresLeases, monkeypatch: pytest.MonkeyPatch, lease_ms: int, hangs: str
) -> None:
    found = []

    async def standing(db: asyncpg.Connection) -> Standing:
        found.append(await db.fetchval("SELECT current_setting('idle_in_transaction_session_timeout')"))
        return await original(db)

    original = leasing._standing
    monkeypatch.setattr(leasing, "_standing", standing)
    await renew(leases, "a", lease_ms)
    await leases.standing()
    assert found == [hangs, "5s"], "and afterwards it is as for everybody"


async def test_nobody_claims_more_than_a_share(leases: PostgresLeases) -> None:
    for name in "abc":
        await renew(leases, name)
    await leases.leave("a")
    assert len((await renew(leases, "b")).epochs) == share_of(2)
    assert len((await renew(leases, "c")).epochs) == share_of(2)


@pytest.mark.parametrize("members", range(1, 65))
def test_shares_cover_all_shards_and_hardly_more(members: int) -> None:
    assert SHARDS <= share_of(members) * members < SHARDS + members


async def test_a_process_whose_lease_ran_out_loses_everything_at_once(leases: PostgresLeases) -> None:
    await renew(leases, "a")
    await renew(leases, "b")
    await leases.release("a", range(32))
    await renew(leases, "b")
    await renew(leases, "a", OVER_MS)
    epochs = (await renew(leases, "c")).epochs
    standing = await leases.standing()
    assert "a" not in standing.members
    assert "a" not in standing.owners.values()
    assert len(epochs) == 32


async def test_a_process_that_is_known_to_be_dead_loses_everything_before_its_lease_ends(
    leases: PostgresLeases,
) -> None:
    await renew(leases, "a")
    assert len((await renew(leases, "b", dead=("a",))).epochs) == SHARDS


async def test_who_comes_back_after_its_lease_ran_out_owns_nothing_that_others_have_taken(
    leases: PostgresLeases,
) -> None:
    await renew(leases, "a", OVER_MS)
    await renew(leases, "b")
    assert (await renew(leases, "a")).epochs == {}


async def test_who_comes_back_before_anybody_noticed_keeps_what_it_had(leases: PostgresLeases) -> None:
    first = await renew(leases, "a", OVER_MS)
    assert (await renew(leases, "a")).epochs == first.epochs


async def test_a_commit_a_drop_and_a_post_of_the_owner_before_are_refused(
    database: Database, leases: PostgresLeases
) -> None:
    epochs = (await renew(leases, "a")).epochs
    await database.store.put_outbox(a_post(5, 1), FIRST_EPOCH)
    await renew(leases, "b", dead=("a",))
    with pytest.raises(StaleOwnerError):
        await database.store.commit(Commit(moves=[ShardMove(5, epochs[5], 0, 1, GENESIS)]))
    with pytest.raises(StaleOwnerError):
        await database.store.drop_outbox(5, 1, epochs[5])
    with pytest.raises(StaleOwnerError):
        await database.store.put_outbox(a_post(5, 2), epochs[5])
    assert len(await database.store.outbox(10)) == 1


async def test_taking_anew_fences_off_what_the_owner_itself_sent_before(
    database: Database, leases: PostgresLeases
) -> None:
    epochs = (await renew(leases, "a")).epochs
    retaken = await database.store.retake_shards("a")
    assert [shard.epoch for shard in retaken] == [epoch + 1 for epoch in epochs.values()]
    with pytest.raises(StaleOwnerError):
        await database.store.commit(Commit(moves=[ShardMove(5, epochs[5], 0, 1, GENESIS)]))
    assert await database.store.retake_shards("b") == []


@pytest.mark.parametrize("seed", range(1, 3))
async def test_at_most_one_process_could_commit_to_a_shard_at_any_time(
    database: Database, leases: PostgresLeases, seed: int
) -> None:
    dice = random.Random(seed)
    names = "abcd"
    believed: dict[str, dict[int, int]] = {name: {} for name in names}
    before: dict[int, int] = {}
    for _ in range(60):
        name = dice.choice(names)
        what = dice.random()
        if what < 0.6:
            dead = tuple(other for other in names if other != name and dice.random() < 0.1)
            believed[name] = dict((await renew(leases, name, dice.choice((LONG_MS, OVER_MS)), dead)).epochs)
        elif what < 0.8:
            given = [number for number in believed[name] if dice.random() < 0.3]
            # As a runtime does: what is given up is forgotten first.
            for number in given:
                del believed[name][number]
            await leases.release(name, given)
        elif what < 0.9:
            retaken = await database.store.retake_shards(name)
            believed[name] = {shard.shard: shard.epoch for shard in retaken}
        else:
            believed[name] = {}
            await leases.leave(name)
        async with database.reading() as db:
            rows = (await db.exec_driver_sql("SELECT shard, epoch, owner FROM shard")).all()
        could = Counter(number for number, epoch, _ in rows for mine in believed.values() if mine.get(number) == epoch)
        assert not could or max(could.values()) == 1
        assert all(epoch >= before.get(number, 0) for number, epoch, _ in rows)
        before = {number: epoch for number, epoch, _ in rows}
    for name in names:
        await leases.leave(name)
    await renew(leases, "z")
    assert len((await renew(leases, "z")).epochs) == SHARDS
