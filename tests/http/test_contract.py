"""The example of a contract that several people approve: it deploys without findings and comes to its end each way."""

from __future__ import annotations

from typing import Any

import pytest

from noria.adapters.demo.seeding import EXAMPLES, example_files
from tests.http.house import Client, House

CONTRACT: dict[str, Any] = {
    "title": "年度轴承供货",
    "kind": "purchase",
    "counterparty": "上海精工轴承有限公司",
    "amount": 80_000,
    "starts_on": "2026-12-01",
    "expires_on": "2027-11-30",
    "payments": [{"milestone": "签订", "share": 30}, {"milestone": "验收", "share": 70}],
    "floor_price": 74_000,
}
ARCHIVED = {"archive_number": "DA-2026-0001", "sealed_on": "2026-12-01"}


class Signers:
    """Who has a part in a contract."""

    def __init__(self, clients: dict[str, Client]) -> None:
        self.clients = clients

    async def start(self, by: str = "lin", **changes: object) -> str:
        body = {"process": "contract", "variables": {**CONTRACT, **changes}}
        answer = await self.clients[by].post("/instances", body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def holders(self, instance: str) -> list[tuple[str, str]]:
        found = (await self.clients["he"].get(f"/instances/{instance}")).json()
        return sorted(
            (holder["element"]["id"], holder["assignee"]["id"] if holder["assignee"] else holder["groups"][0])
            for holder in found["holders"]
        )

    async def does(self, person: str, verb: str = "complete", box: str = "mine", **body: object) -> dict[str, Any]:
        client = self.clients[person]
        (task,) = (await client.get("/tasks", box=box)).json()["items"]
        if verb == "complete" and task["is_approval"]:
            body = {"outcome": "approve", **body}
        answer = await client.post(f"/tasks/{task['id']}/{verb}", body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["instance"])

    async def sees(self, person: str) -> dict[str, Any]:
        client = self.clients[person]
        (task,) = (await client.get("/tasks")).json()["items"]
        return dict((await client.get(f"/tasks/{task['id']}")).json())


@pytest.fixture
async def signers(house: House) -> Signers:
    names = ("lin", "chen", "wang", "liu", "fang", "sun", "zhao", "qin", "he")
    clients = {name: await house.sign_in(name) for name in names}
    answer = await clients["he"].send(
        "POST", "/deployments", files=[("files", f) for f in example_files("contract").items()]
    )
    assert answer.status_code == 201, answer.text
    return Signers(clients)


@pytest.mark.parametrize("example", EXAMPLES)
async def test_an_example_of_the_demonstration_deploys_without_findings(house: House, example: str) -> None:
    he = await house.sign_in("he")
    answer = await he.send("POST", "/deployments", files=[("files", item) for item in example_files(example).items()])
    assert (answer.status_code, answer.json()["findings"]) == (201, [])


async def test_legal_finance_and_the_manager_decide_together_then_the_general_manager(
    house: House, signers: Signers
) -> None:
    instance = await signers.start()
    together = [("countersign", "fang"), ("countersign", "sun"), ("countersign", "wang")]
    assert await signers.holders(instance) == together
    await signers.does("sun", comment="付款节奏可接受")
    await signers.does("fang")
    await signers.does("wang")
    assert await signers.holders(instance) == [("gm_review", "zhao")]
    await signers.does("zhao")
    assert await signers.holders(instance) == [("archive", "archivist")]
    await house.noria.projector.catch_up()
    qin = signers.clients["qin"]
    assert [item["id"] for item in (await qin.get("/instances", box="copied")).json()["items"]] == [instance]
    done = await signers.does("qin", box="group", variables=ARCHIVED)
    assert (done["status"], done["business_key"][:3]) == ("completed", "HT-")


async def test_the_floor_price_is_for_the_applicant_and_the_general_manager(signers: Signers) -> None:
    instance = await signers.start()
    for person in ("fang", "sun", "wang"):
        seen = await signers.sees(person)
        assert "floor_price" not in seen["data"], person
        locked = await signers.clients[person].post(
            f"/tasks/{seen['id']}/complete", {"outcome": "approve", "variables": {"amount": 1}}
        )
        assert locked.json()["details"]["fields"]["amount"]["code"] == "form.read_only"
        await signers.does(person)
    assert (await signers.sees("zhao"))["data"]["floor_price"] == 74_000
    page = (await signers.clients["fang"].get(f"/instances/{instance}")).json()
    assert "floor_price" not in page["variables"]
    page = (await signers.clients["lin"].get(f"/instances/{instance}")).json()
    assert page["variables"]["floor_price"] == 74_000


@pytest.mark.parametrize("changes", [{"amount": 500_000}, {"kind": "framework"}])
async def test_a_large_one_and_a_framework_are_voted_on_by_the_managers(
    signers: Signers, changes: dict[str, object]
) -> None:
    instance = await signers.start(**changes)
    for person in ("fang", "sun", "wang"):
        await signers.does(person)
    voters = [("vote", "he"), ("vote", "liu"), ("vote", "sun"), ("vote", "wang")]
    assert await signers.holders(instance) == voters
    # Three of five weights decide; finance has two of them.
    await signers.does("sun")
    assert len(await signers.holders(instance)) == 3
    await signers.does("liu")
    assert await signers.holders(instance) == [("gm_review", "zhao")]


async def test_finance_has_a_veto_in_the_vote(signers: Signers) -> None:
    await signers.start(amount=900_000)
    for person in ("fang", "sun", "wang"):
        await signers.does(person)
    ended = await signers.does("sun", outcome="refuse", comment="超出年度预算")
    assert ended["status"] == "refused"


async def test_one_refusal_of_those_who_decide_together_ends_it(signers: Signers) -> None:
    await signers.start()
    ended = await signers.does("fang", outcome="refuse", comment="违约责任不对等")
    assert (ended["status"], ended["holders"]) == ("refused", [])


async def test_it_is_returned_and_comes_straight_back_and_somebody_is_asked_besides(signers: Signers) -> None:
    instance = await signers.start()
    await signers.does("sun")
    await signers.does("fang", "approvers", people=["he"], where="after", reason="涉及信息安全条款")
    await signers.does("fang")
    assert await signers.holders(instance) == [("countersign", "he"), ("countersign", "wang")]
    await signers.does("he")
    await signers.does("wang", "return", to="apply", reason="付款节点与预算不符", mode="straight")
    assert await signers.holders(instance) == [("apply", "lin")]
    await signers.does("lin", variables={**CONTRACT, "amount": 78_000})
    assert [element for element, _ in await signers.holders(instance)] == ["countersign"] * 3


async def test_the_general_manager_approves_many_at_once(signers: Signers) -> None:
    instances = [await signers.start(by) for by in ("lin", "chen")]
    for _ in instances:
        for person in ("fang", "sun"):
            client = signers.clients[person]
            task = (await client.get("/tasks")).json()["items"][0]
            await client.post(f"/tasks/{task['id']}/complete", {"outcome": "approve"})
    await signers.does("wang")
    await signers.does("liu")
    zhao = signers.clients["zhao"]
    tasks = (await zhao.get("/tasks")).json()["items"]
    assert [task["in_bulk"] for task in tasks] == [True, True]
    order = {"tasks": [{"id": task["id"], "version": task["version"]} for task in tasks], "opinion": "同意"}
    results = (await zhao.post("/tasks/bulk-approve", order)).json()["results"]
    assert [result["approved"] for result in results] == [True, True]


async def test_the_archive_needs_a_number_of_its_kind(signers: Signers) -> None:
    await signers.start()
    for person in ("fang", "sun", "wang", "zhao"):
        await signers.does(person)
    qin = signers.clients["qin"]
    (task,) = (await qin.get("/tasks", box="group")).json()["items"]
    for variables, code in (({}, "form.required"), ({**ARCHIVED, "archive_number": "12"}, "form.pattern")):
        refused = await qin.post(f"/tasks/{task['id']}/complete", {"variables": variables})
        assert refused.json()["details"]["fields"]["archive_number"]["code"] == code


async def test_a_process_calls_its_fields_as_its_own_forms_do(signers: Signers) -> None:
    files = [("files", item) for item in example_files("purchase").items()]
    assert (await signers.clients["he"].send("POST", "/deployments", files=files)).status_code == 201
    await signers.clients["lin"].start(amount=500)
    (task,) = (await signers.clients["wang"].get("/tasks")).json()["items"]
    assert {item["label"] for item in task["summary"] if item["name"] == "amount"} == {"总金额（元）"}
