"""A running Noria: every adapter and use case plugged together."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path

from noria.adapters.calendars import china_calendar, china_days
from noria.adapters.channels.mail import Mail
from noria.adapters.channels.outside import Outside
from noria.adapters.channels.robots import DingTalk, Feishu, WeCom
from noria.adapters.channels.webhook import Webhook
from noria.adapters.channels.webpush import PushKeys, WebPush
from noria.adapters.database.audit import DatabaseAudit
from noria.adapters.database.blobs import DatabaseBlobs
from noria.adapters.database.board import DatabaseBoard
from noria.adapters.database.calendars import DatabaseCalendars
from noria.adapters.database.catalogue import DatabaseCatalogue
from noria.adapters.database.changes import DatabaseChanges
from noria.adapters.database.deliveries import DatabaseDeliveries
from noria.adapters.database.desk import DatabaseDesk
from noria.adapters.database.devices import DatabaseDevices
from noria.adapters.database.filters import DatabaseFilters
from noria.adapters.database.lists import DatabaseLists
from noria.adapters.database.observations import DatabaseObservations
from noria.adapters.database.opening import Database, open_database
from noria.adapters.database.operations import DatabaseBatches
from noria.adapters.database.password_links import DatabasePasswordLinks
from noria.adapters.database.people import DatabasePeople
from noria.adapters.database.postgres_store import PostgresStore
from noria.adapters.database.projection import Projector
from noria.adapters.database.tokens import DatabaseTokens
from noria.adapters.http.live import LiveHub
from noria.adapters.http.services import DemoAccount, Services
from noria.adapters.previewing.previews import Previews
from noria.adapters.printing.pdf import PdfPrinter
from noria.adapters.scanning.clamd import Clamd
from noria.adapters.spreadsheets import SpreadsheetFiles
from noria.adapters.system import Argon2Hasher, SystemClock, SystemSecrets
from noria.adapters.worker import WorkerPool
from noria.bootstrap.cluster import Cluster
from noria.engine.deadlines import DEFAULT
from noria.engine.facts import Facts
from noria.kernel.calendar import WorkCalendar
from noria.kernel.instants import InstantMs, to_datetime
from noria.monitor.watching import Watching
from noria.operate.attachments import Attachments
from noria.operate.auditing import Auditing
from noria.operate.bulk import Bulk
from noria.operate.calendaring import Calendaring, KnownDays
from noria.operate.calendars import CalendarBook
from noria.operate.cases import Cases
from noria.operate.channels import Channel, ChannelRow
from noria.operate.delivery import Delivery
from noria.operate.deploying import Catalogue, DefinitionRow
from noria.operate.deriving import Deriving
from noria.operate.desk import Desk
from noria.operate.devices import Devices
from noria.operate.following import Following, Noticed
from noria.operate.forms import Forms
from noria.operate.inbox import Inbox
from noria.operate.invitations import Invitations, Links
from noria.operate.leases import LEASE_MS
from noria.operate.models import Models
from noria.operate.office import Office
from noria.operate.operations import Operations
from noria.operate.paths import Paths
from noria.operate.ports import Clock
from noria.operate.printing import Printing
from noria.operate.provisioning import Provisioning
from noria.operate.redeploying import Redeploying
from noria.operate.rosters import Rosters
from noria.operate.rules import Rules
from noria.operate.runtime import Runtime
from noria.operate.saved_filters import SavedFilters
from noria.operate.sending import Sender
from noria.operate.staff import Staff
from noria.operate.start_timers import StartTimers
from noria.operate.substitutes import Substitutes
from noria.operate.surroundings import Environment, World
from noria.operate.telling import Telling
from noria.operate.timers import Timers
from noria.operate.together import Together
from noria.operate.tokens import Tokens
from noria.operate.verbs import Verbs
from noria.operate.workers import JobHandler, Workers
from noria.trust.people import Person
from noria.trust.signing_in import Accounts

TENANT = 1
UPLOAD_BYTES_MAX = 20_000_000
PEERS = "127.0.0.1:0"
"""Where other processes reach this one, unless told otherwise: only from this machine."""


class Noria:
    """A running Noria: build it with `Noria.open`, then `start` its engine; `close` ends both.

    Attributes:
        database: the open database.
        services: the use cases.
        runtime, delivery, timers, start_timers, projector, pool: what runs in the background once started.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        handlers: Mapping[str, JobHandler],
        demo: tuple[DemoAccount, ...],
        cluster: Cluster | None,
    ) -> None:
        self.database = database
        self.clock = clock
        self.people = DatabasePeople(database, clock)
        self.audit = DatabaseAudit(database)
        self.catalogue_store = DatabaseCatalogue(database)
        self.catalogue = Catalogue(self.catalogue_store)
        year = to_datetime(InstantMs(clock.now_ms())).year
        calendars = DatabaseCalendars(database)
        observations = DatabaseObservations(database)
        self.book = CalendarBook(calendars, self.people.latest, china_calendar(range(year - 3, year + 3)))
        self.world = World(observations, clock, self.book.facts)
        self.catalogue.when_load_is_asked_for(self.world.count)
        self.cluster = cluster
        owner = cluster.id if cluster is not None else "single"
        elsewhere = cluster.neighbours if cluster is not None else None
        self.runtime = Runtime(
            database.store, self.catalogue, clock, self.facts, owner, elsewhere, self.people.organisation
        )
        self.delivery = Delivery(self.runtime, database.store, self.catalogue, clock)
        self.timers = Timers(self.runtime, database.store, clock)
        self.start_timers = StartTimers(self.runtime, self.catalogue, self.catalogue_store, clock, self.facts)
        self.projector = Projector(database, self.catalogue, self.people, self.calendar, clock)
        accounts = Accounts(self.people, Argon2Hasher(), self.audit, SystemSecrets())
        self.hub = LiveHub()
        self.following = Following(
            self.runtime,
            database.store,
            self.catalogue,
            DatabaseChanges(database),
            # What others do happens on the machine's clock, whatever clock the processes have.
            SystemClock(),
            deployed=self._deployed,
            projected=self._projected,
            people_changed=self.people.forget,
            sessions_ended=accounts.forget,
            calendars_changed=self._calendars_changed,
            facts_changed=self.world.refresh,
            alone=cluster is None,
        )
        office = Office(
            self.runtime,
            database.store,
            DatabaseLists(database, self.projector, clock),
            self.catalogue,
            self.people,
            self.audit,
            DatabaseBlobs(database),
            clock,
            self.facts,
        )
        cases = Cases(office)
        allowed = allowed_hosts()
        font, clamd = os.environ.get("NORIA_PDF_FONT"), os.environ.get("NORIA_CLAMD")
        self._outside = Outside(allowed)
        deliveries = DatabaseDeliveries(database)
        self._devices = DatabaseDevices(database)
        links = Links(office, DatabasePasswordLinks(database), SystemSecrets())
        self.sender = Sender(deliveries, self.people, clock, self._channel, links.fresh)
        invitations = Invitations(office, links, deliveries, accounts, SystemSecrets(), self.sender.nudge)
        inbox = Inbox(office, cases)
        verbs = Verbs(office, cases, inbox)
        models = Models(office)
        redeploying = Redeploying(office, models)
        batches = DatabaseBatches(database)
        self.operations = Operations(office, batches)
        self.deriving = Deriving(office, batches, self.book, self.start_timers)
        workers = Workers(office, elsewhere.accept if elsewhere is not None else self.delivery.accept)
        staff = Staff(office, self.people, accounts, invitations.welcome)
        self.services = Services(
            office=office,
            accounts=accounts,
            invitations=invitations,
            tokens=Tokens(office, DatabaseTokens(database), SystemSecrets()),
            cases=cases,
            operations=self.operations,
            inbox=inbox,
            verbs=verbs,
            together=Together(office, cases, verbs),
            bulk=Bulk(cases, inbox, verbs),
            paths=Paths(office, cases),
            models=models,
            rules=Rules(office, redeploying),
            forms=Forms(office, redeploying),
            workers=workers,
            watching=Watching(office, DatabaseBoard(database), simulated=bool(demo)),
            auditing=Auditing(office, cases, self.audit),
            staff=staff,
            substitutes=Substitutes(office, self.people, staff, lambda: SystemSecrets().token()[:16]),
            rosters=Rosters(office, self.people, staff, SpreadsheetFiles()),
            provisioning=cache(partial(_directory, staff, self.people)),
            attachments=Attachments(office, cases, Clamd(clamd) if clamd else None, Previews()),
            printing=Printing(office, cases, PdfPrinter(Path(font) if font else None)),
            desk=Desk(office, DatabaseDesk(database)),
            filters=SavedFilters(office, DatabaseFilters(database), lambda: SystemSecrets().token()[:16]),
            telling=Telling(office, deliveries, self._channel, PushKeys(), allowed),
            devices=Devices(office, self._devices, deliveries, PushKeys(), allowed),
            environment=Environment(office, observations, self.world.refresh),
            calendaring=Calendaring(office, self.book, calendars, self.deriving, known_days),
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
        peers: str = PEERS,
        lease_ms: int = LEASE_MS,
    ) -> Noria:
        """Open a database and wire everything to it.

        Args:
            url: ``sqlite:///…`` or ``postgresql://…``.
            clock: the machine's own when not given.
            handlers: jobs that are done in this process.
            demo: accounts to show on the sign-in page.
            peers: host:port where other processes on the same database reach this one, port 0 for any that is free;
                PostgreSQL only.
            lease_ms: how long the others wait for a sign of life.
        """
        database = await open_database(url)
        cluster = None
        if isinstance(database.store, PostgresStore):
            cluster = Cluster(database.store, await database.secret(), peers, lease_ms)
        noria = cls(database, clock or SystemClock(), handlers or {}, demo, cluster)
        await noria.catalogue.load()
        await noria.book.open(TENANT, noria.clock.now_ms())
        await noria.world.refresh()
        return noria

    def facts(self, tenant: int) -> Facts:
        """Outside facts of a tenant, with the people who were asked for last."""
        return self.world.facts(tenant)

    def calendar(self, tenant: int, key: str = DEFAULT, version: int = 0) -> WorkCalendar:
        """A working calendar of a tenant, in which its figures are counted."""
        return self.book.calendar(tenant, key, version)

    async def _calendars_changed(self) -> None:
        await self.book.refresh()
        await self.deriving.catch_up()

    async def _ready(self) -> None:
        await self.database.store.next_timer()

    def _channel(self, row: ChannelRow) -> Channel:
        """The way out for a channel as it is set up."""
        if row.kind == "email":
            return Mail(row, self._outside.allowed)
        if row.kind == "webpush":
            return WebPush(row, self._outside, self._devices)
        makers: Mapping[str, Callable[[ChannelRow, Outside], Channel]]
        makers = {"wecom": WeCom, "dingtalk": DingTalk, "feishu": Feishu, "webhook": Webhook}
        return makers[row.kind](row, self._outside)

    def _deployed(self, rows: list[DefinitionRow]) -> None:
        for row in rows:
            self.hub.deployed(row.tenant, [row.key], row.at)

    def _projected(self, noticed: list[Noticed], processes: set[str]) -> None:
        self.hub.projected(noticed, processes, TENANT, self.clock.now_ms())

    async def take_shards(self) -> None:
        """Take shards, so that commands are done here; nothing happens by itself yet.

        Raises:
            DatabaseTakenError: another server has the SQLite file.
        """
        self.database.claim()
        await self.runtime.start()
        if self.cluster is not None:
            await self.cluster.start(self.runtime, self.delivery)

    async def start(self) -> None:
        """Take shards, and begin all background work.

        Raises:
            DatabaseTakenError: another server has the SQLite file.
        """
        self.hub.begin(secrets.randbelow(1 << 20))
        await self.take_shards()
        self.runtime.listen(self.hub.committed)
        self.runtime.listen(self.world.committed)
        self.projector.listen(self.following.nudge)
        self.projector.listen(self.sender.nudge)
        await self.following.start()
        self.projector.start(self.runtime)
        self.delivery.start()
        self.sender.start(lambda: self.runtime.owns(0))
        self.timers.start()
        self.start_timers.start()
        self.operations.start()
        self.deriving.start()
        self.world.start()
        self.pool.start(self.runtime)

    async def close(self) -> None:
        """Finish what is at hand, and close."""
        self.hub.close()
        await self.services.invitations.asked()
        for part in (
            self.pool,
            self.operations,
            self.deriving,
            self.world,
            self.start_timers,
            self.timers,
            self.delivery,
            self.sender,
            self.following,
            self.projector,
        ):
            await part.stop()
        if self.cluster is not None:
            await self.cluster.stop()
        await self.runtime.stop()
        await self._outside.close()
        await self.database.close()

    async def first_administrator(self) -> tuple[str, str] | None:
        """Create the administrator of an empty instance; gives user name and password, to be shown once."""
        async with self.database.alone():
            organisation = await self.people.organisation(TENANT)
            if organisation.people:
                return None
            password = SystemSecrets().token()[:20]
            now_ms = self.clock.now_ms()
            admin = Person("admin", "admin", "管理员", roles=("employee", "process_owner", "sysadmin"))
            await self.people.put(TENANT, [admin], [], now_ms)
            await self.services.accounts.set_password(TENANT, "admin", password, now_ms, must_change=True)
            return "admin", password


def known_days(year: int) -> KnownDays:
    """Holidays and make-up workdays of a year, as the holiday package has them."""
    days = china_days(year)
    return KnownDays(days.holidays, days.workdays, days.published)


def _directory(staff: Staff, people: DatabasePeople) -> Provisioning:
    # Its library takes half a second to load, which is for those who ask.
    from noria.adapters.scim.directory import Directory  # noqa: PLC0415

    return Directory(staff, people)


def allowed_hosts() -> frozenset[str]:
    """Hosts that whoever runs this machine allows messages to, although their addresses are not public."""
    return frozenset(
        host.strip().lower() for host in os.environ.get("NORIA_ALLOW_HOSTS", "").split(",") if host.strip()
    )
