"""Commands that come by the thousand have a short way in; nobody can tell it from the ordinary one by an answer."""

from __future__ import annotations

import gzip
import json
import re
from typing import Any

import httpx
import msgspec
import pytest

from noria.adapters.http import door
from noria.adapters.http.app import BODY_BYTES_MAX, create_app
from noria.adapters.http.bodies import DEPTH_MAX
from noria.adapters.http.connection import WHOLE
from tests.http.house import Client, House
from tests.scenarios.drawing import draw

TRIP = """
  startEvent start
  userTask apply assignee=lin
  userTask check assignee=he
  endEvent end
  start -> apply -> check -> end
"""
UNLIKE = re.compile(r'\d{15,}(-\d+)?|"request_id": "\w+"|\d{4}-\d\d-\d\dT[\d:.]+Z')
"""What is another in each answer: ids of instances and tasks, numbers of requests, instants."""
ROUTES = ("complete", "instances", "commands")
BODIES = {
    "nothing": (ROUTES, b""),
    "no JSON": (ROUTES, b"{oops"),
    "not an object": (ROUTES, b"[1]"),
    "a wrong type": (ROUTES, b'{"variables": 7, "process": 7, "commands": 7, "version": "x"}'),
    "no UTF-8": (ROUTES, b'{"comment": "\xff", "process": "\xff", "commands": "\xff"}'),
    "too deep": (ROUTES, b'{"variables": ' + b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1) + b"}"),
    "an unknown word": (ROUTES[::2], b'{"outcome": "perhaps", "commands": [{"type": "perhaps"}]}'),
    "too long": (ROUTES[2:], b'{"commands": [' + b",".join([b'{"type": "complete_task", "task": "1"}'] * 501) + b"]}"),
}
"""Which routes refuse it, and the body."""


class Ways:
    """The same people on the short way and on the ordinary one."""

    def __init__(self, house: House, lin: Client, he: Client) -> None:
        self.lin, self.he = lin, he
        self.short, self.ordinary = house.app, create_app(house.noria.services).door.ordinary
        self._services = house.noria.services

    async def post(
        self, app: Any, path: str, content: bytes, *, by: Client | None = None, **headers: str
    ) -> httpx.Response:
        client = by or self.lin
        sent = {
            "Content-Type": "application/json",
            "X-CSRF-Token": client.csrf,
            "Accept-Encoding": "identity",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        transport = httpx.ASGITransport(app=app, client=("203.0.113.7", 40_000), raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://noria.test", cookies=client.http.cookies
        ) as http:
            return await http.post(f"/api{path}", content=content, headers=sent)

    async def asked(
        self,
        path: str,
        pieces: list[bytes],
        *,
        app: Any = None,
        cookie: str = "",
        more: list[tuple[str, str]] | None = None,
        extensions: dict[str, Any] | None = None,
    ) -> list[Any]:
        """What an application sends, the short way unless told otherwise, for a request whose body comes in pieces."""
        sent: list[Any] = []
        body = b"".join(pieces)

        async def receive() -> dict[str, Any]:
            piece = pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

        async def send(message: Any) -> None:
            sent.append(message)

        (own,) = self.lin.http.cookies.items()
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("cookie", cookie or "=".join(own)),
            *(more or [("x-csrf-token", self.lin.csrf)]),
        ]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": f"/api{path}",
            "raw_path": f"/api{path}".encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers],
            "client": ("203.0.113.7", 40_000),
            "server": ("noria.test", 80),
            "extensions": extensions,
        }
        await (app or self.short)(scope, receive, send)
        return sent

    async def task(self) -> str:
        """A new task of lin's."""
        answer = await self.post(self.ordinary, "/instances", b'{"process": "trip"}')
        (task,) = (await self.lin.get(f"/instances/{answer.json()['id']}")).json()["open_tasks"]
        return str(task["id"])

    async def paths(self, routes: tuple[str, ...] = ROUTES) -> list[str]:
        """The paths of some routes."""
        return [f"/tasks/{await self.task()}/complete" if route == "complete" else f"/{route}" for route in routes]

    async def alike(self, path: str, other: str, content: bytes, **options: Any) -> tuple[int, Any]:
        """Status and body of what the short way answers, which is what the ordinary one answers."""
        first = await self.post(self.short, path, content, **options)
        second = await self.post(self.ordinary, other, content, **options)
        assert told(first) == told(second)
        return first.status_code, first.json()


def told(answer: httpx.Response) -> tuple[int, dict[str, str], str]:
    headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
    return answer.status_code, headers, UNLIKE.sub("…", json.dumps(answer.json(), sort_keys=True))


