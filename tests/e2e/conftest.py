from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from noria.adapters.demo import seed
from noria.adapters.http.pages import STATIC
from noria.bootstrap import Noria
from tests.beginnings import write_company
from tests.e2e.site import ENGINE, PASSWORD, Site, installed
from tests.machine import network_at_rest

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# A broken Content Security Policy is an error of the page, which the tests of its console then see.
TELL_OF_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


@pytest.fixture(scope="module")
def program() -> str | None:
    """The browser's path, None when there is none."""
    return installed(ENGINE)


@pytest.fixture(scope="module")
def browser(program: str | None) -> Iterator[Browser]:
    """A browser for the tests of one file: while Playwright runs, no other test of the process could run a loop."""
    missing = "Chromium is not installed" if program is None else ""
    if not (STATIC / "index.html").exists():
        missing = "the web pages are not built (make web)"
    if missing:
        if os.environ.get("NORIA_REQUIRE_ALL"):
            pytest.fail(missing)
        pytest.skip(missing)
    with network_at_rest(), sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the demonstration's people and models, to be copied by each test."""
    path = tmp_path_factory.mktemp("beginning") / "noria.db"
    asyncio.run(write_company(f"sqlite:///{path}"))
    return path


@pytest.fixture
def site(beginning: Path, tmp_path: Path) -> Iterator[Site]:
    """A server without a past, of one test alone."""
    running = Site(shutil.copy(beginning, tmp_path / "noria.db"))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server with a simulated past, shared by the tests of a file, which only look at it."""
    path = tmp_path_factory.mktemp("company") / "noria.db"
    # In a thread of its own: while Playwright runs, this one can run no loop.
    with ThreadPoolExecutor(1) as other:
        other.submit(asyncio.run, seed(Noria.open, f"sqlite:///{path}", 40, lambda *_: None)).result()
    running = Site(path)
    running.start()
    yield running
    running.stop()


class Visitors:
    """People at browsers of their own.

    Attributes:
        complaints: errors of scripts, breaches of the Content Security Policy, refusals that a test has not announced.
        expected: statuses of refusals that a test provokes; browsers log each as an error.
        cut: parts of addresses that a test keeps pages from; they try again and again.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []
        # The question "who am I" of a browser that is not signed in is answered 401.
        self.expected = {401}
        self.cut: set[str] = set()

    def _note(self, message: ConsoleMessage) -> None:
        if message.type != "error":
            return
        status = re.search(r"the server responded with a status of (\d+)", message.text)
        url = message.location.get("url", "")
        if (status is None or int(status[1]) not in self.expected) and not any(part in url for part in self.cut):
            self.complaints.append(f"{message.text} {url}")

    def open(self, url: str, locale: str = "zh-CN", width: int = 1440, *, phone: bool = False) -> Page:
        """A fresh browser profile at an address, on a desk or on a phone."""
        context = self._browser.new_context(
            viewport={"width": 390, "height": 844} if phone else {"width": width, "height": 900},
            is_mobile=phone,
            has_touch=phone,
            locale=locale,
            timezone_id="Asia/Shanghai",
        )
        context.add_init_script(TELL_OF_VIOLATIONS)
        self._contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(url)
        return page

    def sign_in(self, site: Site, person: str, path: str = "/tasks", locale: str = "zh-CN", width: int = 1440) -> Page:
        """A fresh browser profile in which a person has signed in and gone to a page."""
        page = self.open(f"{site.url}/login?back={path}", locale, width)
        give_password(page, person)
        page.get_by_test_id("live-state").wait_for()
        return page

    def take_pictures(self, folder: Path) -> None:
        """Keep what every page shows, for whoever looks into a failure."""
        for number, context in enumerate(self._contexts):
            for page in context.pages:
                page.screenshot(path=folder / f"page{number}.png")
        print(f"Pictures of the pages are in {folder}")

    def close(self) -> None:
        for context in self._contexts:
            context.close()


def give_password(page: Page, person: str, password: str = PASSWORD) -> None:
    """Fill in and send the sign-in page."""
    page.get_by_test_id("login-username").fill(person)
    page.get_by_test_id("login-password").fill(password)
    page.get_by_test_id("login-submit").click()


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture
def visitors(browser: Browser, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Visitors]:
    """Opens pages for people. At the end no page may have complained, nor broken the Content Security Policy."""
    some = Visitors(browser)
    yield some
    if request.node.stash.get(FAILED, False):
        some.take_pictures(tmp_path)
    some.close()
    assert some.complaints == []


SignIn = Callable[..., Page]


@pytest.fixture
def sign_in(visitors: Visitors, site: Site) -> SignIn:
    """A person signed in at the server of this test: `sign_in("lin", "/start/purchase")`."""

    def enter(person: str, path: str = "/tasks", locale: str = "zh-CN") -> Page:
        return visitors.sign_in(site, person, path, locale)

    return enter
