"""What is looked for, on each database: words, people, fields; all of it fresh, and only what one may see."""

from __future__ import annotations

import itertools

import pytest

from noria.adapters.database import projection
from noria.adapters.database.cursors import SEARCH
from noria.adapters.demo.company import PEOPLE
from noria.engine import commands as c
from noria.kernel.instants import DAY_MS, HOUR_MS
from noria.operate.finding import SearchBehindError, Wanted, search_for
from noria.operate.reading import InstanceBox, InstanceStatus, TaskBox, TaskSort
from tests.house import TENANT
from tests.stores.test_lists import Company, company, stand_ins  # noqa: F401 - the fixture

TITLES = ("深沟球轴承", "SKF 6204 bearing", "电机 Y2-132M", "钢板 Q235", "深孔钻", "office chairs")


async def some_requests(company: Company) -> list[int]:  # noqa: F811
    """Requests of several people, each an hour after the one before."""
    found = []
    for (number, title), person in zip(enumerate(TITLES), itertools.cycle(("lin", "chen", "zhou")), strict=False):
        found.append(await company.request(person, 900 * 10**number, title))
        company.house.clock.instant += HOUR_MS
    return found


@pytest.fixture
async def requests(company: Company) -> list[int]:  # noqa: F811
    return await some_requests(company)


async def finds(company: Company, person: str = "he", q: str = "", **wanted: object) -> list[int]:  # noqa: F811
    return sorted(await company.seen(person, wanted=Wanted(q, **wanted)))


async def test_a_whole_text_is_looked_for_by_its_beginning(company: Company) -> None:  # noqa: F811
    text = "深沟球轴承 " + "甲乙丙丁戊己庚辛壬癸" * 400
    iid = await company.request("lin", 900, "深沟球轴承 " + "甲乙丙丁戊己庚辛壬癸" * 7)
    assert await finds(company, q=text) == [iid]
    assert await finds(company, field=(f"title~{text}",)) == [iid]


async def test_people_are_found_by_their_part_at_once(company: Company, requests: list[int]) -> None:  # noqa: F811
    one, two = requests[:2]
    assert await finds(company, starter="lin") == [requests[0], requests[3]]
    assert one in await finds(company, holder="wang")
    assert await finds(company, actor="wang") == []
    await company.does("wang", one, "manager_review")
    assert one not in await finds(company, holder="wang")
    assert await finds(company, actor="wang") == [one]
    assert await finds(company, "lin", actor="wang") == [one]
    assert await finds(company, "chen", actor="wang") == []
    assert await finds(company, "chen", q="王强") == []
    assert one in await finds(company, q="王强")
    token = await company.house.token(two, "manager_review")
    await company.house.submit(c.TransferTask(token, "liu", "zhou", ""), two)
    assert two in await finds(company, holder="zhou")
    assert two not in await finds(company, holder="liu")


async def test_with_a_word_that_all_have_every_list_is_what_it_is_without(
    company: Company,  # noqa: F811
    requests: list[int],
) -> None:
    await stand_ins(company)
    await company.does("wang", requests[0], "manager_review")
    await company.returns("liu", requests[1], "manager_review")
    organisation = await company.house.noria.people.organisation(TENANT)
    for iid in (requests[0], requests[4]):
        await company.house.submit(c.SendCopy("lin", ("sun", "qian"), ""), iid, actor="lin")
    await company.house.submit(c.WithdrawInstance("zhou", ""), requests[2])
    seen = 0
    for person in PEOPLE:
        for box, status in itertools.product(InstanceBox, (InstanceStatus.ALL, InstanceStatus.OPEN)):
            plain = await company.seen(person.id, box, status=status)
            assert await company.seen(person.id, box, q="上海", status=status) == plain, (person.id, box, status)
            seen += len(plain)
        for box in TaskBox:
            for sort in TaskSort:
                plain_tasks = await company.titles(person.id, box, sort=sort)
                assert await company.titles(person.id, box, q="上海", sort=sort) == plain_tasks, (person.id, box)
            seen += len(plain_tasks)
        assert await company.seen(person.id, definitions=[1], q="上海") == await company.seen(person.id), person.id
        assert await company.seen(person.id, definitions=[], q="上海") == []
    assert seen > 100
    assert organisation.people.keys() >= {"sun", "qian"}


