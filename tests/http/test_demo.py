"""What a visitor of the demonstration finds: requests of every example, finished ones and some that wait."""

from __future__ import annotations

from pathlib import Path

from noria.adapters.demo import seed
from noria.adapters.demo.company import DEMO_TENANT
from noria.adapters.demo.seeding import EXAMPLES
from noria.bootstrap import Noria
from noria.kernel.instants import parse_instant
from tests.house import MovedClock
from tests.http.house import House

REQUESTS = 60
NOW = "2026-11-25T16:00:00+08:00"


async def test_the_demonstration_has_running_and_finished_requests_of_each_example(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'noria.db'}"
    now_ms = parse_instant(NOW)
    assert await seed(Noria.open, url, REQUESTS, lambda *_: None, now_ms)
    house: House = await House.with_clock(url, MovedClock(now_ms))
    he, fang, zhao = [await house.sign_in(name) for name in ("he", "fang", "zhao")]
    for process in EXAMPLES:
        for status in ("open", "completed"):
            found = (await he.get("/instances", process=process, status=status)).json()
            assert found["total"] > 0, (process, status)
    assert (await he.get("/instances", status="failed")).json()["total"] == 0
    incidents = [item["id"] for item in (await he.get("/instances", limit=200)).json()["items"] if item["incidents"]]
    assert incidents == []
    assert [task["process"]["key"] for task in (await fang.get("/tasks")).json()["items"]][:1] == ["contract"]
    assert any(task["in_bulk"] for task in (await zhao.get("/tasks")).json()["items"])
    kinds = set()
    for item in (await he.get("/instances", process="contract", limit=100)).json()["items"]:
        kinds |= {one["kind"] for one in (await he.get(f"/instances/{item['id']}/timeline")).json()["items"]}
    assert {"task.approved", "task.returned", "task.completed"} <= kinds
    assert house.noria.catalogue.find(DEMO_TENANT, "urgent") is not None
    await house.close()


async def test_what_was_seeded_once_is_not_seeded_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'noria.db'}"
    assert await seed(Noria.open, url, 1, lambda *_: None)
    assert not await seed(Noria.open, url, 1, lambda *_: None)
