"""An approver's day on a phone of 390 × 844: nothing runs over the edge, and what is pressed fits a finger."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visitors, give_password
from tests.e2e.site import Client, Site
from tests.e2e.test_signature import FORM, MODEL

pytestmark = pytest.mark.e2e

MEASURED = """() => {
  const width = document.documentElement.clientWidth;
  const called = (one) => [one.tagName, one.dataset.testid ?? one.className, one.textContent.slice(0, 20)].join();
  const found = document.documentElement.scrollWidth > width ? ["the page is wider than the screen"] : [];
  // What lies in a box that scrolls by itself may be wider than the screen.
  const scrolls = (one) => {
    for (let box = one.parentElement; box && box !== document.body; box = box.parentElement)
      if (getComputedStyle(box).overflowX !== "visible") return true;
    return false;
  };
  for (const one of document.querySelectorAll("body *")) {
    const { right, width: own } = one.getBoundingClientRect();
    if (own > 0 && right > width + 1 && !scrolls(one)) found.push(`over the edge: ${called(one)}`);
  }
  const dialog = document.querySelector("dialog[open]");
  if (dialog && dialog.getBoundingClientRect().bottom > innerHeight + 1) found.push("the dialog is below the screen");
  // Links within a sentence, what nobody can change, watermarks, and what only the keyboard reaches may be small.
  const small = ":disabled, [readonly], .fjs-powered-by-link, .bjs-powered-by, .skip";
  const held = "label.cell-check, label.check, label.choice, label.task-mark, .el-select__wrapper";
  for (const one of (dialog ?? document).querySelectorAll("a, button, input, select, textarea, summary")) {
    if (one.matches(small) || (one.matches("a") && getComputedStyle(one).display === "inline")) continue;
    if (!one.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const { width: wide, height: high } = (one.closest(held) ?? one).getBoundingClientRect();
    if (wide > 1 && high > 1 && (wide < 43.5 || high < 43.5))
      found.push(`${Math.round(wide)} × ${Math.round(high)}: ${called(one)}`);
  }
  return found;
}"""


@pytest.fixture
def at_phone(visitors: Visitors, site: Site) -> Callable[..., Page]:
    """Somebody who has signed in on a phone."""

    def enter(person: str, path: str, locale: str = "zh-CN") -> Page:
        page = visitors.open(f"{site.url}/login?back={path}", locale, phone=True)
        assert page.evaluate(MEASURED) == [], "sign-in page"
        give_password(page, person)
        page.get_by_test_id("live-state").wait_for()
        return page

    return enter


def fits(page: Page, what: str) -> None:
    """Nothing of what is on the screen runs over its edge, or is too small for a finger."""
    # What slides or fades in has come to rest.
    page.evaluate("Promise.allSettled(document.getAnimations().map((one) => one.finished))")
    assert page.evaluate(MEASURED) == [], what


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_an_approver_decides_everything_with_one_thumb(site: Site, at_phone: Callable[..., Page], locale: str) -> None:
    key = Client(site, "lin").request_purchase()["business_key"]
    # The link of a notice: the page of the task, on which nothing is decided yet.
    page = at_phone("wang", f"/tasks/{Client(site, 'wang').task_of(key)['id']}", locale)
    expect(page.get_by_test_id("task-pane")).to_contain_text(key)
    fits(page, "task")
    page.get_by_test_id("task-more").click()
    fits(page, "more")
    page.get_by_test_id("task-more").click()
    for verb in ("comment", "transfer", "return"):
        page.get_by_test_id(f"task-{verb}").click()
        confirm = page.get_by_test_id(f"{verb}-confirm")
        expect(confirm).to_be_in_viewport()
        fits(page, verb)
        if verb == "transfer":
            page.get_by_role("combobox").fill("李")
            expect(page.get_by_role("option").filter(has_text="李").first).to_be_in_viewport(ratio=1)
        page.get_by_role("dialog").get_by_role("button", name="取消" if locale == "zh-CN" else "Cancel").click()
    approve = page.get_by_test_id("task-complete")
    box = approve.bounding_box()
    assert box is not None
    assert box["y"] > 844 * 0.8, "where the thumb is"
    approve.click()
    expect(page.get_by_test_id("task-item")).to_have_count(0)


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_every_page_that_people_use_on_a_phone_fits(site: Site, at_phone: Callable[..., Page], locale: str) -> None:
    he = Client(site, "he")
    he.deploy({"signed.bpmn": MODEL.encode(), "signed.form": json.dumps(FORM, ensure_ascii=False).encode()})
    he.put("/admin/notice-settings", public_url=site.url)
    contact = {"contact": "mailto:it@noria.example"}
    he.post("/admin/channels", id="push", kind="webpush", name="浏览器推送", settings=contact)
    lin = Client(site, "lin")
    started = lin.request_purchase()
    page = at_phone("lin", "/tasks", locale)

    def opened(path: str) -> None:
        page.goto(f"{site.url}{path}")
        page.get_by_test_id("live-state").wait_for()

    fits(page, "inbox")
    page.get_by_test_id("box-started").click()
    expect(page.get_by_text(started["business_key"])).to_be_visible()
    fits(page, "started")
    page.get_by_test_id("notices-open").click()
    fits(page, "notices")
    page.keyboard.press("Escape")
    page.get_by_test_id("user-menu-open").click()
    fits(page, "menu")
    opened(f"/instances/{started['id']}")
    page.get_by_test_id("instance-urge").click()
    fits(page, "urge")
    page.keyboard.press("Escape")
    fits(page, "instance")
    opened("/start")
    fits(page, "start")
    opened("/start/purchase")
    amount = page.get_by_label("总金额（元）")
    amount.tap()
    expect(amount).to_have_attribute("inputmode", "decimal")
    fits(page, "form")
    opened("/start/signed")
    expect(page.get_by_role("img", name="手写签名" if locale == "zh-CN" else "Signature")).to_be_visible()
    fits(page, "signature")
    opened("/settings/notices")
    page.get_by_test_id("devices").wait_for()
    fits(page, "notice settings")
    opened("/settings/substitutes")
    page.get_by_test_id("substitute-add").click()
    fits(page, "substitutes")
