"""The board's figures equal those counted from the journal by other code, also when the projection is rebuilt."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from noria.engine import events as e
from noria.kernel.instants import DAY_MS
from tests.e2e.conftest import Visitors
from tests.e2e.site import Client, Site

pytestmark = pytest.mark.e2e


def nearest_rank(durations: list[int], percent: int) -> int:
    """The smallest duration that at least so many percent do not exceed."""
    ordered = sorted(durations)
    return next(value for at, value in enumerate(ordered, 1) if at * 100 >= percent * len(ordered))


def counted(site: Site, start_ms: int, end_ms: int) -> dict[str, float | None]:
    """The tiles by a plain walk through the journal: everything of a period, for purchases."""
    handling: list[int] = []
    cycles: list[int] = []
    open_due: list[int] = []
    returns = incidents = started = on_time = limited = 0
    for iid in site.instances():
        opened: dict[int, e.TaskOpened] = {}
        begun = 0
        rows = site.run(site.noria.database.store.journal_of(iid))
        first = e.decode_events(rows[0].ev)[0]
        if not isinstance(first, e.InstanceStarted) or first.process != "purchase":
            continue
        for row in rows:
            inside = start_ms <= row.ts <= end_ms
            for event in e.decode_events(row.ev):
                match event:
                    case e.InstanceStarted():
                        begun = row.ts
                        started += inside
                    case e.InstanceCompleted() if inside:
                        cycles.append(row.ts - begun)
                    case e.TaskOpened():
                        opened[event.token] = event
                    case e.TaskCompleted():
                        task = opened.pop(event.token)
                        # A start form that counts as the task's submission took nobody's time.
                        if inside and not event.with_start:
                            handling.append(row.ts - task.opened_ms)
                            limited += task.due_ms > 0
                            on_time += 0 < row.ts <= task.due_ms
                    case e.TaskReturned():
                        opened.pop(event.token)
                        returns += inside
                    case e.ElementCancelled():
                        opened.pop(event.token, None)
                    case e.IncidentRaised():
                        incidents += inside
        open_due += [task.due_ms for task in opened.values()]
    overdue = sum(0 < due < end_ms for due in open_due)
    wrong = returns + incidents
    return {
        "handling.mean": round(sum(handling) / len(handling)),
        "handling.median": nearest_rank(handling, 50),
        "handling.p90": nearest_rank(handling, 90),
        "cycle.mean": round(sum(cycles) / len(cycles)),
        "cycle.median": nearest_rank(cycles, 50),
        "cycle.p90": nearest_rank(cycles, 90),
        "backlog": overdue / len(open_due),
        "open": len(open_due),
        "errors": wrong / (len(handling) + wrong),
        "returns": returns,
        "started": started,
        "completed": len(cycles),
        "per_day": len(cycles) / ((end_ms - start_ms) / DAY_MS),
        "on_time": on_time / limited,
    }


def answered(board: Mapping[str, Any]) -> dict[str, float | None]:
    """The same figures as the interface gives them."""
    tiles = board["tiles"]
    return {
        "handling.mean": tiles["handling"]["mean_ms"],
        "handling.median": tiles["handling"]["median_ms"],
        "handling.p90": tiles["handling"]["p90_ms"],
        "cycle.mean": tiles["cycle"]["mean_ms"],
        "cycle.median": tiles["cycle"]["median_ms"],
        "cycle.p90": tiles["cycle"]["p90_ms"],
        "backlog": tiles["backlog"]["share"],
        "open": tiles["backlog"]["open"],
        "errors": tiles["errors"]["share"],
        "returns": tiles["errors"]["returns"],
        "started": tiles["throughput"]["started"],
        "completed": tiles["throughput"]["completed"],
        "per_day": tiles["throughput"]["per_day"],
        "on_time": tiles["on_time"]["share"],
    }


def instant(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def shown(page: Page) -> dict[str, str | None]:
    """What the tiles say, word for word."""
    tiles = page.locator("[data-testid^=tile-]")
    expect(tiles).to_have_count(6)
    return {str(tile.get_attribute("data-testid")): tile.get_attribute("data-value") for tile in tiles.all()}


def test_the_figures_equal_those_counted_from_the_journal(company: Site, visitors: Visitors) -> None:
    board = Client(company, "he").get("/processes/purchase/board", range="90d")
    expected = counted(company, instant(board["range"]["from"]), instant(board["range"]["to"]))
    assert answered(board) == pytest.approx(expected)
    assert expected["returns"]  # a past in which nothing goes wrong would prove little
    assert expected["completed"]

    page = visitors.sign_in(company, "he", "/board/purchase?range=90d")
    values = shown(page)
    assert float(values["tile-handling"] or 0) == expected["handling.mean"]
    assert float(values["tile-cycle"] or 0) == expected["cycle.mean"]
    assert float(values["tile-errors"] or 0) == pytest.approx(expected["errors"])
    assert float(values["tile-on-time"] or 0) == pytest.approx(expected["on_time"])
    # The page asked a moment later than the test did.
    assert float(values["tile-throughput"] or 0) == pytest.approx(expected["per_day"], rel=1e-3)


def test_a_projection_rebuilt_from_zero_gives_equal_figures(company: Site) -> None:
    client = Client(company, "he")
    moving = ("range", "as_of_seq")

    def figures() -> dict[str, Any]:
        board = client.get("/processes/purchase/board", range="90d", time="working")
        board["tiles"]["throughput"].pop("per_day")  # these two are per day up to this very moment
        board["tiles"]["backlog"].pop("days_to_clear")
        return {name: value for name, value in board.items() if name not in moving}

    before = figures()
    company.run(company.noria.projector.rebuild())

    assert figures() == before
