"""Lists, counts, notices and the board on each database, over real requests of the example company."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa

from noria.adapters.database import lists, searching, seeking
from noria.adapters.database.board import DatabaseBoard
from noria.adapters.database.schema import PROJECTION
from noria.adapters.demo import demo_handlers
from noria.adapters.demo.company import PEOPLE, UNITS
from noria.adapters.demo.seeding import example_files
from noria.engine import commands as c
from noria.kernel.instants import DAY_MS, HOUR_MS
from noria.monitor.board import Board, ProcessName
from noria.operate.finding import Wanted, search_for
from noria.operate.ids import task_id
from noria.operate.reading import InstanceBox, InstanceStatus, Search, TaskBox, TaskSort
from noria.operate.requests import Accepted, SerialDraw
from noria.operate.taskviews import open_task, task_facts
from noria.trust.policy import Principal, may_reassign, may_see, may_work_on
from noria.trust.substitutes import Substitution
from tests.house import TENANT, House, eventually

NUMBERS = SerialDraw("purchase", "2026", "CG-{year}-{number:06d}", 2026)


class Company:
    """The example company at work.

    Attributes:
        house: where it runs.
        lists: what is tested.
    """

    def __init__(self, house: House) -> None:
        self.house = house
        self.lists = house.noria.services.office.lists

    async def who(self, person: str, tenant: int = TENANT) -> Principal:
        organisation = await self.house.noria.people.organisation(TENANT)
        return await self.house.noria.services.office.principal(tenant, organisation.people[person])

    async def request(self, person: str, amount: int, title: str = "深沟球轴承") -> int:
        organisation = await self.house.noria.people.organisation(TENANT)
        starter = organisation.people[person]
        form = {
            "title": title,
            "category": "material",
            "supplier": "上海精工轴承有限公司",
            "needed_on": "2026-12-20",
            "amount": amount,
            "lines": [{"item": title, "quantity": 1, "price": amount}],
            "reason": "",
        }
        answer = await self.house.submit(
            c.StartInstance(person, organisation.snapshot(starter), form),
            definition=1,
            unit=starter.unit,
            serial=NUMBERS,
        )
        assert isinstance(answer, Accepted), answer
        return answer.iid

    async def does(self, person: str, iid: int, element: str) -> None:
        """Complete a task, some time later."""
        self.house.clock.instant += HOUR_MS
        token = await self.house.token(iid, element)
        answer = await self.house.submit(c.CompleteTask(token, person), iid)
        assert isinstance(answer, Accepted), answer

    async def returns(self, person: str, iid: int, element: str) -> None:
        self.house.clock.instant += HOUR_MS
        token = await self.house.token(iid, element)
        answer = await self.house.submit(c.ReturnTask(token, person, "apply", "发票缺失"), iid)
        assert isinstance(answer, Accepted), answer

    async def search(self, person: str, q: str = "", process: str = "", **wanted: object) -> Search | None:
        """What a person looks for."""
        office = self.house.noria.services.office
        return await search_for(office, await self.who(person), Wanted(q, **wanted), process)

    async def titles(self, person: str, box: TaskBox, q: str = "", **given: object) -> list[tuple[int, str]]:
        """(instance, element) of a person's tasks."""
        search = await self.search(person, q)
        asked = {"definitions": None, "search": search, "sort": TaskSort.CREATED, "limit": 50, "offset": 0} | given
        rows, _ = await self.lists.tasks(await self.who(person), box, **asked)
        elements = (await self.house.noria.catalogue.get(1)).graph.elements
        return [(row.iid, elements[row.element].id) for row in rows]

    async def seen(
        self,
        person: str,
        box: InstanceBox = InstanceBox.ALL,
        q: str = "",
        wanted: Wanted | None = None,
        **given: object,
    ) -> list[int]:
        search = await search_for(
            self.house.noria.services.office, await self.who(person), wanted or Wanted(q), process=""
        )
        asked = {"definitions": None, "status": InstanceStatus.ALL, "search": search, "limit": 50, "offset": 0} | given
        rows, total = await self.lists.instances(await self.who(person), box, **asked)
        assert total >= len(rows)
        return [row.iid for row in rows]

    async def folded(self) -> None:
        await self.house.noria.projector.catch_up()

    async def board(self, *, working: bool = False) -> Board:
        catalogue = self.house.noria.catalogue
        now_ms = self.house.clock.now_ms()
        return await DatabaseBoard(self.house.noria.database).board(
            TENANT,
            [(row.id, (await catalogue.get(row.id)).graph) for row in catalogue.rows(TENANT) if row.key == "purchase"],
            ProcessName("purchase", "采购申请", 1),
            start_ms=now_ms - 30 * DAY_MS,
            end_ms=now_ms,
            working=working,
            zone="Asia/Shanghai",
            simulated=False,
        )


