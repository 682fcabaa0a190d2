"""Operators change instances: one by one, and all live ones of a process, looked at before and taken back after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from noria.engine import commands as c
from noria.engine.state import State, Status, encode_state
from noria.operate.operations import BatchItem
from noria.operate.ports import StoreUnavailableError
from noria.operate.requests import Accepted, Answer, Request
from tests.house import TENANT, eventually
from tests.http.house import Client, House
from tests.scenarios.drawing import draw

FIRST = """
  startEvent start
  userTask apply assignee=lin
  userTask check assignee=he
  boundaryEvent late on=check timer=PT1H cancel=false
  endEvent end
  start -> apply -> check -> end
  late -> end
"""


async def deploy(he: Client, text: str) -> int:
    content = draw(text.splitlines(), "trip")
    answer = await he.send("POST", "/deployments", files=[("files", ("trip.bpmn", content))])
    assert answer.status_code == 201, answer.text
    return int(answer.json()["processes"][0]["version"])


async def begin(client: Client) -> str:
    answer = await client.post("/instances", {"process": "trip", "variables": {}})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def places(client: Client, iid: str) -> list[str]:
    answer = await client.get(f"/instances/{iid}")
    return sorted(token["element"]["id"] for token in answer.json()["tokens"])


async def finished(he: Client, batch: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        found = (await he.get(f"/batches/{batch}")).json()
        return found if found["ended_at"] else None

    return await eventually(look)


async def test_live_instances_go_on_by_another_version_after_a_look_at_all_of_them(house: House) -> None:
    he, lin = await house.sign_in("he"), await house.sign_in("lin")
    await deploy(he, FIRST)
    clean, stuck = await begin(lin), await begin(lin)
    await he.post(
        f"/instances/{stuck}/modify",
        {"moves": [{"kind": "move", "element": "apply", "to": "check"}], "reason": "paper"},
    )
    assert await deploy(he, FIRST.replace("check", "look")) == 2
    plan = {"kind": "migrate", "process": "trip", "to_version": 2}

    seen = (await he.post("/batches/plan", plan)).json()
    assert (seen["total"], seen["clean"], seen["mapped"], seen["impossible"]) == (2, 1, 0, 1)
    (problem,) = seen["problems"]
    assert (problem["code"], problem["element"], problem["examples"]) == ("migration.gone", "check", [stuck])
    assert (await he.get(f"/instances/{clean}")).json()["process"]["version"] == 1

    mapped = {**plan, "elements": {"check": "look", "late": "late"}}
    assert (await he.post("/batches/plan", mapped)).json()["mapped"] == 1
    begun = await he.post("/batches", {"plan": mapped, "reason": "clearer name"})
    assert begun.status_code == 202, begun.text
    done = await finished(he, begun.json()["id"])
    assert (done["total"], done["done"], done["refused"]) == (2, 2, 0)
    assert (await places(lin, clean), await places(lin, stuck)) == (["apply"], ["look"])
    assert (await he.get(f"/instances/{stuck}")).json()["process"]["version"] == 2
    kinds = [item["kind"] for item in (await lin.get(f"/instances/{stuck}/timeline")).json()["items"]]
    assert kinds[-1] == "instance.migrated"
    board = (await he.get("/processes/trip/versions")).json()["items"]
    assert [item["version"] for item in board] == [2, 1]

    task = (await lin.get("/tasks", box="mine")).json()["items"][0]
    answer = await lin.post(f"/tasks/{task['id']}/complete", {"variables": {}})
    assert answer.status_code == 200, answer.text
    back = await he.post(f"/batches/{begun.json()['id']}/undo", {"reason": "too early"})
    assert back.status_code == 202, back.text
    undone = await finished(he, begun.json()["id"])
    assert (undone["taken_back"], undone["kept"]) == (1, 1)
    (kept,) = (await he.get(f"/batches/{begun.json()['id']}/items", state="kept")).json()
    assert (kept["instance_id"], kept["code"]) == (clean, "restore.moved_on")
    assert await places(lin, stuck) == ["check"]


async def test_every_instance_at_an_element_is_moved(house: House) -> None:
    he, lin = await house.sign_in("he"), await house.sign_in("lin")
    await deploy(he, FIRST)
    first, second = await begin(lin), await begin(lin)
    plan = {
        "kind": "modify",
        "process": "trip",
        "at": "apply",
        "moves": [{"kind": "move", "element": "apply", "to": "check"}],
    }
    batch = (await he.post("/batches", {"plan": plan, "reason": "done on paper"})).json()
    assert (await finished(he, batch["id"]))["done"] == 2
    assert await places(lin, first) == await places(lin, second) == ["check"]
    await he.post(f"/batches/{batch['id']}/undo", {"reason": "not so"})
    assert (await finished(he, batch["id"]))["taken_back"] == 2
    assert await places(lin, first) == ["apply"]


async def test_a_suspended_instance_rests_until_it_is_resumed(house: House) -> None:
    he, lin = await house.sign_in("he"), await house.sign_in("lin")
    await deploy(he, FIRST)
    iid = await begin(lin)
    assert (await he.post(f"/instances/{iid}/suspend", {"reason": ""})).json()["code"] == "reason.required"
    assert (await he.post(f"/instances/{iid}/suspend", {"reason": "an inquiry"})).status_code == 200
    detail = (await he.get(f"/instances/{iid}")).json()
    assert (detail["suspended"], "resume" in detail["allowed"], "suspend" in detail["allowed"]) == (True, True, False)
    task = (await lin.get("/tasks", box="mine")).json()["items"][0]
    refused = await lin.post(f"/tasks/{task['id']}/complete", {"variables": {}})
    assert (refused.status_code, refused.json()["code"]) == (409, "instance.suspended")
    assert (await he.post(f"/instances/{iid}/resume", {"reason": "cleared"})).status_code == 200
    assert (await lin.post(f"/tasks/{task['id']}/complete", {"variables": {}})).status_code == 200


async def test_only_an_operator_plans_and_begins(house: House) -> None:
    he, lin = await house.sign_in("he"), await house.sign_in("lin")
    await deploy(he, FIRST)
    iid = await begin(lin)
    plan = {"kind": "suspend", "process": "trip"}
    for path, body in (
        ("/batches/plan", plan),
        ("/batches", {"plan": plan, "reason": "x"}),
        (f"/instances/{iid}/modify", {"moves": [], "reason": "x"}),
        (f"/instances/{iid}/suspend", {"reason": "x"}),
    ):
        assert (await lin.post(path, body)).status_code == 403, path


async def test_a_plan_that_says_too_little_is_refused(house: House) -> None:
    he = await house.sign_in("he")
    await deploy(he, FIRST)
    for plan in ({"kind": "migrate", "process": "trip", "to_version": 9}, {"kind": "modify", "process": "trip"}):
        assert (await he.post("/batches/plan", plan)).json()["code"] == "batch.plan"
    assert (await he.post("/batches/plan", {"kind": "suspend", "process": "nowhere"})).status_code == 404


TWO_JOBS = """
  startEvent start
  parallelGateway fork
  serviceTask pay topic=pay retries=1
  serviceTask send topic=send retries=1
  userTask check assignee=he
  endEvent end
  start -> fork -> pay -> end
  fork -> send -> end
  fork -> check -> end
