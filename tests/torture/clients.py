"""Clients that insist on answers, and the servers that they ask, which a torture kills, cuts off or starves."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from multiprocessing.process import BaseProcess
from typing import Protocol

import msgspec

from tests.torture.server import FORKING, Ask, Life, Told, run

CLIENTS = 12
PATIENCE_S = 3.0
"""How long a client waits for an answer before it asks again, with the same key, somebody else perhaps."""
TRY_AGAIN = {"store.unavailable", "store.full", "store.stale_owner", "cluster.no_owner", "cluster.no_answer"}


class Asking(Protocol):
    """Asks until it is accepted, always with the same key."""

    async def __call__(self, do: str, key: str, *, iid: int = 0, bkey: str = "") -> Told: ...


async def one_request(ask: Asking, key: str, early: bool) -> None:
    """A request to its end, as its client sees it: started, worked on, paid, which may come early."""
    started = await ask("start", f"start-{key}")
    if early:
        await ask("publish", f"paid-{key}", bkey=started.bkey)
    await ask("complete", f"work-{key}", iid=started.iid)
    if not early:
        await ask("publish", f"paid-{key}", bkey=started.bkey)


class Server:
    """One server process, and the line to it."""

    def __init__(
        self, process: BaseProcess, life: Life, answers: asyncio.StreamReader, asking: asyncio.StreamWriter
    ) -> None:
        self.process = process
        self.life = life
        self.answers = answers
        self.asking = asking
        self.reading: asyncio.Task[None]

    async def ended(self) -> int | None:
        """Wait until it is gone and all that it said is read; gives its exit code."""
        await asyncio.to_thread(self.process.join, 60)
        await self.reading
        self.asking.close()
        return self.process.exitcode


class Torture:
    """The parent: clients that insist on answers, and a hand on the kill switch.

    Attributes:
        accepted: key → answer, written down before the client goes on.
        heard: key → every answer that accepted it, late ones too: (instance, version).
        refused: code → how often.
        commands: how often something was asked.
        torn: commands that were under way when their server was killed.
        servers: those that run.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.accepted: dict[str, Told] = {}
        self.heard: dict[str, set[tuple[int, int]]] = {}
        self.refused: Counter[str] = Counter()
        self.commands = 0
        self.torn = 0
        self.servers: list[Server] = []
        self._numbers = itertools.count(1)
        self._open: dict[int, tuple[Ask, asyncio.Future[Told], Server | None]] = {}
        self._stop = asyncio.Event()
        self._clients: list[asyncio.Task[None]] = []

    # Servers

    async def up(self, life: Life) -> Server:
        """Start a server, and ask again all that no server is at work on."""
        ours, theirs = FORKING.Pipe(duplex=True)
        process = FORKING.Process(target=run, args=(life, theirs), daemon=True)
        process.start()
        theirs.close()
        answers, asking = await asyncio.open_connection(sock=socket.socket(fileno=os.dup(ours.fileno())))
        ours.close()
        ready = await asyncio.wait_for(answers.readline(), 60)
        assert ready, "the server did not come up"
        server = Server(process, life, answers, asking)
        server.reading = asyncio.create_task(self._read(server))
        self.servers.append(server)
        for ask, future, asked in list(self._open.values()):
            if asked is None:
                self._send(ask, future)
        return server

    async def _read(self, server: Server) -> None:
        while (line := await self._line(server.answers)).endswith(b"\n"):
            told = msgspec.json.decode(line, type=Told)
            waiting = self._open.pop(told.number, None)
            if waiting is None:
                continue
            ask, future, _ = waiting
            if told.error:
                self.refused[told.error] += 1
            else:
                self.heard.setdefault(ask.key, set()).add((told.iid, told.version))
            if not future.done():
                future.set_result(told)

    @staticmethod
    async def _line(answers: asyncio.StreamReader) -> bytes:
        try:
            return await answers.readline()
        except ConnectionResetError:
            # What the killed server had not read yet makes its end of the line break off, not close.
            return b""

    def _send(self, ask: Ask, future: asyncio.Future[Told]) -> None:
        server = self.random.choice(self.servers) if self.servers else None
        self._open[ask.number] = (ask, future, server)
        if server is not None:
            server.asking.write(msgspec.json.encode(ask) + b"\n")

    async def kill(self) -> Life:
        """No warning, no last words; answers that were written already still arrive. Gives the life that ended."""
        server = self.random.choice(self.servers)
        self.servers.remove(server)
        server.process.kill()
        await server.ended()
        orphans = [(ask, future) for ask, future, asked in self._open.values() if asked is server]
        self.torn += len(orphans)
        for ask, future in orphans:
            self._send(ask, future)
        return server.life

    async def down(self) -> None:
        """Let all servers finish in order."""
        for server in self.servers:
            server.asking.write_eof()
        assert [await server.ended() for server in self.servers] == [0] * len(self.servers)
        self.servers.clear()

    async def close(self) -> None:
        """End what still runs, after a failure."""
        for client in self._clients:
            client.cancel()
        for server in self.servers:
            server.process.kill()
            await server.ended()

    # Clients

    def begin(self, clients: int = CLIENTS) -> None:
        """Have clients come."""
        self._clients = [asyncio.create_task(self._client(name)) for name in range(clients)]

    async def finish(self) -> None:
        """Have each client get its last answer, and go."""
        self._stop.set()
        await asyncio.gather(*self._clients)

    async def _client(self, name: int) -> None:
        for number in itertools.count(1):
            if self._stop.is_set():
                return
            await one_request(self.ask, f"{name}-{number}", self.random.random() < 0.5)

    async def ask(self, do: str, key: str, *, iid: int = 0, bkey: str = "") -> Told:
        """Ask until it is accepted, always with the same key; now and then ask twice at once, as clients do."""
        while True:
            made = []
            for _ in range(2 if self.random.random() < 0.2 else 1):
                ask = Ask(number=next(self._numbers), do=do, key=key, iid=iid, bkey=bkey)
                future: asyncio.Future[Told] = asyncio.get_running_loop().create_future()
                self._send(ask, future)
                made.append(future)
            self.commands += len(made)
            answered, _ = await asyncio.wait(made, timeout=PATIENCE_S)
            answers = [future.result() for future in answered]
            if told := [answer for answer in answers if not answer.error]:
                self.accepted[key] = told[0]
                return told[0]
            assert {answer.error for answer in answers} <= TRY_AGAIN, answers
            # As told by Retry-After, only that these clients are in a hurry.
            await asyncio.sleep(self.random.uniform(0, 0.05))

    async def moves(self, accepted: int, within_s: float = 60) -> None:
        """Wait until so many more commands are accepted."""
        enough = len(self.accepted) + accepted
        await self.until(lambda: len(self.accepted) >= enough, within_s)

    async def refuses(self, code: str, times: int = 1, within_s: float = 60) -> None:
        """Wait until so many more commands are refused like that."""
        enough = self.refused[code] + times
        await self.until(lambda: self.refused[code] >= enough, within_s)

    async def until(self, look: Callable[[], bool | Awaitable[bool]], within_s: float = 60) -> None:
        """Look again and again until what is seen is true, or a client fails."""
        async with asyncio.timeout(within_s):
            while True:
                seen = look()
                if seen if isinstance(seen, bool) else await seen:
                    return
                for client in self._clients:
                    if client.done():
                        client.result()
                await asyncio.sleep(0.01)
