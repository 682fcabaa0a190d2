"""Taking back at the browser what has been carried out since (取回): shown before, undone, and told on the way."""

from __future__ import annotations

import os

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import SignIn
from tests.e2e.site import Client, Site
from tests.scenarios.drawing import draw

pytestmark = pytest.mark.e2e
MODEL = """
  startEvent start
  userTask review name=复核 approval=allOf approvers=wang
  serviceTask reserve name=预留货物 topic=purchase.create_order
  boundaryEvent undo on=reserve
    raw <compensateEventDefinition/>
  userTask release name=释放货物 isForCompensation=true assignee=li
  userTask file name=归档 assignee=he
  endEvent end
  start -> review -> reserve -> file -> end
  raw <association id="a1" sourceRef="undo" targetRef="release"/>
"""


def shot(page: Page, name: str) -> None:
    """A picture for whoever wants to look, where the environment names a folder."""
    folder = os.environ.get("NORIA_PICTURES")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_what_followed_is_undone_before_the_task_is_open_again(site: Site, sign_in: SignIn) -> None:
    he, wang, li = (Client(site, person) for person in ("he", "wang", "li"))
    he.deploy({"buy.bpmn": draw(MODEL.splitlines(), "buy")})
    instance = Client(site, "lin").post("/instances", process="buy", variables={})["id"]
    (task,) = wang.get("/tasks", process="buy")["items"]
    wang.post(f"/tasks/{task['id']}/complete", variables={}, outcome="approve")

    page = sign_in("wang", f"/instances/{instance}")
    page.get_by_test_id("instance-take_back").click()
    preview = page.get_by_test_id("preview")
    expect(preview).to_contain_text("撤销：预留货物")
    expect(preview).to_contain_text("取消：「归档」")
    expect(preview).to_contain_text("打开：「释放货物」（李")
    shot(page, "taking-back-preview")
    page.get_by_test_id("instance-confirm").click()
    expect(page.get_by_test_id("taking-back")).to_contain_text("王强 正在取回「复核」")
    shot(page, "taking-back")

    (task,) = li.get("/tasks", process="buy")["items"]
    li.post(f"/tasks/{task['id']}/complete", variables={})
    expect(page.get_by_test_id("taking-back")).to_have_count(0)
    expect(page.get_by_text("王强 取回「复核」", exact=True)).to_be_visible()
    assert [item["element"]["name"] for item in wang.get("/tasks", process="buy")["items"]] == ["复核"]
