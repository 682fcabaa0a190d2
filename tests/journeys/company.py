"""澄海制造 for the journeys: its people, its forms and models, and a server with a clock that stands still."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

import httpx

from noria.adapters.demo.company import DEMO_PASSWORD, DEMO_TENANT
from noria.bootstrap import Noria
from noria.kernel.instants import parse_instant
from noria.trust.people import Person, Unit
from tests.beginnings import give_passwords
from tests.house import MovedClock, eventually
from tests.http.house import Client, House
from tests.scenarios.drawing import draw

SINCE_MS = parse_instant("2025-01-01T00:00:00Z")
"""They have worked there for long."""
SIGNED_OUT = 401

UNITS = (
    Unit("chenghai", "澄海制造", "", "zhao"),
    Unit("purchasing", "采购部", "chenghai", "wang"),
    Unit("finance_unit", "财务部", "chenghai", "li"),
    Unit("engineering", "工程部", "chenghai", "gong"),
)
PEOPLE = (
    Person("lin", "lin", "林晓", "purchasing", roles=("employee",)),
    Person("wang", "wang", "王强", "purchasing", roles=("employee", "manager")),
    Person("li", "li", "李娜", "finance_unit", roles=("employee", "finance")),
    Person("gong", "gong", "李工", "engineering", roles=("employee",)),
    Person("chen", "chen", "陈晨", "engineering", roles=("employee",)),
    Person("zhao", "zhao", "赵总", "chenghai", roles=("employee", "general_manager")),
    Person("sun", "sun", "孙副总", "chenghai", roles=("employee",)),
    Person("zhou", "zhou", "周值班", "engineering", roles=("employee", "duty_approver")),
    Person("he", "he", "何静", "chenghai", roles=("employee", "process_owner", "sysadmin")),
    Person("qian", "qian", "钱审", "", roles=("employee", "auditor")),
)


def field(kind: str, key: str, label: str, **more: object) -> dict[str, object]:
    """A component of a form."""
    return {"type": kind, "id": f"f_{key}", "key": key, "label": label, **more}


def form(name: str, *components: dict[str, object]) -> dict[str, bytes]:
    """A form's file."""
    made = {"type": "default", "id": name, "schemaVersion": 19, "components": list(components)}
    return {f"{name}.form": json.dumps(made, ensure_ascii=False).encode()}


def model(key: str, drawing: str, **process: str) -> dict[str, bytes]:
    """A process's file."""
    return {f"{key}.bpmn": draw(drawing.splitlines(), key, **process)}


def decision(
    key: str, inputs: Mapping[str, str], outputs: Sequence[str], rules: Mapping[str, Sequence[str]]
) -> dict[str, bytes]:
    """The file of a decision table in which the first rule that matches decides.

    Args:
        key: id of the decision.
        inputs: name of an input data → expression of its column.
        outputs: names of the columns of results.
        rules: id of a rule → its cells, those of inputs first.
    """
    data = "".join(
        f'<inputData id="{name}_data" name="{name}"><variable name="{name}"/></inputData>' for name in inputs
    )
    needs = "".join(
        f'<informationRequirement><requiredInput href="#{name}_data"/></informationRequirement>' for name in inputs
    )
    columns = "".join(
        f'<input id="in_{number}"><inputExpression><text>{escape(text)}</text></inputExpression></input>'
        for number, text in enumerate(inputs.values())
    )
    columns += "".join(f'<output id="out_{name}" name="{name}"/>' for name in outputs)
    rows = ""
    for rule, cells in rules.items():
        kinds = ["inputEntry"] * len(inputs) + ["outputEntry"] * len(outputs)
        entries = "".join(
            f"<{kind}><text>{escape(cell)}</text></{kind}>" for kind, cell in zip(kinds, cells, strict=True)
        )
        rows += f'<rule id="{rule}">{entries}</rule>'
    written = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="{key}_file" name="{key}" '
        f'namespace="urn:test:{key}">{data}<decision id="{key}" name="{key}"><variable name="{key}"/>{needs}'
        f'<decisionTable hitPolicy="FIRST">{columns}{rows}</decisionTable></decision></definitions>'
    )
    return {f"{key}.dmn": written.encode()}


