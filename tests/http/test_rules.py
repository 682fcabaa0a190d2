"""Rules over REST: a table is edited, checked, tried on what was decided lately, published; each case names its row."""

from __future__ import annotations

from typing import Any

import pytest

from noria.kernel.instants import DAY_MS
from tests.house import eventually
from tests.http.house import Client, House


async def table_of(client: Client) -> dict[str, Any]:
    answer = await client.get("/rules/approval_policy")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def requests(house: House, *amounts: int) -> dict[int, str]:
    """Purchases of these amounts that the policy has been asked about, and finance has passed; amount → instance."""
    lin, wang, li = [await house.sign_in(name) for name in ("lin", "wang", "li")]
    found = {}
    for amount in amounts:
        found[amount] = (await lin.start(amount=amount, lines=[{"item": "轴承", "quantity": 1, "price": amount}]))["id"]
        assert (await wang.complete()).status_code == 200
        task = await li.task("group")
        assert (await li.post(f"/tasks/{task['id']}/complete", {"variables": {}})).status_code == 200
    return found


def with_cell(table: dict[str, Any], rule: str, column: int, cell: str) -> dict[str, Any]:
    rules = [
        {**row, "inputs": [*row["inputs"][:column], cell, *row["inputs"][column + 1 :]]} if row["id"] == rule else row
        for row in table["rules"]
    ]
    return {**table, "rules": rules}


async def test_a_table_is_shown_with_its_columns_rows_and_who_asks_it(house: House) -> None:
    he = await house.sign_in("he")
    (listed,) = [item for item in (await he.get("/rules")).json()["items"] if item["decision"] == "approval_policy"]
    assert (listed["rows"], listed["hit_policy"]) == (4, "FIRST")
    assert [process["key"] for process in listed["processes"]] == ["purchase"]
    view = await table_of(he)
    assert [column["expression"] for column in view["inputs"]] == ["category", "amount"]
    assert [column["name"] for column in view["outputs"]] == ["needs_general_manager", "limit"]
    assert view["table"]["rules"][2]["inputs"] == ['"material"', ">= 60000"]


async def test_findings_are_told_while_editing(house: House) -> None:
    he = await house.sign_in("he")
    table = (await table_of(he))["table"]
    hidden = with_cell(with_cell(table, "rule_equipment_large", 0, "-"), "rule_equipment_large", 1, "-")
    found = (await he.post("/rules/approval_policy/check", {"table": hidden})).json()
    assert {finding["code"] for finding in found} == {"dmn.rule_hidden"}
    assert {finding["element"] for finding in found} == {"rule_any_large", "rule_material", "rule_otherwise"}
    unreadable = {"table": with_cell(table, "rule_material", 1, ">= (")}
    broken = (await he.post("/rules/approval_policy/check", unreadable)).json()
    assert [finding["severity"] for finding in broken] == ["error"]


async def test_a_table_is_tried_on_last_months_cases_and_names_those_that_would_go_elsewhere(house: House) -> None:
    he = await house.sign_in("he")
    cases = await requests(house, 50_000, 65_000, 75_000, 120_000)
    table = (await table_of(he))["table"]

    async def seen() -> bool:
        same = (await he.post("/rules/approval_policy/try", {"table": table})).json()
        return bool(same["total"] == 4 and same["changed"] == 0)

    await eventually(seen)
    edited = with_cell(table, "rule_material", 1, ">= 70000")
    trial = (await he.post("/rules/approval_policy/try", {"table": edited, "days": 31})).json()
    assert (trial["total"], trial["changed"], trial["elsewhere"], trial["same"]) == (4, 1, 1, 3)
    (case,) = trial["cases"]
    assert case["instance_id"] == cases[65_000]
    assert (case["rows_before"], case["rows_after"]) == ([3], [4])
    assert (case["before"]["needs_general_manager"], case["after"]["needs_general_manager"]) == (True, False)
    assert (case["went_to"], case["would_go_to"]) == ("总经理终审", "approved_join")
    # Nothing has been written.
    assert (await table_of(he))["table"] == table
    house.clock.offset_ms += 40 * DAY_MS
    he = await house.sign_in("he")
    assert (await he.post("/rules/approval_policy/try", {"table": edited, "days": 31})).json()["total"] == 0


