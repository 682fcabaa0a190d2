"""Journey J1 as far as it goes today: submit, remind, return, correct, approve, approved; watched on the live board."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from noria.engine.events import TaskReminded, decode_events
from noria.engine.evolve import replay
from noria.engine.state import encode_state
from noria.kernel.instants import DAY_MS
from noria.operate.timeline import History
from tests.e2e.site import Site

pytestmark = pytest.mark.e2e
SignIn = Callable[..., Page]


def fill_request(page: Page, amount: str = "68400") -> None:
    page.get_by_label("采购标题").fill("深沟球轴承")
    choose(page, "类别", "原材料")
    page.get_by_label("供应商").fill("上海精工轴承有限公司")
    page.get_by_label("期望到货日期").fill("2026/12/20")
    page.get_by_label("期望到货日期").press("Enter")
    page.get_by_label("总金额（元）").fill(amount)
    page.get_by_label("物料").fill("轴承 6204")
    page.get_by_label("数量").fill("400")
    page.get_by_label("单价（元）").fill("171")


def choose(page: Page, label: str, option: str) -> None:
    # The form library hides the input that its label names behind what it shows.
    field = page.locator(".fjs-form-field-select").filter(has_text=label)
    field.locator(".fjs-select-display").click()
    field.get_by_text(option, exact=True).click()


def open_task(page: Page, key: str) -> None:
    page.get_by_test_id("task-item").filter(has_text=key).first.click()
    page.get_by_test_id("task-pane").wait_for()


def test_a_purchase_goes_from_the_form_to_the_approved_order(site: Site, sign_in: SignIn) -> None:
    board = sign_in("he")
    board.goto(f"{site.url}/board/purchase")
    expect(board.get_by_test_id("tile-throughput")).to_be_visible()

    # The applicant submits and sees who holds it.
    applicant = sign_in("lin")
    applicant.goto(f"{site.url}/start/purchase")
    fill_request(applicant)
    applicant.get_by_test_id("start-submit").click()
    applicant.wait_for_url("**/instances/*")
    expect(applicant.get_by_test_id("instance-now")).to_contain_text("王强")
    key = "CG-2026-000001"
    expect(applicant.get_by_text(key).first).to_be_visible()
    iid = site.instance(key)
    page_of_instance = applicant.url

    # The board has moved by itself.
    expect(board.get_by_test_id("feed")).to_contain_text(key, timeout=5_000)

    # At 80 % and at 100 % of the limit the holder is reminded.
    site.clock.offset_ms += 6 * DAY_MS
    manager = sign_in("wang")
    expect(manager.get_by_test_id("notices-count")).to_be_visible(timeout=10_000)
    events = [event for row in site.run(site.noria.database.store.journal_of(iid)) for event in decode_events(row.ev)]
    assert [event.share for event in events if isinstance(event, TaskReminded)] == [0.8, 1.0]

    # The manager approves, finance returns with a reason.
    open_task(manager, key)
    manager.get_by_test_id("task-complete").click()
    expect(manager.get_by_test_id("task-item").filter(has_text=key)).to_have_count(0)
    finance = sign_in("li")
    finance.get_by_test_id("box-group").click()
    open_task(finance, key)
    finance.get_by_test_id("task-claim").click()
    expect(finance.get_by_test_id("task-complete")).to_be_visible()
    finance.get_by_test_id("task-return").click()
    finance.get_by_test_id("return-target").first.check()
    finance.get_by_test_id("return-reason").fill("发票信息缺失")
    finance.get_by_test_id("return-confirm").click()

    # The applicant reads the reason, corrects and sends it again; nothing was typed twice.
    applicant.goto(f"{site.url}/tasks")
    open_task(applicant, key)
    expect(applicant.get_by_test_id("last-return")).to_contain_text("发票信息缺失")
    expect(applicant.get_by_label("供应商")).to_have_value("上海精工轴承有限公司")
    applicant.get_by_label("总金额（元）").fill("65000")
    applicant.get_by_test_id("task-complete").click()
    expect(applicant.get_by_test_id("task-item").filter(has_text=key)).to_have_count(0)

    # Round 2 to the end, with fresh reminders for everybody.
    manager.goto(f"{site.url}/tasks")
    open_task(manager, key)
    manager.get_by_test_id("task-complete").click()
    expect(manager.get_by_test_id("task-item").filter(has_text=key)).to_have_count(0)
    finance.goto(f"{site.url}/tasks")
    open_task(finance, key)
    finance.get_by_test_id("task-complete").click()
    expect(finance.get_by_test_id("task-item").filter(has_text=key)).to_have_count(0)
    general_manager = sign_in("zhao")
    general_manager.get_by_test_id("box-group").click()
    open_task(general_manager, key)
    general_manager.get_by_test_id("task-claim").click()
    general_manager.get_by_test_id("task-complete").click()

    # Approved, ordered, and the same on the board without a reload.
    applicant.goto(page_of_instance)
    expect(applicant.get_by_test_id("instance-status")).to_contain_text("已完成")
    expect(board.get_by_test_id("tile-errors")).to_contain_text("退回 1", timeout=5_000)
    expect(board.get_by_test_id("tile-throughput")).to_contain_text("完成 1", timeout=5_000)

    # The journal gives the stored state, byte for byte, and the audit trail holds.
    rows = site.run(site.noria.database.store.journal_of(iid))
    held = site.run(site.noria.runtime.instance(iid))
    assert encode_state(replay([decode_events(row.ev) for row in rows])) == encode_state(held.state)
    amounts = [
        change.after
        for item in site.run(_timeline(site, iid))
        for change in item.changes
        if change.name == "amount" and change.before is not None
    ]
    assert amounts == [65000]


async def _timeline(site: Site, iid: int) -> list:
    organisation = await site.noria.people.organisation(1)
    held = await site.noria.runtime.instance(iid)
    rows = await site.noria.database.store.journal_of(iid)
    return History(rows, held.definition.graph, 1, organisation).items()
