"""Journey J1: 林晓 of purchasing applies, is returned, corrects, and prints what was approved. By REST, step by step.

Not part of it, for they belong to capabilities that are still to come: reading fields off a photographed quotation
(OCR) with a field that must be confirmed, and a supplier that is looked up in master data. Here she types the fields.
"""

from __future__ import annotations

from typing import Any

import pypdfium2 as pdfium

from tests.journeys.company import Colleague, Company, field, form, holders, model
from tests.journeys.conftest import Found

QUOTATION = b"%PDF-1.7\n" + "报价单：工业相机 3 项，合计 68400 元".encode() + b"\n%%EOF\n"
REQUEST = form(
    "request",
    field("textfield", "title", "采购标题", validate={"required": True}),
    field("textfield", "supplier", "供应商", validate={"required": True}),
    field("number", "amount", "总金额（元）", validate={"required": True, "min": 1}),
    {
        "type": "dynamiclist",
        "id": "f_lines",
        "path": "lines",
        "label": "采购明细",
        "components": [
            field("textfield", "item", "物料", validate={"required": True}),
            field("number", "quantity", "数量", validate={"required": True, "min": 1}),
            field("number", "price", "单价（元）", validate={"required": True}),
        ],
    },
    field("filepicker", "quotation", "报价单"),
    field("textarea", "note", "交货说明"),
)
PURCHASE = model(
    "purchase",
    """
    startEvent start form=request
    userTask apply name=填写申请 assignee="= starter.id" form=request completedByStart=true
    userTask manager name=主管审批 approval=anyOf approvers="= starter.manager" form=request hiddenFields=note writableFields="" dueIn=PT16H calendar=default
    userTask finance name=财务审核 approval=anyOf approvers='= people.with_role("finance")' form=request hiddenFields=note writableFields="" dueIn=PT16H calendar=default
    exclusiveGateway large
    userTask general_manager name=总经理终审 approval=anyOf approvers='= people.with_role("general_manager")' form=request writableFields="" dueIn=PT24H calendar=default
    endEvent approved
    endEvent approved_by_two
    start -> apply -> manager -> finance -> large
    large -[= amount >= 50000]-> general_manager -> approved
    large -default-> approved_by_two
    """,  # noqa: E501 - one line per step
    serial="CG-{year}-{number:06d}",
    title='= "采购 " + title',
)
CAMERAS: dict[str, Any] = {
    "title": "工业相机",
    "supplier": "苏州华创自动化",
    "amount": 68_400,
    "lines": [
        {"item": "工业相机", "quantity": 6, "price": 8_800},
        {"item": "镜头", "quantity": 6, "price": 1_900},
        {"item": "支架", "quantity": 6, "price": 700},
    ],
    "note": "送到二号库房",
}


def places(path: dict[str, Any]) -> list[tuple[str, str]]:
    return [(step["element"]["id"], step["assignee"]["id"]) for step in path["steps"]]


def said(content: bytes) -> str:
    return "".join(page.get_textpage().get_text_range() for page in pdfium.PdfDocument(content)).replace("\r\n", "")


async def reminders(who: Colleague, instance: str) -> list[tuple[str, int, float]]:
    """Where, in which round, and at which share of the limit somebody was reminded."""
    return [
        (item["element"]["id"], item["round"], item["params"]["share"])
        for item in await who.timeline(instance)
        if item["kind"] == "task.reminded"
    ]


async def last_years(company: Company) -> None:
    """Two requests of the year before: the time that tasks usually take is known from them."""
    lin, wang, li, zhao = await company.people("lin", "wang", "li", "zhao")
    for _ in range(2):
        started = (await lin.post("/instances", {"process": "purchase", "variables": CAMERAS})).json()
        for who in (wang, li, zhao):
            company.clock.instant += 2 * 3_600_000
            ended = await who.does(started["id"])
        assert ended["status"] == "completed"
    await company.quiet()


