"""The composition root: the only module that knows every adapter."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import os
import secrets
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, Literal

import uvicorn

from noria.adapters.calendars import china_calendar, china_days
from noria.adapters.channels.mail import Mail
from noria.adapters.channels.outside import Outside
from noria.adapters.channels.robots import DingTalk, Feishu, WeCom
from noria.adapters.channels.webhook import Webhook
from noria.adapters.channels.webpush import PushKeys, WebPush
from noria.adapters.cli import cli
from noria.adapters.cluster.door import Door
from noria.adapters.cluster.links import TcpLinks
from noria.adapters.cluster.supervisor import Supervisor
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
from noria.adapters.database.leases import PostgresLeases
from noria.adapters.database.lists import DatabaseLists
from noria.adapters.database.observations import DatabaseObservations
from noria.adapters.database.opening import Database, open_database
from noria.adapters.database.operations import DatabaseBatches
from noria.adapters.database.password_links import DatabasePasswordLinks
from noria.adapters.database.people import DatabasePeople
from noria.adapters.database.postgres_store import PostgresStore
from noria.adapters.database.projection import Projector
from noria.adapters.database.tokens import DatabaseTokens
from noria.adapters.demo import DEMO_TENANT, demo_accounts, demo_handlers, seed
from noria.adapters.http.app import create_app
from noria.adapters.http.connection import KEEP_ALIVE_S, Connection
from noria.adapters.http.live import LiveHub
from noria.adapters.http.services import DemoAccount, Services
from noria.adapters.previewing.previews import Previews
from noria.adapters.printing.pdf import PdfPrinter
from noria.adapters.scanning.clamd import Clamd
from noria.adapters.spreadsheets import SpreadsheetFiles
from noria.adapters.system import Argon2Hasher, SystemClock, SystemSecrets, machine, settle_memory
from noria.adapters.worker import WorkerPool
from noria.engine.deadlines import DEFAULT
from noria.engine.facts import Facts
from noria.kernel.calendar import WorkCalendar
from noria.kernel.errors import NoriaError
from noria.kernel.instants import InstantMs, to_datetime
from noria.monitor.watching import Watching
from noria.operate.attachments import Attachments
from noria.operate.auditing import Auditing, AuditVerdict, verify_audit
from noria.operate.bulk import Bulk
from noria.operate.calendar_drafts import CalendarDraft
from noria.operate.calendaring import Calendaring, KnownDays
from noria.operate.calendars import CalendarBook
from noria.operate.cases import Cases
from noria.operate.channels import Channel, ChannelRow
from noria.operate.delivery import Delivery
from noria.operate.deploying import Catalogue, DefinitionRow
from noria.operate.deriving import Deriving
from noria.operate.desk import Desk
from noria.operate.devices import Devices
from noria.operate.following import Following
from noria.operate.forms import Forms
from noria.operate.inbox import Inbox
from noria.operate.invitations import Invitations, Links
from noria.operate.leases import LEASE_MS, Leases, Member
from noria.operate.models import Models
from noria.operate.neighbours import Neighbours
from noria.operate.notices import Notice
from noria.operate.office import Caller, Office
from noria.operate.operations import Operations
from noria.operate.paths import Paths
from noria.operate.ports import Clock
from noria.operate.printing import Printing
from noria.operate.provisioning import Provisioning
from noria.operate.redeploying import Redeploying
from noria.operate.requests import Origin
from noria.operate.rosters import ImportView, Rosters
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
from noria.operate.tokens import Tokens
from noria.operate.verbs import Verbs
from noria.operate.workers import JobHandler, Workers
from noria.trust.people import Person
from noria.trust.policy import Permission, Principal
from noria.trust.signing_in import Accounts

logger = logging.getLogger(__name__)

TENANT = 1
UPLOAD_BYTES_MAX = 20_000_000
PEERS = "127.0.0.1:0"
"""Where other processes reach this one, unless told otherwise: only from this machine."""
OPERATOR = Caller(
    Principal("cli", TENANT, frozenset({Permission.DEPLOY, Permission.CALENDARS})),
    Person("cli", "cli", "command line"),
    Origin("cli"),
)
"""Whoever has the machine may deploy and publish from its command line; the audit trail says so."""
REGISTRAR = Caller(
    Principal("cli", TENANT, frozenset({Permission.PEOPLE})), Person("cli", "cli", "command line"), Origin("cli")
)
"""Likewise for its people."""


_EVERY_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104 - refused, not listened on


class PeersAddressError(NoriaError):
    """The address for other processes cannot be used."""

    code = "cluster.address"


class SingleProcessError(NoriaError):
    """Several processes need PostgreSQL."""

    code = "database.single_process"


class Cluster:
    """This process among others on one PostgreSQL: its lease, the door for the others, and the links to them.

    Attributes:
        id: of this life of the process, the owner of its shards.
        neighbours: where work goes that others own.
    """

    def __init__(self, store: PostgresStore, secret: bytes, peers: str, lease_ms: int) -> None:
        self.id = SystemSecrets().token()[:16]
        self._clock = SystemClock()
        self._store = PostgresLeases(store)
        self._secret = secret
        self._peers = peers
        self._lease_ms = lease_ms
        self._links = TcpLinks(secret, self._lost)
        self._door: Door | None = None
        self.leases: Leases | None = None
        self.neighbours = Neighbours(self._links, self._clock)

    async def start(self, runtime: Runtime, delivery: Delivery) -> None:
        """Take part.

        Raises:
            PeersAddressError: the others cannot reach this process there.
            StoreUnavailableError: the database cannot be used.
        """
        host, _, port = self._peers.rpartition(":")
        if host.strip("[]") in _EVERY_ADDRESS:
            raise PeersAddressError(f"{self._peers!r} names no address that other processes can connect to; give one.")
        door = Door(self._secret, runtime.submit_here, delivery.accept)
        try:
            address = await door.open(host.strip("[]"), int(port))
        except (OSError, ValueError) as error:
            raise PeersAddressError(f"{self._peers!r} cannot be listened on for other processes: {error}.") from error
        self._door = door
        member = Member(self.id, address, machine())
        leases = Leases(member, self._store, runtime, self._clock, self._links.is_dead, self._lease_ms)
        leases.listen(lambda standing: self._links.keep_only(standing.members))
        self.neighbours.connect(leases, runtime, delivery)
        self.leases = leases
        await leases.start()

    def _lost(self) -> None:
        if self.leases is not None:
            self.leases.hurry()

    async def stop(self) -> None:
        """Finish what is on its way, hand all shards over, and take no part any more."""
        if self.leases is not None:
            await self.leases.stop()
        if self._door is not None:
            await self._door.close()
        await self._links.close()


class _Server(uvicorn.Server):
    """Leaves signals to who runs it: uvicorn would end the process by the signal again that stopped it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


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
            calendaring=Calendaring(office, self.book, calendars, self.deriving, _known_days),
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

    def _projected(self, notices: list[Notice], processes: set[str]) -> None:
        self.hub.projected(notices, processes, TENANT, self.clock.now_ms())

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