@asynccontextmanager
async def company_of(url: str) -> AsyncIterator[Company]:
    house = await House.open(url, handlers=demo_handlers())
    now_ms = house.clock.now_ms()
    await house.noria.people.put(TENANT, list(PEOPLE), list(UNITS), now_ms)
    made = await house.noria.catalogue.deploy(TENANT, "he", example_files(), now_ms, house.noria.facts(TENANT))
    assert made.id, made.findings
    yield Company(house)
    await house.down()


@pytest.fixture
async def company(database_url: str) -> AsyncIterator[Company]:
    async with company_of(database_url) as made:
        yield made


# Tasks


async def test_everybody_finds_their_own_tasks_and_those_of_their_groups(company: Company) -> None:
    one, two = await company.request("lin", 1_000), await company.request("chen", 2_000)
    assert await company.titles("wang", TaskBox.MINE) == [(one, "manager_review")]
    assert await company.titles("liu", TaskBox.MINE) == [(two, "manager_review")]
    assert await company.titles("li", TaskBox.GROUP) == []
    await company.does("wang", one, "manager_review")
    assert await company.titles("wang", TaskBox.MINE) == []
    for person in ("li", "sun"):
        assert await company.titles(person, TaskBox.GROUP) == [(one, "finance_review")]
        assert await company.titles(person, TaskBox.MINE) == []
    assert await company.titles("zhao", TaskBox.GROUP) == []


async def test_a_claimed_task_is_no_longer_offered_to_the_group(company: Company) -> None:
    iid = await company.request("lin", 1_000)
    await company.does("wang", iid, "manager_review")
    token = await company.house.token(iid, "finance_review")
    await company.house.submit(c.ClaimTask(token, "li"), iid)
    assert await company.titles("li", TaskBox.MINE) == [(iid, "finance_review")]
    assert await company.titles("sun", TaskBox.GROUP) == []


async def test_done_tasks_are_those_that_a_person_completed(company: Company) -> None:
    iid = await company.request("lin", 1_000)
    await company.does("wang", iid, "manager_review")
    await company.folded()
    assert await company.titles("wang", TaskBox.DONE) == [(iid, "manager_review")]
    assert await company.titles("liu", TaskBox.DONE) == []
    assert await company.titles("wang", TaskBox.DONE, q="CG-2026-000001") == [(iid, "manager_review")]
    assert await company.titles("wang", TaskBox.DONE, definitions=[99]) == []


@pytest.mark.parametrize("sort", list(TaskSort))
async def test_tasks_are_paged_in_every_order_without_gap_or_double(company: Company, sort: TaskSort) -> None:
    iids = []
    for number in range(5):
        iids.append(await company.request("lin", 1_000 + number))
        company.house.clock.instant += HOUR_MS
    pages = [await company.titles("wang", TaskBox.MINE, sort=sort, limit=2, offset=offset) for offset in (0, 2, 4)]
    found = [iid for page in pages for iid, _ in page]
    assert found == (iids[::-1] if sort is TaskSort.CREATED else iids)


async def test_a_search_looks_for_words_and_for_nothing_between_them(company: Company) -> None:
    one = await company.request("lin", 1_000, "100% 棉_布")
    two = await company.request("lin", 1_000, "100 棉布")
    for q in ("100%", "棉_布", "*", '"', "NOT", "100 OR", "'a':*", "(", "\\"):
        found = {iid for iid, _ in await company.titles("wang", TaskBox.MINE, q=q)}
        assert found == ({one, two} if q in ("100%", "棉_布") else set()), q
        assert set(await company.seen("lin", q=q)) == found, q
    assert await company.titles("wang", TaskBox.MINE, q="棉布") == [(two, "manager_review")]
    assert await company.titles("wang", TaskBox.MINE, q="cg-2026-000002") == [(two, "manager_review")]


