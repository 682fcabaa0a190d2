"""Leave and substitutes in the browser (journey J3), and the organisation's pages."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from noria.kernel.instants import to_datetime
from tests.e2e.conftest import SignIn
from tests.e2e.site import Client, Site
from tests.e2e.steps import item, open_task, pick

pytestmark = pytest.mark.e2e


def day(site: Site, days: int) -> str:
    return (to_datetime(site.clock.now_ms()) + timedelta(days=days)).date().isoformat()


def shot(page: Page, name: str) -> None:
    """A picture for whoever wants to look, where the environment names a folder."""
    folder = os.environ.get("NORIA_PICTURES")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_whoever_is_away_names_a_substitute_who_acts_for_them_and_is_named_in_the_record(
    site: Site, sign_in: SignIn
) -> None:
    lin = Client(site, "lin")
    small, large = (lin.request_purchase(amount=amount) for amount in (800, 120_000))
    wang = sign_in("wang", "/tasks")
    wang.get_by_test_id("user-menu-open").click()
    wang.get_by_test_id("substitutes-open").click()
    wang.get_by_test_id("substitute-add").click()
    pick(wang, "substitute-person", "刘洋")
    wang.get_by_test_id("substitute-until").fill(day(site, 8))
    wang.get_by_test_id("substitute-amount").fill("100000")
    wang.get_by_test_id("substitute-passes-on").check()
    shot(wang, "substitute-dialog")
    wang.get_by_test_id("substitute-save").click()
    expect(wang.get_by_test_id("substitutions")).to_contain_text("可再由其代理人代办")
    expect(wang.get_by_test_id("substitutions")).to_contain_text("刘洋 代 王强")
    expect(wang.get_by_test_id("substitutions")).to_contain_text("不超过 100,000")
    shot(wang, "substitutes")

    liu = sign_in("liu", "/tasks")
    row = item(liu, small["business_key"])
    expect(row).to_contain_text("代 王强")
    expect(item(liu, large["business_key"])).to_have_count(0)
    open_task(liu, small["business_key"])
    expect(liu.get_by_test_id("task-for-whom")).to_have_text("您正在代 王强 办理。")
    shot(liu, "inbox-for")
    liu.get_by_test_id("task-complete").click()
    expect(row).to_have_count(0)
    liu.goto(f"{site.url}/instances/{small['id']}")
    expect(liu.get_by_test_id("timeline")).to_contain_text("刘洋 代 王强")
    shot(liu, "timeline-for")

    he = sign_in("he", "/tasks?box=queue")
    open_task(he, large["business_key"])
    expect(he.get_by_test_id("task-for-whom")).to_contain_text("请转办")
    expect(he.get_by_test_id("task-complete")).to_have_count(0)
    expect(he.get_by_test_id("task-transfer")).to_be_visible()
    shot(he, "queue")

    wang.get_by_test_id("substitute-end").click()
    wang.get_by_test_id("end-return").check()
    wang.get_by_test_id("end-confirm").click()
    expect(wang.locator("[data-state=over]")).to_be_visible()


def test_an_administrator_enters_a_move_ahead_looks_at_that_day_and_takes_it_back(site: Site, sign_in: SignIn) -> None:
    page = sign_in("he", "/admin/people")
    row = page.get_by_test_id("people").locator("tr").filter(has_text="林晓")
    row.get_by_test_id("person-edit").click()
    page.get_by_test_id("person-unit").select_option("it")
    page.get_by_test_id("person-position").fill("buyer")
    page.get_by_test_id("person-valid-from").fill(day(site, 30))
    page.get_by_test_id("person-save").click()
    expect(row).to_contain_text("采购部")
    expect(row).to_contain_text("王强")
    page.get_by_test_id("people-at").fill(day(site, 31))
    expect(row).to_contain_text("信息部 · buyer")
    expect(row).to_contain_text("何静")
    shot(page, "people-at")
    page.get_by_test_id("people-at").fill("")
    expect(row).to_contain_text("采购部")
    row.get_by_test_id("person-edit").click()
    page.get_by_test_id("changes").locator("summary").click()
    shot(page, "person")
    page.get_by_test_id("change-drop").click()
    page.get_by_test_id("people-at").fill(day(site, 31))
    expect(row).to_contain_text("采购部")


def test_an_acting_manager_is_named_on_the_units_page(site: Site, sign_in: SignIn) -> None:
    page = sign_in("he", "/admin/people")
    page.get_by_test_id("units-show").click()
    row = page.get_by_test_id("units").locator("tr").filter(has_text="采购部")
    expect(row).to_contain_text("王强")
    row.get_by_test_id("unit-edit").click()
    page.get_by_test_id("acting-add").click()
    pick(page, "acting-person", "刘洋")
    page.get_by_role("dialog").locator("input[type=date]").nth(1).fill(day(site, 5))
    page.get_by_test_id("unit-save").click()
    expect(row).to_contain_text(re.compile("刘洋.*代管"))
    shot(page, "units")


def test_people_are_imported_from_a_file_that_was_exported_and_wrong_rows_are_named(
    site: Site, sign_in: SignIn, tmp_path: Path
) -> None:
    page = sign_in("he", "/admin/people")
    with page.expect_download() as loading:
        page.get_by_test_id("people-export").click()
    exported = tmp_path / "people.xlsx"
    loading.value.save_as(exported)
    page.get_by_test_id("people-import").click()
    page.get_by_test_id("import-files").set_input_files(exported)
    expect(page.get_by_test_id("import-preview")).to_contain_text("18 项不变")
    wrong = tmp_path / "people.csv"
    wrong.write_text("人员标识,用户名,姓名,部门\nneu,neu,新人,nowhere\n", encoding="utf-8")
    page.get_by_test_id("import-files").set_input_files(wrong)
    expect(page.get_by_test_id("import-preview")).to_contain_text(re.compile("人员 第 2 行.*部门.*nowhere"))
    expect(page.get_by_test_id("import-apply")).to_be_disabled()
    shot(page, "import-wrong")
    right = tmp_path / "人员.csv"
    right.write_text("人员标识,用户名,姓名,部门\nneu,neu,新人,it\n", encoding="utf-8")
    page.get_by_test_id("import-files").set_input_files(right)
    expect(page.get_by_test_id("import-preview")).to_contain_text("新增 1 项")
    page.get_by_test_id("import-apply").click()
    expect(page.get_by_test_id("people")).to_contain_text("新人")
