"""Journey J3: 孙副总 stands in for 赵总 over the national holiday, and the holidays of the next year are published.

By REST, step by step. The holidays are those of 2026 as published: 10-01 to 10-07 are free, 09-20 and 10-10 are worked.
"""

from __future__ import annotations

from typing import Any

import pypdfium2 as pdfium

from tests.house import eventually
from tests.journeys.company import Colleague, decision, field, form, holders, model
from tests.journeys.conftest import Found

REQUEST = form(
    "request",
    field("textfield", "title", "事由", validate={"required": True}),
    field("number", "amount", "金额（元）", validate={"required": True}),
    field("checkbox", "urgent", "加急"),
)
RULE = decision(
    "approver",
    {"urgent": "urgent", "facts": "facts.calendar.working_day"},
    ("group",),
    {
        "urgent_on_a_day_off": ("true", "false", '"duty_approver"'),
        "otherwise": ("-", "-", '"general_manager"'),
    },
)
PURCHASE = model(
    "purchase",
    """
    startEvent start form=request
    businessRuleTask rule decision=approver resultVariable=rule
    exclusiveGateway path
    userTask duty name=值班审批 candidateGroups=duty_approver dueIn=PT4H
    userTask general_manager name=总经理审批 approval=anyOf approvers='= people.with_role("general_manager")' dueIn=PT24H calendar=default
    endEvent done
    start -> rule -> path
    path -[= rule = "duty_approver"]-> duty -> done
    path -default-> general_manager -> done
    """,  # noqa: E501 - one line per step
    title="= title",
)
LEAVE = model(
    "leave",
    """
    startEvent start
    userTask general_manager name=请假审批 approval=anyOf approvers='= people.with_role("general_manager")'
    endEvent done
    start -> general_manager -> done
    """,
    title="= title",
)
NEW_YEAR = {"2027-01-01": "元旦", "2027-01-04": "元旦"}


async def start(who: Colleague, title: str, process: str = "purchase", **changes: object) -> str:
    variables = {"title": title, "amount": 8_000, **({"urgent": False} if process == "purchase" else {}), **changes}
    answer = await who.post("/instances", {"process": process, "variables": variables})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def holds(who: Colleague, instance: str) -> list[tuple[str, str]]:
    return holders(await who.read(f"/instances/{instance}"))


async def due(who: Colleague, instance: str) -> str:
    (held,) = (await who.read(f"/instances/{instance}"))["holders"]
    return str(held["due_at"])


async def inbox(who: Colleague, box: str = "mine") -> set[str]:
    return {task["instance_id"] for task in await who.tasks(box)}


async def why(who: Colleague, instance: str) -> tuple[list[str], str, int, dict[str, Any]]:
    """The row that decided, the calendar with its version, and what it said of the day."""
    (found,) = [item for item in await who.read(f"/instances/{instance}/reasons") if item["kind"] == "decision"]
    day = found["facts"]["calendar"]
    return [row["rule"] for row in found["matched"]], found["calendar"], found["calendar_version"], day