async def test_an_open_task_is_shown_with_its_groups_and_its_version(company: Company) -> None:
    iid = await company.request("lin", 1_000)
    await company.does("wang", iid, "manager_review")
    token = await company.house.token(iid, "finance_review")
    (row,) = await company.lists.open_tasks([iid])
    assert (row.groups, row.assignee, row.version, row.bkey) == (["finance"], "", 1, "CG-2026-000001")
    held = await company.house.noria.runtime.instance(iid)
    assert held is not None
    assert open_task(held, token) == row
    assert await company.lists.open_tasks([]) == []
    assert [task.tok for task in await company.lists.open_tasks([iid, 5])] == [token]


async def test_the_numbers_beside_the_menu_are_those_of_the_lists(company: Company) -> None:
    iids = [await company.request("lin", 1_000) for _ in range(3)]
    await company.does("wang", iids[0], "manager_review")
    await company.returns("wang", iids[1], "manager_review")
    await company.folded()
    assert await company.lists.counts(await company.who("wang")) == (1, 0, 2, 0, 0, 0)
    assert await company.lists.counts(await company.who("li")) == (0, 1, 0, 0, 0, 0)
    mine, group, _, started, notices, _ = await company.lists.counts(await company.who("lin"))
    assert (mine, group, started, notices) == (1, 0, 3, 1)


# Substitutes


async def stand_ins(company: Company) -> None:
    """Substitutes of every kind: of one process, limited, of a group's member, over but for a task, not yet begun."""
    now_ms = company.house.clock.now_ms()
    kept = task_id(iid := await company.request("lin", 300), await company.house.token(iid, "manager_review"))
    for key, principal, substitute, more in (
        ("a", "wang", "chen", {"amount_max": 50_000.0}),
        ("b", "wang", "zhou", {"processes": ("purchase",)}),
        ("c", "wang", "qian", {"processes": ("nothing",)}),
        ("d", "liu", "lin", {}),
        ("e", "li", "zhao", {"amount_max": 1_000.0}),
        ("f", "wang", "sun", {"ended_ms": now_ms - 1, "kept": (kept,)}),
        ("g", "liu", "sun", {"since_ms": now_ms + DAY_MS}),
    ):
        given = {"since_ms": 0, "until_ms": now_ms + 9 * DAY_MS, **more}
        await company.house.noria.people.put_substitution(TENANT, Substitution(key, principal, substitute, **given))


async def test_the_boxes_show_exactly_what_the_policy_lets_a_person_do(company: Company) -> None:
    await stand_ins(company)
    iids = [await company.request(person, amount) for person in ("lin", "chen", "zhou") for amount in (900, 90_000)]
    await company.does("wang", iids[0], "manager_review")
    await company.does("wang", iids[1], "manager_review")
    everything = await company.lists.open_tasks([*iids, *await company.seen("he")])
    found = {}
    for person in PEOPLE:
        who = await company.who(person.id)
        facts = {(row.iid, row.tok): task_facts(row) for row in everything}
        asked = {"definitions": None, "search": None, "sort": TaskSort.CREATED, "limit": 50, "offset": 0}
        shown = {
            box: {(row.iid, row.tok) for row in (await company.lists.tasks(who, box, **asked))[0]} for box in TaskBox
        }
        mine = {place for place, task in facts.items() if may_work_on(who, task).allowed}
        assert shown[TaskBox.MINE] == {place for place in mine if facts[place].assignee}, person.id
        assert shown[TaskBox.GROUP] == {place for place in mine if not facts[place].assignee}, person.id
        queue = {place for place, task in facts.items() if may_reassign(who, task).allowed}
        assert shown[TaskBox.QUEUE] == queue, person.id
        found[person.id] = (len(shown[TaskBox.MINE]), len(shown[TaskBox.GROUP]), len(queue))
    # So that the law is not one of empty lists.
    assert found == {
        "lin": (2, 0, 0),
        "chen": (1, 0, 0),
        "zhou": (1, 0, 0),
        "wang": (1, 0, 0),
        "liu": (2, 0, 0),
        "he": (2, 0, 1),
        "li": (0, 2, 0),
        "sun": (1, 2, 0),
        "zhao": (0, 1, 0),
        "fang": (0, 0, 0),
        "qin": (0, 0, 0),
        "qian": (0, 0, 0),
    }


