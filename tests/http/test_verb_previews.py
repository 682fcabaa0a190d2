"""Looking before, by REST (R9): there is no verb without a preview, and what it shows is what then happens.

NORIA_PREVIEW_VERBS says how many verbs are given at random, NORIA_VERB_SEED where they begin.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from noria.adapters.database import schema as t
from noria.engine import events as e
from noria.engine.state import Status
from noria.kernel.instants import DAY_MS, MINUTE_MS, format_instant
from noria.operate.changes import Held
from noria.operate.office import NotFoundError
from noria.operate.verbs import Verbs
from noria.operate.wishes import Wish
from tests.http.house import Client, House
from tests.scenarios.drawing import draw

SignIn = Callable[[str], Awaitable[Client]]
VERBS = int(os.environ.get("NORIA_PREVIEW_VERBS", "80"))
SEED = int(os.environ.get("NORIA_VERB_SEED", "1"))
MODEL = draw(
    [
        "startEvent start",
        'userTask apply name=Apply assignee="= starter.id"',
        'userTask review name=Review approval=allOf approvers="= [\\"wang\\", \\"li\\"]"',
        "serviceTask reserve name=Reserve topic=reserve",
        "userTask enter name=Enter candidateGroups=finance",
        "userTask check name=Check candidateGroups=finance separateFrom=enter",
        "userTask file name=File assignee=zhao copyTo=qin",
        "endEvent end",
        "start -> apply -> review -> reserve -> enter -> check -> file -> end",
    ],
    "order",
    withdrawable="always",
)
PEOPLE = ("lin", "wang", "li", "sun", "zhao", "he", "chen")
TASKS = (
    *("complete", "approve", "approve", "approve", "refuse", "abstain", "return", "transfer", "delegate", "add"),
    *("consult", "claim", "unclaim", "comment", "urge", "answer"),
)
REQUESTS = (
    *("withdraw", "take_back", "take_back", "copy", "remove", "comment", "urge", "cancel", "void", "restart"),
    *("restart", "modify", "correct", "suspend", "resume", "resume", "resume", "retry"),
)


def routes(schema: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Operation → path and schema of its body, of everything that changes a task or request."""
    found = {}
    for path, item in schema["paths"].items():
        operation = item.get("post")
        if operation and ("{task_id}" in path or "{instance_id}" in path) and not path.endswith("/preview"):
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            found[operation["operationId"]] = path.removeprefix("/api"), body
    return found


def sample(schemas: dict[str, Any], schema: dict[str, Any]) -> Any:
    """The least that a schema takes."""
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        return {name: sample(schemas, schema["properties"][name]) for name in schema.get("required", ())}
    return {"string": "x", "integer": 0, "boolean": False, "array": []}[kind] if kind else {}