class Colleague(Client):
    """One person at the server, in the words of a journey; signs in again when days have passed."""

    def __init__(self, http: httpx.AsyncClient, name: str) -> None:
        super().__init__(http, "")
        self.name = name

    async def sign_in(self) -> None:
        """A session of one's own."""
        answer = await self.http.post("/api/session", json={"username": self.name, "password": DEMO_PASSWORD})
        assert answer.status_code == 201, answer.text
        self.csrf = answer.json()["csrf_token"]

    async def get(self, path: str, **query: object) -> httpx.Response:
        answer = await super().get(path, **query)
        if answer.status_code != SIGNED_OUT:
            return answer
        await self.sign_in()
        return await super().get(path, **query)

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        answer = await super().send(method, path, **options)
        if answer.status_code != SIGNED_OUT:
            return answer
        await self.sign_in()
        return await super().send(method, path, **options)

    async def post(self, path: str, body: object = None, *, key: str = "") -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return await self.send("POST", path, json=body if body is not None else {}, headers=headers)

    async def tasks(self, box: str = "mine") -> list[dict[str, Any]]:
        """The tasks of a box."""
        return list(await self.read("/tasks", box=box))

    async def read(self, path: str, **query: object) -> Any:
        """What is there: a list for a page of items, else the object."""
        answer = await self.get(path, **query)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        return found["items"] if isinstance(found, dict) and "items" in found else found

    async def the_task(self, instance: str, box: str = "mine") -> dict[str, Any]:
        """The one task of a request that this person has."""
        (found,) = [task for task in await self.tasks(box) if task["instance_id"] == instance]
        return dict(found)

    async def sees(self, instance: str) -> dict[str, Any]:
        """That task with its form."""
        return dict(await self.read(f"/tasks/{(await self.the_task(instance))['id']}"))

    async def does(self, instance: str, verb: str = "complete", **body: object) -> dict[str, Any]:
        """A verb on that task; gives the request afterwards."""
        task = await self.the_task(instance)
        if verb == "complete":
            body = {"variables": {}, **({"outcome": "approve"} if task["is_approval"] else {}), **body}
        answer = await self.post(f"/tasks/{task['id']}/{verb}", {"version": task["version"], **body})
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["instance"])

    async def notices(self) -> list[str]:
        """Kinds of the notices, the newest first."""
        return [notice["kind"] for notice in await self.read("/notices")]

    async def timeline(self, instance: str) -> list[dict[str, Any]]:
        """What happened to a request."""
        return list(await self.read(f"/instances/{instance}/timeline"))


class Company(House):
    """The server of 澄海制造; its clock stands still until a journey sets it."""

    clock: Any

    @staticmethod
    async def found(url: str, at: str, *files: Mapping[str, bytes]) -> Company:
        """A new company with these models, at an instant.

        Args:
            url: an empty database.
            at: ISO 8601 instant of the clock.
            files: what is deployed, by name.
        """
        clock = MovedClock(parse_instant(at))
        noria = await Noria.open(url, clock=clock)
        await noria.people.put(DEMO_TENANT, list(PEOPLE), list(UNITS), clock.now_ms(), valid_from=SINCE_MS)
        await give_passwords(noria, PEOPLE, clock.now_ms())
        together = {name: content for part in files for name, content in part.items()}
        made = await noria.catalogue.deploy(DEMO_TENANT, "he", together, clock.now_ms(), noria.facts(DEMO_TENANT))
        assert made.id, made.findings
        await noria.close()
        opened: Company = await Company.with_clock(url, clock)
        return opened

    async def be(self, at: str) -> None:
        """Set the clock, and wait until what is due by then has happened and everybody could know."""
        assert parse_instant(at) >= self.clock.instant, "time does not go back"
        self.clock.instant = parse_instant(at)
        await self.quiet()

    async def quiet(self) -> None:
        """Wait until machines have nothing to do and the lists of notices are what they should be."""

        async def nothing_due() -> bool:
            await self.noria.delivery.caught_up()
            return not await self.noria.database.store.due_timers(self.clock.now_ms(), 1)

        await eventually(nothing_due)
        await self.noria.projector.catch_up()

    async def person(self, name: str) -> Colleague:
        """Somebody signs in."""
        colleague = Colleague(self.browser(), name)
        await colleague.sign_in()
        return colleague

    async def people(self, *names: str) -> list[Colleague]:
        """Several people sign in."""
        return [await self.person(name) for name in names]


def holders(instance: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Element and person of those who hold a request; a group's keys where nobody has claimed."""
    return sorted(
        (holder["element"]["id"], holder["assignee"]["id"] if holder["assignee"] else ",".join(holder["groups"]))
        for holder in instance["holders"]
    )