async def test_what_a_substitute_has_or_had_a_part_in_is_in_the_list_of_requests(company: Company) -> None:
    await stand_ins(company)
    iid = await company.request("lin", 900)
    assert iid in await company.seen("chen")
    token = await company.house.token(iid, "manager_review")
    await company.house.submit(c.CompleteTask(token, "wang"), iid, actor="chen")
    await company.folded()
    assert iid in await company.seen("chen")
    assert iid in await company.seen("wang")
    assert await company.titles("chen", TaskBox.DONE) == await company.titles("wang", TaskBox.DONE)
    before = await rows_of_projection(company)
    await company.house.noria.projector.rebuild()
    assert await rows_of_projection(company) == before


# Instances


async def test_the_list_shows_exactly_what_the_policy_lets_a_person_see(company: Company) -> None:
    one, two, three = [await company.request(person, 90_000) for person in ("lin", "chen", "zhou")]
    await company.does("wang", one, "manager_review")
    await company.does("li", one, "finance_review")
    await company.returns("liu", two, "manager_review")
    await company.folded()
    await stand_ins(company)
    for person in PEOPLE:
        who = await company.who(person.id)
        allowed = []
        for iid in sorted({three, two, one, *await company.seen("he")}, reverse=True):
            facts = await company.lists.instance_facts(iid)
            assert facts is not None
            if may_see(who, facts).allowed:
                allowed.append(iid)
        assert await company.seen(person.id) == allowed, person.id
    assert await company.lists.instance_facts(12345) is None


async def test_a_person_of_another_tenant_sees_nothing(company: Company) -> None:
    iid = await company.request("lin", 1_000)
    await company.does("wang", iid, "manager_review")
    await company.folded()
    stranger = await company.who("he", tenant=2)
    asked = {"definitions": None, "search": None, "limit": 50, "offset": 0}
    assert await company.lists.instances(stranger, InstanceBox.ALL, status=InstanceStatus.ALL, **asked) == ([], 0)
    for box in TaskBox:
        assert await company.lists.tasks(stranger, box, sort=TaskSort.DUE, **asked) == ([], 0)
    assert await company.lists.counts(stranger) == (0, 0, 0, 0, 0, 0)
    assert await company.lists.notices(stranger, unread=False, limit=9, offset=0) == ([], 0)


async def test_instances_are_found_by_starter_and_status(company: Company) -> None:
    one, two = await company.request("lin", 1_000), await company.request("lin", 1_000)
    await company.house.submit(c.WithdrawInstance("lin", "doch nicht"), two)
    assert await company.seen("lin", InstanceBox.STARTED) == [two, one]
    assert await company.seen("lin", status=InstanceStatus.OPEN) == [one]
    assert await company.seen("lin", status=InstanceStatus.WITHDRAWN) == [two]
    assert await company.seen("lin", status=InstanceStatus.COMPLETED) == []
    assert await company.seen("lin", definitions=[99]) == []


async def test_a_process_counts_its_open_instances_tasks_and_those_that_are_late(company: Company) -> None:
    await company.request("lin", 1_000)
    two = await company.request("lin", 1_000)
    await company.house.submit(c.WithdrawInstance("lin", ""), two)
    now_ms = company.house.clock.now_ms()
    counts = await company.lists.process_counts(TENANT, [1], now_ms)
    assert (counts.open_instances, counts.open_tasks, counts.overdue_tasks, counts.incidents) == (1, 1, 0, 0)
    assert (await company.lists.process_counts(TENANT, [1], now_ms + 30 * DAY_MS)).overdue_tasks == 1
    assert (await company.lists.process_counts(TENANT, [99], now_ms)).open_instances == 0
    assert await company.lists.open_per_definition(TENANT) == {1: 1}


