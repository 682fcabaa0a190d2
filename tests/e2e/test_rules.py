"""The rules page: findings while a table is edited, what past cases would have been, and its publication."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import SignIn
from tests.e2e.site import Client, Site

pytestmark = pytest.mark.e2e


def test_a_table_is_edited_checked_tried_and_published(site: Site, sign_in: SignIn) -> None:
    page = sign_in("he", "/rules")
    page.get_by_test_id("rules-link").first.click()
    expect(page.get_by_test_id("rule-4")).to_be_visible()
    expect(page.get_by_test_id("rules-publish")).to_be_disabled()

    # A row that accepts everything hides those behind it.
    page.get_by_test_id("rule-insert-1").click()
    expect(page.get_by_test_id("findings").locator("li").first).to_contain_text("rule_equipment_large")
    page.get_by_test_id("cell-1-1").fill('"service"')
    page.get_by_test_id("cell-1-2").fill(">= (")
    expect(page.get_by_test_id("findings")).to_contain_text("feel.syntax")
    expect(page.get_by_test_id("rules-publish")).to_be_disabled()
    page.get_by_test_id("cell-1-2").fill(">= 10000")
    page.get_by_test_id("cell-1-3").fill("true")
    page.get_by_test_id("cell-1-4").fill('"PT8H"')
    expect(page.get_by_test_id("rules-publish")).to_be_enabled()

    page.get_by_test_id("rules-try").click()
    expect(page.get_by_test_id("trial-sum")).to_be_visible()
    page.get_by_test_id("rules-publish").click()
    page.get_by_test_id("rules-note").fill("服务类采购")
    page.get_by_test_id("rules-publish-confirm").click()
    expect(page.get_by_test_id("rules-publish-confirm")).to_have_count(0)

    expect(page.get_by_test_id("rules-publish")).to_be_disabled()
    expect(page.get_by_test_id("rule-5")).to_be_visible()
    table = Client(site, "he").get("/rules/approval_policy")["table"]
    assert table["rules"][0]["inputs"] == ['"service"', ">= 10000"]
    assert Client(site, "he").get("/processes/purchase")["version"] == 2


def test_who_may_not_deploy_reads_the_table(site: Site, sign_in: SignIn) -> None:
    page = sign_in("wang", "/rules/approval_policy")
    expect(page.get_by_test_id("rule-table")).to_contain_text(">= 60000")
    expect(page.get_by_test_id("cell-1-1")).to_have_count(0)
    expect(page.get_by_test_id("rules-publish")).to_have_count(0)
