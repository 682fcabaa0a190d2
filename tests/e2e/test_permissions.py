"""Who lacks a permission finds no entry that leads to it, and is told what is missing when he goes there anyway."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import SignIn, Visitors
from tests.e2e.site import Client, Site

pytestmark = pytest.mark.e2e


def test_the_menu_has_only_what_the_person_may_open(site: Site, sign_in: SignIn) -> None:
    entries = {person: sign_in(person).locator("#nav .nav-link").all_inner_texts() for person in ("lin", "he", "qian")}

    everybody = ["我的待办", "发起流程", "流程实例"]
    assert entries["lin"] == [*everybody, "工作日历"]
    assert entries["he"] == [*everybody, "流程模型", "表单", "业务规则", "运行看板", "工作日历", "人员", "通知渠道"]
    assert entries["qian"] == [*everybody, "流程模型", "表单", "业务规则", "运行看板", "审计", "工作日历"]


def test_a_page_without_permission_says_which_one_is_missing(site: Site, sign_in: SignIn) -> None:
    page = sign_in("lin")
    for path, missing in (
        ("/audit", "查看审计"),
        ("/admin/people", "管理人员"),
        ("/models", "查看流程模型"),
        ("/board/purchase", "查看运行看板"),
        ("/admin/channels", "查看并重发消息"),
    ):
        page.goto(site.url + path)

        expect(page.get_by_test_id("denied")).to_contain_text(f"没有权限：需要「{missing}」权限")


def test_a_request_of_other_people_is_in_no_list_and_its_address_is_refused(
    site: Site, sign_in: SignIn, visitors: Visitors
) -> None:
    visitors.expected.add(403)
    request = Client(site, "lin").request_purchase()
    page = sign_in("zhou", "/instances")
    expect(page.get_by_test_id("empty")).to_be_visible()

    page.goto(f"{site.url}/instances/{request['id']}")

    expect(page.get_by_test_id("error-state")).to_contain_text("没有权限")
    expect(page.get_by_text("深沟球轴承")).to_have_count(0)
    refused = Client(site, "qian").get("/audit", actor="zhou", outcome="refused")["items"]
    assert [entry["object"]["id"] for entry in refused] == [request["id"]] * len(refused)
    assert refused
