"""A thread that works for event loops, one thing after another.

As `ThreadPoolExecutor(1)`, for two thirds of the CPU: there each piece of work has a future for threads behind that of
the loop, and a condition with it.
"""

from __future__ import annotations

import asyncio
import threading
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class Worker:
    """Does in its own thread what it is given, in that order.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._given: SimpleQueue[tuple[AbstractEventLoop, Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        # One that was never stopped must not keep the process.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def do(self, work: Callable[..., T], *given: Any) -> Future[T]:
        """Have something done; the future, of the running loop, gives its result or what it raised.

        If the future is cancelled before it is begun, it is not done.
        """
        loop = asyncio.get_running_loop()
        future: Future[T] = loop.create_future()
        self._given.put((loop, future, partial(work, *given)))
        return future

    def stop(self) -> None:
        """Return when all that was given is done; nothing more may be given."""
        self._given.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (task := self._given.get()) is not None:
            loop, future, work = task
            if future.cancelled():
                continue
            try:
                tell = partial(_give, future, work())
            except BaseException as error:  # noqa: BLE001 - it is raised for who waits
                tell = partial(_fail, future, error)
            try:
                loop.call_soon_threadsafe(tell)
            except RuntimeError:
                # Whoever waited is gone with their loop.
                if not loop.is_closed():
                    raise
            del task, future, work, tell  # nothing of it is kept until the next comes


def _give(future: Future[T], result: T) -> None:
    if not future.cancelled():
        future.set_result(result)


def _fail(future: Future[Any], error: BaseException) -> None:
    if not future.cancelled():
        future.set_exception(error)