async def test_a_published_table_decides_new_cases_and_running_ones_keep_theirs(house: House) -> None:
    he = await house.sign_in("he")
    before = await requests(house, 65_000)
    view = await table_of(he)
    new = {"id": "", "inputs": ['"service"', ">= 10000"], "outputs": ["true", '"PT8H"'], "note": "服务类"}
    edited = with_cell(view["table"], "rule_material", 1, ">= 70000")
    edited = {**edited, "rules": [new, *edited["rules"]]}
    draft = {"table": edited, "base": view["base"], "note": "提高额度"}
    published = await he.post("/rules/approval_policy", draft)
    assert published.status_code == 201, published.text
    assert published.json()["processes"] == [{"key": "purchase", "name": "采购申请", "version": 2}]

    shown = await table_of(he)
    assert shown["base"] != view["base"]
    assert [rule["note"] for rule in shown["table"]["rules"]] == ["服务类", "", "", "", ""]
    assert shown["table"]["rules"][0]["id"]
    after = await requests(house, 65_000)
    lin = await house.sign_in("lin")
    rows = [
        [why["matched"] for why in (await lin.get(f"/instances/{iid}/reasons")).json()["items"] if why["matched"]]
        for iid in (before[65_000], after[65_000])
    ]
    assert [[row["rule"] for row in made[0]] for made in rows] == [["rule_material"], ["rule_otherwise"]]
    assert [[row["row"] for row in made[0]] for made in rows] == [[3], [5]]
    records = (await (await house.sign_in("qian")).get("/audit", action="rules.published")).json()["items"]
    assert (records[0]["actor"]["id"], records[0]["reason"]) == ("he", "提高额度")

    again = await he.post("/rules/approval_policy", draft)
    assert (again.status_code, again.json()["code"]) == (409, "rules.stale")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"hit_policy": "SOMETIMES"}, "rules.bad_policy"),
        ({"aggregation": "SUM"}, "rules.bad_policy"),
        ({"rules": [{"id": "", "inputs": ["-"], "outputs": ["true", "null"]}]}, "rules.bad_row"),
        ({"rules": [{"id": "", "inputs": ["> (", "-"], "outputs": ["true", "null"]}]}, "deployment.refused"),
    ],
)
async def test_a_wrong_table_is_refused_and_nothing_is_published(
    house: House, changes: dict[str, object], code: str
) -> None:
    he = await house.sign_in("he")
    view = await table_of(he)
    draft = {"table": {**view["table"], **changes}, "base": view["base"], "note": "x"}
    answer = await he.post("/rules/approval_policy", draft)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    tried = await he.post("/rules/approval_policy/try", {"table": draft["table"]})
    assert tried.json()["code"] == code
    assert (await table_of(he))["base"] == view["base"]


async def test_a_reason_is_asked_for(house: House) -> None:
    he = await house.sign_in("he")
    view = await table_of(he)
    answer = await he.post("/rules/approval_policy", {"table": view["table"], "base": view["base"]})
    assert answer.json()["code"] == "reason.required"


async def test_who_may_not_deploy_may_look_and_nothing_more(house: House) -> None:
    wang, lin = await house.sign_in("wang"), await house.sign_in("lin")
    view = await table_of(wang)
    body = {"table": view["table"]}
    for path in ("/rules/approval_policy/check", "/rules/approval_policy/try", "/rules/approval_policy"):
        assert (await wang.post(path, body)).status_code == 403
    assert (await lin.get("/rules/approval_policy")).status_code == 403
    assert (await wang.get("/rules/nothing")).status_code == 404
