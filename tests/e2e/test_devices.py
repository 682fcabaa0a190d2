"""Notices on a device: turned on in a real browser, sealed by the server, shown by the real service worker.

What is not here is a browser maker's push service. The browser's `PushManager` is told to answer with a subscription
whose private key the test holds; what the server then posts is opened with it and handed to the service worker as the
browser would.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from noria.operate.devices import device_id
from tests.channels.browsers import Browser
from tests.channels.receivers import Receiver
from tests.e2e.conftest import SignIn, Visitors, give_password
from tests.e2e.site import WHOLE, Client, Site, installed
from tests.e2e.steps import until

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("loopback_allowed")]

SUBSCRIBING = """
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const subscription = () => ({
  endpoint: localStorage.getItem("test.endpoint") ?? GIVEN.endpoint,
  options: { applicationServerKey: bytes(localStorage.getItem("test.key")).buffer },
  getKey: (name) => bytes(GIVEN[name]).buffer,
  unsubscribe: async () => { localStorage.removeItem("test.key"); return true; },
});
const base64 = (value) => btoa(String.fromCharCode(...value));
PushManager.prototype.getSubscription = async () => localStorage.getItem("test.key") ? subscription() : null;
PushManager.prototype.subscribe = async (options) => {
  localStorage.setItem("test.key", base64(options.applicationServerKey));
  return subscription();
};
"""
SHOWN = """async () => {
  const worker = await navigator.serviceWorker.getRegistration("/");
  return (await worker.getNotifications()).map(({ title, lang, tag, data }) => ({ title, lang, tag, data }));
}"""
CLICK = """async (path) => {
  // A click that no finger made may not open windows, so it is noted where it would lead.
  const opened = [];
  self.clients.openWindow = async (address) => opened.push(address);
  const shown = await self.registration.getNotifications();
  const notification = shown.find((one) => one.data.path === path);
  let done;
  const event = new NotificationEvent("notificationclick", { notification });
  event.waitUntil = (work) => { done = work; };
  self.dispatchEvent(event);
  await done;
  return opened;
}"""


@pytest.fixture(scope="module")
def program() -> str | None:
    """The engine alone shows no notices."""
    return installed(WHOLE)


@pytest.fixture
def service(site: Site) -> Iterator[Receiver]:
    """A push service on loopback."""
    receiver = Receiver()
    server = site.run(asyncio.start_server(receiver.handle, "127.0.0.1", 0))
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield receiver
    site.run(_closed(server))


async def _closed(server: asyncio.Server) -> None:
    server.close()


def set_up(site: Site) -> None:
    he = Client(site, "he")
    he.put("/admin/notice-settings", public_url=site.url)
    settings = {"contact": "mailto:it@noria.example", "hosts": "127.0.0.1"}
    he.post("/admin/channels", id="push", kind="webpush", name="浏览器推送", settings=settings)


def at_browser(visitors: Visitors, site: Site, browser: Browser, person: str) -> Page:
    """Somebody at their notice settings, in a browser that has a push service and allows notices."""
    page = visitors.open(f"{site.url}/login?back=/settings/notices")
    page.context.grant_permissions(["notifications"], origin=site.url)
    given = {"endpoint": browser.endpoint, "p256dh": browser.p256dh, "auth": browser.auth}
    page.context.add_init_script(f"const GIVEN = {json.dumps(given)};{SUBSCRIBING}")
    page.reload()
    give_password(page, person)
    return page


@contextmanager
def displaying(page: Page) -> Iterator[CDPSession]:
    """When this ends, the browser has displayed a notice.

    Notices are not looked for before: the browser forgets those that are kept and not on the screen whenever it is
    asked for them, and one is kept before it is displayed.
    """
    session = page.context.new_cdp_session(page)
    displayed: list[Any] = []
    session.on(
        "BackgroundService.backgroundServiceEventReceived",
        lambda told: displayed.append(told["backgroundServiceEvent"]),
    )
    notices = {"service": "notifications"}
    session.send("BackgroundService.clearEvents", notices)
    session.send("BackgroundService.startObserving", notices)
    session.send("BackgroundService.setRecording", {**notices, "shouldRecord": True})
    yield session
    until(page, lambda: displayed)
    session.detach()


def deliver(page: Page, site: Site, content: dict[str, Any]) -> None:
    """Hand a message to the service worker, as the browser does with what its push service brings."""
    with displaying(page) as session:
        found: list[dict[str, Any]] = []
        session.on("ServiceWorker.workerRegistrationUpdated", lambda told: found.extend(told["registrations"]))
        session.send("ServiceWorker.enable")
        until(page, lambda: found)
        message = {"origin": site.url, "registrationId": found[-1]["registrationId"]}
        session.send("ServiceWorker.deliverPushMessage", {**message, "data": json.dumps(content)})


def shown(page: Page, tag: str) -> list[dict[str, Any]]:
    """The notices of a tag."""
    return [one for one in page.evaluate(SHOWN) if one["tag"] == tag]


def test_a_device_is_turned_on_shows_a_notice_and_its_click_opens_the_task(
    site: Site, service: Receiver, visitors: Visitors
) -> None:
    set_up(site)
    browser = Browser(f"{service.url}/push/phone")
    page = at_browser(visitors, site, browser, "wang")
    expect(page.get_by_test_id("device-state")).to_have_attribute("data-state", "off")
    with displaying(page):
        page.get_by_test_id("device-on").click()
    expect(page.get_by_test_id("device-state")).to_have_attribute("data-state", "on")
    expect(page.get_by_test_id("device")).to_contain_text("本设备")
    assert [one["title"] for one in shown(page, "")] == ["已开启本设备通知"]

    started = Client(site, "lin").request_purchase()
    wang = Client(site, "wang")
    task = wang.task_of(started["business_key"])
    page.get_by_test_id("live-state").wait_for()
    until(page, lambda: service.requests)
    content = browser.opened(service.requests[0].body)
    for _ in range(2):
        deliver(page, site, content)
    (notice,) = shown(page, content["tag"])
    assert (notice["title"], notice["lang"]) == (f"新待办：{started['title']}", "zh-CN")
    assert notice["data"] == {"id": content["id"], "path": f"/tasks/{task['id']}"}

    (worker,) = page.context.service_workers
    version = wang.get(f"/instances/{started['id']}")["version"]
    assert worker.evaluate(CLICK, content["path"]) == [f"{site.url}/tasks/{task['id']}"]
    deliver(page, site, {**content, "id": "elsewhere", "path": "//elsewhere.example/", "tag": "elsewhere"})
    assert shown(page, "elsewhere")
    assert worker.evaluate(CLICK, "//elsewhere.example/") == []
    page.goto(f"{site.url}{content['path']}")
    expect(page.get_by_test_id("task-pane")).to_contain_text(started["business_key"])
    assert wang.get(f"/instances/{started['id']}")["version"] == version


def test_signing_out_turns_it_off_and_the_next_person_is_not_told_of_the_first(
    site: Site, service: Receiver, visitors: Visitors
) -> None:
    set_up(site)
    page = at_browser(visitors, site, Browser(f"{service.url}/push/desk"), "wang")
    page.get_by_test_id("device-on").click()
    expect(page.get_by_test_id("device-state")).to_have_attribute("data-state", "on")
    page.get_by_test_id("user-menu-open").click()
    page.get_by_test_id("sign-out").click()
    page.get_by_test_id("login-username").wait_for()
    assert Client(site, "wang").get("/notices/devices")["items"] == []
    assert page.evaluate("localStorage.getItem('test.key')") is None
    page.goto(f"{site.url}/login?back=/settings/notices")
    give_password(page, "lin")
    expect(page.get_by_test_id("device-state")).to_have_attribute("data-state", "off")


def test_a_subscription_that_the_browser_renewed_is_told_to_the_server_at_the_next_visit(
    site: Site, service: Receiver, visitors: Visitors
) -> None:
    set_up(site)
    page = at_browser(visitors, site, Browser(f"{service.url}/push/desk"), "wang")
    page.get_by_test_id("device-on").click()
    expect(page.get_by_test_id("device-state")).to_have_attribute("data-state", "on")
    (before,) = Client(site, "wang").get("/notices/devices")["items"]
    renewed = f"{service.url}/push/renewed"
    page.evaluate("(endpoint) => localStorage.setItem('test.endpoint', endpoint)", renewed)
    page.reload()
    expect(page.get_by_test_id("live-state")).to_be_visible()
    listed = until(page, lambda: len(items := Client(site, "wang").get("/notices/devices")["items"]) == 2 and items)
    assert {item["id"] for item in listed} == {before["id"], device_id(renewed)}


def test_a_browser_that_may_not_or_cannot_says_why(site: Site, visitors: Visitors) -> None:
    set_up(site)
    page = visitors.sign_in(site, "wang", "/settings/notices", "en")
    expect(page.get_by_test_id("device-state")).to_have_attribute("data-state", "off")
    # Nobody answers the question of a browser without a screen: that is a no.
    page.get_by_test_id("device-on").click()
    expect(page.get_by_test_id("device-state")).to_have_attribute("data-state", "denied")
    expect(page.get_by_test_id("device-state")).to_contain_text("Notices are blocked for this page.")
    page.context.add_init_script("delete window.PushManager")
    page.reload()
    expect(page.get_by_test_id("device-state")).to_have_attribute("data-state", "unsupported")


def test_an_administrator_sets_it_up_and_reads_which_push_services_are_reached(site: Site, sign_in: SignIn) -> None:
    Client(site, "he").put("/admin/notice-settings", public_url=site.url)
    page = sign_in("he", "/admin/channels")
    page.get_by_test_id("channel-add").click()
    page.get_by_test_id("channel-kind").select_option("webpush")
    page.get_by_test_id("channel-id").fill("push")
    page.get_by_test_id("channel-name").fill("浏览器推送")
    page.get_by_test_id("channel-contact").fill("mailto:it@noria.example")
    page.get_by_test_id("channel-save").click()
    row = page.get_by_test_id("channels").get_by_role("row").filter(has_text="浏览器推送")
    expect(row).to_contain_text("fcm.googleapis.com, push.services.mozilla.com, notify.windows.com, push.apple.com")
    row.get_by_test_id("channel-edit").click()
    expect(page.get_by_test_id("channel-contact")).to_have_value("mailto:it@noria.example")
    page.get_by_test_id("channel-save").click()
    expect(row).to_be_visible()


def test_the_page_can_be_installed_on_a_phone(site: Site, visitors: Visitors) -> None:
    page = visitors.open(f"{site.url}/login")
    session = page.context.new_cdp_session(page)
    manifest = session.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert json.loads(manifest["data"])["start_url"] == "/tasks"
    for icon in json.loads(manifest["data"])["icons"]:
        size = page.evaluate(
            """async (address) => {
              const image = new Image(); image.src = address; await image.decode();
              return `${image.naturalWidth}x${image.naturalHeight}`;
            }""",
            icon["src"],
        )
        assert size == icon["sizes"]
