"""Approvers at their browsers: they approve, add and remove approvers, refuse, send straight back, and take back."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from noria.adapters.demo.seeding import example_files
from tests.e2e.conftest import SignIn
from tests.e2e.site import Client, Site
from tests.e2e.steps import item, open_task, pick

pytestmark = pytest.mark.e2e


@pytest.fixture
def key(site: Site) -> str:
    """The number of a purchase that the manager and 李娜 approve together."""
    files = example_files()
    old = 'name="部门主管审批" noria:assignee="= starter.manager"'
    new = (
        'name="部门主管审批" noria:approval="allOf" noria:approvers="= [starter.manager, &quot;li&quot;]" '
        'noria:whenRefused="end"'
    )
    assert old in files["purchase.bpmn"].decode()
    files["purchase.bpmn"] = files["purchase.bpmn"].replace(old.encode(), new.encode())
    Client(site, "he").deploy(files)
    return str(Client(site, "lin").request_purchase()["business_key"])


def test_an_approver_adds_another_before_himself_and_takes_that_back(site: Site, sign_in: SignIn, key: str) -> None:
    page = sign_in("wang", "/tasks")
    open_task(page, key)
    expect(page.get_by_test_id("approval").locator("[data-seat]")).to_have_count(2)
    page.get_by_test_id("task-more").click()
    page.get_by_test_id("task-add").click()
    pick(page, "add-people", "赵")
    page.get_by_test_id("add-text").click()
    expect(page.get_by_test_id("preview")).to_contain_text("打开：「部门主管审批」（赵")
    page.get_by_test_id("add-text").fill("请先看价格")
    page.get_by_test_id("add-confirm").click()
    expect(item(page, key)).to_have_count(0)
    site_key = Client(site, "lin").get("/instances", box="started")["items"][0]["id"]
    page.goto(f"{site.url}/instances/{site_key}")
    page.get_by_test_id("instance-take_back").click()
    expect(page.get_by_test_id("preview")).to_contain_text("打开：「部门主管审批」（王强）")
    page.get_by_test_id("instance-confirm").click()
    expect(page.get_by_text("取回「部门主管审批」")).to_be_visible()
    page.goto(f"{site.url}/tasks")
    open_task(page, key)
    page.get_by_test_id("task-complete").click()
    expect(item(page, key)).to_have_count(0)


def test_a_refusal_says_before_what_it_will_do(site: Site, sign_in: SignIn, key: str) -> None:
    page = sign_in("li", "/tasks")
    open_task(page, key)
    page.get_by_test_id("task-refuse").click()
    expect(page.get_by_test_id("preview")).to_contain_text("单据结束：已驳回")
    expect(page.get_by_test_id("preview")).to_contain_text("取消：「部门主管审批」（王强）")
    page.get_by_test_id("refuse-confirm").click()
    expect(page.get_by_text("请填写原因")).to_be_visible()
    page.get_by_test_id("refuse-text").fill("预算不足")
    page.get_by_test_id("refuse-confirm").click()
    expect(item(page, key)).to_have_count(0)
    assert Client(site, "lin").get("/instances", box="started")["items"][0]["status"] == "refused"


def test_a_returned_request_goes_straight_back_and_the_change_is_shown(site: Site, sign_in: SignIn, key: str) -> None:
    page = sign_in("li", "/tasks")
    open_task(page, key)
    page.get_by_test_id("task-return").click()
    page.get_by_test_id("return-target").first.check()
    page.get_by_test_id("return-straight").check()
    page.get_by_test_id("return-reason").fill("金额过高")
    page.get_by_test_id("return-confirm").click()
    expect(item(page, key)).to_have_count(0)
    applicant = sign_in("lin", "/tasks")
    open_task(applicant, key)
    expect(applicant.get_by_test_id("resubmit-straight")).to_be_checked()
    applicant.get_by_label("总金额（元）").fill("65000")
    applicant.get_by_test_id("task-complete").click()
    expect(item(applicant, key)).to_have_count(0)
    page.goto(f"{site.url}/tasks")
    open_task(page, key)
    expect(page.get_by_test_id("changed-since")).to_contain_text("65,000")


def test_a_colleague_is_asked_for_an_opinion_and_answers(site: Site, sign_in: SignIn, key: str) -> None:
    page = sign_in("wang", "/tasks")
    open_task(page, key)
    page.get_by_test_id("task-more").click()
    page.get_by_test_id("task-consult").click()
    pick(page, "consult-people", "孙")
    page.get_by_test_id("consult-text").fill("价格合理吗？")
    page.get_by_test_id("consult-confirm").click()
    expect(page.get_by_test_id("asked-for")).to_contain_text("已征询 孙磊：价格合理吗？")
    other = sign_in("sun", "/tasks")
    open_task(other, key)
    expect(other.get_by_test_id("task-complete")).to_have_count(0)
    other.get_by_test_id("opinion-text").fill("合理")
    other.get_by_test_id("opinion-send").click()
    expect(item(other, key)).to_have_count(0)
    assert Client(site, "wang").task_of(key)["id"]


def test_a_copy_is_found_in_its_box(site: Site, sign_in: SignIn, key: str) -> None:
    lin = Client(site, "lin")
    page = sign_in("lin", f"/instances/{lin.get('/instances', box='started')['items'][0]['id']}")
    page.get_by_test_id("instance-copy").click()
    pick(page, "copy-people", "孙")
    page.get_by_test_id("instance-text").fill("请知悉")
    page.get_by_test_id("instance-confirm").click()
    expect(page.get_by_text("林晓 抄送 孙磊")).to_be_visible()
    other = sign_in("sun", "/tasks?box=copied")
    expect(other.get_by_test_id("started-item").filter(has_text=key)).to_be_visible()


SHOWN = {
    "zh-CN": {
        "main": "「同意」后将会发生",
        "urge": ("通知：王强、李娜", "起可再次催办"),
        "copy": ("通知：孙磊",),
        "comment": ("其他不变。",),
        "suspend": ("单据挂起，恢复前不再流转。",),
        "cancel": ("单据结束：已终止。", "取消：「部门主管审批」（王强）、「部门主管审批」（李娜）", "通知：林晓"),
        "restart": ("单据状态变为：进行中。", "打开：「部门主管审批」（王强）"),
        "consult": ("通知：孙磊",),
        "remove": ("取消：「部门主管审批」（孙磊）",),
        "recently": "催办过",
    },
    "en-US": {
        "main": "What “Approve” will do",
        "urge": ("Told: 王强, 李娜", "Can be urged again from"),
        "copy": ("Told: 孙磊",),
        "comment": ("Nothing else changes.",),
        "suspend": ("The request rests until it is resumed.",),
        "cancel": ("The request ends: Terminated.", 'Cancelled: "部门主管审批" (王强)', "Told: 林晓"),
        "restart": ("The request becomes: Open.", 'Opened: "部门主管审批" (王强)'),
        "consult": ("Told: 孙磊",),
        "remove": ('Cancelled: "部门主管审批" (孙磊)',),
        "recently": "try again in 30 min",
    },
}


def look(page: Page, language: str, verb: str, confirm: str = "instance-confirm") -> None:
    """The dialog shows what its verb will do, and its button works."""
    shown: Any = SHOWN[language]
    for line in shown[verb]:
        expect(page.get_by_test_id("preview")).to_contain_text(line)
    expect(page.get_by_test_id(confirm)).to_be_enabled()


def leave(page: Page) -> None:
    page.locator(".dialog-head button").click()


def test_every_dialog_shows_what_its_verb_will_do_before_the_button_works(
    site: Site, sign_in: SignIn, key: str
) -> None:
    lin, wang = Client(site, "lin"), Client(site, "wang")
    instance = lin.get("/instances", box="started")["items"][0]["id"]
    operators = {language: sign_in("he", f"/instances/{instance}", language) for language in SHOWN}
    for language, page in operators.items():
        for verb in ("urge", "copy", "comment", "suspend", "cancel"):
            page.get_by_test_id(f"instance-{verb}").click()
            if verb == "copy":
                expect(page.get_by_test_id("preview")).to_have_count(0)
                pick(page, "copy-people", "孙")
            look(page, language, verb)
            leave(page)
    wang.post(f"/tasks/{wang.task_of(key)['id']}/approvers", people=["sun"], where="parallel")
    lin.post(f"/instances/{instance}/urge")
    for language, page in operators.items():
        page.get_by_test_id("instance-urge").click()
        expect(page.get_by_test_id("preview")).to_contain_text(str(SHOWN[language]["recently"]))
        expect(page.get_by_test_id("preview")).to_have_attribute("data-refused", "task.urged_recently")
        expect(page.get_by_test_id("instance-confirm")).to_be_disabled()
        leave(page)

        approver = sign_in("wang", "/tasks", language)
        open_task(approver, key)
        expect(approver.get_by_test_id("main-preview")).to_contain_text(str(SHOWN[language]["main"]))
        approver.get_by_test_id("task-more").click()
        approver.get_by_test_id("task-consult").click()
        pick(approver, "consult-people", "孙")
        look(approver, language, "consult", "consult-confirm")
        leave(approver)
        approver.get_by_test_id("seat-remove").click()
        look(approver, language, "remove", "look-confirm")
        leave(approver)
    approver.get_by_test_id("seat-remove").click()
    approver.get_by_test_id("look-confirm").click()
    expect(approver.get_by_test_id("approval").locator("[data-seat=sun]")).to_have_count(0)

    page.get_by_test_id("instance-cancel").click()
    page.get_by_test_id("instance-text").fill("重复")
    page.get_by_test_id("instance-confirm").click()
    for language, page in operators.items():
        expect(page.get_by_test_id("instance-status")).to_have_attribute("data-status", "terminated")
        page.get_by_test_id("instance-restart").click()
        look(page, language, "restart")
