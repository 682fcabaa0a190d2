"""Every screen: accessible, silent, true to the Content Security Policy, in two languages, with the mark in sight."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Visitors
from tests.e2e.site import Client, Site

WEB = Path(__file__).parents[2] / "web"
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not AXE.exists() and "NORIA_REQUIRE_ALL" not in os.environ, reason="axe-core is not installed (make web)"
    ),
]

SCREENS = {
    "login": ("", "/login", "[data-testid=login-submit]"),
    "tasks": ("wang", "/tasks", "[data-testid=task-pane] .fjs-container"),
    "tasks done": ("wang", "/tasks?box=done", "[data-testid=task-closed]"),
    "start": ("lin", "/start", "[data-testid=start-process]"),
    "start form": ("lin", "/start/purchase", ".fjs-container"),
    "instances": ("he", "/instances", "[data-testid=instances]"),
    "instance": ("he", "/instances/{instance}", "[data-testid=timeline] li"),
    "models": ("he", "/models", "[data-testid=models]"),
    "model": ("he", "/models/purchase", ".djs-container .djs-shape"),
    "board": ("he", "/board/purchase?range=90d", "[data-testid=feed] li"),
    "audit": ("qian", "/audit", "[data-testid=audit]"),
    "rules": ("he", "/rules", "[data-testid=rules]"),
    "rule table": ("he", "/rules/approval_policy", "[data-testid=rule-table]"),
    "forms": ("he", "/forms", "[data-testid=forms]"),
    "form designer": ("he", "/forms/purchase", "[data-testid=form-parts]"),
    "calendars": ("he", "/calendars", "[data-testid=year]"),
    "people": ("he", "/admin/people", "[data-testid=people]"),
    "channels": ("he", "/admin/channels", "[data-testid=deliveries]"),
    "notice settings": ("lin", "/settings/notices", "[data-testid=preference-kinds]"),
    "denied": ("lin", "/audit", "[data-testid=denied]"),
}
"""Screen → who opens it, where it is, and what must be there before it counts as shown."""
WITH_MARK = ("tasks", "tasks done", "start form", "instance", "model", "board")
"""Screens with a diagram or a form; their library's licence asks that its mark stays in sight."""
LANGUAGES = ("zh-CN", "en-US")


class Visit(NamedTuple):
    """What a screen showed.

    Attributes:
        serious: serious and critical findings of axe; looked for in one language, for they are the same in both.
        complaints: errors in the console, breaches of the Content Security Policy included.
        lines: the interface's text without diagrams, forms and code.
        marks: for each mark of the diagram and form library, whether it lies uncovered.
        overflow: whether the page is wider than its window.
    """

    serious: list[str]
    complaints: list[str]
    lines: list[str]
    marks: list[bool]
    overflow: bool


@pytest.fixture(scope="module")
def visit(browser: Browser, company: Site) -> Iterator[Callable[[str, str], Visit]]:
    """Opens a screen in a language, once for all tests of this file."""
    visitors = Visitors(browser)
    pages: dict[tuple[str, str], Page] = {}
    visits: dict[tuple[str, str], Visit] = {}
    finished = Client(company, "he").get("/instances", status="completed")["items"][0]["id"]

    def show(screen: str, language: str) -> Visit:
        if (screen, language) not in visits:
            person, path, drawn = SCREENS[screen]
            if (person, language) not in pages:
                pages[person, language] = (
                    visitors.sign_in(company, person, "/start", language)
                    if person
                    else visitors.open(f"{company.url}/login", language)
                )
            page = pages[person, language]
            visitors.complaints.clear()
            page.goto(company.url + path.format(instance=finished))
            page.locator(drawn).first.wait_for()
            expect(page.get_by_test_id("skeleton")).to_have_count(0)
            visits[screen, language] = look(page, screen, language, visitors.complaints)
        return visits[screen, language]

    yield show
    visitors.close()


