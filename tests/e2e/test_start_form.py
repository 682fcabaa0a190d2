"""The start form: wrong input is refused in place, and what the server refuses is shown where it belongs."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.conftest import SignIn, Visitors
from tests.e2e.site import Site
from tests.e2e.steps import fill_request, wait_for_draft

pytestmark = pytest.mark.e2e


def test_wrong_input_is_refused_in_place_and_nothing_is_sent(site: Site, sign_in: SignIn) -> None:
    page = sign_in("lin", "/start/purchase")
    sent = []
    page.on("request", lambda request: request.url.endswith("/api/instances") and sent.append(request.url))
    fill_request(page, amount="-5")
    page.get_by_label("供应商").fill("")

    page.get_by_test_id("start-submit").click()

    expect(page.get_by_test_id("start-refusal")).to_contain_text("请检查标出的字段")
    amount = page.locator(".fjs-form-field-number").filter(has_text="总金额（元）")
    expect(amount).to_contain_text("不能小于 0.01")
    supplier = page.locator(".fjs-form-field-textfield").filter(has_text="供应商")
    expect(supplier).to_contain_text("此项必填")
    expect(page.get_by_label("供应商")).to_be_focused()
    assert sent == []


def test_what_only_the_server_refuses_is_shown_at_the_field(site: Site, sign_in: SignIn, visitors: Visitors) -> None:
    visitors.expected.add(422)
    page = sign_in("lin", "/start/purchase")
    fill_request(page)

    def tamper(route: Route) -> None:
        body = route.request.post_data_json
        body["variables"]["amount"] = 200_000_000
        body["variables"]["lines"][0]["quantity"] = 0
        route.continue_(post_data=json.dumps(body))

    page.route("**/api/instances", tamper)

    page.get_by_test_id("start-submit").click()

    expect(page.get_by_test_id("start-refusal")).to_contain_text("请检查标出的字段")
    amount = page.locator(".fjs-form-field-number").filter(has_text="总金额（元）")
    expect(amount).to_contain_text("不能大于 100000000")
    quantity = page.locator(".fjs-form-field-number").filter(has_text="数量")
    expect(quantity).to_contain_text("不能小于 1")


def test_a_started_form_survives_a_reload_as_a_draft(site: Site, sign_in: SignIn) -> None:
    page = sign_in("lin", "/start/purchase")
    page.get_by_label("采购标题").fill("液压油")
    wait_for_draft(page, "液压油")

    page.reload()

    expect(page.get_by_label("采购标题")).to_have_value("液压油")
    page.get_by_test_id("draft-discard").click()
    expect(page.get_by_label("采购标题")).to_have_value("")


def test_what_is_typed_right_before_sending_is_sent_too(site: Site, sign_in: SignIn) -> None:
    page = sign_in("lin", "/start/purchase")
    fill_request(page)
    page.get_by_label("采购标题").press("End")

    # No moment for the page to catch its breath between the last letter and the command.
    with page.expect_request("**/api/instances") as sent:
        page.evaluate(
            """() => {
                const field = document.querySelector("input.fjs-input[type=text]");
                field.focus();
                field.value += "二期";
                field.dispatchEvent(new InputEvent("input", { bubbles: true }));
                document.querySelector("[data-testid=start-submit]").click();
            }"""
        )

    assert sent.value.post_data_json["variables"]["title"] == "深沟球轴承二期"
