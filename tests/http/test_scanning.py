"""Uploads go through ClamAV's daemon; nothing can be read that it has not found clean."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from noria.adapters.scanning.clamd import CHUNK_BYTES, Clamd
from noria.operate.files import ScannerAwayError
from tests.http.house import House
from tests.http.test_attachments import PDF, upload

EVIL = PDF + b"EVIL"


class Daemon:
    """Speaks clamd's protocol, and checks each byte of it.

    Attributes:
        scanned: contents that it was sent.
        chunks: lengths of the chunks of the last one.
        answer: what it says, None for what the content deserves.
    """

    def __init__(self) -> None:
        self.scanned: list[bytes] = []
        self.chunks: list[int] = []
        self.answer: bytes | None = None

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(10) == b"zINSTREAM\0"
        content, self.chunks = b"", []
        while size := int.from_bytes(await reader.readexactly(4), "big"):
            content += await reader.readexactly(size)
            self.chunks.append(size)
        self.scanned.append(content)
        deserved = b"stream: Test.Virus-1 FOUND\0" if b"EVIL" in content else b"stream: OK\0"
        writer.write(self.answer if self.answer is not None else deserved)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def daemon(path: Path | None = None) -> AsyncIterator[tuple[Daemon, str]]:
    made = Daemon()
    if path is not None:
        server = await asyncio.start_unix_server(made.handle, path)
        address = f"unix:{path}"
    else:
        server = await asyncio.start_server(made.handle, "127.0.0.1", 0)
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield made, address


def scanned_by(house: House, address: str) -> None:
    house.noria.services.attachments._scanner = Clamd(address)


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
async def test_the_whole_file_is_sent_in_chunks(size: int, tmp_path: Path) -> None:
    content = bytes(range(256)) * (size // 256) + bytes(size % 256)
    for path in (None, tmp_path / "clamd.sock"):
        async with daemon(path) as (made, address):
            assert await Clamd(address).scan(content) == ""
        assert made.scanned == [content]
        assert all(chunk <= CHUNK_BYTES for chunk in made.chunks)


async def test_a_clean_file_is_taken_and_an_infected_one_is_stored_nowhere(house: House) -> None:
    lin, qian = await house.sign_in("lin"), await house.sign_in("qian")
    async with daemon() as (made, address):
        scanned_by(house, address)
        clean, infected = await upload(lin), await upload(lin, EVIL)
    assert clean.status_code == 201
    assert (infected.status_code, infected.json()["code"]) == (422, "attachment.infected")
    assert infected.json()["details"] == {"found": "Test.Virus-1"}
    assert made.scanned == [PDF, EVIL]
    assert await house.noria.services.office.blobs.exist(1, [clean.json()["hash"]]) == {clean.json()["hash"]}
    (record,) = (await qian.get("/audit", action="attachment.infected")).json()["items"]
    assert (record["outcome"], record["reason"], record["actor"]["id"]) == ("refused", "Test.Virus-1", "lin")


@pytest.mark.parametrize("answer", [b"INSTREAM size limit exceeded. ERROR\0", b"stream: ", b"", b"x" * 10_000])
async def test_without_a_verdict_nothing_is_taken(house: House, answer: bytes) -> None:
    lin = await house.sign_in("lin")
    async with daemon() as (made, address):
        made.answer = answer
        scanned_by(house, address)
        refused = await upload(lin)
    assert (refused.status_code, refused.json()["code"]) == (503, "attachment.scanner_away")


@pytest.mark.parametrize("address", ["127.0.0.1:1", "unix:/nowhere/clamd.sock", "nonsense"])
async def test_a_scanner_that_is_away_is_no_clean_verdict(address: str) -> None:
    with pytest.raises(ScannerAwayError):
        await Clamd(address).scan(PDF)


async def test_the_operator_names_the_scanner_in_the_environment(
    house_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with daemon() as (made, address):
        monkeypatch.setenv("NORIA_CLAMD", address)
        house = await House.open(house_url)
        answer = await upload(await house.sign_in("lin"))
        await house.close()
    assert answer.status_code == 201
    assert made.scanned == [PDF]
