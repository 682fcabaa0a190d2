"""Finding: words, people and form fields, and filters that are saved, on the pages."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import SignIn
from tests.e2e.site import Client, Site
from tests.e2e.steps import item, pick

pytestmark = pytest.mark.e2e


def condition(page: Page, about: str, value: str, operator: str = "") -> None:
    """Add a condition on a form field."""
    page.get_by_test_id("filter-add").click()
    page.get_by_test_id("condition-about").select_option(f"field:{about}")
    if operator:
        page.get_by_test_id("condition-operator").select_option(operator)
    box = page.get_by_test_id("condition-value")
    if box.evaluate("box => box.tagName") == "SELECT":
        box.select_option(value)
    else:
        box.fill(value)
    page.get_by_test_id("condition-add").click()


def shown(page: Page) -> list[str]:
    return page.get_by_test_id("instance-link").all_inner_texts()


def test_requests_are_found_by_words_people_and_fields_and_the_filter_is_saved(site: Site, sign_in: SignIn) -> None:
    lin, chen = Client(site, "lin"), Client(site, "chen")
    small, large = [str(lin.request_purchase(amount=amount)["business_key"]) for amount in (900, 90_000)]
    of_chen = str(chen.request_purchase(amount=95_000)["business_key"])
    page = sign_in("he")
    page.get_by_role("link", name="流程实例").click()
    expect(page.get_by_test_id("instance-link")).to_have_count(3)

    condition(page, "amount", "90000", ">=")
    expect(page.get_by_test_id("instance-link")).to_have_text([of_chen, large])
    expect(page.get_by_test_id("filter-mark")).to_have_text("总金额（元） ≥ 90000")

    page.get_by_test_id("filter-add").click()
    page.get_by_test_id("condition-about").select_option("person:starter")
    pick(page, "condition-person", "林晓")
    page.get_by_test_id("condition-add").click()
    expect(page.get_by_test_id("instance-link")).to_have_text([large])
    expect(page.get_by_test_id("filter-mark").first).to_have_text("发起人 林晓")

    # Saved under a name, chosen again from nothing, renamed, deleted.
    page.get_by_test_id("filter-save").click()
    page.get_by_test_id("filter-name").fill("林晓的大额")
    page.get_by_test_id("filter-save-confirm").click()
    page.get_by_test_id("filter-rename").wait_for()
    page.get_by_role("link", name="我的待办").click()
    page.get_by_role("link", name="流程实例").click()
    expect(page.get_by_test_id("instance-link")).to_have_count(3)
    page.get_by_test_id("filter-saved").select_option(label="林晓的大额")
    expect(page.get_by_test_id("instance-link")).to_have_text([large])
    page.get_by_test_id("filter-rename").click()
    page.get_by_test_id("filter-name").fill("大额")
    page.get_by_test_id("filter-save-confirm").click()
    expect(page.get_by_test_id("filter-saved").locator("option:checked")).to_have_text("大额")
    page.get_by_test_id("filter-delete").click()
    expect(page.get_by_test_id("filter-saved")).to_have_count(0)

    # Each condition can be taken away.
    page.get_by_test_id("filter-mark").first.get_by_role("button").click()
    expect(page.get_by_test_id("instance-link")).to_have_text([of_chen, large])
    page.get_by_test_id("filter-mark").first.get_by_role("button").click()
    page.get_by_test_id("filter-q").fill("陈晨 轴承")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("instance-link")).to_have_text([of_chen])
    assert small not in shown(page)


def test_what_was_just_done_is_there_and_is_found_by_a_field(site: Site, sign_in: SignIn) -> None:
    lin = Client(site, "lin")
    small, large = [str(lin.request_purchase(amount=amount)["business_key"]) for amount in (900, 90_000)]
    page = sign_in("wang")
    for key in (small, large):
        item(page, key).click()
        page.locator(f"[data-testid=task-pane] :text('{key}')").first.wait_for()
        page.get_by_test_id("task-complete").click()
        expect(item(page, key)).to_have_count(0)
    page.get_by_test_id("box-done").click()
    expect(page.get_by_test_id("task-item")).to_have_count(2)
    condition(page, "category", "material")
    expect(page.get_by_test_id("task-item")).to_have_count(2)
    condition(page, "amount", "1000", "<=")
    expect(page.get_by_test_id("task-item")).to_have_count(1)
    expect(item(page, small)).to_be_visible()
