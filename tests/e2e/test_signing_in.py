"""Signing in and out, and what happens when a session ends in the middle of work."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from noria.kernel.instants import MINUTE_MS
from tests.e2e.conftest import SignIn, Visitors, give_password
from tests.e2e.site import Site
from tests.e2e.steps import wait_for_draft

pytestmark = pytest.mark.e2e


def test_wrong_passwords_are_refused_and_lock_the_account_for_a_while(site: Site, visitors: Visitors) -> None:
    page = visitors.open(f"{site.url}/login")
    for _ in range(5):
        give_password(page, "lin", "wrong")
        expect(page.get_by_test_id("login-error")).to_have_text("用户名或密码不正确。")
        expect(page.get_by_test_id("login-password")).to_have_value("")

    give_password(page, "lin")
    expect(page.get_by_test_id("login-error")).to_contain_text("账号已锁定，请 15 分钟 后再试")

    site.clock.offset_ms += 16 * MINUTE_MS
    give_password(page, "lin")
    page.get_by_test_id("live-state").wait_for()


def test_signing_out_ends_the_session_for_the_whole_browser(site: Site, sign_in: SignIn) -> None:
    page = sign_in("lin")
    page.get_by_test_id("user-menu-open").click()
    page.get_by_test_id("sign-out").click()
    page.wait_for_url("**/login**")

    page.goto(f"{site.url}/instances")

    expect(page.get_by_test_id("login-submit")).to_be_visible()
    assert "noria_session" not in [cookie["name"] for cookie in page.context.cookies()]


def test_a_session_that_ends_in_the_middle_of_a_form_keeps_what_was_typed(site: Site, sign_in: SignIn) -> None:
    page = sign_in("lin", "/start/purchase")
    # The page asks for the path of what is typed; asked behind the end of the session, that would end it first.
    with page.expect_response(
        lambda answer: answer.url.endswith("/path") and "液压油" in (answer.request.post_data or "")
    ):
        page.get_by_label("采购标题").fill("液压油")
    wait_for_draft(page, "液压油")
    site.clock.offset_ms += 31 * MINUTE_MS

    page.locator("#nav").get_by_text("流程实例").click()

    expect(page.get_by_test_id("login-expired")).to_contain_text("登录已过期")
    give_password(page, "lin")
    page.wait_for_url("**/instances")
    page.goto(f"{site.url}/start/purchase")
    expect(page.get_by_label("采购标题")).to_have_value("液压油")


def test_signing_in_never_leads_to_another_site(site: Site, visitors: Visitors) -> None:
    page = visitors.open(f"{site.url}/login?back=//evil.example/")
    give_password(page, "lin")

    page.wait_for_url(f"{site.url}/tasks")
