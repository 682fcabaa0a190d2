"""Passwords by letter on the pages: asked for on the sign-in page, or sent by an administrator; chosen by the link."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Page, expect

from noria.adapters.demo.company import DEMO_TENANT
from tests.channels.receivers import PostOffice, post_office
from tests.e2e.conftest import SignIn, Visitors, give_password
from tests.e2e.site import Client, Site
from tests.e2e.steps import until
from tests.http.test_invitations import secret_in

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("loopback_allowed")]

CHOSEN = "a-password-of-my-own"


@pytest.fixture
def office(site: Site) -> Iterator[PostOffice]:
    """A mail server, set up as the site's, and an address for 王强."""
    opening: Any = post_office()
    opened: PostOffice = site.run(opening.__aenter__())
    he = Client(site, "he")
    he.put("/admin/notice-settings", public_url="https://noria.example")
    settings = {"host": "127.0.0.1", "port": str(opened.port), "security": "none", "sender": "noria@example.com"}
    he.post("/admin/channels", id="mail", kind="email", name="邮件", settings=settings)
    site.run(_give_address(site))
    yield opened
    site.run(opening.__aexit__(None, None, None))


async def _give_address(site: Site) -> None:
    person = (await site.noria.people.organisation(DEMO_TENANT)).people["wang"]
    changed = msgspec.structs.replace(person, email="wang@example.com")
    await site.noria.people.put(DEMO_TENANT, [changed], [], site.clock.now_ms())


def choose_by_link(page: Page, site: Site, office: PostOffice) -> None:
    """Open the link of the letter that came, choose a password and sign in with it."""
    (letter,) = until(page, lambda: office.letters)
    page.goto(f"{site.url}/password#{secret_in(letter)}")
    expect(page.get_by_test_id("password-page")).to_contain_text("wang")
    assert page.url == f"{site.url}/password", "the secret does not stay in the address"
    page.get_by_test_id("password-new").fill(CHOSEN)
    page.get_by_test_id("password-again").fill("something else")
    page.get_by_test_id("password-use").click()
    expect(page.get_by_test_id("password-failure")).to_be_visible()
    page.get_by_test_id("password-again").fill(CHOSEN)
    page.get_by_test_id("password-use").click()
    page.get_by_test_id("password-sign-in").click()
    give_password(page, "wang", CHOSEN)
    page.get_by_test_id("live-state").wait_for()
    page.goto(f"{site.url}/password#{secret_in(letter)}")
    expect(page.get_by_test_id("password-failure")).to_be_visible()


def test_who_forgot_a_password_chooses_a_new_one_by_the_letter(
    site: Site, office: PostOffice, visitors: Visitors
) -> None:
    visitors.expected |= {410}
    page = visitors.open(f"{site.url}/login")
    page.get_by_test_id("login-forgotten").click()
    page.get_by_test_id("password-who").fill("wang@example.com")
    page.get_by_test_id("password-ask").click()
    expect(page.get_by_test_id("password-asked")).to_have_text("如果有登记了邮箱的对应账号，链接已发出，一小时内有效。")
    choose_by_link(page, site, office)


def test_an_administrator_invites_who_has_an_address(
    site: Site, office: PostOffice, sign_in: SignIn, visitors: Visitors
) -> None:
    visitors.expected |= {410}
    page = sign_in("he", "/admin/people", locale="en")
    expect(page.get_by_test_id("person-invite")).to_have_count(1)
    page.get_by_test_id("person-invite").click()
    expect(page.get_by_text("王强 is sent a link that sets their password")).to_be_visible()
    choose_by_link(visitors.open(f"{site.url}/login", "en"), site, office)
    page.goto(f"{site.url}/admin/channels")
    page.get_by_test_id("deliveries").get_by_role("button", name="Sent").click()
    expect(page.get_by_test_id("deliveries")).to_contain_text("Invitation")
    page.get_by_test_id("invites-new").check()
    page.get_by_test_id("public-url-save").click()
    expect(page.get_by_text("The address was saved")).to_be_visible()
    page.reload()
    expect(page.get_by_test_id("invites-new")).to_be_checked()


def test_where_no_mail_is_sent_that_is_said(site: Site, visitors: Visitors) -> None:
    visitors.expected |= {422}
    page = visitors.open(f"{site.url}/password", phone=True)
    page.get_by_test_id("password-who").fill("wang")
    page.get_by_test_id("password-ask").click()
    expect(page.get_by_test_id("password-failure")).to_have_text("本系统未开通邮件，请联系管理员重设密码。")
