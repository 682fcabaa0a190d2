"""Live updates through a restart of the server: the page says that it lost touch, finds back, and catches up."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import SignIn, Visitors
from tests.e2e.site import Client, Site
from tests.e2e.steps import item

pytestmark = pytest.mark.e2e


def test_a_page_that_lost_the_server_says_so_and_catches_up_afterwards(
    site: Site, sign_in: SignIn, visitors: Visitors
) -> None:
    # That nobody answers while the server is away is what this test is about.
    visitors.cut.add("/api/stream")
    manager = sign_in("wang")
    expect(manager.get_by_test_id("live-state")).to_have_attribute("data-state", "live")
    expect(manager.get_by_test_id("task-list")).to_have_count(0)

    def away() -> None:
        expect(manager.get_by_test_id("live-state")).to_have_attribute(
            "data-state", re.compile("connecting|offline"), timeout=10_000
        )

    site.restart(away)
    key = Client(site, "lin").request_purchase()["business_key"]

    expect(manager.get_by_test_id("live-state")).to_have_attribute("data-state", "live", timeout=20_000)
    expect(item(manager, key)).to_be_visible()


def test_what_others_do_appears_by_itself(site: Site, sign_in: SignIn) -> None:
    manager = sign_in("wang")
    expect(manager.get_by_test_id("live-state")).to_have_attribute("data-state", "live")

    key = Client(site, "lin").request_purchase()["business_key"]

    expect(item(manager, key)).to_be_visible(timeout=2_000)
    expect(manager.locator("#nav .nav-count").first).to_have_text("1")
