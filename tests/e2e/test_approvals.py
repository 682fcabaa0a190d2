"""Approvers at their browsers: they approve, add and remove approvers, refuse, send straight back, and take back."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from noria.adapters.demo.seeding import example_files
from tests.e2e.conftest import SignIn
from tests.e2e.site import Client, Site
from tests.e2e.steps import item, open_task, pick

pytestmark = pytest.mark.e2e


@pytest.fixture
def key(site: Site) -> str:
    """The number of a purchase that the manager and 李娜 approve together."""
    files = example_files()
    old = 'name="部门主管审批" noria:assignee="= starter.manager"'
    new = (
        'name="部门主管审批" noria:approval="allOf" noria:approvers="= [starter.manager, &quot;li&quot;]" '
        'noria:whenRefused="end"'
    )
    assert old in files["purchase.bpmn"].decode()
    files["purchase.bpmn"] = files["purchase.bpmn"].replace(old.encode(), new.encode())
    Client(site, "he").deploy(files)
    return str(Client(site, "lin").request_purchase()["business_key"])


def test_an_approver_adds_another_before_himself_and_takes_that_back(site: Site, sign_in: SignIn, key: str) -> None:
    page = sign_in("wang", "/tasks")
    open_task(page, key)
    expect(page.get_by_test_id("approval").locator("[data-seat]")).to_have_count(2)
    page.get_by_test_id("task-more").click()
    page.get_by_test_id("task-add").click()
    pick(page, "add-people", "赵")
    page.get_by_test_id("add-text").click()
    expect(page.get_by_test_id("preview")).to_contain_text("打开：「部门主管审批」（赵")
    page.get_by_test_id("add-text").fill("请先看价格")
    page.get_by_test_id("add-confirm").click()
    expect(item(page, key)).to_have_count(0)
    site_key = Client(site, "lin").get("/instances", box="started")["items"][0]["id"]
    page.goto(f"{site.url}/instances/{site_key}")
    page.get_by_test_id("instance-take_back").click()
    expect(page.get_by_test_id("preview")).to_contain_text("打开：「部门主管审批」（王强）")
    page.get_by_test_id("instance-confirm").click()
    expect(page.get_by_text("取回「部门主管审批」")).to_be_visible()
    page.goto(f"{site.url}/tasks")
    open_task(page, key)
    page.get_by_test_id("task-complete").click()
    expect(item(page, key)).to_have_count(0)


def test_a_refusal_says_before_what_it_will_do(site: Site, sign_in: SignIn, key: str) -> None:
    page = sign_in("li", "/tasks")
    open_task(page, key)
    page.get_by_test_id("task-refuse").click()
    expect(page.get_by_test_id("preview")).to_contain_text("单据结束：已驳回")
    expect(page.get_by_test_id("preview")).to_contain_text("取消：「部门主管审批」（王强）")
    page.get_by_test_id("refuse-confirm").click()
    expect(page.get_by_text("请填写原因")).to_be_visible()
    page.get_by_test_id("refuse-text").fill("预算不足")
    page.get_by_test_id("refuse-confirm").click()
    expect(item(page, key)).to_have_count(0)
    assert Client(site, "lin").get("/instances", box="started")["items"][0]["status"] == "refused"


def test_a_returned_request_goes_straight_back_and_the_change_is_shown(site: Site, sign_in: SignIn, key: str) -> None:
    page = sign_in("li", "/tasks")
    open_task(page, key)
    page.get_by_test_id("task-return").click()
    page.get_by_test_id("return-target").first.check()
    page.get_by_test_id("return-straight").check()
    page.get_by_test_id("return-reason").fill("金额过高")
    page.get_by_test_id("return-confirm").click()
    expect(item(page, key)).to_have_count(0)
    applicant = sign_in("lin", "/tasks")
    open_task(applicant, key)
    expect(applicant.get_by_test_id("resubmit-straight")).to_be_checked()
    applicant.get_by_label("总金额（元）").fill("65000")
    applicant.get_by_test_id("task-complete").click()
    expect(item(applicant, key)).to_have_count(0)
    page.goto(f"{site.url}/tasks")
    open_task(page, key)
    expect(page.get_by_test_id("changed-since")).to_contain_text("65,000")


def test_a_copy_is_found_in_its_box(site: Site, sign_in: SignIn, key: str) -> None:
    lin = Client(site, "lin")
    page = sign_in("lin", f"/instances/{lin.get('/instances', box='started')['items'][0]['id']}")
    page.get_by_test_id("instance-copy").click()
    pick(page, "copy-people", "孙")
    page.get_by_test_id("instance-text").fill("请知悉")
    page.get_by_test_id("instance-confirm").click()
    expect(page.get_by_text("林晓 抄送 孙磊")).to_be_visible()
    other = sign_in("sun", "/tasks?box=copied")
    expect(other.get_by_test_id("started-item").filter(has_text=key)).to_be_visible()
