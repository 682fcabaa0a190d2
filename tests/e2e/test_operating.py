"""An operator moves, suspends and migrates live requests, looks at all of them first, and takes it back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from noria.adapters.demo.seeding import example_files
from tests.e2e.conftest import SignIn
from tests.e2e.site import Client, Site
from tests.scenarios.drawing import draw

pytestmark = pytest.mark.e2e


DECIDED = """
  startEvent start
  exclusiveGateway which
  userTask check assignee=wang
  endEvent end
  start -> which
  which -[= amount > 1]-> check
  check -> end
"""
"""Stands still at the gateway for a request without an amount."""


def stuck(site: Site, count: int) -> list[str]:
    """Requests that stand still, each for an amount that it does not have."""
    Client(site, "he").deploy({"tender.bpmn": draw(DECIDED.splitlines(), "tender")})
    lin = Client(site, "lin")
    return [lin.post("/instances", process="tender", variables={"amount": 0})["id"] for _ in range(count)]


def deployed_again(site: Site, old: str, new: str) -> None:
    """Deploy the purchase process as version 2, with one text replaced."""
    files = example_files()
    files["purchase.bpmn"] = files["purchase.bpmn"].replace(old.encode(), new.encode())
    Client(site, "he").deploy(files)


def finished(page: Page) -> None:
    expect(page.get_by_test_id("batch-progress").first).to_contain_text(re.compile("已调整 2 / 2 单"))


def test_live_requests_go_on_by_another_version_and_come_back(site: Site, sign_in: SignIn) -> None:
    lin = Client(site, "lin")
    first, second = lin.request_purchase()["id"], lin.request_purchase()["id"]
    deployed_again(site, "manager_review", "head_review")
    page = sign_in("he", "/models/purchase")
    page.get_by_test_id("model-batch").click()
    page.get_by_test_id("batch-to-version").select_option("2")
    page.get_by_test_id("batch-look").click()
    plan = page.get_by_test_id("batch-plan")
    expect(plan).to_contain_text("已试算 2 单")
    expect(plan).to_contain_text("2 单不能进行")
    expect(page.get_by_test_id("batch-begin")).to_be_disabled()
    page.get_by_test_id("batch-map-manager_review").select_option("head_review")
    page.get_by_test_id("batch-look").click()
    expect(plan).to_contain_text("2 单按对应关系进行")
    page.get_by_test_id("batch-reason").fill("岗位改名")
    page.get_by_test_id("batch-begin").click()
    finished(page)
    assert Client(site, "he").get(f"/instances/{first}")["process"]["version"] == 2
    page.get_by_test_id("batch-undo").click()
    page.get_by_test_id("batch-undo-reason").fill("改早了")
    page.get_by_test_id("batch-undo-confirm").click()
    expect(page.get_by_test_id("batch-progress").first).to_contain_text("2 单已撤销")
    assert Client(site, "he").get(f"/instances/{second}")["process"]["version"] == 1


def test_a_request_is_moved_suspended_and_resumed_on_its_page(site: Site, sign_in: SignIn) -> None:
    iid = Client(site, "lin").request_purchase()["id"]
    page = sign_in("he", f"/instances/{iid}")
    page.get_by_test_id("instance-modify").click()
    page.get_by_test_id("move-to").select_option("finance_review")
    page.get_by_test_id("move-reason").fill("线下已批")
    page.get_by_test_id("move-save").click()
    expect(page.get_by_text("调整了流程位置")).to_be_visible()
    assert [token["element"]["id"] for token in Client(site, "he").get(f"/instances/{iid}")["tokens"]] == [
        "finance_review"
    ]
    page.get_by_test_id("instance-suspend").click()
    page.get_by_test_id("instance-text").fill("核查中")
    page.get_by_test_id("instance-confirm").click()
    expect(page.get_by_test_id("instance-suspended")).to_be_visible()
    page.get_by_test_id("instance-resume").click()
    page.get_by_test_id("instance-confirm").click()
    expect(page.get_by_test_id("instance-suspended")).to_have_count(0)


def test_what_a_request_stands_still_for_is_corrected_on_its_page_and_tried_again(site: Site, sign_in: SignIn) -> None:
    (iid,) = stuck(site, 1)
    page = sign_in("he", f"/instances/{iid}")
    page.get_by_test_id("instance-correct").click()
    page.get_by_test_id("correct-name").fill("amount")
    # What it is now is there to be changed; what is no JSON is not sent.
    expect(page.get_by_test_id("correct-value")).to_have_value("0")
    page.get_by_test_id("correct-value").fill("2 000")
    page.get_by_test_id("correct-reason").fill("补录金额")
    expect(page.get_by_text("还不是 JSON")).to_be_visible()
    expect(page.get_by_test_id("correct-save")).to_be_disabled()
    page.get_by_test_id("correct-value").fill("2000")
    page.get_by_test_id("correct-save").click()
    expect(page.get_by_test_id("correct-save")).to_have_count(0)
    he = Client(site, "he")
    assert he.get(f"/instances/{iid}")["variables"]["amount"] == 2000
    page.get_by_test_id("incident-retry").click()
    page.get_by_test_id("look-confirm").click()
    expect(page.get_by_test_id("incident-retry")).to_have_count(0)
    assert [token["element"]["id"] for token in he.get(f"/instances/{iid}")["tokens"]] == ["check"]


def test_a_name_that_is_the_engines_own_is_refused_in_words(site: Site, sign_in: SignIn) -> None:
    (iid,) = stuck(site, 1)
    page = sign_in("he", f"/instances/{iid}")
    page.get_by_test_id("instance-correct").click()
    page.get_by_test_id("correct-name").fill("starter")
    page.get_by_test_id("correct-value").fill('"he"')
    page.get_by_test_id("correct-reason").fill("换人")
    expect(page.get_by_test_id("preview")).to_contain_text("不能使用保留的变量名")
    expect(page.get_by_test_id("correct-save")).to_be_disabled()


def test_many_that_stand_still_are_corrected_and_tried_again_together(site: Site, sign_in: SignIn) -> None:
    iids = stuck(site, 2)
    page = sign_in("he", "/models/tender")
    page.get_by_test_id("model-batch").click()
    page.get_by_test_id("batch-kind").select_option("retry")
    page.get_by_test_id("batch-look").click()
    plan = page.get_by_test_id("batch-plan")
    expect(plan).to_contain_text("2 单不能进行")
    page.get_by_test_id("correct-name").fill("amount")
    page.get_by_test_id("correct-value").fill("five")
    # What is half written is not left out without a word.
    expect(page.get_by_test_id("batch-look")).to_be_disabled()
    expect(page.get_by_test_id("batch-begin")).to_be_disabled()
    page.get_by_test_id("correct-value").fill("5")
    page.get_by_test_id("batch-look").click()
    expect(plan).to_contain_text("2 单可直接进行")
    page.get_by_test_id("batch-reason").fill("统一补录")
    page.get_by_test_id("batch-begin").click()
    finished(page)
    he = Client(site, "he")
    assert [he.get(f"/instances/{iid}")["variables"]["amount"] for iid in iids] == [5, 5]
