"""Links to other engine processes, one to each, opened when there is something to say."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Collection

from noria.adapters.cluster.wire import (
    Ask,
    HandshakeError,
    Told,
    answer_of,
    decode_told,
    greet,
    raise_error_of,
    receive,
    send,
)
from noria.operate.leases import Member
from noria.operate.ports import NoAnswerError, NotOwnerError
from noria.operate.requests import Answer, OverloadedError, Request
from noria.operate.rows import OutboxRow

CONNECT_S_MAX = 2.0
ANSWER_S_MAX = 10.0
WAITING_MAX = 2_000


class _Link:
    """One open connection; many questions may be on their way at once."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, closed: Callable[[], None]) -> None:
        self._writer = writer
        self._closed = closed
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Told]] = {}
        self.reading = asyncio.create_task(self._read(reader), name="noria-link")

    async def ask(self, request: Request | None, row: OutboxRow | None) -> Told:
        if len(self._waiting) >= WAITING_MAX:
            raise OverloadedError(f"{WAITING_MAX} commands for another process are waiting; try again in a moment.")
        number = next(self._numbers)
        told: asyncio.Future[Told] = asyncio.get_running_loop().create_future()
        self._waiting[number] = told
        try:
            send(self._writer, Ask(number, request, row))
            return await asyncio.wait_for(told, ANSWER_S_MAX)
        except TimeoutError:
            raise _no_answer() from None
        finally:
            self._waiting.pop(number, None)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while (frame := await receive(reader)) is not None:
                told = decode_told(frame)
                waiting = self._waiting.get(told.number)
                if waiting is not None and not waiting.done():
                    waiting.set_result(told)
        finally:
            self._end()
            self._closed()

    def _end(self) -> None:
        self._writer.close()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(_no_answer())

    def close(self) -> None:
        self.reading.cancel()
        # Reading may not have begun.
        self._end()


def _no_answer() -> NoAnswerError:
    return NoAnswerError(
        "The engine process that owns this work does not answer; whether it was done is not known. "
        "Try again with the same idempotency key."
    )


class TcpLinks:
    """`Links` over TCP.

    Args:
        secret: what all processes of a database know.
        lost: called when a link breaks: the process at its other end may be gone.
    """

    def __init__(self, secret: bytes, lost: Callable[[], None]) -> None:
        self._secret = secret
        self._lost = lost
        self._links: dict[str, _Link] = {}
        self._opening: dict[str, asyncio.Task[_Link]] = {}

    async def submit(self, member: Member, request: Request) -> Answer:
        """Have a process run a command."""
        return answer_of(await (await self._link(member)).ask(request, None))

    async def accept(self, member: Member, row: OutboxRow) -> bool:
        """Have a process take a message from outside; tells whether it is kept for later."""
        told = await (await self._link(member)).ask(None, row)
        raise_error_of(told)
        return told.kept

    async def is_dead(self, member: Member) -> bool:
        """Whether nobody listens at its address; for one on this machine's own network it is gone then."""
        if member.id in self._links:
            return False
        try:
            await self._link(member)
        except NotOwnerError as error:
            return isinstance(error.__cause__, ConnectionRefusedError)
        return False

    async def _link(self, member: Member) -> _Link:
        link = self._links.get(member.id)
        if link is not None:
            return link
        opening = self._opening.get(member.id)
        if opening is None:
            opening = self._opening[member.id] = asyncio.create_task(self._open(member))
            opening.add_done_callback(lambda opening: self._opened(member.id, opening))
        return await asyncio.shield(opening)

    def _opened(self, member: str, opening: asyncio.Task[_Link]) -> None:
        self._opening.pop(member, None)
        if not opening.cancelled():
            # Seen even when nobody waits for it any more.
            opening.exception()

    async def _open(self, member: Member) -> _Link:
        host, _, port = member.address.rpartition(":")
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(CONNECT_S_MAX):
                reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
                await greet(reader, writer, self._secret, calling=True)
        except (OSError, HandshakeError) as error:
            if writer is not None:
                writer.close()
            raise NotOwnerError(
                f"The engine process at {member.address} cannot be reached; nothing was done. Try again in a moment."
            ) from error
        link = self._links[member.id] = _Link(reader, writer, lambda: self._gone(member.id))
        return link

    def _gone(self, member: str) -> None:
        if self._links.pop(member, None) is not None:
            self._lost()

    def keep_only(self, members: Collection[str]) -> None:
        """Close the links to processes that take no part any more."""
        for member in [member for member in self._links if member not in members]:
            self._links.pop(member).close()

    async def close(self) -> None:
        """Close all."""
        # Commands wait for what is being opened, and are answered; it takes no longer than its limit.
        await asyncio.gather(*self._opening.values(), return_exceptions=True)
        reading = [link.reading for link in self._links.values()]
        self.keep_only(())
        await asyncio.gather(*reading, return_exceptions=True)
