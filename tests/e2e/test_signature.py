"""A form that is signed by hand: drawn on the page, stored as a file, shown where the request is looked at."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from noria.adapters.printing.pdf import PdfPrinter
from noria.design.bpmn.names import NORIA
from tests.e2e.conftest import SignIn
from tests.e2e.site import Client, Site
from tests.http.test_printing import sheet

pytestmark = pytest.mark.e2e

MODEL = f"""<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:noria="{NORIA}" id="d"
    targetNamespace="t">
  <bpmn:process id="signed" name="签收" isExecutable="true">
    <bpmn:startEvent id="start" noria:form="signed" />
    <bpmn:userTask id="look" name="查看" noria:assignee="wang" noria:form="signed" noria:writableFields="" />
    <bpmn:sequenceFlow id="a" sourceRef="start" targetRef="look" />
  </bpmn:process>
</bpmn:definitions>
"""
FORM = {
    "id": "signed",
    "type": "default",
    "schemaVersion": 19,
    "components": [
        {
            "type": "filepicker",
            "id": "f_sign",
            "key": "sign",
            "label": "签名",
            "validate": {"required": True},
            "properties": {"kind": "signature"},
        }
    ],
}


def test_an_uploaded_pdf_shows_its_first_page(site: Site, sign_in: SignIn) -> None:
    made = {"name": "报价.pdf", "mimeType": "application/pdf", "buffer": PdfPrinter().pdf(sheet())}
    page = sign_in("lin", "/start/purchase")
    page.locator("input[type=file]").first.set_input_files(made)
    image = page.get_by_role("img", name="报价.pdf 第一页")
    expect(image).to_be_visible()
    image.scroll_into_view_if_needed()
    expect(image).to_have_js_property("naturalWidth", 1_000, timeout=15_000)


def test_a_person_signs_and_the_next_one_sees_the_signature(site: Site, sign_in: SignIn) -> None:
    files = {"signed.bpmn": MODEL.encode(), "signed.form": json.dumps(FORM, ensure_ascii=False).encode()}
    Client(site, "he").deploy(files)
    page = sign_in("lin", "/start/signed")
    pad = page.get_by_role("img", name="手写签名")
    box = pad.bounding_box()
    assert box is not None
    expect(page.get_by_role("button", name="使用此签名")).to_be_disabled()
    page.mouse.move(box["x"] + 40, box["y"] + 80)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 40, steps=5)
    page.mouse.move(box["x"] + 200, box["y"] + 110, steps=5)
    page.mouse.up()
    page.get_by_role("button", name="使用此签名").click()
    expect(page.get_by_role("img", name="signature.png")).to_be_visible()
    page.get_by_test_id("start-submit").click()
    page.wait_for_url("**/instances/**")
    wang = sign_in("wang", "/tasks")
    image = wang.get_by_role("img", name="signature.png")
    expect(image).to_be_visible()
    expect(image).to_have_js_property("naturalWidth", 480)
    expect(wang.get_by_role("img", name="手写签名")).to_have_count(0)