"""


async def fail_jobs(house: House, iid: str) -> None:
    """Both jobs fail for the last time."""
    for token in list((await state_of(house, iid)).jobs):
        await submit(house, iid, c.FailJob(token, "robot", "no connection", retries=0))


async def submit(house: House, iid: str, command: c.AnyCommand) -> None:
    answer = await house.noria.runtime.submit(Request(command, "robot", iid=int(iid), tenant=TENANT))
    assert not hasattr(answer, "code"), answer


async def state_of(house: House, iid: str) -> State:
    held = await house.noria.runtime.instance(int(iid))
    assert held is not None
    return held.state


def as_it_is(state: State) -> bytes:
    """A state without what counts commands and numbers."""
    return encode_state(msgspec.structs.replace(state, version=0, next_id=0))


async def forgets_once(house: House) -> None:
    """The next time that a batch writes what became of its requests, the database is away."""
    store, settle = house.noria.operations._store, house.noria.operations._store.settle

    async def away(items: Sequence[BatchItem], before: str) -> None:
        store.settle = settle  # type: ignore[method-assign]
        raise StoreUnavailableError("The database is away.")

    store.settle = away  # type: ignore[method-assign]


async def test_all_incidents_of_a_request_are_retried_and_taken_back_together(house: House) -> None:
    he, lin = await house.sign_in("he"), await house.sign_in("lin")
    await deploy(he, TWO_JOBS)
    iid = await begin(lin)
    await fail_jobs(house, iid)
    before = await state_of(house, iid)
    assert len(before.incidents) == 2
    batch = (await he.post("/batches", {"plan": {"kind": "retry", "process": "trip"}, "reason": "it is up"})).json()
    assert (await finished(he, batch["id"]))["done"] == 1
    assert not (await state_of(house, iid)).incidents
    await he.post(f"/batches/{batch['id']}/undo", {"reason": "it is down again"})
    assert (await finished(he, batch["id"]))["taken_back"] == 1
    assert as_it_is(await state_of(house, iid)) == as_it_is(before)


async def test_what_happened_between_two_retries_of_a_batch_is_not_taken_back_with_them(house: House) -> None:
    he, lin = await house.sign_in("he"), await house.sign_in("lin")
    await deploy(he, TWO_JOBS)
    iid = await begin(lin)
    await fail_jobs(house, iid)
    runtime, first = house.noria.runtime, True
    submit_now = runtime.submit

    async def with_a_comment(request: Request) -> Answer:
        nonlocal first
        answer = await submit_now(request)
        if first and request.key.startswith("batch:"):
            first = False
            await submit_now(Request(c.Comment("lin", "any news?"), "lin", iid=int(iid), tenant=TENANT))
        return answer

    runtime.submit = with_a_comment  # type: ignore[method-assign]
    batch = (await he.post("/batches", {"plan": {"kind": "retry", "process": "trip"}, "reason": "it is up"})).json()
    assert (await finished(he, batch["id"]))["done"] == 1
    await he.post(f"/batches/{batch['id']}/undo", {"reason": "it is down again"})
    assert (await finished(he, batch["id"]))["kept"] == 1


async def test_a_request_whose_incident_somebody_else_has_retried_is_left_as_it_is(house: House) -> None:
    he, lin = await house.sign_in("he"), await house.sign_in("lin")
    await deploy(he, TWO_JOBS)
    iid = await begin(lin)
    await fail_jobs(house, iid)
    await house.noria.operations.stop()
    batch = (await he.post("/batches", {"plan": {"kind": "retry", "process": "trip"}, "reason": "it is up"})).json()
    for incident in list((await state_of(house, iid)).incidents):
        await submit(house, iid, c.RetryIncident(incident, "he"))
    house.noria.operations.start()
    assert (await finished(he, batch["id"]))["refused"] == 1
    (item,) = (await he.get(f"/batches/{batch['id']}/items")).json()
    assert item["code"] == "batch.not_meant"


async def test_a_request_that_has_left_the_step_of_a_plan_is_not_changed(house: House) -> None:
    he, lin = await house.sign_in("he"), await house.sign_in("lin")
    await deploy(he, FIRST)
    iid = await begin(lin)
    await house.noria.operations.stop()
    plan = {
        "kind": "modify",
        "process": "trip",
        "at": "apply",
        "moves": [{"kind": "start_before", "element": "check"}],
    }
    batch = (await he.post("/batches", {"plan": plan, "reason": "sooner"})).json()
    assert (await lin.complete()).status_code == 200
    house.noria.operations.start()
    assert (await finished(he, batch["id"]))["refused"] == 1
    assert await places(lin, iid) == ["check"]


async def test_a_request_that_went_over_to_another_version_meanwhile_is_not_changed(house: House) -> None:
    he, lin = await house.sign_in("he"), await house.sign_in("lin")
    await deploy(he, FIRST)
    iid = await begin(lin)
    await deploy(he, FIRST.replace("PT1H", "PT2H"))
    await deploy(he, FIRST.replace("PT1H", "PT3H"))
    await house.noria.operations.stop()
    plans = [{"kind": "migrate", "process": "trip", "version": 1, "to_version": version} for version in (2, 3)]
    batches = []
    for plan in plans:
        batches.append((await he.post("/batches", {"plan": plan, "reason": "better"})).json()["id"])
        house.clock.offset_ms += 1_000
    house.noria.operations.start()
    assert [(await finished(he, batch))["done"] for batch in batches] == [1, 0]
    assert (await he.get(f"/instances/{iid}")).json()["process"]["version"] == 2


async def test_what_was_carried_out_before_a_crash_counts_as_done_and_is_taken_back(house: House) -> None:
    he, lin = await house.sign_in("he"), await house.sign_in("lin")
    await deploy(he, FIRST)
    iid = await begin(lin)
    before = await state_of(house, iid)
    await forgets_once(house)
    plan = {
        "kind": "modify",
        "process": "trip",
        "at": "apply",
        "moves": [{"kind": "move", "element": "apply", "to": "check"}],
    }
    batch = (await he.post("/batches", {"plan": plan, "reason": "done on paper"})).json()

    async def moved() -> bool:
        return await places(lin, iid) == ["check"]

    await eventually(moved)
    assert (await finished(he, batch["id"]))["done"] == 1
    await forgets_once(house)
    await he.post(f"/batches/{batch['id']}/undo", {"reason": "not so"})

    async def back() -> bool:
        return await places(lin, iid) == ["apply"]

    await eventually(back)
    assert (await finished(he, batch["id"]))["taken_back"] == 1
    assert as_it_is(await state_of(house, iid)) == as_it_is(before)


async def test_a_request_that_a_batch_has_ended_before_a_crash_counts_as_done(house: House) -> None:
    he, lin = await house.sign_in("he"), await house.sign_in("lin")
    await deploy(he, FIRST)
    iid = await begin(lin)
    await forgets_once(house)
    plan = {"kind": "modify", "process": "trip", "moves": [{"kind": "move", "element": "apply", "to": "end"}]}
    batch = (await he.post("/batches", {"plan": plan, "reason": "too old"})).json()

    async def over() -> bool:
        return (await state_of(house, iid)).status is Status.COMPLETED

    await eventually(over)
    assert (await finished(he, batch["id"]))["done"] == 1


async def test_a_retry_that_would_end_beside_another_incident_is_foreseen_as_it_happens(house: House) -> None:
    he, lin = await house.sign_in("he"), await house.sign_in("lin")
    await deploy(
        he,
        """
  startEvent start
  parallelGateway fork
  exclusiveGateway first
  exclusiveGateway second
  endEvent stop terminate
  endEvent end
  start -> fork -> first
  fork -> second
  first -[= go]-> stop
  second -[= go]-> end
