"""The inbox: by keyboard alone, several tasks at once, and two people at one task."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import SignIn, Visitors
from tests.e2e.site import Client, Site
from tests.e2e.steps import item, open_task, until

pytestmark = pytest.mark.e2e


def requests(site: Site, count: int) -> list[str]:
    """Purchase requests of different size that wait for the manager; their numbers in the order of the inbox."""
    lin = Client(site, "lin")
    return [str(lin.request_purchase(amount=10_000 + number)["business_key"]) for number in range(count)]


def current(page: Page) -> str | None:
    return page.locator("[data-testid=task-item][aria-current=true]").get_attribute("data-key")


def test_the_inbox_is_worked_off_without_a_mouse(site: Site, sign_in: SignIn) -> None:
    first, second, third = requests(site, 3)
    page = sign_in("wang")
    expect(item(page, first)).to_have_attribute("aria-current", "true")
    page.get_by_test_id("task-complete").wait_for()

    # j and k move, x selects.
    page.keyboard.press("j")
    expect(item(page, second)).to_have_attribute("aria-current", "true")
    page.keyboard.press("x")
    expect(page.get_by_test_id("bulk")).to_contain_text("已选 1")
    page.keyboard.press("x")
    expect(page.get_by_test_id("bulk")).to_have_count(0)
    page.keyboard.press("k")
    expect(item(page, first)).to_have_attribute("aria-current", "true")

    # e approves, and the next task opens by itself.
    page.locator(f"[data-testid=task-pane] :text('{first}')").first.wait_for()
    page.get_by_label("审批意见").wait_for()
    expect(page.get_by_test_id("task-complete")).to_be_enabled()
    page.keyboard.press("e")
    expect(item(page, first)).to_have_count(0)
    expect(item(page, second)).to_have_attribute("aria-current", "true")

    # r returns with a reason, written and sent from the keyboard.
    page.get_by_test_id("task-return").wait_for()
    page.keyboard.press("r")
    page.get_by_test_id("return-reason").fill("缺少三家比价")
    expect(page.get_by_test_id("return-confirm")).to_be_enabled()
    page.keyboard.press("Control+Enter")
    expect(item(page, second)).to_have_count(0)
    expect(item(page, third)).to_have_attribute("aria-current", "true")


def test_keys_open_the_search_the_help_the_palette_and_other_pages(site: Site, sign_in: SignIn) -> None:
    (key,) = requests(site, 1)
    page = sign_in("wang")
    expect(item(page, key)).to_be_visible()

    page.keyboard.press("/")
    expect(page.get_by_test_id("task-search")).to_be_focused()
    page.keyboard.type("?")  # typed into the field, no command
    expect(page.get_by_test_id("help-keys")).not_to_be_visible()
    page.get_by_test_id("task-search").fill("")
    page.evaluate("document.activeElement.blur()")

    page.keyboard.press("?")
    expect(page.get_by_test_id("help-keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("help-keys")).not_to_be_visible()

    page.keyboard.press("Control+k")
    page.get_by_test_id("palette-input").fill("看板")
    page.keyboard.press("Enter")
    page.wait_for_url("**/board/**")
    page.keyboard.press("g")
    page.keyboard.press("t")
    page.wait_for_url("**/tasks**")


def test_several_tasks_are_approved_at_once(site: Site, sign_in: SignIn) -> None:
    keys = requests(site, 3)
    page = sign_in("wang")
    for key in keys[:2]:
        page.get_by_label(f"选中 {key}").check()

    page.get_by_test_id("bulk-complete").click()
    expect(page.get_by_test_id("bulk-agreed")).to_contain_text("2 项中的 2 项")
    page.get_by_test_id("bulk-opinion").fill("同意采购")
    page.get_by_test_id("bulk-confirm").click()

    expect(page.get_by_test_id("toasts")).to_contain_text("已处理 2 项")
    expect(page.get_by_test_id("task-item")).to_have_count(1)
    expect(item(page, keys[2])).to_be_visible()
    lin = Client(site, "lin")
    for request in lin.get("/instances", box="started")["items"]:
        said = [one["comment"] for one in lin.get(f"/instances/{request['id']}/timeline")["items"] if one["comment"]]
        assert said == (["同意采购"] if request["business_key"] in keys[:2] else [])


def test_who_cannot_be_approved_at_once_is_named_before_the_button_is_pressed(site: Site, sign_in: SignIn) -> None:
    keys = requests(site, 2)
    for key in keys:
        Client(site, "wang").complete(key)
    page = sign_in("li", "/tasks?box=group")
    for key in keys:
        page.get_by_label(f"选中 {key}").check()

    # The process lets managers approve many at once, and not finance.
    page.get_by_test_id("bulk-complete").click()
    expect(page.get_by_test_id("bulk-agreed")).to_contain_text("2 项中的 0 项")
    expect(page.get_by_test_id("bulk-left-out")).to_contain_text(keys[0])
    expect(page.get_by_test_id("bulk-left-out")).to_contain_text("不允许此环节批量审批")
    expect(page.get_by_test_id("bulk-confirm")).to_be_disabled()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("bulk")).to_contain_text("已选 2")


def test_what_was_typed_stays_to_be_read_when_the_applicant_withdraws(
    site: Site, sign_in: SignIn, visitors: Visitors
) -> None:
    visitors.expected.add(409)
    lin = Client(site, "lin")
    request = lin.request_purchase()
    page = sign_in("wang")
    # His page does not hear of it before he presses the button.
    visitors.cut.add("/api/stream")
    page.context.route("**/api/stream**", lambda route: route.abort())
    page.goto(f"{site.url}/tasks")
    open_task(page, str(request["business_key"]))
    opinion = page.get_by_label("审批意见")
    opinion.fill("价格合适，同意")
    lin.post(f"/instances/{request['id']}/withdraw", reason="型号有误")
    page.get_by_test_id("task-complete").click()

    expect(page.get_by_test_id("task-refusal")).to_contain_text("已由申请人撤回（林晓")
    expect(page.get_by_test_id("task-closed")).to_be_visible()
    expect(opinion).to_have_value("价格合适，同意")


def test_the_second_of_two_people_learns_who_was_first_and_keeps_what_he_typed(
    site: Site, sign_in: SignIn, visitors: Visitors
) -> None:
    visitors.expected.add(409)
    (key,) = requests(site, 1)
    Client(site, "wang").complete(key)
    second = sign_in("sun")
    # His page does not hear of the other's deed before he presses the button.
    visitors.cut.add("/api/stream")
    second.context.route("**/api/stream**", lambda route: route.abort())
    second.goto(f"{site.url}/tasks?box=group")
    open_task(second, key)
    opinion = second.get_by_label("审批意见")
    opinion.fill("预算内，同意")

    Client(site, "li").complete(key, "group")
    second.get_by_test_id("task-claim").click()

    expect(second.get_by_test_id("task-refusal")).to_contain_text("李娜 已处理")
    expect(second.get_by_test_id("task-closed")).to_contain_text("李娜")
    expect(opinion).to_have_value("预算内，同意")
    expect(second.get_by_test_id("task-complete")).to_have_count(0)


def test_a_task_that_is_done_can_be_read_again(site: Site, sign_in: SignIn) -> None:
    (key,) = requests(site, 1)
    Client(site, "wang").complete(key, opinion="同意，注意交期")
    page = sign_in("wang", "/tasks?box=done")

    open_task(page, key)

    expect(page.get_by_test_id("task-closed")).to_contain_text("王强")
    expect(page.get_by_label("审批意见")).to_have_value("同意，注意交期")
    expect(page.get_by_label("审批意见")).not_to_be_editable()
    expect(page.get_by_test_id("task-complete")).to_have_count(0)


def test_a_list_that_comes_late_does_not_pull_back_whoever_is_on_the_way_to_another_page(
    site: Site, sign_in: SignIn
) -> None:
    Client(site, "lin").request_purchase()
    page = sign_in("wang", "/settings/tokens")
    late: dict[str, Route] = {}
    page.route("**/api/tasks?*", lambda route: late.update(tasks=route))
    page.route("**/assets/SubstitutesPage*.js", lambda route: late.update(page=route))
    page.get_by_role("link", name="待办").first.click()
    until(page, lambda: "tasks" in late)
    page.get_by_test_id("user-menu-open").click()
    page.get_by_test_id("substitutes-open").click()
    until(page, lambda: "page" in late)
    with page.expect_response("**/api/tasks?*"):
        late["tasks"].continue_()
    expect(page.get_by_test_id("task-item")).to_have_count(1)
    late["page"].continue_()
    expect(page.get_by_test_id("substitute-add")).to_be_visible()
    expect(page).to_have_url(site.url + "/settings/substitutes")