async def test_j1_a_request_is_returned_corrected_sent_straight_back_and_printed(found: Found) -> None:
    company = await found("2025-12-29T09:00:00+08:00", PURCHASE, REQUEST)
    await last_years(company)
    await company.be("2026-03-02T09:00:00+08:00")
    lin, wang, li, zhao, he = await company.people("lin", "wang", "li", "zhao", "he")

    # 1  She attaches the quotation and fills in the form; what is missing is named, and nothing is started.
    uploaded = await lin.send("POST", "/attachments", files={"file": ("报价单.pdf", QUOTATION, "application/pdf")})
    assert uploaded.status_code == 201, uploaded.text
    kept = await lin.send("PUT", "/drafts/start.purchase", json={"data": {"title": "工业相机"}})
    assert (await lin.read("/drafts/start.purchase"))["data"] == kept.json()["data"] == {"title": "工业相机"}
    wished = {**CAMERAS, "quotation": [uploaded.json()]}
    unfinished = {name: value for name, value in wished.items() if name != "supplier"}
    refused = await lin.post("/instances", {"process": "purchase", "variables": unfinished})
    assert (refused.status_code, refused.json()["code"]) == (422, "form.invalid")
    assert list(refused.json()["details"]["fields"]) == ["supplier"]

    # 3  Before she submits she sees who will be asked, and when.
    path = (await lin.post("/instances/path", {"process": "purchase", "variables": wished})).json()
    way = [("manager", "wang"), ("finance", "li"), ("general_manager", "zhao")]
    assert places(path) == way
    dates = [step["until_at"] for step in path["steps"]]
    assert None not in dates
    assert dates == sorted(dates)
    assert path["ends_at"] == dates[-1]
    assert len(await lin.read("/instances", box="started")) == 2

    # 4  Submitted twice by an impatient hand it is one request, the first of its year; 王强 holds it.
    body = {"process": "purchase", "variables": wished}
    started = await lin.post("/instances", body, key="submit-1")
    again = await lin.post("/instances", body, key="submit-1")
    assert started.status_code == again.status_code == 201
    request = started.json()
    assert again.json()["id"] == request["id"]
    iid = request["id"]
    assert (request["business_key"], holders(request)) == ("CG-2026-000001", [("manager", "wang")])
    opened = (await lin.timeline(iid))[-1]
    assert (opened["kind"], opened["element"]["id"], opened["params"]["assignee"]) == ("task.opened", "manager", "王强")
    assert "withdraw" in (await lin.read(f"/instances/{iid}"))["allowed"]

    # 5  At 80 % of sixteen working hours he is reminded, and so is his manager. She urges; once in half an hour.
    await company.be("2026-03-03T14:47:00+08:00")
    assert await reminders(lin, iid) == []
    await company.be("2026-03-03T14:48:00+08:00")
    assert await reminders(lin, iid) == [("manager", 1, 0.8)]
    assert (await wang.notices(), await zhao.notices()) == (["reminder"], ["reminder"])
    assert (await lin.post(f"/instances/{iid}/urge", {"text": "周五要下单"})).status_code == 200
    await company.be("2026-03-03T15:17:59+08:00")
    hasty = await lin.post(f"/instances/{iid}/urge", {"text": "周五要下单"})
    assert (hasty.status_code, hasty.json()["code"], hasty.headers["Retry-After"]) == (429, "task.urged_recently", "1")
    await company.be("2026-03-03T15:18:00+08:00")
    assert (await lin.post(f"/instances/{iid}/urge", {"text": "周五要下单"})).status_code == 200
    await company.quiet()
    assert await wang.notices() == ["urged", "urged", "reminder"]

    # 6  王强 agrees, finance returns it with a reason; she lowers the amount and sends it straight back.
    assert holders(await wang.does(iid, comment="同意")) == [("finance", "li")]
    assert "withdraw" not in (await lin.read(f"/instances/{iid}"))["allowed"]
    unsaid = await li.post(f"/tasks/{(await li.the_task(iid))['id']}/return", {"to": "apply", "reason": " "})
    assert (unsaid.status_code, unsaid.json()["code"]) == (422, "reason.required")
    await li.does(iid, "return", to="apply", reason="单价与框架合同不符")
    seen = await lin.sees(iid)
    assert (seen["round"], seen["last_return"]["reason"]) == (2, "单价与框架合同不符")
    assert (seen["comeback"]["by"]["id"], seen["comeback"]["resubmits"]) == ("li", True)
    corrected = {**wished, "amount": 65_000}
    body = {"variables": corrected, "resubmit": "straight", "version": seen["version"]}
    preview = {"verb": "complete", "variables": corrected, "resubmit": "straight"}
    shown = (await lin.post(f"/tasks/{seen['id']}/preview", preview)).json()
    assert [(task["element"]["id"], task["round"]) for task in shown["opened"]] == [("manager", 2)]
    sent = [await lin.post(f"/tasks/{seen['id']}/complete", body, key="again-1") for _ in range(2)]
    assert [answer.status_code for answer in sent] == [200, 200]

    #    He saw the amount, so he is asked again and shown the difference; then finance decides in its second round.
    assert holders(sent[1].json()["instance"]) == [("manager", "wang")]
    seen = await wang.sees(iid)
    assert (seen["round"], seen["comeback"]["straight"]) == (2, True)
    changes = [
        (change["name"], change["label"], change["before"], change["after"]) for change in seen["comeback"]["changes"]
    ]
    assert changes == [("amount", "总金额（元）", 68_400, 65_000)]
    assert "note" not in seen["data"]

    #    The new round has fresh reminders.
    await company.be("2026-03-04T18:00:00+08:00")
    assert await reminders(lin, iid) == [("manager", 1, 0.8)]
    await company.be("2026-03-05T14:00:00+08:00")
    assert (await reminders(lin, iid))[1:] == [("manager", 2, 0.8)]
    assert holders(await wang.does(iid)) == [("finance", "li")]
    assert (await li.sees(iid))["round"] == 2
    assert holders(await li.does(iid, comment="已核对")) == [("general_manager", "zhao")]

    #    The general manager wants a word in the note. Nobody but him has seen it: nobody but him is asked again.
    await zhao.does(iid, "return", to="apply", reason="请写明验收人", mode="straight")
    seen = await lin.sees(iid)
    noted = {**corrected, "note": "送到二号库房，陈晨验收"}
    assert holders(await lin.does(iid, variables=noted)) == [("general_manager", "zhao")]
    passed = [
        (item["element"]["id"], item["params"]["reason"])
        for item in await lin.timeline(iid)
        if item["kind"] == "task.passed"
    ]
    assert passed == [("manager", "unchanged"), ("finance", "unchanged")]
    assert [change["name"] for change in (await zhao.sees(iid))["comeback"]["changes"]] == ["note"]

    # 7  He approves; she prints it with everybody's stamp.
    early = await lin.get(f"/instances/{iid}/pdf")
    assert (early.status_code, early.json()["code"]) == (422, "print.open")
    assert (await zhao.does(iid, comment="同意采购"))["status"] == "completed"
    await company.quiet()
    assert (await lin.notices())[0] == "completed"
    printed = await lin.get(f"/instances/{iid}/pdf")
    assert printed.headers["content-type"] == "application/pdf"
    paper = said(printed.content)
    for words in (
        "CG-2026-000001",
        "工业相机",
        "65,000",
        "镜头",
        "王强",
        "李娜",
        "赵总",
        "同意采购",
        "审批记录",
        "澄海制造",
        "已办结",
    ):
        assert words in paper, words
    assert "68,400" not in paper

    # At the end: what is on record of the amount, what could be undone, and that nothing happened twice.
    audit = await lin.read(f"/instances/{iid}/audit")
    amounts = [
        (item["actor"]["id"], item["before"]["amount"], item["after"]["amount"])
        for item in audit
        if "amount" in item["before"]
    ]
    assert amounts == [("lin", 68_400, 65_000)]
    assert not {"withdraw", "urge", "take_back"} & set((await lin.read(f"/instances/{iid}"))["allowed"])
    late = await lin.post(f"/instances/{iid}/withdraw", {"reason": "不买了"})
    assert (late.status_code, late.json()["code"]) == (409, "instance.ended")
    kinds = [item["kind"] for item in await he.timeline(iid)]
    assert (kinds.count("instance.started"), kinds.count("task.returned"), kinds.count("task.approved")) == (1, 2, 4)
    assert len(await lin.read("/instances", box="started")) == 3
