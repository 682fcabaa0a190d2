"""The calendar page: a year is looked at, changed, published with what depends on it; and the case says why."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import SignIn, Visitors
from tests.e2e.site import Client, Site

pytestmark = pytest.mark.e2e


def test_a_day_is_made_a_holiday_and_published_as_version_2(site: Site, sign_in: SignIn) -> None:
    page = sign_in("he", "/calendars")
    expect(page.get_by_test_id("year")).to_be_visible()
    year = int(page.get_by_test_id("calendar-year").inner_text())
    picked = page.get_by_test_id(f"day-{year}-06-10")
    before = picked.get_attribute("data-kind")

    page.get_by_test_id("calendar-edit").click()
    picked.click()
    page.get_by_test_id("kind-special").check()
    page.get_by_test_id("special-hours").fill("09:00-12:00")
    page.get_by_test_id("day-save").click()
    expect(picked).to_have_attribute("data-kind", "special")
    page.get_by_test_id("calendar-publish").click()
    expect(page.get_by_test_id("publish-total")).to_contain_text("0")
    page.get_by_test_id("publish-note").fill("厂庆半天")
    page.get_by_test_id("publish-confirm").click()

    expect(page.get_by_test_id("calendar-versions")).to_contain_text("厂庆半天")
    expect(picked).to_have_attribute("data-kind", "special")
    view = Client(site, "he").get("/calendars/default")
    assert (view["version"], view["hours"]) == (2, {f"{year}-06-10": ["09:00-12:00"]})
    page.get_by_role("button", name="v1").click()
    expect(picked).to_have_attribute("data-kind", str(before))


def test_wrong_hours_are_refused_in_words_and_nothing_is_published(
    site: Site, sign_in: SignIn, visitors: Visitors
) -> None:
    visitors.expected.add(422)
    page = sign_in("he", "/calendars")
    page.get_by_test_id("calendar-edit").click()
    page.get_by_test_id("hours-0").fill("9-12")
    page.get_by_test_id("hours-0").press("Tab")
    page.get_by_test_id("calendar-publish").click()
    expect(page.get_by_test_id("publish-failure")).to_contain_text("09:00-12:00")
    assert Client(site, "he").get("/calendars/default")["version"] == 1


def test_a_unit_is_given_a_calendar(site: Site, sign_in: SignIn) -> None:
    page = sign_in("he", "/calendars")
    page.get_by_test_id("unit-calendar-purchasing").select_option("default")
    row = page.get_by_test_id("unit-calendars").get_by_role("row").filter(has_text="采购部")
    expect(row).to_contain_text("办公日历")
    units = Client(site, "he").get("/unit-calendars")["items"]
    assert next(item["own"] for item in units if item["unit"]["id"] == "purchasing") == "default"


def test_who_may_not_publish_sees_the_year_only(site: Site, sign_in: SignIn) -> None:
    page = sign_in("lin", "/calendars")
    expect(page.get_by_test_id("year")).to_be_visible()
    expect(page.get_by_test_id("calendar-edit")).to_have_count(0)
