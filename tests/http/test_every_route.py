"""Laws of every route, read from the interface's own description: a new route is tested the day it is added."""

from __future__ import annotations

from typing import Any

import pytest

from noria.operate.deploying import Catalogue
from tests.http.house import House

PUBLIC = {"live", "ready", "signIn", "askForPasswordLink", "lookAtPasswordLink", "usePasswordLink"}
"""What anybody may call."""

RESTRICTED = {
    "searchAudit": "qian",
    "listAllPeople": "he",
    "addPerson": "he",
    "changePerson": "he",
    "resetPassword": "he",
    "invitePerson": "he",
    "listUnits": "he",
    "putUnit": "he",
    "listRoles": "he",
    "exportPeople": "he",
    "importPeople": "he",
    "listPersonChanges": "he",
    "dropPersonChange": "he",
    "listUnitChanges": "he",
    "dropUnitChange": "he",
    "deploy": "he",
    "getBoard": "he",
    "getFeed": "he",
    "evaluateDecision": "he",
    "fetchAndLockJobs": "robot",
    "completeJob": "robot",
    "failJob": "robot",
    "throwJobError": "robot",
    "extendJobLease": "robot",
    "publishMessage": "robot",
    "broadcastSignal": "robot",
    "cancelInstance": "he",
    "retryIncident": "he",
    "listChannels": "he",
    "addChannel": "he",
    "changeChannel": "he",
    "removeChannel": "he",
    "testChannel": "he",
    "getNoticeSettings": "he",
    "putNoticeSettings": "he",
    "listDeliveries": "he",
    "resendDelivery": "he",
    "resendDeliveries": "he",
    "putSharedPhrases": "he",
}
"""Operation → somebody who may; a plain employee may not."""

UPLOADS: dict[str, Any] = {
    "deploy": {"files": {"file": ("a.bpmn", b"<x/>")}},
    "importPeople": {"files": {"file": ("people.csv", b"id\nlin\n")}},
}

SAMPLES: dict[str, Any] = {
    "fetchAndLockJobs": {"worker": "w", "topics": [{"topic": "x"}]},
    "completeJob": {"lease_token": "x"},
    "failJob": {"lease_token": "x", "message": "m"},
    "throwJobError": {"lease_token": "x", "code": "c"},
    "extendJobLease": {"lease_token": "x", "lease_ms": 1000},
    "publishMessage": {"name": "m"},
    "broadcastSignal": {"name": "s"},
    "addPerson": {"id": "new", "username": "new", "name": "New", "password": "long-enough-1"},
    "changePerson": {"id": "new", "username": "new", "name": "New", "password": "long-enough-1"},
    "resetPassword": {"password": "long-enough-1"},
    "putUnit": {"id": "new", "name": "New"},
    "cancelInstance": {"reason": "r"},
    "evaluateDecision": {"variables": {}},
    "addChannel": {"id": "hook", "kind": "webhook", "name": "Hook"},
    "changeChannel": {"id": "hook", "kind": "webhook", "name": "Hook"},
    "putSharedPhrases": {"texts": []},
    "putNoticeSettings": {"public_url": "https://noria.example"},
}


