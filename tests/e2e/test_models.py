"""The model list: a file is checked, shown, deployed; what is wrong with it is said, and nothing is then deployed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from noria.adapters.demo.seeding import example_files
from tests.e2e.conftest import SignIn, Visitors
from tests.e2e.site import Client, Site

pytestmark = pytest.mark.e2e


def upload(page: Page, files: dict[str, bytes]) -> Locator:
    """Choose files on the model list; gives the place where the verdict appears."""
    payloads = [FilePayload(name=name, mimeType="application/xml", buffer=data) for name, data in files.items()]
    page.get_by_test_id("deploy-files").set_input_files(payloads)
    check = page.get_by_test_id("deploy-check")
    expect(check).to_have_attribute("data-state", re.compile("ready|checked|refused"))
    return check


def test_a_changed_model_is_checked_shown_and_deployed_as_version_2(site: Site, sign_in: SignIn) -> None:
    page = sign_in("he", "/models")
    files = example_files()
    files["purchase.bpmn"] = files["purchase.bpmn"].replace("部门主管审批".encode(), "主管审批".encode())

    check = upload(page, files)
    expect(check).to_contain_text("将部署：采购申请 v2")
    page.get_by_test_id("deploy-submit").click()

    expect(page.get_by_test_id("models")).to_contain_text("v2")
    page.get_by_test_id("model-link").click()
    expect(page.locator(".djs-label").filter(has_text="主管审批").first).to_be_visible()
    page.get_by_role("button", name=re.compile("^v1")).click()
    expect(page.locator(".djs-label").filter(has_text="部门主管审批").first).to_be_visible()


def test_findings_name_the_element_and_the_line_and_errors_bar_the_way(site: Site, sign_in: SignIn) -> None:
    page = sign_in("he", "/models")
    source = example_files()["purchase.bpmn"].decode()
    broken = source.replace('targetRef="finance_review"', 'targetRef="nowhere"', 1)
    line = next(number for number, text in enumerate(broken.splitlines(), 1) if 'targetRef="nowhere"' in text)

    check = upload(page, {"broken.bpmn": broken.encode()})

    finding = check.get_by_test_id("findings").locator("li").filter(has_text="bpmn.unresolved").first
    expect(finding).to_contain_text("引用的元素不存在")
    expect(finding).to_contain_text("flow_manager")
    expect(finding).to_contain_text(f"broken.bpmn 第 {line} 行")
    expect(page.get_by_test_id("deploy-submit")).to_be_disabled()
    assert Client(site, "he").get("/processes/purchase")["version"] == 1


def test_a_hostile_or_malformed_file_is_refused_with_a_clear_sentence(site: Site, sign_in: SignIn) -> None:
    page = sign_in("he", "/models")
    for data, particulars in (
        (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aa">]><x>&a;</x>', "DOCTYPE"),
        (b"<bpmn:definitions", "unclosed token"),
        (b"\x00\xff\xfe", "not well-formed"),
        (b"", "no element found"),
    ):
        findings = upload(page, {"bad.bpmn": data}).get_by_test_id("findings")

        expect(findings).to_contain_text(particulars)
        expect(findings).to_contain_text("文件不能接受：不是格式正确的 XML，或含有不允许的内容（如 DOCTYPE）")
        expect(page.get_by_test_id("deploy-submit")).to_be_disabled()


def test_a_finding_is_told_in_the_language_of_the_page(site: Site, sign_in: SignIn) -> None:
    page = sign_in("he", "/models", "en-US")

    check = upload(page, {"bad.bpmn": b"<!DOCTYPE x><x/>"})

    text = check.inner_text()
    assert "DOCTYPE" in text
    assert not re.search(r"[\u4e00-\u9fff]", text)


def test_who_may_read_but_not_deploy_sees_no_upload(site: Site, sign_in: SignIn, visitors: Visitors) -> None:
    page = sign_in("wang", "/models")

    expect(page.get_by_test_id("models")).to_be_visible()
    expect(page.get_by_test_id("deploy-drop")).to_have_count(0)


def test_a_model_is_downloaded_as_plain_bpmn_after_what_is_lost_has_been_shown(site: Site, sign_in: SignIn) -> None:
    page = sign_in("he", "/models/purchase")
    page.get_by_test_id("model-plain").click()

    shown = page.get_by_test_id("plain")
    finding = shown.locator("li").filter(has_text="manager_review").filter(has_text="noria:dueIn").first
    expect(finding).to_contain_text("没有标准写法")
    expect(finding).to_contain_text("PT16H")
    with page.expect_download() as download:
        page.get_by_test_id("plain-download").click()
    written = download.value.path().read_bytes()
    assert download.value.suggested_filename == "purchase.plain.bpmn"
    assert b"urn:noria:bpmn" not in written
    assert b'id="manager_review"' in written
