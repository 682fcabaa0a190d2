"""Drafts that follow a person to another device, phrases, and people who are mentioned."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import SignIn
from tests.e2e.site import Client, Site
from tests.e2e.steps import pick

pytestmark = pytest.mark.e2e


def test_what_was_typed_on_one_device_is_there_on_another(site: Site, sign_in: SignIn) -> None:
    first = sign_in("lin", "/start/purchase")
    with first.expect_response(lambda answer: "/api/drafts/" in answer.url and answer.request.method == "PUT"):
        first.get_by_label("采购标题").fill("离心泵")
    second = sign_in("lin", "/start/purchase")
    expect(second.get_by_label("采购标题")).to_have_value("离心泵")
    second.get_by_test_id("draft-discard").click()
    expect(second.get_by_label("采购标题")).to_have_value("")
    third = sign_in("lin", "/start/purchase")
    expect(third.get_by_label("采购标题")).to_have_value("")


def test_a_phrase_is_kept_and_put_into_a_comment_that_mentions_somebody(site: Site, sign_in: SignIn) -> None:
    Client(site, "lin").request_purchase()
    page = sign_in("wang", "/settings/notices")
    page.get_by_test_id("phrases-mine").fill("请补充发票。\n\n同意。")
    page.get_by_test_id("phrases-save").click()
    expect(page.get_by_text("常用语已保存")).to_be_visible()
    page.goto(site.url + "/tasks")
    page.get_by_test_id("task-comment").click()
    page.get_by_test_id("phrases").get_by_role("button", name="请补充发票。").click()
    expect(page.get_by_test_id("comment-text")).to_have_value("请补充发票。")
    pick(page, "mentions", "林晓")
    page.get_by_test_id("comment-text").click()
    page.get_by_test_id("comment-confirm").click()
    lin = sign_in("lin", "/tasks")
    expect(lin.get_by_test_id("notices-count")).to_be_visible(timeout=15_000)
    lin.get_by_test_id("notices-open").click()
    expect(lin.get_by_test_id("notices").get_by_role("listitem")).to_have_text(re.compile("提到我"))