""",
    )
    iid = await begin(lin)
    assert len((await state_of(house, iid)).incidents) == 2
    plan = {"kind": "retry", "process": "trip"}
    assert (await he.post("/batches/plan", plan)).json()["impossible"] == 1
    await submit(house, iid, c.SetVariables("he", {"go": True}, "it was forgotten"))
    seen = (await he.post("/batches/plan", plan)).json()
    assert (seen["clean"], seen["impossible"]) == (1, 0)
    batch = (await he.post("/batches", {"plan": plan, "reason": "it can go on"})).json()
    done = await finished(he, batch["id"])
    assert (done["done"], done["refused"]) == (1, 0)
    assert (await state_of(house, iid)).status is Status.COMPLETED


DECIDED = """
  startEvent start
  exclusiveGateway which
  endEvent end
  start -> which
  which -[= amount > 1]-> end
"""


async def test_incidents_are_repaired_by_correcting_data_and_the_dry_run_says_which_will_pass(house: House) -> None:
    he, lin = await house.sign_in("he"), await house.sign_in("lin")
    await deploy(he, DECIDED)
    stuck, other = await begin(lin), await begin(lin)
    plan = {"kind": "retry", "process": "trip"}
    seen = (await he.post("/batches/plan", plan)).json()
    assert (seen["clean"], seen["impossible"]) == (0, 2)
    assert [problem["code"] for problem in seen["problems"]] == ["gateway.no_flow"]
    for amount, passing in ((1, 0), (2, 2)):
        repaired = {**plan, "variables": {"amount": amount}}
        assert (await he.post("/batches/plan", repaired)).json()["clean"] == passing
    assert not (await state_of(house, stuck)).scopes[0].variables.get("amount")

    correction = {"variables": {"amount": 2}, "reason": "it was left out"}
    shown = await he.post(f"/instances/{stuck}/preview", {"verb": "correct", **correction})
    assert (shown.json()["refused"], shown.json()["status"]) == ("", "open")
    assert (await he.post(f"/instances/{stuck}/correct", correction)).status_code == 200
    (incident,) = (await state_of(house, stuck)).incidents
    assert (await he.post(f"/instances/{stuck}/incidents/{incident}/retry")).status_code == 200
    assert (await state_of(house, stuck)).status is Status.COMPLETED
    kinds = [item["kind"] for item in (await he.get(f"/instances/{stuck}/timeline")).json()["items"]]
    assert "variables.corrected" in kinds

    order = {"plan": {**plan, "variables": {"amount": 2}}, "reason": "it was left out"}
    batch = (await he.post("/batches", order)).json()
    assert (await finished(he, batch["id"]))["done"] == 1
    assert (await state_of(house, other)).status is Status.COMPLETED


async def test_corrections_that_are_none_or_not_allowed_are_refused(house: House) -> None:
    he, lin = await house.sign_in("he"), await house.sign_in("lin")
    await deploy(he, FIRST)
    iid = await begin(lin)
    for variables, code in (({}, "modification.empty"), ({"starter": "he"}, "variables.reserved")):
        refused = await he.post(f"/instances/{iid}/correct", {"variables": variables, "reason": "x"})
        assert refused.json()["code"] == code
    assert (await he.post(f"/instances/{iid}/correct", {"variables": {"a": 1}})).json()["code"] == "reason.required"
    assert (await lin.post(f"/instances/{iid}/correct", {"variables": {"a": 1}, "reason": "x"})).status_code == 403
    plan = {"kind": "suspend", "process": "trip", "variables": {"a": 1}}
    assert (await he.post("/batches/plan", plan)).json()["code"] == "batch.plan"


async def test_what_is_corrected_with_a_retry_is_taken_back_with_it(house: House) -> None:
    he, lin = await house.sign_in("he"), await house.sign_in("lin")
    filed = DECIDED.replace("]-> end", "]-> file -> end").replace("endEvent", "userTask file assignee=lin\n  endEvent")
    await deploy(he, filed)
    iid = await begin(lin)
    before = await state_of(house, iid)
    order = {"plan": {"kind": "retry", "process": "trip", "variables": {"amount": 2}}, "reason": "it was left out"}
    batch = (await he.post("/batches", order)).json()
    assert (await finished(he, batch["id"]))["done"] == 1
    assert await places(lin, iid) == ["file"]
    await he.post(f"/batches/{batch['id']}/undo", {"reason": "not so"})
    assert (await finished(he, batch["id"]))["taken_back"] == 1
    assert as_it_is(await state_of(house, iid)) == as_it_is(before)


async def test_what_is_foreseen_of_all_live_requests_is_what_becomes_of_them(house: House) -> None:
    he, lin = await house.sign_in("he"), await house.sign_in("lin")
    await deploy(he, FIRST)
    await deploy(he, FIRST.replace("check", "look").replace("late", "later"))
    at_apply, resting, behind, over = [await begin_first(house, lin) for _ in range(4)]
    for iid in (behind, over):
        await he.post(
            f"/instances/{iid}/modify",
            {"moves": [{"kind": "move", "element": "apply", "to": "check"}], "reason": "paper"},
        )
    await he.post(f"/instances/{resting}/suspend", {"reason": "an inquiry"})
    await he.post(f"/instances/{over}/cancel", {"reason": "not needed"})
    to_check = [{"kind": "move", "element": "apply", "to": "check"}]
    for change in (
        {"kind": "modify", "moves": to_check},
        {"kind": "suspend"},
        {"kind": "resume"},
        {"kind": "migrate", "to_version": 2},
        {"kind": "migrate", "to_version": 2, "elements": {"check": "look"}},
    ):
        plan = {"process": "trip", **change}
        seen = (await he.post("/batches/plan", plan)).json()
        assert seen["clean"] + seen["mapped"] + seen["impossible"] == seen["total"] <= 3
        batch = (await he.post("/batches", {"plan": plan, "reason": "so"})).json()
        done = await finished(he, batch["id"])
        assert (done["done"], done["refused"]) == (seen["clean"] + seen["mapped"], 0), plan
        house.clock.offset_ms += 1_000
    assert await places(lin, at_apply) == ["look"]


async def begin_first(house: House, lin: Client) -> str:
    """A request of the first version."""
    definition = next(row.id for row in house.noria.catalogue.rows(TENANT) if (row.key, row.version) == ("trip", 1))
    answer = await house.noria.runtime.submit(
        Request(c.StartInstance("lin", {"id": "lin"}), "lin", tenant=TENANT, definition=definition)
    )
    assert isinstance(answer, Accepted)
    return str(answer.iid)
