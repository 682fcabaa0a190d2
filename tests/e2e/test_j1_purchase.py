"""Journey J1 as far as it goes today: submit, remind, urge, return, correct, approve, approved; seen on the board."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from noria.engine.events import TaskReminded, decode_events
from noria.engine.evolve import replay
from noria.engine.state import encode_state
from noria.kernel.instants import DAY_MS, MINUTE_MS
from tests.e2e.conftest import SignIn
from tests.e2e.site import REQUEST, Client, Site
from tests.e2e.steps import claim, fill_request, item, open_task, send_back

pytestmark = pytest.mark.e2e
MOVES_WITHIN_MS = 2_000


def test_a_purchase_goes_from_the_form_to_the_approved_order(site: Site, sign_in: SignIn) -> None:
    board = sign_in("he", "/board/purchase")
    expect(board.get_by_test_id("tile-throughput")).to_contain_text("发起 0")

    # The applicant submits and sees who holds it; the board moves by itself.
    applicant = sign_in("lin", "/start/purchase")
    fill_request(applicant)
    applicant.get_by_test_id("start-submit").click()
    applicant.wait_for_url("**/instances/*")
    instance = applicant.url
    key = applicant.locator(".key").inner_text()
    assert re.fullmatch(r"CG-\d{4}-000001", key)
    expect(board.get_by_test_id("tile-throughput")).to_contain_text("发起 1", timeout=MOVES_WITHIN_MS)
    expect(applicant.get_by_test_id("instance-now")).to_contain_text("王强")
    expect(applicant.get_by_test_id("instance-withdraw")).to_be_visible()

    # The manager approves, finance returns with a reason.
    manager = sign_in("wang")
    open_task(manager, key)
    manager.get_by_test_id("task-complete").click()
    expect(item(manager, key)).to_have_count(0)
    finance = sign_in("li")
    claim(finance, key)
    send_back(finance, "发票信息缺失")
    expect(board.get_by_test_id("tile-errors")).to_contain_text("退回 1", timeout=MOVES_WITHIN_MS)

    # The applicant reads the reason, corrects and sends it again; nothing is typed twice.
    applicant.goto(f"{site.url}/tasks")
    open_task(applicant, key)
    expect(applicant.get_by_test_id("last-return")).to_contain_text("发票信息缺失")
    expect(applicant.get_by_label("供应商")).to_have_value("上海精工轴承有限公司")
    applicant.get_by_label("总金额（元）").fill("65000")
    applicant.get_by_test_id("task-complete").click()
    expect(item(applicant, key)).to_have_count(0)

    # Round 2 to the end.
    open_task(manager, key)
    manager.get_by_test_id("task-complete").click()
    expect(item(manager, key)).to_have_count(0)
    finance.goto(f"{site.url}/tasks")
    open_task(finance, key)
    finance.get_by_test_id("task-complete").click()
    expect(item(finance, key)).to_have_count(0)
    general_manager = sign_in("zhao")
    claim(general_manager, key)
    general_manager.get_by_test_id("task-complete").click()
    expect(board.get_by_test_id("tile-throughput")).to_contain_text("完成 1", timeout=MOVES_WITHIN_MS)

    # The applicant sees it approved, with both rounds and the corrected amount, and can no longer withdraw it.
    applicant.goto(instance)
    expect(applicant.get_by_test_id("instance-status")).to_have_attribute("data-status", "completed")
    expect(applicant.get_by_test_id("instance-withdraw")).to_have_count(0)
    timeline = applicant.get_by_test_id("timeline")
    expect(timeline).to_contain_text("第 2 轮")
    expect(timeline.locator(".timeline-comment")).to_contain_text(["发票信息缺失"])
    correction = timeline.locator(".timeline-changes li").filter(has=applicant.locator("del", has_text="68,400"))
    expect(correction.locator("ins")).to_have_text("65,000")

    # The audit of the instance has the amount before and after; the journal gives the stored state byte for byte.
    iid = site.instance(key)
    entries = Client(site, "qian").get(f"/instances/{iid}/audit")["items"]
    amounts = [
        (entry["before"].get("amount"), entry["after"]["amount"]) for entry in entries if "amount" in entry["after"]
    ]
    assert amounts[-1] == (68400, 65000)
    rows = site.run(site.noria.database.store.journal_of(iid))
    held = site.run(site.noria.runtime.instance(iid))
    assert encode_state(replay([decode_events(row.ev) for row in rows])) == encode_state(held.state)


def test_the_holder_is_reminded_at_80_and_100_percent_and_again_after_a_return(site: Site, sign_in: SignIn) -> None:
    lin, wang, li = (Client(site, person) for person in ("lin", "wang", "li"))
    request = lin.request_purchase()
    key = request["business_key"]
    wang.complete(key)
    task = li.task_of(key, "group")
    li.post(f"/tasks/{task['id']}/claim", version=task["version"])
    li.post(f"/tasks/{task['id']}/return", to="apply", reason="发票信息缺失")
    lin.complete(key, **{**REQUEST, "amount": 65000})
    site.clock.offset_ms += 6 * DAY_MS

    manager = sign_in("wang")

    expect(manager.get_by_test_id("notices-count")).to_be_visible()
    manager.get_by_test_id("notices-open").click()
    notices = manager.get_by_test_id("notices").get_by_role("listitem")
    expect(notices).to_have_count(2)
    expect(notices.filter(has_text="提醒")).to_have_count(1)
    expect(notices.filter(has_text="超时")).to_have_count(1)
    assert [event.share for event in site.events(int(request["id"])) if isinstance(event, TaskReminded)] == [0.8, 1.0]


def test_a_second_urging_within_half_an_hour_is_refused_with_the_time_to_wait(site: Site, sign_in: SignIn) -> None:
    request = Client(site, "lin").request_purchase()
    page = sign_in("lin", f"/instances/{request['id']}")
    page.get_by_test_id("instance-urge").click()
    page.get_by_test_id("instance-confirm").click()
    expect(page.get_by_test_id("toasts")).to_contain_text("已催办")
    expect(page.get_by_test_id("timeline")).to_contain_text("催办")

    refused(page, "刚刚催办过，请 30 分钟 后再催")
    site.clock.offset_ms += 20 * MINUTE_MS
    page.reload()
    refused(page, "刚刚催办过，请 10 分钟 后再催")


def refused(page: Page, why: str) -> None:
    page.get_by_test_id("instance-urge").click()
    expect(page.get_by_test_id("preview")).to_contain_text(why)
    expect(page.get_by_test_id("instance-confirm")).to_be_disabled()


def test_an_applicant_withdraws_while_it_is_allowed_and_not_afterwards(site: Site, sign_in: SignIn) -> None:
    request = Client(site, "lin").request_purchase()
    page = sign_in("lin", f"/instances/{request['id']}")

    page.get_by_test_id("instance-withdraw").click()
    page.get_by_test_id("instance-text").fill("重复提交")
    page.get_by_test_id("instance-confirm").click()

    expect(page.get_by_test_id("instance-status")).to_have_attribute("data-status", "withdrawn")
    expect(page.get_by_test_id("timeline")).to_contain_text("重复提交")
    expect(page.get_by_test_id("instance-withdraw")).to_have_count(0)
    expect(page.get_by_test_id("instance-urge")).to_have_count(0)
