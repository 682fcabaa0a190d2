"""How long do the lists of the screens take with a million finished and a hundred thousand open tasks?

A company of a thousand people is written into the tables as the engine and the projector would have left it; then the
use cases behind the screens are called, one after the other, for people of every kind: who has little to do and much,
who manages units, who may see everything. Printed are the median, the 95th percentile and the slowest, in ms.

    python -m bench.queries [--on sqlite,postgresql] [--finished N] [--open N] [--rounds N] [--only NAME,NAME]
    python -m bench.queries --at URL

The second form asks a database of yours and leaves it there for the next trial; it is filled first where it is empty.
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
from noria.engine.definition import Definition
from noria.operate.finding import Wanted
from noria.operate.ids import id_of, shard_of
from noria.operate.indexing import Subject, terms_of
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

    def instances(self) -> Iterator[tuple[Row, list[Row], list[Row], list[Row], Subject]]:
        """Rows of inst, task, candidate and visit, and what is indexed, instance by instance."""
        draw = self.draw
        for n in range(self.finished + self.opened):
            ended = n < self.finished
            age_ms = draw.randrange(400 * DAY_MS) if ended else draw.randrange(30 * DAY_MS)
            started = self.now_ms - age_ms - DAY_MS
            iid = id_of(started, n % 64, n % 4096)
            shard = shard_of(iid)
            starter = draw.randrange(PEOPLE)
            amount = draw.randrange(100, 200_000)
            word, firm = draw.choice(WORDS), draw.choice(FIRMS)
            item = f"{word}{draw.randrange(1000)}"
            key, title = f"CG-2026-{n:07d}", f"采购 {item} ¥{amount}"
            supplier = f"上海{firm}有限公司"
            summary = json.dumps({"supplier": supplier, "amount": amount}, ensure_ascii=False)
            fields = {"title": item, "category": "material", "supplier": supplier, "amount": amount}
            subject = Subject(
                *(TENANT, 1, int(ended), started, key, title, summary, f"p{starter}", f"unit{starter % UNITS}", fields)
            )
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
            subject.actors = frozenset(visit[-1] for visit in visits)
            subject.holders = frozenset(task[6] for task in tasks if task[6])
            subject.groups = frozenset(candidate[4] for candidate in candidates)
            yield inst, tasks, candidates, visits, subject


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


def pages(company: Company, definition: Definition) -> Iterator[dict[str, list[Row]]]:
    """The rows in pages by table; those of the index have the terms as a list."""
    names = (*TABLES, "search")
    page: dict[str, list[Row]] = {name: [] for name in names}
    for inst, tasks, candidates, visits, subject in company.instances():
        page["search"].append((inst[1], subject.unit, sorted(terms_of(subject, definition))))
        page["inst"].append(inst)
        page["task"] += tasks
        page["candidate"] += candidates
        page["visit"] += [(*visit, 0, 1, 1, 3_600_000, 0, 3_600_000, 0) for visit in visits]
        if len(page["inst"]) == 20_000:
            yield page
            page = {name: [] for name in names}
    yield page


def fill_sqlite(path: Path, company: Company, definition: Definition) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA synchronous = OFF")
        for page in pages(company, definition):
            documents = [(iid, " ".join(terms)) for iid, _, terms in page.pop("search")]
            db.executemany("INSERT INTO search (rowid, terms) VALUES (?, ?)", documents)
            db.commit()
            for name, rows in page.items():
                columns = TABLES[name].split()
                marks = ", ".join("?" * len(columns))
                db.executemany(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})", rows)  # noqa: S608
        db.execute("ANALYZE")
    db.close()


_INDEX = "INSERT INTO search (iid, unit, terms) VALUES ($1, $2, array_to_tsvector($3::text[]))"


async def fill_postgres(url: str, company: Company, definition: Definition) -> None:
    db = await asyncpg.connect(url)
    for page in pages(company, definition):
        await db.executemany(_INDEX, page.pop("search"))
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

    def somebody() -> str:
        return f"p{draw.randrange(PEOPLE)}"

    def some_amount(operator: str, near: int) -> Wanted:
        return Wanted(field=(f"amount{operator}{near + draw.randrange(-500, 500)}",))

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
        "by number": lambda who: cases.find(who, InstanceBox.ALL, wanted=Wanted(some_number())),
        "by part of a number": lambda who: cases.find(who, InstanceBox.ALL, wanted=Wanted(some_number()[-5:])),
        "by a word": lambda who: cases.find(who, InstanceBox.ALL, wanted=Wanted(draw.choice(WORDS))),
        "by a word that all have": lambda who: cases.find(who, InstanceBox.ALL, wanted=Wanted("采购")),
        "by a character": lambda who: cases.find(who, InstanceBox.ALL, wanted=Wanted("轴")),
        "by two words": lambda who: cases.find(who, InstanceBox.ALL, wanted=Wanted(f"{draw.choice(WORDS)} 精工")),
        "by a name": lambda who: cases.find(who, InstanceBox.ALL, wanted=Wanted(f"员工{draw.randrange(PEOPLE)}")),
        "by a word that none has": lambda who: cases.find(who, InstanceBox.ALL, wanted=Wanted("玻璃")),
        "by a word in my inbox": lambda who: inbox.find(who, TaskBox.MINE, wanted=Wanted(draw.choice(WORDS))),
        "by a word in my groups'": lambda who: inbox.find(who, TaskBox.GROUP, wanted=Wanted(draw.choice(WORDS))),
        "by a word among done": lambda who: inbox.find(who, TaskBox.DONE, wanted=Wanted(draw.choice(WORDS))),
        "by starter": lambda who: cases.find(who, InstanceBox.ALL, wanted=Wanted(starter=somebody())),
        "by holder": lambda who: cases.find(who, InstanceBox.ALL, wanted=Wanted(holder=somebody())),
        "by actor": lambda who: cases.find(who, InstanceBox.ALL, wanted=Wanted(actor=somebody())),
        "by a large amount": lambda who: cases.find(who, InstanceBox.ALL, wanted=some_amount(">=", 199_000)),
        "by a wide range": lambda who: cases.find(who, InstanceBox.ALL, wanted=some_amount(">", 5_000)),
        "by a field among done": lambda who: inbox.find(who, TaskBox.DONE, wanted=some_amount("<", 50_000)),
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


async def prepare(url: str, company: Company) -> Definition:
    noria = await Noria.open(url)
    now_ms = noria.clock.now_ms()
    await noria.people.put(TENANT, company.people, company.units, now_ms)
    await noria.catalogue.deploy(TENANT, "p1", example_files(), now_ms, noria.facts(TENANT))
    definition = await noria.catalogue.get(1)
    await noria.close()
    return definition


async def is_filled(url: str) -> bool:
    noria = await Noria.open(url)
    filled = bool(noria.catalogue.rows(TENANT))
    await noria.close()
    return filled


def measure(given: argparse.Namespace, url: str) -> None:
    company = Company(given.finished, given.open, time.time_ns() // 1_000_000)
    on = url.partition(":")[0]
    if asyncio.run(is_filled(url)):
        print(f"{on}: what stands there already")
    else:
        definition = asyncio.run(prepare(url, company))
        begun = time.monotonic()
        if on == "sqlite":
            fill_sqlite(Path(url.removeprefix("sqlite:///")), company, definition)
        else:
            asyncio.run(fill_postgres(url, company, definition))
        spent = time.monotonic() - begun
        print(f"{on}: {given.finished} finished and {given.open} open tasks, written in {spent:.0f} s", flush=True)
    asyncio.run(ask(url, company, given.rounds, given.only.split(",") if given.only else ()))


def main() -> None:
    """Ask."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--on", default="sqlite,postgresql")
    parser.add_argument("--finished", type=int, default=1_000_000)
    parser.add_argument("--open", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--only", default="", help="some of the questions")
    parser.add_argument("--at", default="", help="a database of yours, sqlite:///FILE or postgresql://…, that is kept")
    given = parser.parse_args()
    if given.at:
        measure(given, given.at)
        return
    for on in given.on.split(","):
        if on == "sqlite":
            with tempfile.TemporaryDirectory() as folder:
                measure(given, f"sqlite:///{Path(folder) / 'noria.db'}")
        elif missing := missing_postgres():
            print(f"postgresql: skipped, {missing}")
        else:
            with server() as running:
                measure(given, new_database(running, "queries"))


if __name__ == "__main__":
    main()