def _known_days(year: int) -> KnownDays:
    days = china_days(year)
    return KnownDays(days.holidays, days.workdays, days.published)


def _directory(staff: Staff, people: DatabasePeople) -> Provisioning:
    # Its library takes half a second to load, which is for those who ask.
    from noria.adapters.scim.directory import Directory  # noqa: PLC0415

    return Directory(staff, people)


class Composition:
    """What the command line asks of the composition root."""

    async def serve(self, url: str, host: str, port: int, peers: str) -> None:
        """Serve until stopped."""
        noria = await Noria.open(url, peers=peers)
        created = await noria.first_administrator()
        if created is not None:
            cli.say_administrator(*created)
        await self._run(noria, host, port)

    def serve_processes(self, url: str, host: str, port: int, peers: str, count: int) -> None:
        """Serve with several processes on one address until stopped."""
        cli.run(self._prepare(url))
        listening = uvicorn.Config("noria", host=host, port=port, log_level="warning").bind_socket()
        with listening:
            Supervisor(serve_worker, url, peers, listening, count).run(lambda: cli.say_ready(host, port))

    @staticmethod
    async def _prepare(url: str) -> None:
        """Do what is done once, before several processes are started: the schema, the first administrator."""
        noria = await Noria.open(url)
        try:
            if not noria.database.is_postgres:
                raise SingleProcessError("SQLite is for one process; give --database postgresql://… for several.")
            created = await noria.first_administrator()
            if created is not None:
                cli.say_administrator(*created)
        finally:
            await noria.close()

    async def demo(self, url: str, host: str, port: int, requests: int) -> None:
        """Seed a small company, unless it stands already, and serve it."""
        await seed(Noria.open, url, requests, cli.progress)
        accounts = tuple(DemoAccount(*account) for account in demo_accounts())
        noria = await Noria.open(url, handlers=demo_handlers(), demo=accounts)
        assert DEMO_TENANT == TENANT  # noqa: S101 - both are the single company of an embedded instance
        await self._run(noria, host, port)

    @classmethod
    async def _run(cls, noria: Noria, host: str, port: int) -> None:
        await cls.run_server(noria, host, port, None, lambda: cli.say_ready(host, port))

    @staticmethod
    async def run_server(
        noria: Noria, host: str, port: int, listening: socket.socket | None, ready: Callable[[], None]
    ) -> None:
        """Serve until stopped, on a socket that listens already or on an address."""
        try:
            await noria.start()
        except BaseException:
            await noria.close()
            raise
        config = uvicorn.Config(
            create_app(noria.services),
            host=host,
            port=port,
            http=Connection,
            timeout_keep_alive=KEEP_ALIVE_S,
            log_level="warning",
            access_log=False,
            server_header=False,
        )
        server = _Server(config)
        loop = asyncio.get_running_loop()

        def stop() -> None:
            # Live streams never end by themselves; without this a stop would wait for every open browser.
            noria.hub.close()
            server.should_exit = True

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
        serving = asyncio.create_task(server.serve(None if listening is None else [listening]))
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event to wait for
            await asyncio.sleep(0.05)
        if server.started:
            settle_memory()
            ready()
        parent = multiprocessing.parent_process()
        if listening is not None and parent is not None:

            def orphaned(sentinel: int = parent.sentinel) -> None:
                loop.remove_reader(sentinel)
                stop()

            loop.add_reader(parent.sentinel, orphaned)
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

    async def rebuild_search(self, url: str) -> None:
        """Fill the search index again."""
        noria = await Noria.open(url)
        try:
            await noria.projector.rebuild_search()
        finally:
            await noria.close()

    async def deploy(self, url: str, files: Mapping[str, bytes]) -> Any:
        """Deploy files as the operator of the machine."""
        noria = await Noria.open(url)
        try:
            return await noria.services.models.put_into_force(OPERATOR, files)
        finally:
            await noria.close()

    async def check(self, url: str, files: Mapping[str, bytes]) -> Any:
        """Check files as the operator of the machine, against what is deployed and published."""
        noria = await Noria.open(url)
        try:
            return await noria.services.models.put_into_force(OPERATOR, files, dry_run=True)
        finally:
            await noria.close()

    async def import_people(
        self,
        url: str,
        files: Mapping[str, bytes],
        *,
        apply: bool,
        absent: Literal["keep", "deactivate"],
        valid_from: str,
    ) -> ImportView:
        """Import people as the operator of the machine."""
        noria = await Noria.open(url)
        try:
            return await noria.services.rosters.load(
                REGISTRAR, files, apply=apply, absent=absent, valid_from=valid_from
            )
        finally:
            await noria.close()

    async def export_people(self, url: str, kind: Literal["xlsx", "csv"], *, chinese: bool, at: str) -> bytes:
        """Export people as the operator of the machine."""
        noria = await Noria.open(url)
        try:
            return await noria.services.rosters.export(REGISTRAR, kind, chinese=chinese, at=at)
        finally:
            await noria.close()

    async def calendar(self, url: str, key: str) -> CalendarDraft:
        """A working calendar in force, as a draft of its next version."""
        noria = await Noria.open(url)
        try:
            return noria.services.calendaring.draft(OPERATOR, key)
        finally:
            await noria.close()

    async def publish_calendar(self, url: str, key: str, draft: CalendarDraft) -> int:
        """Publish a working calendar as the operator of the machine; gives its version."""
        noria = await Noria.open(url)
        try:
            return (await noria.services.calendaring.publish(OPERATOR, key, draft)).version
        finally:
            await noria.close()

    @staticmethod
    def public_holidays(year: int) -> KnownDays:
        """Holidays and make-up workdays of a year, as the holiday package has them."""
        return _known_days(year)


async def _work(url: str, peers: str, listening: socket.socket, ready: Event) -> None:
    noria = await Noria.open(url, peers=peers)
    await Composition.run_server(noria, "", 0, listening, ready.set)


def serve_worker(url: str, peers: str, listening: socket.socket, ready: Event) -> None:
    """The whole life of one of several processes; it ends by a signal, or when its parent does."""
    _log_to_stderr()
    try:
        cli.run(_work(url, peers, listening, ready))
    except NoriaError as error:
        logger.error("%s: %s", error.code, error.message)  # noqa: TRY400 - a sentence for people, not a trace
        raise SystemExit(1) from None


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")


def allowed_hosts() -> frozenset[str]:
    """Hosts that whoever runs this machine allows messages to, although their addresses are not public."""
    return frozenset(
        host.strip().lower() for host in os.environ.get("NORIA_ALLOW_HOSTS", "").split(",") if host.strip()
    )


def data_url(data: Path) -> str:
    """The address of the embedded database in a folder."""
    return f"sqlite:///{data / 'noria.db'}"


def main() -> None:
    """Entry of the command ``noria``."""
    _log_to_stderr()
    cli.main(obj=Composition())
