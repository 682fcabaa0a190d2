"""ClamAV's daemon, by its INSTREAM command.

Source: clamd(8). The command ends with a NUL byte; chunks of a 4-byte length in network order and data follow, and a
chunk of length 0 at the end; the answer is "stream: OK", "stream: NAME FOUND" or a sentence with "ERROR", and NUL.
"""

from __future__ import annotations

import asyncio

from noria.operate.files import ScannerAwayError

TIMEOUT_S = 60.0
CHUNK_BYTES = 256 * 1024
ANSWER_BYTES_MAX = 4_096


class Clamd:
    """`Scanner`.

    Args:
        address: ``HOST:PORT`` or ``unix:/PATH``.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    async def scan(self, content: bytes) -> str:
        """The name of what was found, "" when the file is clean.

        Raises:
            ScannerAwayError: there is no verdict.
        """
        try:
            answer = await asyncio.wait_for(self._ask(content), TIMEOUT_S)
        except TimeoutError:
            raise ScannerAwayError(f"The virus scanner did not answer within {TIMEOUT_S:.0f} seconds.") from None
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise ScannerAwayError(f"The virus scanner cannot be used: {error}.") from None
        said = answer.removeprefix("stream: ")
        if said == "OK":
            return ""
        if said.endswith(" FOUND"):
            return said.removesuffix(" FOUND")
        raise ScannerAwayError(f"The virus scanner gave no verdict: {said[:200]}.")

    async def _ask(self, content: bytes) -> str:
        if self._address.startswith("unix:"):
            reader, writer = await asyncio.open_unix_connection(
                self._address.removeprefix("unix:"), limit=ANSWER_BYTES_MAX
            )
        else:
            host, _, port = self._address.rpartition(":")
            reader, writer = await asyncio.open_connection(host.strip("[]"), int(port), limit=ANSWER_BYTES_MAX)
        try:
            writer.write(b"zINSTREAM\0")
            for start in range(0, len(content), CHUNK_BYTES):
                chunk = content[start : start + CHUNK_BYTES]
                writer.write(len(chunk).to_bytes(4, "big") + chunk)
                await writer.drain()
            writer.write(bytes(4))
            await writer.drain()
            return (await reader.readuntil(b"\0"))[:-1].decode("utf-8", "replace").strip()
        finally:
            writer.close()
