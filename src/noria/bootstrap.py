"""The composition root: the only module that knows every adapter."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import uvicorn

from noria.adapters.calendars import CHINA_ZONE, china_calendar
from noria.adapters.cli import cli
from noria.adapters.database.audit import DatabaseAudit
from noria.adapters.database.blobs import DatabaseBlobs
from noria.adapters.database.board import DatabaseBoard
from noria.adapters.database.catalogue import DatabaseCatalogue
from noria.adapters.database.lists import DatabaseLists
from noria.adapters.database.opening import Database, open_database
from noria.adapters.database.people import DatabasePeople
from noria.adapters.database.projection import Projector
from noria.adapters.demo import DEMO_TENANT, demo_accounts, demo_handlers, seed
from noria.adapters.http.app import create_app
from noria.adapters.http.live import LiveHub
from noria.adapters.http.services import DemoAccount, Services
from noria.adapters.system import Argon2Hasher, SystemClock, SystemSecrets, settle_memory
from noria.adapters.worker import WorkerPool
from noria.engine.facts import Facts
from noria.kernel.calendar import WorkCalendar
from noria.kernel.instants import InstantMs, to_datetime
from noria.monitor.watching import Watching
from noria.operate.auditing import Auditing, AuditVerdict, verify_audit
from noria.operate.cases import Cases
from noria.operate.delivery import Delivery
from noria.operate.deploying import Catalogue
from noria.operate.inbox import Inbox
from noria.operate.models import Models
from noria.operate.notices import Notice
from noria.operate.office import Caller, Office
from noria.operate.ports import Clock
from noria.operate.requests import Origin
from noria.operate.runtime import Runtime
from noria.operate.staff import Staff
from noria.operate.timers import StartTimers, Timers
from noria.operate.workers import JobHandler, Workers
from noria.trust.people import Person
from noria.trust.policy import Permission, Principal
from noria.trust.signing_in import Accounts

logger = logging.getLogger(__name__)

TENANT = 1
UPLOAD_BYTES_MAX = 20_000_000
OPERATOR = Caller(
    Principal("cli", TENANT, frozenset({Permission.DEPLOY})), Person("cli", "cli", "command line"), Origin("cli")
)
"""Whoever has the machine may deploy from its command line; the audit trail says so."""


class Noria:
    """A running Noria: build it with `Noria.open`, then `start` its engine; `close` ends both.

    Attributes:
        database: the open database.
        services: the use cases.
        runtime, delivery, timers, start_timers, projector, pool: what runs in the background once started.
    """

    def __init__(
        self, database: Database, clock: Clock, handlers: Mapping[str, JobHandler], demo: tuple[DemoAccount, ...]
    ) -> None:
        self.database = database
        self.clock = clock
        self.people = DatabasePeople(database)
        self.audit = DatabaseAudit(database)
        self.catalogue_store = DatabaseCatalogue(database)
        self.catalogue = Catalogue(self.catalogue_store)
        year = to_datetime(InstantMs(clock.now_ms())).year
        self._calendar = china_calendar(range(year - 2, year + 3))
        self._facts = Facts({"default": self._calendar}, CHINA_ZONE)
        self.runtime = Runtime(database.store, self.catalogue, clock, self.facts)
        self.delivery = Delivery(self.runtime, database.store, self.catalogue, clock)
        self.timers = Timers(self.runtime, database.store, clock)
        self.start_timers = StartTimers(self.runtime, self.catalogue, self.catalogue_store, clock, self.facts)
        self.projector = Projector(database, self.catalogue, self.people, self.calendar, clock)
        self.hub = LiveHub()
        office = Office(
            self.runtime,
            database.store,
            DatabaseLists(database),
            self.catalogue,
            self.people,
            self.audit,
            DatabaseBlobs(database),
            clock,
            self.facts,
        )
        cases = Cases(office)
        accounts = Accounts(self.people, Argon2Hasher(), self.audit, SystemSecrets())
        workers = Workers(office, self.delivery)
        self.services = Services(
            office=office,
            accounts=accounts,
            cases=cases,
            inbox=Inbox(office, cases),
            models=Models(office),
            workers=workers,
            watching=Watching(office, DatabaseBoard(database), simulated=bool(demo)),
            auditing=Auditing(office, cases, self.audit),
            staff=Staff(office, self.people, accounts),
            live=self.hub,
            tenant=TENANT,
            demo=demo,
            upload_bytes_max=UPLOAD_BYTES_MAX,
            ready=self._ready,
        )
        self.pool = WorkerPool(workers, clock, TENANT, handlers)

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        clock: Clock | None = None,
        handlers: Mapping[str, JobHandler] | None = None,
        demo: tuple[DemoAccount, ...] = (),
    ) -> Noria:
        """Open a database and wire everything to it.

        Args:
            url: ``sqlite:///…`` or ``postgresql://…``.
            clock: the machine's own when not given.
            handlers: jobs that are done in this process.
            demo: accounts to show on the sign-in page.
        """
        noria = cls(await open_database(url), clock or SystemClock(), handlers or {}, demo)
        await noria.catalogue.load()
        return noria

    def facts(self, _tenant: int) -> Facts:
        """Outside facts of a tenant."""
        return self._facts

    def calendar(self, _tenant: int) -> WorkCalendar:
        """The working calendar in which a tenant's figures are counted."""
        return self._calendar

    async def _ready(self) -> None:
        await self.database.store.next_timer()

    def _projected(self, notices: list[Notice], processes: set[str]) -> None:
        self.hub.projected(notices, processes, TENANT, self.clock.now_ms())

    async def start(self) -> None:
        """Take the shards, and begin all background work."""
        await self.runtime.start()
        self.hub.start_from(self.runtime.position)
        self.runtime.listen(self.hub.committed)
        self.projector.listen(self._projected)
        self.projector.start(self.runtime)
        self.delivery.start()
        self.timers.start()
        self.start_timers.start()
        self.pool.start(self.runtime)

    async def close(self) -> None:
        """Finish what is at hand, and close."""
        self.hub.close()
        for part in (self.pool, self.start_timers, self.timers, self.delivery, self.projector):
            await part.stop()
        await self.runtime.stop()
        await self.database.close()

    async def first_administrator(self) -> tuple[str, str] | None:
        """Create the administrator of an empty instance; gives user name and password, to be shown once."""
        organisation = await self.people.organisation(TENANT)
        if organisation.people:
            return None
        password = SystemSecrets().token()[:20]
        now_ms = self.clock.now_ms()
        admin = Person("admin", "admin", "管理员", roles=("employee", "process_owner", "sysadmin"))
        await self.people.put(TENANT, [admin], [], now_ms)
        await self.services.accounts.set_password(TENANT, "admin", password, now_ms, must_change=True)
        return "admin", password


