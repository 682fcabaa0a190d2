"""Where other engine processes come in with commands and messages for shards that this one owns."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import msgspec

from noria.adapters.cluster.wire import (
    Ask,
    HandshakeError,
    Told,
    decode_ask,
    greet,
    receive,
    send,
    told_of,
)
from noria.kernel.errors import NoriaError
from noria.operate.requests import Answer, BrokenError, OverloadedError, Request
from noria.operate.rows import OutboxRow

logger = logging.getLogger(__name__)

IN_WORK_MAX = 2_000
GREET_S_MAX = 5.0


class Door:
    """Listens for other processes.

    Args:
        secret: what all processes of a database know.
        submit: runs a command here.
        accept: takes a message here.
    """

    def __init__(
        self,
        secret: bytes,
        submit: Callable[[Request], Awaitable[Answer]],
        accept: Callable[[OutboxRow], Awaitable[bool]],
    ) -> None:
        self._secret = secret
        self._submit = submit
        self._accept = accept
        self._server: asyncio.Server | None = None
        self._callers: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def open(self, host: str, port: int) -> str:
        """Begin to listen; gives the address, with the port that was free when 0 was asked for.

        Raises:
            OSError: the address cannot be listened on.
        """
        self._server = await asyncio.start_server(self._call, host, port)
        bound = self._server.sockets[0].getsockname()
        return f"[{bound[0]}]:{bound[1]}" if ":" in bound[0] else f"{bound[0]}:{bound[1]}"

    async def close(self) -> None:
        """Stop listening and hang up."""
        if self._server is not None:
            self._server.close()
            for writer in self._callers.values():
                writer.close()
            await asyncio.gather(*self._callers, return_exceptions=True)
            self._server = None

    async def _call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs this as one
        self._callers[task] = writer
        working: set[asyncio.Task[None]] = set()
        try:
            await asyncio.wait_for(greet(reader, writer, self._secret, calling=False), GREET_S_MAX)
            while (frame := await receive(reader)) is not None:
                ask = decode_ask(frame)
                if len(working) >= IN_WORK_MAX:
                    send(writer, _failed(ask.number, OverloadedError(f"{IN_WORK_MAX} commands are in work already.")))
                    continue
                work = asyncio.create_task(self._work(ask, writer))
                working.add(work)
                work.add_done_callback(working.discard)
        except (HandshakeError, TimeoutError) as error:
            logger.warning("Somebody who called is turned away: %s", error)
        except msgspec.MsgspecError as error:
            logger.warning("Another process, of another version perhaps, says what cannot be understood: %s", error)
        finally:
            # What is in work goes on; only its answer has nowhere to go.
            del self._callers[task]
            writer.close()

    async def _work(self, ask: Ask, writer: asyncio.StreamWriter) -> None:
        try:
            if ask.request is not None:
                told = told_of(ask.number, await self._submit(ask.request))
            elif ask.row is not None:
                told = Told(ask.number, kept=await self._accept(ask.row))
            else:
                told = _failed(ask.number, BrokenError("Nothing was asked."))
        except NoriaError as error:
            told = _failed(ask.number, error)
        except Exception as error:
            logger.exception("What another process asked for fails on a defect")
            told = _failed(ask.number, BrokenError(f"A defect of Noria ({type(error).__name__}); the log has it."))
        if not writer.is_closing():
            send(writer, told)


def _failed(number: int, error: NoriaError) -> Told:
    return Told(number, error=error.code, message=error.message)