def barriers(page: Page) -> list[str]:
    # Styles at rest: a colour that is still fading in has no contrast worth measuring.
    page.emulate_media(reduced_motion="reduce")
    # Not add_script_tag, which the Content Security Policy refuses.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def look(page: Page, screen: str, language: str, complaints: list[str]) -> Visit:
    if screen in WITH_MARK:
        page.locator(".bjs-powered-by, .fjs-powered-by").first.wait_for()
    serious = barriers(page) if language == "zh-CN" else []
    lines = page.evaluate(
        """() => {
            const other = "svg, code, blockquote, script, style, .fjs-container, .djs-container, .said";
            const lines = [];
            const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            while (walk.nextNode())
                if (!walk.currentNode.parentElement.closest(other))
                    lines.push(walk.currentNode.textContent.trim());
            for (const name of ["aria-label", "title", "placeholder"])
                for (const node of document.querySelectorAll(`[${name}]`))
                    if (!node.closest(other)) lines.push(node.getAttribute(name));
            return lines.filter((line) => line);
        }"""
    )
    marks = page.evaluate(
        """() => [...document.querySelectorAll(".bjs-powered-by, .fjs-powered-by")].map((mark) => {
            mark.scrollIntoView({ block: "center" });
            const box = mark.getBoundingClientRect();
            if (box.width < 20 || box.height < 8 || getComputedStyle(mark).opacity < 1) return false;
            const at = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
            return at !== null && (mark.contains(at) || at.contains(mark) && at === mark.parentElement);
        })"""
    )
    overflow = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return Visit(serious, list(complaints), lines, marks, overflow)


@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_has_no_serious_barrier(screen: str, visit: Callable[[str, str], Visit]) -> None:
    assert visit(screen, "zh-CN").serious == []


@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_breaks_no_policy_and_logs_no_error(screen: str, visit: Callable[[str, str], Visit]) -> None:
    assert visit(screen, "zh-CN").complaints + visit(screen, "en-US").complaints == []


@pytest.mark.parametrize("screen", WITH_MARK)
def test_the_mark_of_the_diagram_and_form_library_lies_uncovered(
    screen: str, visit: Callable[[str, str], Visit]
) -> None:
    marks = visit(screen, "zh-CN").marks
    assert marks
    assert all(marks)


def texts(language: str) -> dict[str, str]:
    """The interface's own texts by key."""
    flat: dict[str, str] = {}

    def collect(part: dict[str, Any], prefix: str) -> None:
        for name, value in part.items():
            if isinstance(value, dict):
                collect(value, f"{prefix}{name}.")
            else:
                flat[prefix + name] = value

    collect(json.loads((WEB / "src" / "i18n" / f"{language}.json").read_text(encoding="utf-8")), "")
    return flat


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("screen", SCREENS)
def test_no_key_stands_where_a_text_should(screen: str, language: str, visit: Callable[[str, str], Visit]) -> None:
    keys = set(texts("en"))
    words = {word for line in visit(screen, language).lines for word in re.findall(r"[a-z_]+(?:\.[a-z_]+)+", line)}
    assert words & keys == set()


@pytest.mark.parametrize("screen", SCREENS)
def test_in_english_no_text_of_the_interface_is_chinese(screen: str, visit: Callable[[str, str], Visit]) -> None:
    # What people wrote and models say stays as it is; a text of our own is known by the Chinese table.
    english = set(texts("en").values())
    own = re.compile(
        "|".join(
            re.sub(r"\\\{\w+\\\}", ".+", re.escape(text))
            for text in texts("zh-CN").values()
            if re.search(r"[\u4e00-\u9fff]", text) and text not in english
        )
    )
    assert [line for line in visit(screen, "en-US").lines if own.fullmatch(line)] == []


@pytest.mark.parametrize("screen", SCREENS)
def test_in_chinese_no_text_of_the_interface_is_english(screen: str, visit: Callable[[str, str], Visit]) -> None:
    chinese = set(texts("zh-CN").values())
    own = {text for text in texts("en").values() if re.search(r"[a-z]{3}", text)} - chinese
    assert [line for line in visit(screen, "zh-CN").lines if line in own] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("screen", SCREENS)
def test_no_screen_is_wider_than_its_window(screen: str, language: str, visit: Callable[[str, str], Visit]) -> None:
    assert not visit(screen, language).overflow


def test_the_language_is_switched_in_place_and_remembered(company: Site, visitors: Visitors) -> None:
    page = visitors.sign_in(company, "wang")
    expect(page.get_by_role("heading", level=1)).to_have_text("我的待办")

    page.get_by_test_id("lang-switch").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("My tasks")

    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("My tasks")
    expect(page.locator("html")).to_have_attribute("lang", "en")