async def test_nothing_changes_a_task_or_request_that_cannot_be_looked_at_before(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    he = await house.sign_in("he")
    started = await (await house.sign_in("lin")).start()
    task = started["id"] + "-0"
    described = house.app.openapi_schema.to_schema()
    wishes: list[Wish] = []

    async def noted(self: Verbs, caller: object, subject: object, wish: Wish, *_: object) -> None:
        wishes.append(wish)
        raise NotFoundError("Noted, and nothing done.")

    schemas = described["components"]["schemas"]
    asked = {}
    with monkeypatch.context() as patch:
        patch.setattr(Verbs, "_on_task", noted)
        patch.setattr(Verbs, "_on_instance", noted)
        for operation, (path, schema) in routes(described).items():
            filled = path.replace("{task_id}", task).replace("{instance_id}", started["id"])
            answer = await he.post(filled.replace("{incident_id}", "7"), sample(schemas, schema))
            assert len(wishes) == 1, f"{operation} goes another way than what is looked at: {answer.text}"
            given = wishes.pop()
            preview = "/".join(filled.split("/")[:3]) + "/preview"
            await he.post(preview, msgspec.to_builtins(given))
            assert wishes == [given], f"{operation} cannot be looked at with all that it takes"
            wishes.clear()
            asked[operation] = preview, given
    assert len(asked) >= 22
    for operation, (preview, wish) in asked.items():
        shown = await he.post(preview, msgspec.to_builtins(wish))
        assert "is no verb" not in shown.text, f"{operation} has no preview: {shown.text}"
    for subject in (f"/tasks/{task}", f"/instances/{started['id']}"):
        shown = await he.post(f"{subject}/preview", {"verb": "juggle"})
        assert (shown.status_code, "is no verb" in shown.text) == (404, True)


class Play:
    """Requests, and people who look at a verb before they give it."""

    def __init__(self, house: House, people: dict[str, Client], seed: int) -> None:
        self.house = house
        self.people = people
        self.random = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.instance = ""

    async def begin(self) -> None:
        started = await self.people["lin"].post("/instances", {"process": "order", "variables": {"amount": 5}})
        assert started.status_code == 201, started.text
        self.instance = str(started.json()["id"])

    async def anything(self) -> None:
        held = await self.house.noria.runtime.instance(int(self.instance))
        assert held is not None
        if self.random.random() < 0.05:
            self.house.clock.offset_ms += 20 * MINUTE_MS
            for client in self.people.values():
                # Whoever is not seen for long is signed out.
                assert (await client.get("/tasks/counts")).status_code == 200
        if held.state.status is not Status.OPEN and self.random.random() < 0.3:
            await self.begin()
            return
        if held.state.jobs and not held.state.incidents:
            await self.work()
            return
        places = [*held.state.tasks, *held.state.consultations] or [1]
        on_task, place = self.random.random() < 0.7, self.random.choice(places)
        verb = self.random.choice(TASKS if on_task else REQUESTS)
        person = self.random.choice(PEOPLE)
        subject = f"/tasks/{self.instance}-{place}" if on_task else f"/instances/{self.instance}"
        if self.random.random() < 0.8:
            # Mostly what is offered, to somebody whose business it is.
            asked, task = held.state.consultations.get(place), held.state.tasks.get(place)
            holder = asked.person if asked else task.assignee if task else ""
            person = (holder or self.random.choice(["li", "sun"])) if on_task else self.random.choice(["he", "lin"])
            seen = await self.people[person].get(subject)
            if seen.status_code == 200:
                words = ("comment", "copy", "urge")
                offered = [name for name in seen.json()["allowed"] if name not in words or self.random.random() < 0.3]
                verb = self.random.choice(offered or [verb])
        await self.look_and_do(person, subject, self.wish(verb, held))

    async def work(self) -> None:
        """A machine does what there is to do, or fails at it for good."""
        robot = self.people["robot"]
        found = await robot.post("/jobs/fetch-and-lock", {"worker": "w", "topics": [{"topic": "reserve"}]})
        for job in found.json()["items"]:
            path, more = self.random.choice([("complete", {}), ("fail", {"message": "no", "retries": 0})])
            await robot.post(f"/jobs/{job['id']}/{path}", {"lease_token": job["lease_token"], **more})

    def wish(self, verb: str, held: Held) -> dict[str, Any]:
        one = self.random.choice(PEOPLE)
        wish: dict[str, Any] = {"verb": verb, "reason": self.random.choice(["", "why", "why", "why"])}
        wish["text"] = self.random.choice(["", "so", "so", "so"])
        if verb in ("transfer", "delegate", "remove"):
            wish["to"] = self.random.choice([one, one, "nobody"])
        if verb in ("add", "consult", "copy"):
            wish["people"] = [one, "nobody"] if self.random.random() < 0.1 else [one, *self.random.sample(PEOPLE, 1)]
        if verb == "add":
            wish["where"] = self.random.choice(["before", "after", "parallel"])
        if verb == "return":
            wish |= {"to": self.random.choice(["apply", "review", "start"]), "mode": "step"}
        if verb == "comment":
            wish["mentions"] = self.random.sample(PEOPLE, 1)
        if verb == "modify":
            elements = held.definition.graph.elements
            here = [elements[token.element].id for token in held.state.tokens.values()]
            to = self.random.choice(["apply", "review", "reserve", "enter", "check", "file"])
            wish["moves"] = [{"kind": "move", "element": self.random.choice(here or ["end"]), "to": to}]
        if verb == "correct":
            wish["variables"] = self.random.choice([{}, {"amount": 1}, {"amount": 2}, {"starter": "wang"}])
        if verb == "retry":
            wish["incident"] = min(held.state.incidents, default=1)
        return wish

    @staticmethod
    def order(subject: str, wish: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """The route of a verb, and what it takes."""
        verb, said = wish["verb"], {"reason": wish["reason"]}
        if verb in ("approve", "refuse", "abstain", "complete"):
            outcome = "" if verb == "complete" else verb
            return f"{subject}/complete", {"variables": {}, "comment": wish["reason"], "outcome": outcome}
        names = {"add": "approvers", "copy": "copies", "remove": "approvers/remove", "take_back": "take-back"}
        path = f"incidents/{wish['incident']}/retry" if verb == "retry" else names.get(verb, verb)
        more = {
            name: wish[name]
            for name in ("people", "to", "where", "mode", "mentions", "moves", "variables")
            if name in wish
        }
        if verb == "remove":
            more = {"person": wish["to"]}
        if verb in ("consult", "copy", "comment", "urge", "answer"):
            said = {"text": wish["text"]}
        return f"{subject}/{path}", {**said, **more}

    async def traces(self) -> tuple[int, Counter[tuple[str, str]]]:
        """All that a verb may leave behind."""
        noria = self.house.noria
        await noria.projector.catch_up()
        rows = await noria.services.office.store.journal_of(int(self.instance))
        async with noria.database.reading() as db:
            query = sa.select(t.notice.c.person, t.notice.c.kind).where(t.notice.c.iid == int(self.instance))
            told = Counter(tuple(row) for row in await db.execute(query))
        return len(rows), told

    async def look_and_do(self, person: str, subject: str, wish: dict[str, Any]) -> None:
        client = self.people[person]
        before = await self.traces()
        held = await self.house.noria.runtime.instance(int(self.instance))
        assert held is not None
        state = held.state
        shown = await client.post(f"{subject}/preview", wish)
        assert await self.traces() == before, f"looking at {wish} has left a trace"
        path, body = self.order(subject, wish)
        real = await client.post(path, body)
        told = f"{person} {path} {body}: {shown.text} / {real.text}"
        preview = shown.json()
        if shown.status_code != 200:
            assert (shown.status_code, preview["code"]) == (real.status_code, real.json()["code"]), told
            self.done["denied"] += 1
            return
        if preview["refused"]:
            assert (real.status_code >= 400, real.json()["code"]) == (True, preview["refused"]), told
            assert preview["details"].keys() == real.json()["details"].keys(), told
            self.done["refused"] += 1
            return
        assert real.status_code in (200, 204), told
        self.done[wish["verb"]] += 1
        count, notices = before
        rows = (await self.house.noria.services.office.store.journal_of(int(self.instance)))[count:]
        happened = [event for row in rows for event in e.decode_events(row.ev)]
        held = await self.house.noria.runtime.instance(int(self.instance))
        assert held is not None
        after = held.state
        new = {key: task for key, task in after.tasks.items() if key not in state.tasks}
        assert [item["assignee"]["id"] if item["assignee"] else "" for item in preview["opened"]] == [
            task.assignee for task in new.values()
        ], told
        opened = {event.token for event in happened if isinstance(event, e.TaskOpened)} & after.tasks.keys()
        if not any(isinstance(event, e.TakenBack | e.InstanceRestarted) for event in happened):
            assert new.keys() == opened, told
        _, notices_after = await self.traces()
        noticed = {name for name, _ in notices_after - notices}
        asked = {task.assignee for task in new.values()} - {""}
        assert {item["id"] for item in preview["notified"]} == noticed | asked, told
        seen = (await self.people["he"].get(f"/instances/{self.instance}")).json()
        assert (preview["status"], preview["suspended"]) == (seen["status"], seen["suspended"]), told


async def test_what_a_preview_shows_is_what_the_verb_then_does_whoever_gives_it(house: House, sign_in: SignIn) -> None:
    people = {name: await sign_in(name) for name in (*PEOPLE, "qin", "robot")}
    answer = await people["he"].send("POST", "/deployments", files={"file": ("order.bpmn", MODEL)})
    assert answer.status_code == 201, answer.text
    until = format_instant(house.clock.now_ms() + 365 * DAY_MS)
    for principal, substitute in (("wang", "sun"), ("zhao", "wang")):
        stands_in = await people[principal].post("/substitutions", {"substitute": substitute, "until": until})
        assert stands_in.status_code == 201, stands_in.text
    play = Play(house, people, SEED)
    for number in range(VERBS):
        if number % 40 == 0:
            await play.begin()
        await play.anything()
    # A law that is never put to the test says nothing.
    assert play.done["denied"]
    assert play.done["refused"]
    assert len(play.done) >= 12, play.done


async def test_urging_says_when_it_can_be_done_again_and_looking_does_not_count(house: House, sign_in: SignIn) -> None:
    lin = await sign_in("lin")
    started = await lin.start()
    wang = await sign_in("wang")
    task = (await wang.task())["id"]
    for _ in range(3):
        shown = (await lin.post(f"/tasks/{task}/preview", {"verb": "urge"})).json()
        assert (shown["refused"], [person["id"] for person in shown["notified"]]) == ("", ["wang"])
    assert (await lin.post(f"/tasks/{task}/urge", {})).status_code == 200
    again = (await lin.post(f"/instances/{started['id']}/preview", {"verb": "urge"})).json()
    assert again["refused"] == "task.urged_recently"
    house.clock.offset_ms += again["details"]["retry_after_ms"] - MINUTE_MS
    lin = await sign_in("lin")
    assert (await lin.post(f"/tasks/{task}/urge", {})).status_code == 429
    house.clock.offset_ms += MINUTE_MS
    assert (await lin.post(f"/tasks/{task}/urge", {})).status_code == 200


async def test_who_may_not_do_it_may_not_look_at_it_and_it_is_on_record(house: House, sign_in: SignIn) -> None:
    lin = await sign_in("lin")
    started = await lin.start()
    for verb in ("cancel", "void", "suspend", "resume", "modify", "correct", "retry", "restart"):
        shown = await lin.post(f"/instances/{started['id']}/preview", {"verb": verb, "reason": "x"})
        assert (shown.status_code, shown.json()["code"]) == (403, "permission.denied"), verb
    stranger = await sign_in("chen")
    for verb in ("copy", "comment", "urge", "withdraw", "remove", "take_back"):
        shown = await stranger.post(f"/instances/{started['id']}/preview", {"verb": verb, "text": "x"})
        assert (shown.status_code, shown.json()["code"]) == (403, "permission.denied"), verb
    qian = await sign_in("qian")
    assert (await qian.get("/audit", actor="lin", outcome="refused", limit=200)).json()["total"] == 8
    assert (await qian.get("/audit", actor="chen", outcome="refused", limit=200)).json()["total"] == 6