# Notices


async def test_people_are_told_once_and_mark_what_they_have_read(company: Company) -> None:
    iid = await company.request("lin", 1_000)
    await company.returns("wang", iid, "manager_review")
    two = await company.request("lin", 1_000)
    await company.returns("wang", two, "manager_review")
    await company.folded()
    await company.folded()
    lin = await company.who("lin")
    rows, total = await company.lists.notices(lin, unread=True, limit=9, offset=0)
    assert [(row.kind, row.iid) for row in rows] == [("returned", two), ("returned", iid)]
    assert total == 2
    await company.lists.read_notices(lin, (rows[0].shard, rows[0].seq, rows[0].n), 5)
    assert [row.iid for row in (await company.lists.notices(lin, unread=True, limit=9, offset=0))[0]] == [iid]
    await company.lists.read_notices(await company.who("wang"), None, 5)
    assert (await company.lists.notices(lin, unread=True, limit=9, offset=0))[1] == 1
    await company.lists.read_notices(lin, None, 5)
    assert await company.lists.notices(lin, unread=True, limit=9, offset=0) == ([], 0)
    assert (await company.lists.notices(lin, unread=False, limit=1, offset=1))[1] == 2


# The board


async def busy(company: Company) -> list[int]:
    """Some requests in every state."""
    iids = [await company.request(person, amount) for person in ("lin", "chen", "zhou") for amount in (900, 90_000)]
    managers = {0: "wang", 1: "wang", 2: "liu", 3: "liu"}
    for number, manager in managers.items():
        await company.does(manager, iids[number], "manager_review")
    await company.returns("li", iids[0], "finance_review")
    await company.does("li", iids[2], "finance_review")
    await company.house.submit(c.WithdrawInstance("zhou", ""), iids[4])
    await company.house.ends(iids[2])
    await company.folded()
    return iids


async def rows_of_projection(company: Company) -> list[list[tuple[object, ...]]]:
    async with company.house.noria.database.reading() as db:
        return [sorted(tuple(row) for row in (await db.execute(sa.select(table))).all()) for table in PROJECTION]


@pytest.mark.parametrize("working", [False, True])
async def test_the_board_rebuilt_from_zero_shows_equal_figures(company: Company, working: bool) -> None:
    await busy(company)
    before = (await company.board(working=working), await rows_of_projection(company))
    await company.house.noria.projector.rebuild()
    assert (await company.board(working=working), await rows_of_projection(company)) == before


async def test_the_board_counts_what_happened(company: Company) -> None:
    await busy(company)
    tiles = (await company.board()).tiles
    assert (tiles.throughput.started, tiles.throughput.completed) == (6, 1)
    assert (tiles.errors.returns, tiles.errors.incidents) == (1, 0)
    assert tiles.backlog.open == 4
    figures = {item.id: item for item in (await company.board()).elements}
    assert figures["manager_review"].handling is not None
    assert (figures["finance_review"].returns, figures["finance_review"].open) == (1, 2)


async def test_a_rebuild_while_others_work_counts_nothing_twice(company: Company) -> None:
    await busy(company)
    noria = company.house.noria
    other = type(noria.projector)(noria.database, noria.catalogue, noria.people, noria.calendar, company.house.clock)
    iid = await company.request("lin", 1_000)
    await other.rebuild()
    await company.does("wang", iid, "manager_review")

    async def followed() -> bool:
        company.house.clock.instant += 1_000
        return (await company.board()).tiles.throughput.started == 7

    await eventually(followed)
    await company.folded()
    before = await rows_of_projection(company)
    await noria.projector.rebuild()
    assert await rows_of_projection(company) == before


async def test_the_newest_commands_of_a_process_come_first(company: Company) -> None:
    iids = await busy(company)
    board = DatabaseBoard(company.house.noria.database)
    newest = await board.recent(TENANT, [1], 3)
    assert [row.ts for row in newest] == sorted((row.ts for row in newest), reverse=True)
    assert {row.iid for row in newest} <= set(iids)
    assert await board.recent(2, [1], 3) == []
    assert await board.recent(TENANT, [99], 3) == []