@pytest.fixture
async def ways(house: House) -> Ways:
    he = await house.sign_in("he")
    files = [("files", ("trip.bpmn", draw(TRIP.splitlines(), "trip")))]
    assert (await he.send("POST", "/deployments", files=files)).status_code == 201
    return Ways(house, await house.sign_in("lin"), he)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The routes that were answered on the short way."""
    found: list[str] = []
    encode = door.encode_json

    def encoded(answer: object, *rest: Any) -> bytes:
        found.append(type(answer).__name__)
        return encode(answer, *rest)

    monkeypatch.setattr(door, "encode_json", encoded)
    return found


async def test_what_is_in_order_is_answered_as_on_the_ordinary_way(ways: Ways, taken: list[str]) -> None:
    body = json.dumps({"variables": {"why": "北京"}, "version": "0"}).encode()
    first, second = await ways.paths(("complete", "complete"))
    status, done = await ways.alike(first, second, body)
    assert (status, done["instance"]["holders"][0]["element"]["id"]) == (200, "check")
    status, begun = await ways.alike("/instances", "/instances", b'{"process": "trip", "variables": {}}')
    assert (status, begun["status"]) == (201, "open")
    commands = [
        {"type": "start_instance", "process": "trip"},
        {"type": "start_instance", "process": "nowhere"},
        {"type": "complete_task", "task": "1-1"},
    ]
    status, answered = await ways.alike("/commands", "/commands", json.dumps({"commands": commands}).encode())
    assert (status, [result["ok"] for result in answered["results"]]) == (200, [True, False, False])
    assert taken == ["InstanceAnswer", "InstanceBrief", "BatchAnswer"]


@pytest.mark.parametrize(("routes", "body"), BODIES.values(), ids=BODIES)
async def test_a_bad_body_is_refused_as_on_the_ordinary_way(
    ways: Ways, taken: list[str], routes: tuple[str, ...], body: bytes
) -> None:
    for path in await ways.paths(routes):
        status, problem = await ways.alike(path, path, body)
        assert (status, problem["code"]) in ((400, "request.invalid"), (422, "request.invalid")), (path, problem)
    assert not taken


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"X_CSRF_Token": ""}, 403, "session.csrf"),
        ({"X_CSRF_Token": "guessed"}, 403, "session.csrf"),
        ({"Sec_Fetch_Site": "cross-site"}, 403, "session.csrf"),
        ({"Cookie": "noria_session=unknown"}, 401, "session.required"),
        ({"Authorization": "Bearer unknown"}, 401, "token.invalid"),
    ],
)
async def test_who_may_not_come_in_is_refused_as_on_the_ordinary_way(
    ways: Ways, taken: list[str], headers: dict[str, str], status: int, code: str
) -> None:
    for path in await ways.paths():
        found, problem = await ways.alike(path, path, b"{}", **headers)
        assert (found, problem["code"]) == (status, code)
    assert not taken


async def test_who_has_left_or_signed_out_does_not_come_in(house: House, ways: Ways, taken: list[str]) -> None:
    path = f"/tasks/{await ways.task()}/complete"
    await ways.lin.send("DELETE", "/session")
    assert (await ways.alike(path, path, b"{}"))[0] == 401
    organisation = await house.noria.people.organisation(house.noria.services.tenant)
    gone = msgspec.structs.replace(organisation.people["he"], active=False)
    await house.noria.people.put(house.noria.services.tenant, [gone], [], house.clock.now_ms())
    assert (await ways.alike(path, path, b"{}", by=ways.he))[0] == 401
    assert not taken


async def test_what_a_rule_stands_against_is_refused_as_on_the_ordinary_way(ways: Ways) -> None:
    task = await ways.task()
    path = f"/tasks/{task}/complete"
    denied = await ways.alike(path, path, b"{}", by=ways.he)
    assert (denied[0], denied[1]["code"]) == (403, "permission.denied")
    stale = await ways.alike(path, path, b'{"version": 77}')
    assert (stale[0], stale[1]["code"]) == (409, "task.version_stale")
    assert (await ways.post(ways.short, path, b"{}")).status_code == 200
    gone = await ways.alike(path, path, b"{}")
    assert (gone[0], gone[1]["code"]) == (409, "task.not_open")
    unknown = await ways.alike("/tasks/1-1/complete", "/tasks/1-1/complete", b"{}")
    assert (unknown[0], unknown[1]["code"]) == (404, "not_found")
    nowhere = await ways.alike("/instances", "/instances", b'{"process": "nowhere"}')
    assert (nowhere[0], nowhere[1]["code"]) == (404, "not_found")


async def test_a_defect_is_told_as_on_the_ordinary_way(
    house: House, ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise KeyError("a defect")

    monkeypatch.setattr(house.noria.services.cases, "start", broken)
    status, problem = await ways.alike("/instances", "/instances", b'{"process": "trip"}')
    assert (status, problem["code"]) == (500, "server.error")


@pytest.mark.parametrize(
    "path",
    [
        "/tasks//complete",
        "/tasks/a/b/complete",
        "/tasks/a%2Fb/complete",
        "/commands/more",
        "/tasks/complete",
        "/nothing",
    ],
)
async def test_other_paths_are_none_of_the_short_way(ways: Ways, taken: list[str], path: str) -> None:
    await ways.alike(path, path, b"{}")
    assert not taken


async def test_what_is_too_large_is_refused_before_it_is_read(ways: Ways) -> None:
    large = b'{"comment": "' + b"x" * BODY_BYTES_MAX + b'"}'
    status, problem = await ways.alike("/commands", "/commands", large)
    assert (status, problem["code"]) == (413, "request.too_large")


async def test_a_large_order_goes_the_ordinary_way_and_is_done(ways: Ways, taken: list[str]) -> None:
    body = json.dumps({"comment": "好" * door.BODY_BYTES_MAX}).encode()
    answer = await ways.post(ways.short, f"/tasks/{await ways.task()}/complete", body)
    assert (answer.status_code, taken) == (200, [])


async def test_a_body_that_comes_in_pieces_is_read_whole(ways: Ways, taken: list[str]) -> None:
    body = b'{"commands": [{"type": "start_instance", "process": "trip"}]}'
    started, whole = await ways.asked("/commands", [body[:10], body[10:11], b"", body[11:]])
    assert started["status"] == 200
    assert json.loads(whole["body"])["results"][0]["ok"]
    assert taken == ["BatchAnswer"]


async def test_what_leaves_whole_is_what_else_leaves_in_two_messages(ways: Ways) -> None:
    body = b'{"commands": [{"type": "complete_task", "task": "1-1"}]}'
    given: list[tuple[int, bytes]] = []

    def write(_scope: object, status: int, rest: bytes) -> bool:
        given.append((status, rest))
        return len(given) == 1

    extensions = {WHOLE: {"write": write}}
    assert await ways.asked("/commands", [body], extensions=extensions) == []
    # This time whoever would write it cannot.
    started, end = await ways.asked("/commands", [body], extensions=extensions)
    head = b"".join(b"%b: %b\r\n" % pair for pair in started["headers"])
    assert given[1] == (started["status"], head + b"\r\n" + end["body"])


@pytest.mark.parametrize(
    "cookie", ["other=1; {}", '{name}="{value}"', "{}; ", " {} ;other", "a={value}; {}"], ids=range(5)
)
async def test_a_cookie_is_found_however_it_is_written(ways: Ways, taken: list[str], cookie: str) -> None:
    ((name, value),) = ways.lin.http.cookies.items()
    written = cookie.format(f"{name}={value}", name=name, value=value)
    started, _ = await ways.asked("/instances", [b'{"process": "trip"}'], cookie=written)
    assert (started["status"], taken) == (201, ["InstanceBrief"])


async def test_of_a_header_that_comes_twice_counts_what_counts_on_the_ordinary_way(ways: Ways) -> None:
    for tokens in (["guessed", ways.lin.csrf], [ways.lin.csrf, "guessed"]):
        more = [("x-csrf-token", token) for token in tokens]
        found = [
            (await ways.asked("/instances", [b'{"process": "trip"}'], app=app, more=more))[0]["status"]
            for app in (ways.short, ways.ordinary)
        ]
        assert found[0] == found[1] in (201, 403)


async def test_a_large_answer_is_compressed_for_who_takes_that(ways: Ways, taken: list[str]) -> None:
    body = json.dumps({"commands": [{"type": "start_instance", "process": "trip"}] * 20}).encode()
    plain = await ways.post(ways.short, "/commands", body)
    packed = await ways.post(ways.short, "/commands", body, Accept_Encoding="gzip")
    ordinary = await ways.post(ways.ordinary, "/commands", body, Accept_Encoding="gzip")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert told(packed)[1] == told(ordinary)[1]
    assert len(packed.json()["results"]) == 20
    assert int(packed.headers["content-length"]) < len(gzip.compress(packed.content)) + 500
    assert taken == ["BatchAnswer", "BatchAnswer"]
