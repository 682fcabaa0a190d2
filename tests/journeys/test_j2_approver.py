"""Journey J2: 王强 decides on his phone, without a network for a while. By REST, step by step.

What the phone does while it is offline is to keep its commands, each with its key and the version of the task that it
saw; the test keeps them as the phone would, and sends them when it is back.

Not part of it, for they belong to the phone's own pages that are still to come: the push notice, the installed page
that opens within two seconds at 360 px, its mark 待同步, and its checks of contrast and at 200 % text.
"""

from __future__ import annotations

from typing import Any

import httpx
import msgspec

from noria.kernel.instants import HOUR_MS
from tests.journeys.company import Colleague, Company, field, form, holders, model
from tests.journeys.conftest import Found

REQUEST = form(
    "request",
    field("textfield", "title", "事由", validate={"required": True}),
    field("number", "amount", "金额", validate={"required": True}),
)
ORDER = model(
    "order",
    """
    startEvent start form=request
    userTask apply name=填写申请 assignee="= starter.id" form=request completedByStart=true
    userTask manager name=主管审批 approval=allOf approvers="= starter.manager" form=request writableFields="" bulkApproval=true
    userTask finance name=财务审核 approval=anyOf approvers='= ["li", "he"]' form=request writableFields=""
    endEvent end
    start -> apply -> manager -> finance -> end
    """,  # noqa: E501 - one line per step
    title="= title",
)
OPINION = form(
    "opinion",
    field("textfield", "title", "事由", readonly=True),
    field("textarea", "check", "现场核查结果", validate={"required": True}),
)
INSPECTION = model(
    "inspection",
    """
    startEvent start
    userTask manager name=主管核查 approval=anyOf approvers="= starter.manager" form=opinion bulkApproval=true
    endEvent end
    start -> manager -> end
    """,
    title="= title",
)
CONTRACT = model(
    "contract",
    """
    startEvent start
    userTask manager name=合同审批 approval=anyOf approvers="= starter.manager"
    endEvent end
    start -> manager -> end
    """,
    title="= title",
)


class Kept(msgspec.Struct):
    """A command that the phone keeps until it is back in the network."""

    task: str
    verb: str
    body: dict[str, Any]
    key: str


class Phone:
    """Commands made offline, with the version that was on the screen."""

    def __init__(self, owner: Colleague) -> None:
        self.owner = owner
        self.kept: list[Kept] = []

    def keep(self, task: dict[str, Any], verb: str, **body: object) -> None:
        key = f"phone-{len(self.kept)}"
        self.kept.append(Kept(task["id"], verb, {"version": task["version"], **body}, key))

    async def sync(self) -> list[httpx.Response]:
        """Send them in their order; again if need be."""
        return [await self.owner.post(f"/tasks/{one.task}/{one.verb}", one.body, key=one.key) for one in self.kept]


async def start(who: Colleague, title: str, process: str = "order", amount: int = 800) -> str:
    variables = {"title": title, "amount": amount}
    answer = await who.post("/instances", {"process": process, "variables": variables})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def numbers(who: Colleague, instance: str) -> list[int]:
    """What the journal has of a request: one number per thing that happened."""
    return [item["seq"] for item in await who.timeline(instance)]


