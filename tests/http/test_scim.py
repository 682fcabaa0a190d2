"""SCIM 2.0 (RFC 7643, 7644): an identity system keeps people and units up to date."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.http.house import House
from tests.http.test_tokens import bearer, made

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ZHENG: dict[str, Any] = {
    "schemas": [USER, ENTERPRISE],
    "externalId": "00u1",
    "userName": "zheng@chenghai.example",
    "name": {"familyName": "郑", "givenName": "敏"},
    "emails": [{"value": "zheng@chenghai.example", "type": "work", "primary": True}],
    "active": True,
    ENTERPRISE: {"department": "采购部", "employeeNumber": "1207"},
}

STRANGE = {"schemas": [GROUP], "displayName": "新", "members": [{"value": "nobody"}]}
_BOTH = [{"value": "sysadmin"}, {"value": "auditor"}]
EXCLUSIVE = {"schemas": [PATCH], "Operations": [{"op": "add", "path": "roles", "value": _BOTH}]}


class Entra:
    """An identity system with the token of an administrator."""

    def __init__(self, http: httpx.AsyncClient, secret: str) -> None:
        self._http = http
        self._headers = {**bearer(secret), "Content-Type": "application/scim+json"}

    async def ask(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        return await self._http.request(method, f"/scim/v2{path}", json=body, headers={**self._headers, **headers})

    async def read(self, path: str, **query: object) -> dict[str, Any]:
        answer = await self._http.get(f"/scim/v2{path}", params=query or None, headers=self._headers)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("application/scim+json")
        return dict(answer.json())

    async def patch(self, path: str, *operations: dict[str, object]) -> httpx.Response:
        return await self.ask("PATCH", path, {"schemas": [PATCH], "Operations": operations})

    async def user(self, **changes: object) -> dict[str, Any]:
        answer = await self.ask("POST", "/Users", {**ZHENG, **changes})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())


@pytest.fixture
async def entra(house: House) -> Entra:
    return Entra(house.browser(), (await made(await house.sign_in("he")))["secret"])


def problem(answer: httpx.Response) -> tuple[int, str | None]:
    body = answer.json()
    assert body["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert body["status"] == str(answer.status_code)
    return answer.status_code, body.get("scimType")


async def person(house: House, key: str) -> dict[str, Any]:
    he = await house.sign_in("he")
    return next(item for item in (await he.get("/admin/people")).json()["items"] if item["id"] == key)


async def test_a_person_is_found_by_name_added_changed_and_taken_out(house: House, entra: Entra) -> None:
    none = await entra.read("/Users", filter='userName eq "zheng@chenghai.example"')
    assert (none["totalResults"], none.get("Resources", [])) == (0, [])

    new = await entra.user()
    assert (new["id"], new["externalId"], new["displayName"]) == ("zheng", "00u1", "郑敏")
    assert new["meta"]["location"].endswith("/scim/v2/Users/zheng")
    assert (new[ENTERPRISE]["department"], new[ENTERPRISE]["manager"]["value"]) == ("采购部", "wang")
    assert [group["value"] for group in new["groups"]] == ["purchasing"]
    known = await person(house, "zheng")
    assert (known["name"], known["unit"]["id"], known["roles"]) == ("郑敏", "purchasing", ["employee"])

    for query in ('userName eq "ZHENG@chenghai.example"', 'externalId eq "00u1"', 'emails.value co "zheng"'):
        assert [one["id"] for one in (await entra.read("/Users", filter=query))["Resources"]] == ["zheng"]

    changed = await entra.patch(
        "/Users/zheng",
        {"op": "Replace", "path": "active", "value": "False"},
        {"op": "Add", "path": "title", "value": "buyer"},
        {"op": "Replace", "path": f"{ENTERPRISE}:department", "value": "production"},
    )
    assert changed.status_code == 200, changed.text
    assert (changed.json()["active"], changed.json()["title"]) == (False, "buyer")
    assert (await person(house, "zheng"))["unit"]["id"] == "production"

    assert (await entra.ask("DELETE", "/Users/zheng")).status_code == 204
    assert problem(await entra.ask("GET", "/Users/zheng")) == (404, None)
    assert (await person(house, "zheng"))["active"] is False


async def test_what_a_whole_user_does_not_say_stays_as_it_was(house: House, entra: Entra) -> None:
    await entra.user(roles=[{"value": "employee"}, {"value": "finance"}], title="buyer")
    whole = {"schemas": [USER], "userName": "zheng@chenghai.example", "displayName": "郑大敏"}
    answer = await entra.ask("PUT", "/Users/zheng", whole)
    assert answer.status_code == 200, answer.text
    known = await person(house, "zheng")
    assert (known["name"], known["position"], known["unit"]["id"]) == ("郑大敏", "buyer", "purchasing")
    assert known["roles"] == ["employee", "finance"]
    emptied = await entra.patch("/Users/zheng", {"op": "remove", "path": "roles"})
    assert "roles" not in emptied.json()
    assert (await person(house, "zheng"))["roles"] == []


async def test_an_administrators_change_keeps_the_external_id(house: House, entra: Entra) -> None:
    await entra.user()
    he = await house.sign_in("he")
    order = {"id": "zheng", "username": "zheng", "name": "郑敏", "roles": ["employee"], "unit": "purchasing"}
    assert (await he.send("PUT", "/admin/people/zheng", json=order)).status_code == 200
    shown = await entra.read("/Users/zheng")
    assert (shown["externalId"], shown["userName"]) == ("00u1", "zheng")


async def test_units_are_groups_and_their_members_have_posts(house: House, entra: Entra) -> None:
    await entra.user()
    made_ = await entra.ask(
        "POST",
        "/Groups",
        {"schemas": [GROUP], "displayName": "质量部", "members": [{"value": "zheng"}, {"value": "it"}]},
    )
    assert made_.status_code == 201, made_.text
    group = made_.json()
    assert {(one["value"], one["type"]) for one in group["members"]} == {("zheng", "User"), ("it", "Group")}
    known = await person(house, "zheng")
    assert (known["unit"]["id"], [post["unit"]["id"] for post in known["posts"]]) == ("purchasing", [group["id"]])

    path = f"/Groups/{group['id']}"
    added = await entra.patch(path, {"op": "add", "path": "members", "value": [{"value": "chen"}]})
    assert {one["value"] for one in added.json()["members"]} == {"zheng", "it", "chen"}
    gone = await entra.patch(path, {"op": "remove", "path": 'members[value eq "zheng"]'})
    assert {one["value"] for one in gone.json()["members"]} == {"it", "chen"}
    # As Microsoft Entra says it.
    gone = await entra.patch(path, {"op": "Remove", "path": "members", "value": [{"value": "it"}]})
    assert {one["value"] for one in gone.json()["members"]} == {"chen"}
    renamed = await entra.patch(path, {"op": "replace", "value": {"displayName": "质量管理部"}})
    assert renamed.json()["displayName"] == "质量管理部"
    known_there = await entra.patch(path, {"op": "add", "value": {"externalId": "g7"}})
    assert known_there.json()["externalId"] == "g7"
    forgotten = await entra.patch(path, {"op": "remove", "path": "externalId"})
    assert "externalId" not in forgotten.json()
    assert (await person(house, "zheng"))["posts"] == []

    assert (await entra.ask("DELETE", path)).status_code == 204
    assert problem(await entra.ask("GET", path)) == (404, None)
    assert (await person(house, "chen"))["posts"] == []


async def test_pages_orders_and_chosen_attributes(entra: Entra) -> None:
    page = await entra.read("/Users", sortBy="userName", startIndex=2, count=3, attributes="userName")
    assert (page["totalResults"] >= 10, page["startIndex"], page["itemsPerPage"]) == (True, 2, 3)
    names = [one["userName"] for one in page["Resources"]]
    assert names == sorted(names)
    assert all(set(one) <= {"schemas", "id", "userName"} for one in page["Resources"])
    short = await entra.read("/Groups/purchasing", excludedAttributes="members")
    assert "members" not in short
    searched = await entra.ask(
        "POST",
        "/Groups/.search",
        {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": 'displayName sw "采"'},
    )
    assert [one["id"] for one in searched.json()["Resources"]] == ["purchasing"]


async def test_who_has_seen_an_older_version_is_told_so(entra: Entra) -> None:
    await entra.user()
    seen = (await entra.ask("GET", "/Users/zheng")).headers["ETag"]
    replace = {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "title", "value": "buyer"}]}
    first = await entra.ask("PATCH", "/Users/zheng", replace, **{"If-Match": seen})
    assert first.status_code == 200
    assert first.headers["ETag"] != seen
    assert problem(await entra.ask("PATCH", "/Users/zheng", replace, **{"If-Match": seen})) == (412, None)


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("POST", "/Users", {**ZHENG, "userName": "lin"}, (409, "uniqueness")),
        ("POST", "/Users", {"schemas": [USER], "displayName": "无名"}, (400, "invalidValue")),
        ("POST", "/Users", {**ZHENG, ENTERPRISE: {"department": "没有的部门"}}, (400, "invalidValue")),
        ("POST", "/Groups", STRANGE, (400, "invalidValue")),
        ("GET", "/Users?filter=userName+like+x", None, (400, "invalidFilter")),
        ("PATCH", "/Users/lin", {"schemas": [PATCH], "Operations": [{"op": "remove"}]}, (400, "noTarget")),
        ("PUT", "/Users/nobody", ZHENG, (404, None)),
        ("POST", "/Bulk", {}, (501, None)),
        ("GET", "/Devices", None, (404, None)),
        ("PATCH", "/Users/lin", EXCLUSIVE, (400, "invalidValue")),
    ],
)
async def test_what_cannot_be_is_refused_in_scims_own_form(
    entra: Entra, method: str, path: str, body: object, expected: tuple[int, str | None]
) -> None:
    before = await entra.read("/Users", sortBy="id")
    assert problem(await entra.ask(method, path, body)) == expected
    assert await entra.read("/Users", sortBy="id") == before


async def test_only_who_may_manage_people_gets_in_and_it_is_on_record(house: House, entra: Entra) -> None:
    stranger = house.browser()
    assert (await stranger.get("/scim/v2/Users")).status_code == 401
    other = Entra(stranger, (await made(await house.sign_in("lin")))["secret"])
    assert problem(await other.ask("GET", "/Users")) == (403, None)
    assert problem(await other.ask("POST", "/Users", ZHENG)) == (403, None)
    await entra.user()
    records = (await (await house.sign_in("qian")).get("/audit", limit=50)).json()["items"]
    added = next(item for item in records if item["action"] == "person.changed")
    assert (added["actor"]["id"], added["object"], added["after"]["external_id"]) == (
        "he",
        {"type": "person", "id": "zheng"},
        "00u1",
    )
    assert any(item["action"] == "people.manage" and item["outcome"] == "refused" for item in records)


async def test_the_service_describes_itself(entra: Entra) -> None:
    config = await entra.read("/ServiceProviderConfig")
    assert [config[name]["supported"] for name in ("patch", "bulk", "filter", "sort", "etag")] == [
        True,
        False,
        True,
        True,
        True,
    ]
    kinds = (await entra.read("/ResourceTypes"))["Resources"]
    assert [(one["name"], one["endpoint"]) for one in kinds] == [("User", "/Users"), ("Group", "/Groups")]
    schemas = (await entra.read("/Schemas"))["Resources"]
    assert [one["id"] for one in schemas] == [USER, GROUP, ENTERPRISE]
    assert "nickName" not in [attribute["name"] for attribute in schemas[0]["attributes"]]
    assert (await entra.read(f"/Schemas/{GROUP}"))["name"] == "Group"
