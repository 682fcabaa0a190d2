"""People as files over REST: looked at first, written whole or not at all, and on record."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import httpx

from noria.kernel.instants import DAY_MS, format_instant
from tests.http.house import Client, House


async def load(client: Client, name: str, content: bytes | str, **query: object) -> httpx.Response:
    data = content if isinstance(content, bytes) else content.encode()
    params: Any = {key: str(value).lower() if isinstance(value, bool) else value for key, value in query.items()}
    return await client.send("POST", "/admin/people/import", files={"file": (name, data)}, params=params)


async def test_a_file_is_looked_at_first_and_written_when_it_is_wanted(house: House) -> None:
    he = await house.sign_in("he")
    table = "id,username,name,unit,active\nneu,neu,新人,it,是\nlin,lin,林晓,it,是\nchen,chen,陈晨,production,否\n"
    view = (await load(he, "people.csv", table)).json()
    assert (view["applied"], view["errors"], view["unchanged"]) == (False, [], 0)
    told = {what: [(i["kind"], i["id"]) for i in view[what]] for what in ("added", "changed", "deactivated")}
    assert told == {"added": [("person", "neu")], "changed": [("person", "lin")], "deactivated": [("person", "chen")]}
    assert (view["changed"][0]["before"], view["changed"][0]["after"]) == ({"unit": "purchasing"}, {"unit": "it"})
    assert "neu" not in {item["id"] for item in (await he.get("/admin/people")).json()["items"]}
    assert (await load(he, "people.csv", table, apply=True)).json()["applied"] is True
    people = {item["id"]: item for item in (await he.get("/admin/people")).json()["items"]}
    assert (people["neu"]["name"], people["lin"]["unit"]["id"], people["chen"]["active"]) == ("新人", "it", False)
    assert (await load(he, "people.csv", table, apply=True)).json()["unchanged"] == 3
    qian = await house.sign_in("qian")
    record = (await qian.get("/audit", action="people.imported")).json()["items"][-1]
    assert record["after"]["added"] == ["person:neu"]
    assert list(record["after"]["files"]) == ["people.csv"]


async def test_nothing_is_written_when_one_row_is_wrong(house: House) -> None:
    he = await house.sign_in("he")
    table = "id,username,name,unit\nneu,neu,新人,it\nalt,alt,旧人,nowhere\n"
    view = (await load(he, "people.csv", table, apply=True)).json()
    assert (view["applied"], view["errors_total"]) == (False, 1)
    error = view["errors"][0]
    assert (error["sheet"], error["row"], error["column"], error["code"]) == ("people", 3, "unit", "unit.not_found")
    assert error["value"] == "nowhere"
    assert "neu" not in {item["id"] for item in (await he.get("/admin/people")).json()["items"]}


async def test_an_import_may_hold_from_a_date_on(house: House) -> None:
    he = await house.sign_in("he")
    later = format_instant(house.clock.now_ms() + DAY_MS)
    await load(he, "people.csv", "id,unit\nlin,it\n", apply=True, valid_from=later)
    now, then = [
        {item["id"]: item["unit"] for item in (await he.get("/admin/people", at=at)).json()["items"]}["lin"]["id"]
        for at in ("", later)
    ]
    assert (now, then) == ("purchasing", "it")
    renamed = await load(he, "people.csv", "id,username\nlin,xiao\n", valid_from=later)
    assert [error["code"] for error in renamed.json()["errors"]] == ["person.username_undated"]


async def test_what_is_exported_can_be_imported_and_changes_nothing(house: House) -> None:
    he = await house.sign_in("he")
    for kind, ending in (("xlsx", "xlsx"), ("csv", "zip")):
        answer = await he.get("/admin/people/export", kind=kind, language="zh-CN")
        assert answer.headers["content-disposition"] == f'attachment; filename="people.{ending}"'
        view = (await load(he, f"people.{ending}", answer.content, absent="deactivate")).json()
        assert (view["errors"], view["added"], view["changed"], view["deactivated"]) == ([], [], [], []), kind
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["部门.csv", "人员.csv", "兼岗.csv"]


async def test_a_file_that_cannot_be_read_is_refused(house: House) -> None:
    he = await house.sign_in("he")
    answer = await load(he, "people.xlsx", b"no workbook")
    assert (answer.status_code, answer.json()["code"]) == (422, "import.unreadable")