async def test_j2_what_was_decided_offline_is_sent_later_and_no_opinion_is_lost(found: Found) -> None:
    company: Company = await found("2026-03-02T09:00:00+08:00", ORDER, REQUEST, INSPECTION, OPINION, CONTRACT)
    lin, wang, gong, chen, li, he = await company.people("lin", "wang", "gong", "chen", "li", "he")
    a, b, c = [await start(lin, title) for title in ("甲：轴承", "乙：电机", "丙：钢板")]

    # 1  One screen: the form, what may be done, who was before and who comes next.
    seen = await wang.sees(a)
    assert {"approve", "refuse", "add", "transfer"} <= set(seen["allowed"])
    assert (seen["data"]["title"], seen["in_bulk"]) == ("甲：轴承", True)
    path = await wang.read(f"/instances/{a}/path")
    assert [(step["element"]["id"], step["open"]) for step in path["steps"]][:2] == [
        ("manager", True),
        ("finance", False),
    ]

    # 2  Offline he agrees to A, has 李工 asked before him on B, and hands C over.
    phone = Phone(wang)
    await wang.send("PUT", f"/drafts/{seen['id']}", json={"data": {"opinion": "价格合适"}})
    phone.keep(seen, "complete", variables={}, outcome="approve", comment="价格合适，同意")
    phone.keep(await wang.the_task(b), "approvers", people=["gong"], where="before", reason="请先看型号")
    phone.keep(await wang.the_task(c), "transfer", to="chen", reason="你更清楚")

    # 3  Meanwhile 林晓 withdraws A; the preview says who will be told, and it is so.
    company.clock.instant += HOUR_MS
    shown = (await lin.post(f"/instances/{a}/preview", {"verb": "withdraw"})).json()
    assert (shown["status"], [person["id"] for person in shown["notified"]]) == ("withdrawn", ["wang"])
    withdrawn = await lin.post(f"/instances/{a}/withdraw", {"reason": "型号有误"})
    assert withdrawn.json()["status"] == "withdrawn"
    await company.quiet()
    assert await wang.notices() == ["withdrawn"]

    # 4  Online again: B and C are applied. A is not, and says why by a code of its own; the words are not lost.
    first, second, third = await phone.sync()
    assert (first.status_code, first.json()["code"]) == (409, "task.withdrawn")
    assert first.json()["details"] == {"by": {"id": "lin", "name": "林晓"}, "at": "2026-03-02T02:00:00.000Z"}
    assert holders(second.json()["instance"]) == [("manager", "gong")]
    assert holders(third.json()["instance"]) == [("manager", "chen")]
    assert (await wang.read(f"/drafts/{seen['id']}"))["data"] == {"opinion": "价格合适"}
    kept = await wang.send("PUT", f"/drafts/{seen['id']}", json={"data": {"opinion": "价格合适，同意"}})
    assert kept.json()["data"] == {"opinion": "价格合适，同意"}
    assert (await wang.read(f"/tasks/{seen['id']}"))["status"] == "cancelled"
    assert (await lin.read(f"/instances/{a}"))["status"] == "withdrawn"

    #    The answers were lost on the way, and the phone sends everything once more: nothing happens twice.
    before = [await numbers(lin, instance) for instance in (a, b, c)]
    repeated = await phone.sync()
    assert [answer.status_code for answer in repeated] == [409, 200, 200]
    assert [await numbers(lin, instance) for instance in (a, b, c)] == before
    audit = await lin.read(f"/instances/{b}/audit")
    assert [item["action"] for item in audit].count("add_approvers") == 1

    #    A stale version is refused as well: C came back to him meanwhile.
    await chen.does(c, "transfer", to="wang", reason="还是你定")
    stale = await wang.post(f"/tasks/{phone.kept[2].task}/transfer", phone.kept[2].body, key="another-wish")
    assert (stale.status_code, stale.json()["code"]) == (409, "task.version_stale")

    #    Of two who are asked and were both offline, the first to come back decides; the other is told who it was.
    await gong.does(b)
    assert holders(await wang.does(b)) == [("finance", "he"), ("finance", "li")]
    phones = [Phone(li), Phone(he)]
    for one in phones:
        one.keep(await one.owner.the_task(b), "complete", variables={}, outcome="approve")
    assert [answer.status_code for answer in await phones[0].sync()] == [200]
    (late,) = await phones[1].sync()
    assert (late.status_code, late.json()["code"], late.json()["details"]["by"]["id"]) == (409, "task.not_open", "li")
    assert (await lin.read(f"/instances/{b}"))["status"] == "completed"

    # 5  Five at once: the form of one must be filled in, another process does not allow it, one was changed meanwhile.
    plain = [await start(lin, f"备件 {number}") for number in (1, 2, 3)]
    checked = await start(lin, "现场核查", "inspection")
    contract = await start(lin, "框架合同", "contract")
    chosen = [await wang.the_task(instance) for instance in (*plain, checked, contract)]
    assert [task["in_bulk"] for task in chosen] == [True, True, True, True, False]
    await wang.does(plain[2], "delegate", to="gong")
    await gong.does(plain[2])
    order: dict[str, Any] = {
        "tasks": [{"id": task["id"], "version": task["version"]} for task in chosen],
        "opinion": "同意",
        "dry_run": True,
    }
    before = [await numbers(lin, instance) for instance in (*plain, checked, contract)]
    told = (await wang.post("/tasks/bulk-approve", order)).json()
    left_out = ["", "", "task.version_stale", "task.bulk_form", "task.bulk_not_allowed"]
    assert [result["refused"] for result in told["results"]] == left_out
    assert told["results"][3]["details"] == {"labels": ["现场核查结果"]}
    assert [await numbers(lin, instance) for instance in (*plain, checked, contract)] == before
    order["dry_run"] = False
    done = [(await wang.post("/tasks/bulk-approve", order, key="five")).json() for _ in range(2)]
    assert [result["refused"] for result in done[0]["results"]] == left_out
    assert [(result["approved"], result["refused"]) for result in done[1]["results"]] == [
        (result["approved"], result["refused"]) for result in done[0]["results"]
    ]
    for instance in plain[:2]:
        decided = [item for item in await lin.timeline(instance) if item["kind"] == "task.approved"]
        assert [(item["actor"]["id"], item["comment"]) for item in decided] == [("wang", "同意")]
        assert [item["action"] for item in await lin.read(f"/instances/{instance}/audit")].count("complete_task") == 1
    assert [await numbers(lin, instance) for instance in (plain[2], checked, contract)] == before[2:]

    # 6  He takes C back from whom he gave it to, until that one has acted.
    await wang.does(c, "transfer", to="chen")
    back = await wang.post(f"/instances/{c}/take-back")
    assert holders(back.json()) == [("manager", "wang")]
    await wang.does(c, "transfer", to="chen")
    await chen.does(c)
    late = await wang.post(f"/instances/{c}/take-back")
    assert (late.status_code, late.json()["code"]) == (409, "task.taken_back_late")