class Composition:
    """What the command line asks of the composition root."""

    async def serve(self, url: str, host: str, port: int) -> None:
        """Serve until stopped."""
        noria = await Noria.open(url)
        created = await noria.first_administrator()
        if created is not None:
            cli.say_administrator(*created)
        await self._run(noria, host, port)

    async def demo(self, url: str, host: str, port: int, requests: int) -> None:
        """Seed a small company, unless it stands already, and serve it."""
        await seed(Noria.open, url, requests, cli.progress)
        accounts = tuple(DemoAccount(*account) for account in demo_accounts())
        noria = await Noria.open(url, handlers=demo_handlers(), demo=accounts)
        assert DEMO_TENANT == TENANT  # noqa: S101 - both are the single company of an embedded instance
        await self._run(noria, host, port)

    @staticmethod
    async def _run(noria: Noria, host: str, port: int) -> None:
        await noria.start()
        config = uvicorn.Config(
            create_app(noria.services), host=host, port=port, log_level="warning", access_log=False, server_header=False
        )
        server = uvicorn.Server(config)
        loop = asyncio.get_running_loop()
        serving = asyncio.create_task(server.serve())
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event to wait for
            await asyncio.sleep(0.05)
        if server.started:
            settle_memory()
            cli.say_ready(host, port)

        def stop() -> None:
            # Live streams never end by themselves; without this a stop would wait for every open browser.
            noria.hub.close()
            server.should_exit = True

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
        try:
            await serving
        finally:
            await noria.close()

    async def verify(self, url: str) -> AuditVerdict:
        """Verify the audit trail of a database."""
        database = await open_database(url)
        try:
            return await verify_audit(DatabaseAudit(database))
        finally:
            await database.close()

    async def rebuild(self, url: str) -> None:
        """Drop the board's projection and fold the journal again."""
        noria = await Noria.open(url)
        try:
            await noria.projector.rebuild()
        finally:
            await noria.close()

    async def deploy(self, url: str, files: Mapping[str, bytes]) -> Any:
        """Deploy files as the operator of the machine."""
        noria = await Noria.open(url)
        try:
            return await noria.services.models.put_into_force(OPERATOR, files)
        finally:
            await noria.close()


def data_url(data: Path) -> str:
    """The address of the embedded database in a folder."""
    return f"sqlite:///{data / 'noria.db'}"


def main() -> None:
    """Entry of the command ``noria``."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    cli.main(obj=Composition())