NAMED = """
startEvent start
userTask review assignee=wang title="= customer"
userTask plain assignee=wang
endEvent end
start -> review -> plain -> end
"""


async def test_a_task_is_found_by_the_name_that_its_model_computes_while_it_is_open_and_when_it_is_done(
    company: Company,
) -> None:
    await company.house.deploy(NAMED)
    iid = await company.house.start(customer="50% of Acme_1")
    asked = {"definitions": None, "sort": TaskSort.CREATED, "limit": 50, "offset": 0}

    async def names(box: TaskBox, q: str) -> list[str]:
        search = await company.search("wang", q)
        rows, total = await company.lists.tasks(await company.who("wang"), box, search=search, **asked)
        assert total == len(rows)
        return [row.name for row in rows]

    assert await names(TaskBox.MINE, "acme_") == ["50% of Acme_1"]
    assert await names(TaskBox.MINE, "acmeX1") == []
    assert [task.name for task in await company.lists.open_tasks([iid])] == ["50% of Acme_1"]
    await company.does("wang", iid, "review")
    await company.folded()
    assert await names(TaskBox.DONE, "50% of") == ["50% of Acme_1"]
    # A request is found by all of its steps, those that are over among them.
    assert await names(TaskBox.MINE, "acme") == await names(TaskBox.MINE, "") == [""]


async def test_a_manager_finds_the_requests_of_the_units_below(company: Company) -> None:
    of_lin, of_he = await company.request("lin", 800), await company.request("he", 900)
    organisation = await company.house.noria.people.organisation(TENANT)
    for person in organisation.people.values():
        units = (await company.who(person.id)).units
        starters = {of_lin: organisation.people["lin"].unit, of_he: organisation.people["he"].unit}
        expected = {iid for iid, unit in starters.items() if unit in units}
        assert set(await company.seen(person.id, InstanceBox.UNIT)) == expected, person.id
    assert await company.seen("wang", InstanceBox.UNIT) == [of_lin]


async def test_a_whole_number_finds_that_request_alone_and_only_for_who_may_see_it(company: Company) -> None:
    iids = [await company.request("lin", amount) for amount in (800, 900)]
    rows, _ = await company.lists.instances(
        await company.who("lin"),
        InstanceBox.ALL,
        definitions=None,
        status=InstanceStatus.ALL,
        search=None,
        limit=50,
        offset=0,
    )
    numbers = {row.iid: row.bkey for row in rows}
    # A title that names another request is not what is meant.
    await company.request("lin", 700, title=numbers[iids[0]])
    for box in (InstanceBox.ALL, InstanceBox.STARTED):
        assert await company.seen("lin", box, q=numbers[iids[0]]) == [iids[0]]
    assert await company.seen("wang", q=f" {numbers[iids[1]]} ") == [iids[1]]
    assert await company.seen("chen", q=numbers[iids[0]]) == []
    assert set(await company.seen("lin", q=numbers[iids[0]][:-1])) >= set(iids)


async def test_lists_of_requests_are_counted_so_far_and_paged_without_gap(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    iids = []
    for amount in range(100, 106):
        iids.append(await company.request("lin", amount))
        company.house.clock.instant += HOUR_MS
    for module in (seeking, lists):
        monkeypatch.setattr(module, "COUNTED_MAX", 4)
    # With few units each is looked up by its own; who manages more is shown what is newest of them.
    for few in (4, 0):
        monkeypatch.setattr(searching, "_UNITS_EACH", few)
        for person, box, q in itertools.product(
            ("lin", "he", "wang"), (InstanceBox.ALL, InstanceBox.STARTED), ("", "球")
        ):
            if (person, box) in (("he", InstanceBox.STARTED), ("wang", InstanceBox.STARTED)):
                continue
            who, search = await company.who(person), await company.search(person, q)
            given = {"definitions": None, "status": InstanceStatus.ALL, "search": search, "limit": 2}
            pages = [await company.lists.instances(who, box, **given, offset=n) for n in (0, 2)]
            assert [total for _, total in pages] == [4, 4], (person, box, q)
            assert [row.iid for rows, _ in pages for row in rows] == iids[:1:-1]
