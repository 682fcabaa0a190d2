"""The form designer: fields are added, set, arranged, checked, looked at as a phone shows them, and published."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import SignIn
from tests.e2e.site import Client, Site

pytestmark = pytest.mark.e2e


def test_a_form_is_designed_checked_looked_at_and_published(site: Site, sign_in: SignIn) -> None:
    page = sign_in("he", "/forms")
    page.get_by_test_id("form-purchase").click()
    parts = page.get_by_test_id("form-parts").locator("li")
    expect(parts.first).to_contain_text("采购标题")
    before = parts.count()
    expect(page.get_by_test_id("form-publish")).to_be_disabled()

    page.get_by_test_id("add-textfield").click()
    expect(parts).to_have_count(before + 1)
    page.get_by_test_id("set-label").fill("成本中心")
    page.get_by_test_id("set-validate.required").check()
    page.get_by_test_id("set-key").fill("")
    expect(page.get_by_test_id("findings")).to_contain_text("form.key")
    expect(page.get_by_test_id("form-publish")).to_be_disabled()
    page.get_by_test_id("set-key").fill("cost_centre")
    expect(page.get_by_test_id("findings")).to_have_count(0)

    # A choice that is moved up, and stands beside the field before it.
    page.get_by_test_id("add-select").click()
    page.get_by_test_id("choice-add").click()
    page.get_by_label("第 2 个选项的名称").fill("研发")
    page.get_by_role("button", name="上移 下拉单选").click()
    page.get_by_test_id("set-beside").check()
    page.get_by_test_id("form-undo").click()
    expect(page.get_by_test_id("set-beside")).not_to_be_checked()

    page.get_by_test_id("form-side-preview").click()
    page.get_by_test_id("form-screen-phone").click()
    form = page.get_by_test_id("form")
    expect(form.get_by_label("成本中心")).to_be_visible()
    logo = form.locator(".fjs-powered-by")
    logo.scroll_into_view_if_needed()
    expect(logo).to_be_visible()

    page.get_by_test_id("form-publish").click()
    page.get_by_test_id("form-note").fill("成本归集")
    page.get_by_test_id("form-publish-confirm").click()
    expect(page.get_by_test_id("form-publish-confirm")).to_have_count(0)
    expect(page.get_by_test_id("form-publish")).to_be_disabled()
    shown = Client(site, "lin").get("/processes/purchase/start-form")["form"]
    assert [part.get("key") for part in shown["components"]][-2:] == ["select_1", "cost_centre"]
    assert Client(site, "he").get("/processes/purchase")["version"] == 2


def test_a_new_form_begins_with_nothing_and_is_kept(site: Site, sign_in: SignIn) -> None:
    page = sign_in("he", "/forms")
    page.get_by_test_id("form-new").click()
    page.get_by_test_id("form-id").fill("visit")
    page.get_by_test_id("form-create").click()
    page.get_by_test_id("add-dynamiclist").click()
    page.get_by_test_id("add-number").click()
    page.get_by_test_id("set-validate.min").fill("1")
    page.get_by_test_id("add-signature").click()
    page.get_by_test_id("form-publish").click()
    page.get_by_test_id("form-note").fill("来访登记")
    page.get_by_test_id("form-publish-confirm").click()
    expect(page.get_by_test_id("form-publish-confirm")).to_have_count(0)
    expect(page).to_have_url(f"{site.url}/forms/visit")
    expect(page.get_by_test_id("form-publish")).to_be_disabled()
    (visitors,) = Client(site, "he").get("/forms/visit")["schema"]["components"]
    number, signature = visitors["components"]
    assert (number["validate"], signature["properties"]) == ({"min": 1}, {"kind": "signature"})


def test_who_may_not_deploy_reads_the_form(sign_in: SignIn) -> None:
    page = sign_in("wang", "/forms/purchase")
    expect(page.get_by_test_id("form-parts")).to_contain_text("采购明细")
    expect(page.get_by_test_id("add-textfield")).to_have_count(0)
    expect(page.get_by_test_id("form-publish")).to_have_count(0)
