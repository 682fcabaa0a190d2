from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from noria.adapters.http.pages import STATIC
from tests.e2e.site import PASSWORD, Site, chromium

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    missing = "Chromium is not installed" if path is None else ""
    if not (STATIC / "index.html").exists():
        missing = "the web pages are not built (make web)"
    if missing:
        if os.environ.get("NORIA_REQUIRE_ALL"):
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    running = Site(f"sqlite:///{tmp_path / 'noria.db'}")
    running.start()
    yield running
    running.stop()


@pytest.fixture
def sign_in(browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Opens a page of its own for a person. At the end no page may have complained, nor broken the CSP."""
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # The question "who am I" of a browser that is not signed in is answered 401, which browsers log.
        if message.type == "error" and "401" not in message.text:
            complaints.append(message.text)

    contexts = []

    def open_page(person: str, locale: str = "zh-CN") -> Page:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale=locale)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(site.url)
        page.get_by_test_id("login-username").fill(person)
        page.get_by_test_id("login-password").fill(PASSWORD)
        page.get_by_test_id("login-submit").click()
        page.get_by_test_id("live-state").wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
