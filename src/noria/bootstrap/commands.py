"""What the command line asks for, and the life of a server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from multiprocessing.synchronize import Event
from typing import Any, Literal

import uvicorn

from noria.adapters.cli import cli
from noria.adapters.cluster.supervisor import Supervisor
from noria.adapters.database.audit import DatabaseAudit
from noria.adapters.database.opening import open_database
from noria.adapters.demo import DEMO_TENANT, demo_accounts, demo_handlers, seed
from noria.adapters.http.app import create_app
from noria.adapters.http.connection import KEEP_ALIVE_S, Connection
from noria.adapters.http.services import DemoAccount
from noria.adapters.system import settle_memory
from noria.bootstrap.running import TENANT, Noria, known_days
from noria.kernel.errors import NoriaError
from noria.operate.auditing import AuditVerdict, verify_audit
from noria.operate.calendar_drafts import CalendarDraft
from noria.operate.calendaring import KnownDays
from noria.operate.office import Caller
from noria.operate.requests import Origin
from noria.operate.rosters import ImportView
from noria.trust.people import Person
from noria.trust.policy import Permission, Principal

logger = logging.getLogger(__name__)

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


class SingleProcessError(NoriaError):
    """Several processes need PostgreSQL."""

    code = "database.single_process"


class _Server(uvicorn.Server):
    """Leaves signals to who runs it: uvicorn would end the process by the signal again that stopped it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


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
            create_app(noria.services).door,
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
        return known_days(year)


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


def main() -> None:
    """Entry of the command ``noria``."""
    _log_to_stderr()
    cli.main(obj=Composition())
