"""What runs in this process beside everything else, from a start to a stop."""

from __future__ import annotations

import asyncio


async def ended(task: asyncio.Task[None] | None) -> None:
    """Cancel a task, if it was begun, and return when it has ended. What it failed with it has told itself."""
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
