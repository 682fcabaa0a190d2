"""What people do on the pages, in their words."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote

from playwright.sync_api import Locator, Page, expect

T = TypeVar("T")


def choose(page: Page, label: str, option: str) -> None:
    # The form library hides the input that its label names behind what it shows.
    field = page.locator(".fjs-form-field-select").filter(has_text=label)
    field.locator(".fjs-select-display").click()
    field.get_by_text(option, exact=True).click()


def fill_request(page: Page, amount: str = "68400") -> None:
    page.get_by_label("采购标题").fill("深沟球轴承")
    choose(page, "类别", "原材料")
    page.get_by_label("供应商").fill("上海精工轴承有限公司")
    page.get_by_label("期望到货日期").fill("2027/3/20")
    page.get_by_label("期望到货日期").press("Enter")
    page.get_by_label("总金额（元）").fill(amount)
    page.get_by_label("物料").fill("轴承 6204")
    page.get_by_label("数量").fill("400")
    page.get_by_label("单价（元）").fill("171")


def item(page: Page, key: str) -> Locator:
    """A task in the list of the inbox."""
    return page.get_by_test_id("task-item").filter(has_text=key)


def open_task(page: Page, key: str) -> None:
    item(page, key).click()
    page.locator(f"[data-testid=task-pane] :text('{key}')").first.wait_for()


def claim(page: Page, key: str) -> None:
    """Take a task of the group."""
    page.get_by_test_id("box-group").click()
    open_task(page, key)
    page.get_by_test_id("task-claim").click()
    page.get_by_test_id("task-unclaim").wait_for()


def send_back(page: Page, reason: str) -> None:
    """Return the open task to the first place that it can be returned to."""
    page.get_by_test_id("task-return").click()
    page.get_by_test_id("return-target").first.check()
    page.get_by_test_id("return-reason").fill(reason)
    page.get_by_test_id("return-confirm").click()


def wait_for_draft(page: Page, text: str) -> None:
    """Until the page has kept what was typed."""
    deadline = time.monotonic() + 10
    # Not wait_for_function: it needs `eval`, which the Content Security Policy refuses.
    while text not in page.evaluate("Object.values(localStorage).join()"):
        assert time.monotonic() < deadline, f"{text!r} is not in the kept drafts"
        page.wait_for_timeout(50)


def pick(page: Page, field: str, name: str) -> None:
    """Choose a person by a part of the name, and see that the choice was taken."""
    picker = page.get_by_test_id(field)
    picker.click()
    # The people shown before the search has answered go away with it, under a click that is on its way.
    with page.expect_response(lambda response: f"people?q={quote(name)}" in response.url):
        picker.locator("input").fill(name)
    page.get_by_role("option", name=name).first.click()
    expect(picker.locator(".el-select__selected-item").filter(has_text=name).first).to_be_visible()


def until(page: Page, found: Callable[[], T]) -> T:
    """What is found as soon as there is something; the browser goes on meanwhile."""
    deadline = time.monotonic() + 20
    while not (value := found()):
        assert time.monotonic() < deadline, "nothing came"
        page.evaluate("0")
    return value
