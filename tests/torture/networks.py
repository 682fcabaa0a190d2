"""Networks that can be cut: a way through a proxy on loopback, and a network namespace on a bridge."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from typing import Protocol

from tests.machine import network_changing


class Cable(Protocol):
    """Between one process and the others."""

    def cut(self, draw: random.Random) -> str:
        """Let nothing through any more; gives how it was cut."""
        ...

    def mend(self) -> None:
        """Let everything through again, also what was said meanwhile and not given up."""
        ...


class Proxy:
    """A way to a server on loopback.

    Attributes:
        port: where it listens.
    """

    def __init__(self, target: int) -> None:
        self.port = 0
        self._target = target
        self._there = asyncio.Event()
        self._back = asyncio.Event()
        self._refuses = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.mend()

    def cut(self, draw: random.Random) -> str:
        """Swallow everything, only the answers, or break connections off and take none."""
        how = draw.choice(("times silent", "times half open", "times broken off"))
        if how == "times broken off":
            self._refuses = True
            for writer in self._writers:
                writer.transport.abort()
        else:
            self._back.clear()
            if how == "times silent":
                self._there.clear()
        return how

    def mend(self) -> None:
        self._refuses = False
        self._there.set()
        self._back.set()

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Stand between a caller and the server."""
        if self._refuses:
            writer.transport.abort()
            return
        further, onward = await asyncio.open_connection("127.0.0.1", self._target)
        for one, other, gate in ((reader, onward, self._there), (further, writer, self._back)):
            self._writers.add(other)
            task = asyncio.create_task(self._pump(one, other, gate))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event) -> None:
        try:
            while data := await reader.read(65_536):
                await gate.wait()
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def close(self) -> None:
        """End all that is said."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def proxied(target: int) -> AsyncIterator[Proxy]:
    """A proxy before a port of loopback."""
    proxy = Proxy(target)
    listening = await asyncio.start_server(proxy.connect, "127.0.0.1", 0)
    proxy.port = listening.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listening.close()
        await proxy.close()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Island:
    """A network namespace and the bridge to it. Addresses are of the range for benchmarks (RFC 2544).

    Attributes:
        file: of the namespace.
        here, there: addresses of the two sides.
    """

    def __init__(self) -> None:
        number = os.getpid() % 250 + 1
        self.here, self.there = f"198.18.{number}.1", f"198.18.{number}.2"
        self._name = f"noria{number}"
        self.file = f"/var/run/netns/{self._name}"
        self._bridge, self._port = f"{self._name}b", f"{self._name}p"

    def rise(self) -> None:
        """Make it."""
        _ip("netns", "add", self._name)
        _ip("link", "add", self._bridge, "type", "bridge")
        _ip("addr", "add", f"{self.here}/24", "dev", self._bridge)
        _ip("link", "set", self._bridge, "up")
        _ip("link", "add", self._port, "type", "veth", "peer", "name", "out", "netns", self._name)
        _ip("link", "set", self._port, "master", self._bridge, "up")
        _ip("-n", self._name, "addr", "add", f"{self.there}/24", "dev", "out")
        _ip("-n", self._name, "link", "set", "out", "up")
        _ip("-n", self._name, "link", "set", "lo", "up")

    def sink(self) -> None:
        """Remove what of it is there."""
        for words in (("link", "del", self._port), ("link", "del", self._bridge), ("netns", "del", self._name)):
            subprocess.run(["ip", *words], check=False, capture_output=True)

    def cut(self, draw: random.Random) -> str:
        """Packets vanish, as on a cable that is pulled out behind the next switch."""
        _ip("link", "set", self._port, "nomaster")
        return "times packets vanished"

    def mend(self) -> None:
        _ip("link", "set", self._port, "master", self._bridge)


@contextmanager
def island() -> Iterator[Island]:
    """A network namespace beside this one."""
    made = Island()
    with network_changing():
        try:
            made.rise()
            yield made
        finally:
            made.sink()


@cache
def missing_namespaces() -> str:
    """Why no network namespace can be made, "" when one can."""
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    try:
        with island():
            return ""
    except FileNotFoundError:
        return "the command ip is not installed"
    except subprocess.CalledProcessError as error:
        return f"no network namespace can be made here: {error.stderr.decode().strip()}"
