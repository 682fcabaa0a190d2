"""Channels as an administrator sets them up, and what a person chooses to be told."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import msgspec
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import SignIn, Visitors
from tests.e2e.site import Client, Site

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("loopback_allowed")]


class Hook(http.server.ThreadingHTTPServer):
    """A program that takes events, or refuses them.

    Attributes:
        events: bodies that have come.
        status: what it answers.
    """

    def __init__(self) -> None:
        self.events: list[dict[str, object]] = []
        self.status = 200

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(handler) -> None:  # noqa: N805 - the library's own name; `self` is the hook
                body = handler.rfile.read(int(handler.headers["Content-Length"]))
                self.events.append(msgspec.json.decode(body))
                handler.send_response(self.status)
                handler.end_headers()

            def log_message(handler, *_: object) -> None:  # noqa: N805
                pass

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def hook() -> Iterator[Hook]:
    server = Hook()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_channel_is_set_up_tested_fails_and_is_sent_again(
    site: Site, hook: Hook, sign_in: SignIn, visitors: Visitors
) -> None:
    visitors.expected |= {422, 502}
    page = sign_in("he", "/admin/channels")
    expect(page.get_by_test_id("channel-add")).to_be_disabled()
    expect(page.get_by_test_id("channel-add")).to_have_accessible_description(
        "请先保存上面的地址：通知里的链接要用到它。保存后即可添加渠道。"
    )
    expect(page.get_by_test_id("public-url")).to_have_value(site.url)
    page.get_by_test_id("public-url-save").click()
    expect(page.get_by_test_id("address-first")).to_have_count(0)
    page.get_by_test_id("channel-add").click()
    page.get_by_test_id("channel-kind").select_option("webhook")
    page.get_by_test_id("channel-id").fill("erp")
    page.get_by_test_id("channel-name").fill("ERP")
    page.get_by_test_id("channel-url").fill("http://10.0.0.1/hook")
    page.get_by_test_id("channel-secret").fill("a-secret-of-the-webhook-1")
    page.get_by_test_id("channel-save").click()
    expect(page.get_by_test_id("channel-failure")).to_contain_text("Without TLS nothing is sent to 10.0.0.1")
    page.get_by_test_id("channel-url").fill(f"http://127.0.0.1:{hook.server_port}/hook")
    page.get_by_test_id("channel-save").click()
    row = page.get_by_test_id("channels").get_by_role("row").filter(has_text="ERP")
    row.get_by_test_id("channel-test").click()
    expect(page.get_by_text("测试消息已发送")).to_be_visible()
    assert [event["type"] for event in hook.events] == ["noria.notice.test"]

    hook.status = 403
    Client(site, "lin").request_purchase()
    dead = page.get_by_test_id("deliveries").get_by_role("row").filter(has_text="The other side answered 403.")
    expect(dead).to_be_visible(timeout=20_000)
    expect(dead).to_contain_text("王强")
    hook.status = 200
    dead.get_by_test_id("delivery-resend").click()
    expect(page.get_by_text("没有发送失败的消息")).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="已发送").click()
    expect(page.get_by_test_id("deliveries").get_by_role("row").filter(has_text="王强")).to_be_visible(timeout=30_000)
    assert hook.events[-1]["id"] == hook.events[-2]["id"]

    row.get_by_test_id("channel-edit").click()
    expect(page.get_by_test_id("channel-secret")).to_have_value("")
    expect(page.get_by_test_id("channel-secret")).to_have_attribute("placeholder", "已设置，留空则不变")


def test_a_person_chooses_kinds_quiet_hours_and_language_and_finds_them_again(site: Site, sign_in: SignIn) -> None:
    he = Client(site, "he")
    he.put("/admin/notice-settings", public_url=site.url)
    address = "https://robots.example/send?key=k"
    he.post("/admin/channels", id="room", kind="wecom", name="采购群", secrets={"url": address})
    page = sign_in("lin", "/tasks")
    page.get_by_test_id("user-menu-open").click()
    page.get_by_test_id("notice-settings").click()
    expect(page.get_by_test_id("wants-task-in_app")).not_to_be_checked()
    expect(page.get_by_test_id("wants-returned-in_app")).to_be_checked()
    page.get_by_test_id("wants-task-in_app").check()
    page.get_by_test_id("wants-offered-room").uncheck()
    page.get_by_test_id("quiet-from").fill("22:00")
    page.get_by_test_id("quiet-to").fill("07:30")
    page.get_by_test_id("preference-language").select_option("en")
    page.get_by_test_id("preference-save").click()
    expect(page.get_by_text("通知设置已保存")).to_be_visible()
    page.reload()
    expect(page.get_by_test_id("wants-task-in_app")).to_be_checked()
    expect(page.get_by_test_id("wants-offered-room")).not_to_be_checked()
    expect(page.get_by_test_id("quiet-to")).to_have_value("07:30")
    expect(page.get_by_test_id("preference-language")).to_have_value("en")
