"""Pages of PDFs as pictures, each drawn by a process that may fail, hang or be attacked without harm to this one."""

from __future__ import annotations

import asyncio
import sys

from noria.kernel.numbers import whole_number
from noria.operate.attachments import NoPreviewError

TIMEOUT_S = 15.0
WIDTH = 1_000
_AT_ONCE = 2
_PROGRAM = "noria.adapters.previewing.page"


class Previews:
    """`Previewer`."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(_AT_ONCE)

    async def page(self, content: bytes, number: int) -> tuple[bytes, int]:
        """A page as a PNG, and how many pages there are.

        Raises:
            NoPreviewError: there is no such page, or it cannot be drawn.
        """
        async with self._free:
            # Isolated from the environment: it needs neither secrets nor settings, nor the folder it is started in.
            command = (sys.executable, "-I", "-m", _PROGRAM, str(number), str(WIDTH))
            pipe = asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe, env={})
            try:
                png, said = await asyncio.wait_for(process.communicate(content), TIMEOUT_S)
            except (TimeoutError, asyncio.CancelledError) as error:
                process.kill()
                await process.wait()
                if isinstance(error, asyncio.CancelledError):
                    raise
                raise NoPreviewError("Drawing the page took too long.") from None
        pages = whole_number(said.decode("latin-1"))
        if process.returncode != 0 or pages is None:
            raise NoPreviewError("There is no such page, or it cannot be drawn.")
        return png, pages
