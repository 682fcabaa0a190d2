"""How long do the lists of the screens take with a million finished and a hundred thousand open tasks?

A company of a thousand people is written into the tables as the engine and the projector would have left it; then the
use cases behind the screens are called, one after the other, for people of every kind: who has little to do and much,
who manages units, who may see everything. Printed are the median, the 95th percentile and the slowest, in ms.

    python -m bench.queries [--on sqlite,postgresql] [--finished N] [--open N] [--rounds N] [--keep FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg

from bench.postgres import missing_postgres, new_database, server
from noria.adapters.demo.seeding import example_files
from noria.bootstrap import TENANT, Noria
from noria.operate.ids import shard_of
from noria.operate.office import Caller
from noria.operate.reading import InstanceBox, InstanceStatus, TaskBox, TaskSort
from noria.operate.requests import Origin
from noria.trust.people import Person, Unit

PEOPLE, UNITS, GROUPS = 1_000, 40, 25
TASKS_EACH = 3
"""Finished tasks of a finished request; open ones have two."""
OPEN_EACH = 2
DAY_MS = 86_400_000
WORDS = ("轴承", "齿轮", "阀门", "电机", "钢板", "铜线", "滤芯", "密封圈", "传感器", "减速机", "螺栓", "法兰")
FIRMS = ("精工", "华达", "东方", "宏远", "恒力", "新锐", "金盾", "三联", "永固", "鼎盛")
Row = tuple[Any, ...]


class Company:
    """What is written, drawn from a seed."""

    def __init__(self, finished: int, opened: int, now_ms: int) -> None:
        self.draw = random.Random(7)  # the same company each time
        self.finished = finished // TASKS_EACH
        self.opened = opened // OPEN_EACH
        self.now_ms = now_ms
        self.units = [Unit(f"unit{n}", f"部门{n}", "unit0" if n else "", f"p{n}") for n in range(UNITS)]
        self.people = [
            Person(f"p{n}", f"p{n}", f"员工{n}", f"unit{n % UNITS}", roles=("employee", f"group{n % GROUPS}"))
            for n in range(PEOPLE)
        ]
        self.people[1] = Person("p1", "p1", "何主任", "unit1", roles=("employee", "process_owner"))

    def person(self) -> int:
        """Some have far more to do than others."""
        return min(int(self.draw.expovariate(1 / 120)), PEOPLE - 1)

    def instances(self) -> Iterator[tuple[Row, list[Row], list[Row], list[Row]]]:
        """Rows of inst, task, candidate and visit, instance by instance."""
        draw = self.draw
        for n in range(self.finished + self.opened):
            ended = n < self.finished
            age_ms = draw.randrange(400 * DAY_MS) if ended else draw.randrange(30 * DAY_MS)
            started = self.now_ms - age_ms - DAY_MS
            iid = (started << 22) | (n % 64) << 12 | n % 4096
            shard = shard_of(iid)
            starter = draw.randrange(PEOPLE)
            amount = draw.randrange(100, 200_000)
            word, firm = draw.choice(WORDS), draw.choice(FIRMS)
            key, title = f"CG-2026-{n:07d}", f"采购 {word}{draw.randrange(1000)} ¥{amount}"
            summary = json.dumps({"supplier": f"上海{firm}有限公司", "amount": amount}, ensure_ascii=False)
            inst = (
                *(shard, iid, TENANT, 1, 9, int(ended), key, title, summary, f"p{starter}", f"unit{starter % UNITS}"),
                *(0, 0, started, started + DAY_MS if ended else 0, 1, 0, b"\x90"),
            )
            visits, tasks, candidates = [], [], []
            for tok in range(2, 2 + TASKS_EACH if ended else 3):
                actor = f"p{self.person()}"
                visits.append(
                    (iid, tok, TENANT, 1, 3 + tok, started, started, started + tok * 3_600_000, "completed", actor)
                )
            for tok in range(8, 8 + (0 if ended else OPEN_EACH)):
                group = draw.random() < 0.3
                assignee = "" if group else f"p{self.person()}"
                due = started + draw.randrange(60 * DAY_MS)
                tasks.append((shard, iid, tok, TENANT, 1, 3 + tok % 4, assignee, started, due, 50, 1, 1, 0, "", 0))
                if group:
                    candidates.append((shard, iid, tok, "g", f"group{draw.randrange(GROUPS)}", TENANT))
            yield inst, tasks, candidates, visits


_INST = (
    "shard iid tenant definition ver status bkey title summary starter unit parent parent_token started ended round "
    "incidents state"
)
_TASK = "shard iid tok tenant definition element assignee created due prio round version claimed name provisional"
_CANDIDATE = "shard iid tok kind name tenant"
_VISIT = (
    "iid tok tenant definition element entered claimed closed outcome actor due round human handling waiting "
    "handling_work waiting_work"
)
TABLES = {"inst": _INST, "task": _TASK, "candidate": _CANDIDATE, "visit": _VISIT}


def pages(company: Company) -> Iterator[dict[str, list[Row]]]:
    """The rows in pages by table."""
    page: dict[str, list[Row]] = {name: [] for name in TABLES}
    for inst, tasks, candidates, visits in company.instances():
        page["inst"].append(inst)
        page["task"] += tasks
        page["candidate"] += candidates
        page["visit"] += [(*visit, 0, 1, 1, 3_600_000, 0, 3_600_000, 0) for visit in visits]
        if len(page["inst"]) == 20_000:
            yield page
            page = {name: [] for name in TABLES}
    yield page


def fill_sqlite(path: Path, company: Company) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA synchronous = OFF")
        for page in pages(company):
            for name, rows in page.items():
                columns = TABLES[name].split()
                marks = ", ".join("?" * len(columns))
                db.executemany(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})", rows)  # noqa: S608
        db.execute("ANALYZE")
    db.close()


async def fill_postgres(url: str, company: Company) -> None:
    db = await asyncpg.connect(url)
    for page in pages(company):
        for name, rows in page.items():
            await db.copy_records_to_table(name, records=rows, columns=TABLES[name].split())
    await db.execute("VACUUM ANALYZE")
    await db.close()


Ask = Callable[[Caller], Awaitable[Any]]


def questions(noria: Noria, draw: random.Random) -> dict[str, Ask]:
    """What the screens ask."""
    inbox, cases = noria.services.inbox, noria.services.cases

    def some_number() -> str:
        return f"CG-2026-{draw.randrange(400_000):07d}"

    return {
        "inbox": lambda who: inbox.find(who, TaskBox.MINE),
        "inbox by priority": lambda who: inbox.find(who, TaskBox.MINE, sort=TaskSort.PRIORITY),
        "groups' tasks": lambda who: inbox.find(who, TaskBox.GROUP),
        "done": lambda who: inbox.find(who, TaskBox.DONE),
        "counts": inbox.counts,
        "started by me": lambda who: cases.find(who, InstanceBox.STARTED),
        "copied to me": lambda who: cases.find(who, InstanceBox.COPIED),
        "all I may see": lambda who: cases.find(who, InstanceBox.ALL),
        "all open": lambda who: cases.find(who, InstanceBox.ALL, status=InstanceStatus.OPEN),
        "by number": lambda who: cases.find(who, InstanceBox.ALL, q=some_number()),
        "by part of a number": lambda who: cases.find(who, InstanceBox.ALL, q=some_number()[-5:]),
        "by a word": lambda who: cases.find(who, InstanceBox.ALL, q=draw.choice(WORDS)),
        "by a word in my inbox": lambda who: inbox.find(who, TaskBox.MINE, q=draw.choice(WORDS)),
        "by a word among done": lambda who: inbox.find(who, TaskBox.DONE, q=draw.choice(WORDS)),
    }


async def ask(url: str, company: Company, rounds: int, only: Sequence[str]) -> list[tuple[str, list[float]]]:
    noria = await Noria.open(url)
    draw = random.Random(11)  # the same questions each time
    office = noria.services.office
    callers = []
    for n in (0, 1, 2, 7, 60, 150, 400, 900):
        person = company.people[n]
        callers.append(Caller(await office.principal(TENANT, person), person, Origin("api")))
    found = []
    for name, question in questions(noria, draw).items():
        if only and name not in only:
            continue
        for who in callers:
            await question(who)  # a first time, as after a restart, does not count
        times = []
        for _ in range(rounds):
            for who in callers:
                begun = time.perf_counter()
                await question(who)
                times.append((time.perf_counter() - begun) * 1_000)
                if times[-1] > 5_000:
                    break
        found.append((name, times))
        tell(name, times)
    await noria.close()
    return found


def tell(name: str, times: list[float]) -> None:
    times = sorted(times)
    p95 = times[min(len(times) - 1, int(len(times) * 0.95))]
    mark = "" if p95 <= 50 else "  <-- over 50 ms"
    print(
        f"  {name:24} median {statistics.median(times):8.1f}  p95 {p95:8.1f}  max {times[-1]:8.1f} ms{mark}", flush=True
    )


async def prepare(url: str, company: Company) -> None:
    noria = await Noria.open(url)
    now_ms = noria.clock.now_ms()
    await noria.people.put(TENANT, company.people, company.units, now_ms)
    await noria.catalogue.deploy(TENANT, "p1", example_files(), now_ms, noria.facts(TENANT))
    await noria.close()


def measure(on: str, given: argparse.Namespace, url: str) -> None:
    company = Company(given.finished, given.open, time.time_ns() // 1_000_000)
    asyncio.run(prepare(url, company))
    begun = time.monotonic()
    if on == "sqlite":
        fill_sqlite(Path(url.removeprefix("sqlite:///")), company)
    else:
        asyncio.run(fill_postgres(url, company))
    print(f"{on}: {given.finished} finished and {given.open} open tasks, written in {time.monotonic() - begun:.0f} s")
    asyncio.run(ask(url, company, given.rounds, given.only.split(",") if given.only else ()))


def main() -> None:
    """Ask."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--on", default="sqlite,postgresql")
    parser.add_argument("--finished", type=int, default=1_000_000)
    parser.add_argument("--open", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--only", default="", help="some of the questions")
    given = parser.parse_args()
    for on in given.on.split(","):
        if on == "sqlite":
            with tempfile.TemporaryDirectory() as folder:
                measure(on, given, f"sqlite:///{Path(folder) / 'noria.db'}")
        elif missing := missing_postgres():
            print(f"postgresql: skipped, {missing}")
        else:
            with server() as running:
                measure(on, given, new_database(running, "queries"))


if __name__ == "__main__":
    main()
