"""`InstanceStore` keeps its promises on SQLite and PostgreSQL alike."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
import sqlalchemy as sa

from noria.adapters.database import changes, paging
from noria.adapters.database.opening import Database, open_database
from noria.adapters.database.schema import metadata
from noria.adapters.database.sqlite_store import DUE_TIMERS, SELECT_INST, at_level
from noria.operate.ports import StaleOwnerError, UnstorableError
from noria.operate.rows import SHARDS, JournalRow
from tests.stores.rows import (
    FIRST_EPOCH,
    GENESIS,
    NOW_MS,
    TENANT,
    Owner,
    a_job,
    a_post,
    a_serial,
    a_task,
    a_timer,
    a_wait,
    an_answer,
    an_id,
    an_instance,
)

HOT = ("shard", "inst", "journal", "task", "candidate", "timer", "job", "wait", "outbox", "dedup", "serial")


async def contents(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """All rows of the hot path, to see that nothing changed."""
    async with database.reading() as db:
        return {
            name: sorted(tuple(row) for row in (await db.execute(sa.select(metadata.tables[name]))).all())
            for name in HOT
        }


def everything(iid: int) -> dict[str, object]:
    """Parts of a commit that touch every table."""
    return {
        "tasks": [a_task(iid, candidates=(("g", "finance"), ("u", "li")))],
        "timers": [a_timer(iid, 5, NOW_MS)],
        "jobs": [a_job(iid, 6)],
        "waits": [a_wait(iid, 7)],
        "outbox": [a_post(iid >> 12 & 0x3FF, 16_384)],
        "dedup": [an_answer(iid, f"key-{iid}")],
        "serials": [a_serial(1)],
    }


# Shards


async def test_the_first_owner_finds_all_shards_empty(database: Database) -> None:
    shards = await database.store.own_shards("first")
    assert [(shard.shard, shard.epoch, shard.seq, shard.head) for shard in shards] == [
        (number, 1, 0, GENESIS) for number in range(SHARDS)
    ]


async def test_every_owner_gets_a_higher_epoch_and_the_heads_as_they_stand(database: Database, owner: Owner) -> None:
    await owner.write(an_instance(an_id(9)))
    shards = await database.store.own_shards("next")
    assert {shard.epoch for shard in shards} == {2}
    assert (shards[9].seq, shards[9].head) == (1, owner.shards[9].head)


# Commit


async def test_a_commit_writes_every_part_of_it(database: Database, owner: Owner) -> None:
    iid = an_id()
    await owner.write(an_instance(iid), **everything(iid))
    rows = await contents(database)
    counts = {name: len(found) for name, found in rows.items() if name != "shard"}
    assert counts == dict.fromkeys(HOT[1:], 1) | {"candidate": 2}


@pytest.mark.parametrize("count", [31, 32, 33, 64, 100])
async def test_a_commit_of_many_instances_writes_every_part_of_each(
    database: Database, owner: Owner, count: int
) -> None:
    iids = [an_id(number % SHARDS) for number in range(count)]
    parts: dict[str, list[object]] = {}
    for place, iid in enumerate(iids):
        # The number of a serial is drawn once, and outgoing rows have numbers of their own in a shard.
        for name, rows in (everything(iid) | {"serials": [], "outbox": [a_post(iid >> 12 & 0x3FF, place)]}).items():
            parts.setdefault(name, []).extend(rows)  # type: ignore[arg-type]
    instances = [an_instance(iid, state=bytes([place]), amount=place / 4) for place, iid in enumerate(iids)]
    await owner.write(*instances, **parts)
    counts = {name: len(found) for name, found in (await contents(database)).items() if name not in ("shard", "serial")}
    assert counts == dict.fromkeys(counts, count) | {"candidate": 2 * count}
    assert await database.store.load(iids) == {row.iid: row for row in instances}
    assert sorted(row.iid for row in await database.store.journal_after({}, 2 * count)) == sorted(iids)


async def test_what_was_written_is_read_as_it_was(database: Database, owner: Owner) -> None:
    row = an_instance(an_id(), ended=2**62, state=bytes(range(256)), title="采购 “轴承” ' \\ %", summary="{}")
    await owner.write(row)
    assert await database.store.load([row.iid]) == {row.iid: row}


async def test_loading_leaves_out_what_does_not_exist(database: Database, owner: Owner) -> None:
    known, unknown = an_id(1), an_id(2)
    await owner.write(an_instance(known))
    assert list(await database.store.load([unknown, known])) == [known]
    assert await database.store.load([]) == {}


async def test_a_stale_version_is_refused_and_nothing_is_written(database: Database, owner: Owner) -> None:
    iid = an_id()
    await owner.write(an_instance(iid))
    before = await contents(database)
    commit = owner.commit(an_instance(iid, ver=3), since=2, **everything(iid))
    with pytest.raises(StaleOwnerError):
        await database.store.commit(commit)
    assert await contents(database) == before


async def test_a_former_owner_is_refused_and_nothing_is_written(database: Database, owner: Owner) -> None:
    iid = an_id()
    commit = owner.commit(an_instance(iid), **everything(iid))
    await database.store.own_shards("next")
    before = await contents(database)
    with pytest.raises(StaleOwnerError):
        await database.store.commit(commit)
    assert await contents(database) == before


async def test_a_stale_sequence_is_refused_and_nothing_is_written(database: Database, owner: Owner) -> None:
    behind = Owner(database.store, [msgspec.structs.replace(shard) for shard in owner.shards.values()])
    await owner.write(an_instance(an_id()))
    before = await contents(database)
    iid = an_id()
    with pytest.raises(StaleOwnerError):
        await behind.write(an_instance(iid), **everything(iid))
    assert await contents(database) == before


async def test_one_stale_instance_refuses_the_whole_commit(database: Database, owner: Owner) -> None:
    good, stale = an_id(1), an_id(2)
    await owner.write(an_instance(good), an_instance(stale))
    before = await contents(database)
    commit = owner.commit(an_instance(good, ver=2), since=1)
    other = owner.commit(an_instance(stale, ver=9), since=8)
    commit.moves += other.moves
    commit.journal += other.journal
    commit.updates += other.updates
    with pytest.raises(StaleOwnerError):
        await database.store.commit(commit)
    assert await contents(database) == before


async def test_an_instance_that_exists_is_not_overwritten_by_a_start(database: Database, owner: Owner) -> None:
    iid = an_id()
    await owner.write(an_instance(iid))
    before = await contents(database)
    with pytest.raises(UnstorableError):
        await owner.write(an_instance(iid, title="another"))
    assert await contents(database) == before


@pytest.mark.parametrize("bad", [{"title": "\ud800"}, {"ended": 2**63}])
async def test_a_value_that_no_database_holds_is_refused_as_such_and_nothing_is_written(
    database: Database, owner: Owner, bad: dict[str, object]
) -> None:
    before = await contents(database)
    with pytest.raises(UnstorableError):
        await owner.write(an_instance(an_id(), **bad))
    assert await contents(database) == before


async def test_a_null_character_is_refused_as_a_value_where_the_database_cannot_hold_it(
    database: Database, owner: Owner
) -> None:
    row = an_instance(an_id(), bkey="CG\x001")
    if database.is_postgres:
        with pytest.raises(UnstorableError):
            await owner.write(row)
    else:
        await owner.write(row)
        assert await database.store.load([row.iid]) == {row.iid: row}


async def test_the_store_works_on_after_a_refused_commit(database: Database, owner: Owner) -> None:
    with pytest.raises(UnstorableError):
        await owner.write(an_instance(an_id(), title="\ud800"))
    again = await Owner.of(database.store)
    iid = an_id()
    await again.write(an_instance(iid))
    assert list(await database.store.load([iid])) == [iid]


async def test_what_goes_is_gone_and_what_changes_is_replaced(database: Database, owner: Owner) -> None:
    iid = an_id()
    shard = iid >> 12 & 0x3FF
    await owner.write(
        an_instance(iid),
        tasks=[a_task(iid, 2), a_task(iid, 3)],
        timers=[a_timer(iid, 5, NOW_MS), a_timer(iid, 6, NOW_MS)],
        jobs=[a_job(iid, 7), a_job(iid, 8)],
        waits=[a_wait(iid, 9), a_wait(iid, 10)],
        outbox=[a_post(shard, 1), a_post(shard, 2)],
        serials=[a_serial(1)],
    )
    await owner.write(
        an_instance(iid, ver=2, title="after"),
        since=1,
        tasks=[a_task(iid, 2, assignee="li", version=2, claimed=1)],
        tasks_gone=[(shard, iid, 3)],
        candidates_gone=[(shard, iid, 3)],
        timers=[a_timer(iid, 5, NOW_MS + 1)],
        timers_gone=[(shard, iid, 6)],
        jobs=[a_job(iid, 7, retries=1)],
        jobs_gone=[(shard, iid, 8)],
        waits=[a_wait(iid, 9, corr="CG-2")],
        waits_gone=[(shard, iid, 10)],
        outbox_gone=[(shard, 1)],
        serials=[a_serial(2, before=1)],
    )
    rows = await contents(database)
    async with database.reading() as db:
        task = (await db.execute(sa.text("SELECT tok, assignee, version, claimed FROM task"))).all()
    assert [tuple(row) for row in task] == [(2, "li", 2, 1)]
    assert rows["candidate"] == [(shard, iid, 2, "g", "finance", TENANT)]
    assert rows["timer"] == [(shard, iid, 5, TENANT, NOW_MS + 1, 0)]
    assert rows["job"] == [(shard, iid, 7, TENANT, "order", NOW_MS, 1, 0, "", "", 0)]
    assert rows["wait"] == [(shard, iid, 9, TENANT, 0, "paid", "CG-2")]
    assert [row.n for row in await database.store.outbox(10)] == [2]
    assert (await database.store.serial(TENANT, "purchase", "2026")).n == 2
    assert (await database.store.load([iid]))[iid].title == "after"


@pytest.mark.parametrize("before", [0, 1, 3])
async def test_a_number_that_was_drawn_elsewhere_meanwhile_is_not_drawn_again(
    database: Database, owner: Owner, before: int
) -> None:
    await owner.write(an_instance(an_id()), serials=[a_serial(2)])
    iid = an_id(2)
    with pytest.raises(StaleOwnerError):
        await owner.write(an_instance(iid), serials=[a_serial(before + 1, before)])
    assert (await database.store.serial(TENANT, "purchase", "2026")).n == 2
    assert await database.store.load([iid]) == {}


async def test_a_commit_that_only_forgets_a_post_needs_no_instance(database: Database, owner: Owner) -> None:
    await database.store.put_outbox(a_post(4, 1), FIRST_EPOCH)
    await database.store.commit(owner.commit(outbox_gone=[(4, 1)]))
    assert await database.store.outbox(10) == []


# The journal


def places(rows: list[JournalRow]) -> list[tuple[int, int]]:
    return [(row.shard, row.seq) for row in rows]


async def test_the_journal_of_an_instance_is_its_history_oldest_first(database: Database, owner: Owner) -> None:
    iid, other = an_id(3), an_id(3)
    await owner.write(an_instance(iid))
    await owner.write(an_instance(other))
    await owner.write(an_instance(iid, ver=2), since=1)
    assert [row.ver for row in await database.store.journal_of(iid)] == [1, 2]
    assert [row.ver for row in await database.store.journal_of(iid, until_ver=1)] == [1]


async def test_pages_behind_a_cursor_give_every_row_once_and_in_order(database: Database, owner: Owner) -> None:
    for shard in (5, 0, 63, 5, 0, 5, 31):
        await owner.write(an_instance(an_id(shard)))
    cursor: dict[int, int] = {}
    seen: list[tuple[int, int]] = []
    while page := await database.store.journal_after(cursor, 2):
        assert len(page) <= 2
        for row in page:
            assert row.seq == cursor.get(row.shard, 0) + 1
            cursor[row.shard] = row.seq
        seen += places(page)
    assert sorted(seen) == [(0, 1), (0, 2), (5, 1), (5, 2), (5, 3), (31, 1), (63, 1)]


async def test_a_cursor_at_the_end_gives_nothing_until_something_happens(database: Database, owner: Owner) -> None:
    await owner.write(an_instance(an_id(5)))
    assert await database.store.journal_after({5: 1}, 10) == []
    await owner.write(an_instance(an_id(5)))
    assert places(await database.store.journal_after({5: 1}, 10)) == [(5, 2)]


# Answers


async def test_a_used_key_gives_the_instance_and_version_of_its_answer(database: Database, owner: Owner) -> None:
    iid = an_id()
    await owner.write(an_instance(iid), dedup=[an_answer(iid, "used")])
    assert await database.store.answers(["used", "unused"]) == {"used": (iid, 1)}
    assert await database.store.answers([]) == {}


async def test_a_key_that_was_used_already_refuses_the_whole_commit(database: Database, owner: Owner) -> None:
    iid = an_id()
    await owner.write(an_instance(iid), dedup=[an_answer(iid, "used")])
    before = await contents(database)
    with pytest.raises(UnstorableError):
        await owner.write(an_instance(an_id()), dedup=[an_answer(iid, "used")])
    assert await contents(database) == before


# Timers


async def test_due_timers_come_oldest_first_and_no_more_than_asked(database: Database, owner: Owner) -> None:
    iid = an_id()
    timers = [a_timer(iid, 1, NOW_MS + 3), a_timer(iid, 2, NOW_MS + 1), a_timer(iid, 3, NOW_MS + 2)]
    await owner.write(an_instance(iid), timers=timers)
    store = database.store
    assert await store.due_timers(NOW_MS, 10) == []
    assert await store.due_timers(NOW_MS + 2, 10) == [(iid, 2, TENANT), (iid, 3, TENANT)]
    assert await store.due_timers(NOW_MS + 9, 1) == [(iid, 2, TENANT)]
    assert await store.next_timer() == NOW_MS + 1


async def test_of_due_timers_those_of_higher_priority_come_first_however_many_are_due(
    database: Database, owner: Owner
) -> None:
    iid = an_id()
    timers = [
        *(a_timer(iid, number, NOW_MS - number) for number in range(1, 6)),
        a_timer(iid, 6, NOW_MS, 50),
        a_timer(iid, 7, NOW_MS + 1, 90),
        a_timer(iid, 8, NOW_MS, 1_000_000),
        a_timer(iid, 9, NOW_MS - 1, 50),
    ]
    await owner.write(an_instance(iid), timers=timers)
    store = database.store
    order = [8, 9, 6, 5, 4, 3, 2, 1]
    for limit in range(1, 10):
        due = await store.due_timers(NOW_MS, limit)
        assert due == [(iid, number, TENANT) for number in order[:limit]]
        assert await store.due_timers(NOW_MS, limit, (iid >> 12 & 0x3FF,)) == due
    assert await store.due_timers(NOW_MS, 3, (63,)) == []


async def test_a_page_of_due_timers_is_read_off_an_index_and_not_sorted(sqlite_url: str) -> None:
    database = await open_database(sqlite_url)
    async with database.reading() as db:
        for level in ("1", at_level(3), at_level(0)):
            query = DUE_TIMERS.format(level=level.replace("?", "3"), shards="1").replace("?", "9")
            steps = [row[3] for row in await db.execute(sa.text(f"EXPLAIN QUERY PLAN {query}"))]
            assert steps[0].startswith("SEARCH timer USING INDEX timer_"), steps
            # It sorts those that are due in the same millisecond, and says so in other words.
            assert "USE TEMP B-TREE FOR ORDER BY" not in steps, steps
    await database.close()


async def test_what_commands_or_a_page_of_the_journal_need_is_found_by_key_however_much_there_is(
    sqlite_url: str,
) -> None:
    database = await open_database(sqlite_url)
    async with database.reading() as db:
        for statement in (SELECT_INST, *(query["sqlite"] for query in paging.QUERIES)):
            plan = await db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", ("[1, 2, 3]",))
            steps = [row[3] for row in plan]
            assert steps[0].startswith("SEARCH "), (statement, steps)
            assert all("json_each" in step for step in steps if step.startswith("SCAN")), (statement, steps)
    await database.close()


async def test_what_the_projector_has_written_is_found_by_key_however_much_there_is(sqlite_url: str) -> None:
    database = await open_database(sqlite_url)
    async with database.reading() as db:
        for statement in changes.QUERIES:
            plan = await db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement['sqlite']}", ("[[1, 2, 3]]",))
            first, *others = [row[3] for row in plan if "TEMP B-TREE" not in row[3]]
            assert first.startswith("SCAN x"), (statement, first)
            assert all("PRIMARY KEY" in step or "sqlite_autoindex" in step for step in others), (statement, others)
    await database.close()


async def test_without_timers_there_is_no_next_one(database: Database) -> None:
    assert await database.store.next_timer() is None


# Jobs


async def lock(database: Database, worker: str = "w", limit: int = 10, now_ms: int = NOW_MS, tenant: int = TENANT):
    return await database.store.lock_jobs(tenant, worker, ["order", "mail"], limit, now_ms, 30_000)


async def test_a_leased_job_is_not_given_to_anybody_else_until_the_lease_runs_out(
    database: Database, owner: Owner
) -> None:
    iid = an_id()
    await owner.write(an_instance(iid), jobs=[a_job(iid)])
    first = await lock(database)
    assert [(job.iid, job.tok, job.topic, job.retries, job.lease_until) for job in first] == [
        (iid, 2, "order", 3, NOW_MS + 30_000)
    ]
    assert await lock(database, "other", now_ms=NOW_MS + 29_999) == []
    second = await lock(database, "other", now_ms=NOW_MS + 30_000)
    assert [job.tok for job in second] == [2]
    assert second[0].lease_token != first[0].lease_token


async def test_only_due_jobs_with_tries_left_of_these_topics_and_this_tenant_are_leased(
    database: Database, owner: Owner
) -> None:
    iid = an_id()
    jobs = [
        a_job(iid, 1),
        a_job(iid, 2, due=NOW_MS + 1),
        a_job(iid, 3, retries=0),
        a_job(iid, 4, topic="unasked"),
        a_job(iid, 5, tenant=2),
        a_job(iid, 6, topic="mail"),
    ]
    await owner.write(an_instance(iid), jobs=jobs)
    assert sorted(job.tok for job in await lock(database)) == [1, 6]
    assert [job.tok for job in await lock(database, tenant=2)] == [5]
    assert await database.store.lock_jobs(TENANT, "w", [], 10, NOW_MS, 1_000) == []


async def test_the_oldest_jobs_are_leased_first(database: Database, owner: Owner) -> None:
    iid = an_id()
    await owner.write(an_instance(iid), jobs=[a_job(iid, tok, due=NOW_MS - tok) for tok in (1, 2, 3)])
    assert sorted(job.tok for job in await lock(database, limit=2)) == [2, 3]


async def test_jobs_of_higher_priority_are_leased_first_and_given_out_in_that_order(
    database: Database, owner: Owner
) -> None:
    iid = an_id()
    jobs = [
        a_job(iid, 1, due=NOW_MS - 9),
        a_job(iid, 2, due=NOW_MS - 8, topic="mail"),
        a_job(iid, 3, prio=5, topic="mail"),
        a_job(iid, 4, prio=5, due=NOW_MS - 1),
        a_job(iid, 5, prio=90, due=NOW_MS + 1),
        a_job(iid, 6, prio=80, retries=0),
        a_job(iid, 7, prio=70, topic="unasked"),
        a_job(iid, 8, prio=1_000_000, tenant=2),
        a_job(iid, 9, prio=60),
    ]
    await owner.write(an_instance(iid), jobs=jobs)
    first = await lock(database, limit=2)
    assert [(job.tok, job.prio) for job in first] == [(9, 60), (4, 5)]
    assert [(job.tok, job.prio) for job in await lock(database)] == [(3, 5), (1, 0), (2, 0)]
    assert await lock(database) == []


async def test_a_job_whose_priority_is_not_written_has_none(database: Database, owner: Owner) -> None:
    # A process of the version before writes rows without it while others are updated one by one.
    iid = an_id()
    await owner.write(an_instance(iid))
    async with database.writing() as db:
        await db.execute(
            sa.text(
                "INSERT INTO job (shard, iid, tok, tenant, topic, due, retries, lease_until, lease_token, worker) "
                "VALUES (:shard, :iid, 2, :tenant, 'order', 0, 3, 0, '', '')"
            ),
            {"shard": iid >> 12 & 0x3FF, "iid": iid, "tenant": TENANT},
        )
    assert [job.prio for job in await lock(database)] == [0]


async def test_workers_that_ask_at_the_same_moment_never_get_the_same_job(database: Database, owner: Owner) -> None:
    iid = an_id()
    await owner.write(an_instance(iid), jobs=[a_job(iid, tok) for tok in range(1, 41)])
    leased = [job.tok for jobs in await asyncio.gather(*(lock(database, f"w{n}", 5) for n in range(8))) for job in jobs]
    rest = [job.tok for job in await lock(database, limit=40)]
    assert sorted(leased + rest) == list(range(1, 41))


async def test_every_lease_has_a_token_of_its_own(database: Database, owner: Owner) -> None:
    iid = an_id()
    await owner.write(an_instance(iid), jobs=[a_job(iid, tok) for tok in range(1, 11)])
    assert len({job.lease_token for job in await lock(database)}) == 10


async def test_only_the_token_of_the_present_lease_counts(database: Database, owner: Owner) -> None:
    iid = an_id()
    await owner.write(an_instance(iid), jobs=[a_job(iid)])
    store = database.store
    assert not await store.leased(iid, 2, "")
    old = (await lock(database))[0].lease_token
    assert await store.leased(iid, 2, old)
    new = (await lock(database, now_ms=NOW_MS + 30_000))[0].lease_token
    assert not await store.leased(iid, 2, old)
    assert await store.leased(iid, 2, new)


async def test_a_lease_is_extended_only_by_its_own_token(database: Database, owner: Owner) -> None:
    iid = an_id()
    await owner.write(an_instance(iid), jobs=[a_job(iid)])
    store = database.store
    assert not await store.extend_lease(iid, 2, "", NOW_MS + 90_000)
    token = (await lock(database))[0].lease_token
    assert not await store.extend_lease(iid, 2, "another", NOW_MS + 90_000)
    assert await store.extend_lease(iid, 2, token, NOW_MS + 90_000)
    assert await lock(database, now_ms=NOW_MS + 89_999) == []
    assert len(await lock(database, now_ms=NOW_MS + 90_000)) == 1


async def test_a_job_that_changes_loses_its_lease(database: Database, owner: Owner) -> None:
    iid = an_id()
    await owner.write(an_instance(iid), jobs=[a_job(iid)])
    token = (await lock(database))[0].lease_token
    await owner.write(an_instance(iid, ver=2), since=1, jobs=[a_job(iid, retries=2)])
    assert not await database.store.leased(iid, 2, token)
    assert [job.retries for job in await lock(database)] == [2]


# Subscriptions


async def test_subscriptions_are_found_by_kind_name_key_and_tenant(database: Database, owner: Owner) -> None:
    iid, younger = an_id(7), an_id(8)
    await owner.write(
        an_instance(iid),
        an_instance(younger),
        waits=[
            a_wait(younger, 1),
            a_wait(iid, 2),
            a_wait(iid, 3, name="sent"),
            a_wait(iid, 4, corr="CG-2"),
            a_wait(iid, 5, signal=1, corr=""),
            a_wait(iid, 6, tenant=2),
        ],
    )
    store = database.store
    assert [(row.iid, row.wait) for row in await store.find_waits(TENANT, False, "paid", "CG-1", 9)] == [
        (iid, 2),
        (younger, 1),
    ]
    assert [row.wait for row in await store.find_waits(TENANT, False, "paid", "CG-1", 1)] == [2]
    assert [row.wait for row in await store.find_waits(TENANT, True, "paid", "", 9)] == [5]
    assert [row.wait for row in await store.find_waits(2, False, "paid", "CG-1", 9)] == [6]


# The outbox


async def test_posts_come_by_shard_and_number_from_behind_a_place(database: Database, owner: Owner) -> None:
    store = database.store
    for shard, n in ((2, 2), (2, 1), (0, 2**62 | 5), (1, 9)):
        await store.put_outbox(a_post(shard, n), FIRST_EPOCH)
    assert [(row.shard, row.n) for row in await store.outbox(10)] == [(0, 2**62 | 5), (1, 9), (2, 1), (2, 2)]
    assert [(row.shard, row.n) for row in await store.outbox(1, after=(1, 9))] == [(2, 1)]


async def test_a_post_that_is_there_already_is_left_as_it_is(database: Database, owner: Owner) -> None:
    await database.store.put_outbox(a_post(1, 1, body=b"first"), FIRST_EPOCH)
    await database.store.put_outbox(a_post(1, 1, body=b"second"), FIRST_EPOCH)
    assert [row.body for row in await database.store.outbox(10)] == [b"first"]


async def test_a_dropped_post_is_gone(database: Database, owner: Owner) -> None:
    await database.store.put_outbox(a_post(1, 1), FIRST_EPOCH)
    await database.store.drop_outbox(1, 1, owner.shards[1].epoch)
    await database.store.drop_outbox(1, 1, owner.shards[1].epoch)
    assert await database.store.outbox(10) == []


async def test_a_former_owner_can_drop_no_post(database: Database, owner: Owner) -> None:
    await database.store.put_outbox(a_post(1, 1), FIRST_EPOCH)
    await database.store.own_shards("next")
    with pytest.raises(StaleOwnerError):
        await database.store.drop_outbox(1, 1, owner.shards[1].epoch)
    assert len(await database.store.outbox(10)) == 1


async def test_what_a_commit_delivers_must_still_stand(database: Database, owner: Owner) -> None:
    await database.store.put_outbox(a_post(1, 1), FIRST_EPOCH)
    first, second = an_instance(an_id()), an_instance(an_id())
    await owner.write(first, outbox_taken=[(1, 1)])
    heads = dict(owner.shards)
    with pytest.raises(StaleOwnerError):
        await owner.write(second, outbox_taken=[(1, 1)])
    owner.shards = heads
    assert list(await database.store.load([first.iid, second.iid])) == [first.iid]
    await owner.write(second, outbox_gone=[(1, 1)])


async def test_an_owner_takes_anew_only_what_is_its_own(database: Database) -> None:
    first = await database.store.own_shards("first")
    again = await database.store.retake_shards("first")
    assert [shard.epoch for shard in again] == [shard.epoch + 1 for shard in first]
    await database.store.own_shards("next")
    assert await database.store.retake_shards("first") == []


async def test_timers_and_posts_of_some_shards_alone_are_found(database: Database, owner: Owner) -> None:
    here, there = an_id(3), an_id(4)
    for iid in (here, there):
        await owner.write(an_instance(iid), timers=[a_timer(iid, 2, NOW_MS)])
        await database.store.put_outbox(a_post(iid >> 12 & 0x3FF, 1), FIRST_EPOCH)
    store = database.store
    assert [timer[0] for timer in await store.due_timers(NOW_MS, 10, (4, 5))] == [there]
    assert await store.next_timer((5,)) is None
    assert await store.next_timer((3,)) == NOW_MS
    assert [row.shard for row in await store.outbox(10, shards=(3,))] == [3]
    assert await store.outbox(10, shards=()) == []


# Calls and serial numbers


async def test_the_instance_of_a_call_is_found_by_its_caller(database: Database, owner: Owner) -> None:
    parent, first, second = an_id(1), an_id(2), an_id(3)
    await owner.write(an_instance(parent), an_instance(first, parent=parent, parent_token=4))
    assert await database.store.called(parent, 4) == first
    await owner.write(an_instance(second, parent=parent, parent_token=4))
    assert await database.store.called(parent, 4) == second
    assert await database.store.called(parent, 5) is None


async def test_a_serial_that_was_never_drawn_stands_at_zero(database: Database) -> None:
    assert await database.store.serial(TENANT, "purchase", "2026") == a_serial(0)