def operations(house: House) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Operation id → method, path with sample parameters, description."""
    found = {}
    for path, item in house.app.openapi_schema.to_schema()["paths"].items():
        for method, operation in item.items():
            if method in ("get", "post", "put", "delete"):
                filled = path.replace("{key}", "purchase").replace("{decision}", "approval_policy")
                for name, value in (("instance_id", "1"), ("incident_id", "1"), ("task_id", "1-1"), ("job_id", "1-1")):
                    filled = filled.replace(f"{{{name}}}", value)
                filled = (
                    filled.replace("{channel_id}", "hook")
                    .replace("{delivery_id}", "1-1-0-hook")
                    .replace("{what}", "1-1")
                )
                filled = (
                    filled.replace("{person_id}", "new")
                    .replace("{notice_id}", "1-1-1")
                    .replace("{hashed}", "0")
                    .replace("{page}", "1")
                )
                filled = filled.replace("{valid_from}", "2099-01-01").replace("{substitution_id}", "none")
                filled = filled.replace("{device_id}", "none")
                found[operation["operationId"]] = (method.upper(), filled.replace("{unit_id}", "new"), operation)
    return found


async def test_every_operation_is_described(house: House) -> None:
    schema = (await house.browser().get("/api/openapi.json")).json()
    assert schema["openapi"].startswith("3.1")
    for name, (_, _, operation) in operations(house).items():
        assert operation.get("summary") or operation.get("description"), name
        assert operation.get("tags"), name


async def test_errors_are_described_as_problems(house: House) -> None:
    schema = (await house.browser().get("/api/openapi.json")).json()
    assert "Problem" in schema["components"]["schemas"]
    for item in schema["paths"].values():
        for operation in item.values():
            assert list(operation["responses"]["default"]["content"]) == ["application/problem+json"]


async def test_nothing_but_the_public_routes_answers_without_a_session(house: House) -> None:
    browser = house.browser()
    for name, (method, path, _) in operations(house).items():
        if name not in PUBLIC:
            answer = await browser.request(method, path, json={})
            assert (answer.status_code, answer.json()["code"]) == (401, "session.required"), name


async def test_no_unsafe_route_answers_without_the_sessions_token(house: House) -> None:
    lin = await house.sign_in("he")
    for name, (method, path, _) in operations(house).items():
        if name not in PUBLIC and method != "GET":
            answer = await lin.http.request(method, path, json={})
            assert (answer.status_code, answer.json()["code"]) == (403, "session.csrf"), name
            crossed = await lin.http.request(
                method, path, json={}, headers={"X-CSRF-Token": lin.csrf, "Sec-Fetch-Site": "cross-site"}
            )
            assert (crossed.status_code, crossed.json()["code"]) == (403, "session.csrf"), name


async def test_a_plain_employee_is_denied_what_needs_a_role_and_it_is_on_record(house: House) -> None:
    lin = await house.sign_in("lin")
    started = await lin.start()
    known = operations(house)
    assert known.keys() >= RESTRICTED.keys()
    for name in RESTRICTED:
        method, path, _ = known[name]
        path = path.replace("/instances/1/", f"/instances/{started['id']}/")
        options = UPLOADS[name] if name in UPLOADS else {"json": SAMPLES.get(name, {})}
        answer = await lin.http.request(method, path, headers={"X-CSRF-Token": lin.csrf}, **options)
        assert answer.status_code == 403, (name, answer.text)
        assert answer.json()["code"] == "permission.denied", name
    qian = await house.sign_in("qian")
    denials = (await qian.get("/audit", actor="lin", outcome="refused", limit=200)).json()["total"]
    assert denials == len(RESTRICTED)


async def test_who_has_the_role_is_not_denied(house: House) -> None:
    clients = {name: await house.sign_in(name) for name in set(RESTRICTED.values())}
    known = operations(house)
    for name, person in RESTRICTED.items():
        method, path, _ = known[name]
        options = UPLOADS[name] if name in UPLOADS else {"json": SAMPLES.get(name, {})}
        client = clients[person]
        answer = await client.http.request(method, path, headers={"X-CSRF-Token": client.csrf}, **options)
        assert answer.status_code not in (401, 403), (name, answer.text)
        assert answer.status_code < 500, (name, answer.text)


async def test_somebody_without_any_role_is_shown_nothing(house: House) -> None:
    await (await house.sign_in("lin")).start()
    guest = await house.sign_in("guest")
    for path in ("/tasks", "/instances", "/processes", "/notices"):
        assert (await guest.get(path)).json()["total"] == 0, path
    refused = await guest.post("/instances", {"process": "purchase", "variables": {}})
    assert (refused.status_code, refused.json()["code"]) == (403, "permission.denied")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/tasks?box=everything", 400), ("/tasks?limit=100000", 400), ("/tasks?offset=-1", 400), ("/tasks/x", 404)],
)
async def test_a_filter_that_is_not_known_is_refused(house: House, path: str, status: int) -> None:
    answer = await (await house.sign_in("lin")).get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"{not json", "The body is not in order: JSON is malformed: object keys must be strings (byte 1)."),
        (b'{"process":', "The body is not in order: Input data was truncated."),
        (b"", "The request has no body; a JSON object is expected."),
    ],
    ids=["no JSON", "half of it", "nothing"],
)
async def test_a_body_that_is_no_json_is_refused_with_a_clear_sentence(
    house: House, body: bytes, sentence: str
) -> None:
    lin = await house.sign_in("lin")
    answer = await lin.send("POST", "/instances", content=body, headers={"Content-Type": "application/json"})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (400, "request.invalid")
    assert (problem["title"], problem["detail"], problem["details"]) == (sentence, sentence, {})


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
async def test_a_number_that_nothing_keeps_is_refused_by_name(house: House, content_type: str) -> None:
    lin = await house.sign_in("lin")
    body = b'{"process": "purchase", "variables": {"amount": 99999999999999999999}}'
    answer = await lin.send("POST", "/instances", content=body, headers={"Content-Type": content_type})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "request.invalid")
    assert problem["title"] == "The number 99999999999999999999 has more than 64 bits; send it as a text."


async def test_a_defect_tells_the_caller_a_number_and_nothing_else(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(Catalogue, "newest", broken)
    answer = await (await house.sign_in("lin")).get("/processes")
    assert (answer.status_code, answer.json()["code"]) == (500, "server.error")
    assert "secret" not in answer.text
    assert len(answer.json()["request_id"]) == 16


async def test_every_answer_carries_the_security_headers(house: House) -> None:
    browser = house.browser()
    for path in ("/", "/api/session", "/api/health/live", "/nothing.js"):
        headers = (await browser.get(path)).headers
        assert "default-src 'self'" in headers["content-security-policy"], path
        assert "unsafe-eval" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
