"""An event loop without input, output or time: it runs what is ready, in order, and stops when nothing is."""

from __future__ import annotations

import asyncio
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any


class StillLoop(asyncio.AbstractEventLoop):
    """The loop of one simulated server process. To crash the process is to forget its loop.

    Attributes:
        broken: what reached the loop's exception handler; nothing should.
    """

    def __init__(self) -> None:
        self._ready: deque[tuple[Callable[..., object], tuple[Any, ...], Context | None]] = deque()
        self.broken: list[dict[str, Any]] = []

    def run_ready(self) -> None:
        """Run until everything waits."""
        outer = events._get_running_loop()
        events._set_running_loop(self)
        ready = self._ready
        try:
            while ready:
                callback, args, context = ready.popleft()
                if context is None:
                    callback(*args)
                else:
                    context.run(callback, *args)
        finally:
            events._set_running_loop(outer)

    def run_until_complete(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """The result of a coroutine that waits for nothing outside."""
        task = self.create_task(coroutine)
        self.run_ready()
        return task.result()

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> None:
        self._ready.append((callback, args, context))

    def create_task(self, coroutine: Coroutine[Any, Any, Any], *, name: str | None = None, context: Any = None) -> Any:
        task = asyncio.Task(coroutine, loop=self, name=name or "simulated", context=context)
        # A crashed process leaves its tasks behind; that is the point.
        task._log_destroy_pending = False
        return task

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.broken.append(context)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False