async def test_j3_a_substitute_stands_in_over_the_holiday_and_the_next_year_is_published(found: Found) -> None:
    company = await found("2026-09-18T14:00:00+08:00", PURCHASE, RULE, REQUEST, LEAVE)
    lin, zhao, sun, zhou, li, he, qian = await company.people("lin", "zhao", "sun", "zhou", "li", "he", "qian")
    early = await start(lin, "节前备料")
    # Friday 14:00 and 24 working hours: four on Friday, eight on the make-up Sunday, eight on Monday, four on Tuesday.
    assert await due(lin, early) == "2026-09-22T06:00:00.000Z"
    await zhao.does(early)

    # 1  赵总 names 孙副总 for purchases up to ¥100 000, from 09-30 to 10-08.
    await company.be("2026-09-28T09:00:00+08:00")
    order = {
        "substitute": "sun",
        "since": "2026-09-30",
        "until": "2026-10-08",
        "processes": ["purchase"],
        "amount_max": 100_000,
    }
    named = (await zhao.post("/substitutions", order)).json()
    assert (named["state"], named["principal"]["id"], named["substitute"]["id"]) == ("ahead", "zhao", "sun")
    before = await start(lin, "轴承")
    leave = await start(lin, "年假", "leave")
    assert await inbox(sun) == set()
    await company.be("2026-09-30T08:00:00+08:00")
    assert await inbox(sun) == {before}
    assert await inbox(zhao) == {before, leave}
    denied = await sun.post(f"/tasks/{(await zhao.the_task(leave))['id']}/complete", {"outcome": "approve"})
    assert (denied.status_code, denied.json()["code"]) == (403, "permission.denied")

    # 2  On 10-01 what is urgent goes to who is on duty; what is not waits, and its limit skips the holiday.
    await company.be("2026-10-01T10:00:00+08:00")
    urgent, normal = await start(lin, "停机抢修", urgent=True), await start(lin, "润滑油")
    assert await holds(lin, urgent) == [("duty", "duty_approver")]
    assert await inbox(zhou, "group") == {urgent}
    rows, calendar, version, day = await why(lin, urgent)
    assert (rows, calendar, version) == (["urgent_on_a_day_off"], "default", 1)
    assert (day["date"], day["holiday"], day["working_day"]) == ("2026-10-01", "国庆节", False)
    assert await holds(lin, normal) == [("general_manager", "zhao")]
    assert (await why(lin, normal))[0] == ["otherwise"]
    # Three working days: Thursday 10-08, Friday, and the make-up Saturday 10-10.
    assert await due(lin, normal) == "2026-10-10T10:00:00.000Z"
    assert normal in await inbox(sun)

    # 3  孙副总's own request does not come to himself, nor may he decide it.
    own = await start(sun, "差旅箱")
    assert await holds(sun, own) == [("general_manager", "zhao")]
    assert own not in await inbox(sun)
    assert own in await inbox(zhao)
    its_task = (await zhao.the_task(own))["id"]
    refused = await sun.post(f"/tasks/{its_task}/complete", {"outcome": "approve"})
    assert (refused.status_code, refused.json()["code"]) == (403, "substitute.own_request")

    # 4  ¥120 000 is more than he may decide: it goes to the administrators' queue, and from there to somebody.
    dear = await start(lin, "数控机床", amount=120_000)
    assert dear not in await inbox(sun)
    assert await inbox(he, "queue") == {dear}
    task = await he.the_task(dear, "queue")
    assert task["on_behalf_of"]["id"] == "zhao"
    assert (await sun.post(f"/tasks/{task['id']}/complete", {"outcome": "approve"})).status_code == 403
    handed = await he.post(f"/tasks/{task['id']}/transfer", {"to": "li", "reason": "超出代理金额"})
    assert holders(handed.json()["instance"]) == [("general_manager", "li")]
    assert await inbox(he, "queue") == set()
    await li.does(dear)

    #    What he decides he decides for 赵总: the history, the audit and the paper say both.
    assert (await sun.does(before, comment="同意"))["status"] == "completed"
    (decided,) = [item for item in await lin.timeline(before) if item["kind"] == "task.approved"]
    assert (decided["actor"]["name"], decided["on_behalf_of"]["name"]) == ("孙副总", "赵总")
    audit = await lin.read(f"/instances/{before}/audit")
    assert [(item["actor"]["id"], item["on_behalf_of"]["id"]) for item in audit if item["on_behalf_of"]] == [
        ("sun", "zhao")
    ]
    printed = await lin.get(f"/instances/{before}/pdf")
    paper = "".join(page.get_textpage().get_text_range() for page in pdfium.PdfDocument(printed.content))
    assert "孙副总 代 赵总" in paper

    # 5  On 10-05 he takes it back; what is in flight stays with 孙副总, what comes later does not go to him.
    await company.be("2026-10-05T09:00:00+08:00")
    ended = (await zhao.post(f"/substitutions/{named['id']}/end", {"in_flight": "stay"})).json()
    assert (ended["state"], ended["kept"]) == ("over", [(await zhao.the_task(normal))["id"]])
    later = await start(lin, "刀具")
    assert await inbox(sun) == {normal}
    assert {normal, own, later, leave} == await inbox(zhao)
    its_task = (await zhao.the_task(later))["id"]
    assert (await sun.post(f"/tasks/{its_task}/complete", {"outcome": "approve"})).status_code == 403
    assert (await sun.does(normal))["status"] == "completed"
    assert await inbox(sun) == set()
    recorded = await qian.read("/audit", object="zhao", limit=50)
    actions = [item["action"] for item in recorded if item["action"].startswith("substitution.")]
    assert sorted(actions) == ["substitution.added", "substitution.ended"]

    #    On 10-08 the general manager is there for what is urgent as well; on the make-up Saturday too.
    for day_back in ("2026-10-08", "2026-10-10"):
        await company.be(f"{day_back}T10:00:00+08:00")
        back = await start(lin, "停机抢修", urgent=True)
        assert await holds(lin, back) == [("general_manager", "zhao")]
        assert (await why(lin, back))[0] == ["otherwise"]
    await company.be("2026-10-11T10:00:00+08:00")
    assert await holds(lin, await start(lin, "停机抢修", urgent=True)) == [("duty", "duty_approver")]

    # 6  At the end of the year due dates are provisional; publishing 2027 moves them, each by an event, and lists them.
    await company.be("2026-12-29T09:00:00+08:00")
    firm = await start(lin, "办公用纸")
    assert (await due(lin, firm), (await zhao.the_task(firm))["due_provisional"]) == ("2026-12-31T10:00:00.000Z", False)
    await company.be("2026-12-31T09:00:00+08:00")
    waiting = [await start(lin, title) for title in ("铜排", "电缆")]
    provisional = {instance: await due(lin, instance) for instance in waiting}
    assert [task["due_provisional"] for task in await zhao.tasks() if task["instance_id"] in waiting] == [True, True]
    view = await he.read("/calendars/default")
    draft = {name: view[name] for name in ("zone", "week", "hours", "name")} | {
        "holidays": view["holidays"] | NEW_YEAR,
        "workdays": [*view["workdays"], "2027-01-09"],
        "horizon": "2027-12-31",
        "base": view["version"],
        "note": "国务院办公厅关于 2027 年部分节假日安排的通知",
    }
    plan = (await he.post("/calendars/default/plan", draft)).json()
    listed = {item["instance_id"]: (item["before"], item["after"]) for item in plan["affected"]}
    assert plan["total"] == len(waiting)
    assert {instance: before for instance, (before, _) in listed.items()} == provisional
    assert await due(lin, waiting[0]) == provisional[waiting[0]]
    published = await he.post("/calendars/default", draft)
    assert (published.status_code, published.json()["version"]) == (201, view["version"] + 1)

    async def settled() -> Any:
        batch = await he.read(f"/batches/{published.json()['batch']}")
        return batch if batch["ended_at"] else None

    batch = await eventually(settled)
    assert (batch["kind"], batch["total"], batch["done"]) == ("derive", 2, 2)
    assert {item["instance_id"] for item in (await he.get(f"/batches/{batch['id']}/items")).json()} == set(waiting)
    for instance in waiting:
        assert await due(lin, instance) == listed[instance][1] == "2027-01-06T10:00:00.000Z"
        (moved,) = [item for item in await lin.timeline(instance) if item["kind"] == "deadline.moved"]
        assert moved["params"]["version"] == view["version"] + 1
        assert not (await zhao.the_task(instance))["due_provisional"]
    assert await due(lin, firm) == "2026-12-31T10:00:00.000Z"
    assert [item for item in await lin.timeline(firm) if item["kind"] == "deadline.moved"] == []

    # What was decided before is still explained by the calendar of then.
    assert (await why(lin, urgent))[:3] == (["urgent_on_a_day_off"], "default", 1)