async def test_what_was_just_done_or_copied_is_in_the_very_next_answer(company: Company) -> None:  # noqa: F811
    for number in range(1, 4):
        iid = await company.request("lin", 1_000)
        await company.does("wang", iid, "manager_review")
        assert (iid, "manager_review") in await company.titles("wang", TaskBox.DONE)
        assert (await company.lists.counts(await company.who("wang")))[2] == number
        await company.house.submit(c.SendCopy("lin", ("qian",), ""), iid, actor="lin")
        assert iid in await company.seen("qian", InstanceBox.COPIED)
        assert iid in await company.seen("qian", InstanceBox.COPIED, q="轴承")


async def test_what_a_substitute_just_did_is_at_once_among_what_both_have_done(company: Company) -> None:  # noqa: F811
    await stand_ins(company)
    iid = await company.request("lin", 900)
    token = await company.house.token(iid, "manager_review")
    await company.house.submit(c.CompleteTask(token, "wang"), iid, actor="chen")
    for person in ("wang", "chen"):
        assert (iid, "manager_review") in await company.titles(person, TaskBox.DONE)
        assert iid in await finds(company, person, actor=person)


async def test_the_index_filled_again_finds_the_same(company: Company, requests: list[int]) -> None:  # noqa: F811
    await company.does("wang", requests[0], "manager_review")
    await company.house.submit(c.SendCopy("lin", ("qian",), ""), requests[3], actor="lin")
    asked = [Wanted("深"), Wanted("王强"), Wanted(actor="wang"), Wanted(field=("amount>900",))]
    before = [[await company.seen(person.id, wanted=one) for one in asked] for person in PEOPLE]
    assert any(map(any, before))
    await company.house.noria.projector.stop()
    for again in (company.house.noria.projector.rebuild_search, company.house.noria.projector.rebuild):
        await again()
        assert [[await company.seen(person.id, wanted=one) for one in asked] for person in PEOPLE] == before


async def test_while_the_index_is_being_built_a_search_says_so_and_lists_work(
    company: Company,  # noqa: F811
    requests: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await company.folded()
    projector = company.house.noria.projector
    await projector.stop()
    await projector.rebuild_search()
    monkeypatch.setattr(projection, "_FAR", 2)
    for number in range(3):
        await company.request("lin", number + 1)
    with pytest.raises(SearchBehindError) as behind:
        await company.seen("lin", q="轴承")
    assert behind.value.details["behind"] == 3
    assert len(await company.seen("lin")) == 5
    await projector.catch_up()
    assert await projector.reach(SEARCH) == 0
    assert len(await company.seen("lin", q="轴承")) == 5


async def test_the_newest_are_found_however_long_ago_they_were(company: Company) -> None:  # noqa: F811
    iids = []
    for weeks in (90, 60, 12, 3, 1, 0):
        company.house.clock.instant += weeks * 7 * DAY_MS
        iids.append(await company.request("lin", 500))
    assert await company.seen("he", q="轴承") == iids[::-1]
    assert await company.seen("he", q="轴承", limit=2, offset=3) == iids[2:0:-1]


async def test_a_person_of_another_tenant_finds_nothing(company: Company, requests: list[int]) -> None:  # noqa: F811
    await company.does("wang", requests[0], "manager_review")
    office = company.house.noria.services.office
    for person in ("he", "lin", "wang"):
        search = await search_for(office, await company.who(person), Wanted("深"), "")
        stranger = await company.who(person, tenant=2)
        for box in InstanceBox:
            asked = {"definitions": None, "search": search, "limit": 50, "offset": 0}
            assert await company.lists.instances(stranger, box, status=InstanceStatus.ALL, **asked) == ([], 0)
        for tasks in TaskBox:
            assert await company.lists.tasks(stranger, tasks, sort=TaskSort.DUE, **asked) == ([], 0)
