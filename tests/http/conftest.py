from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.beginnings import write_company
from tests.http.house import GUEST, WORKER, Client, House


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the demonstration's people and models, to be copied by each test."""
    path = tmp_path_factory.mktemp("prepared") / "noria.db"
    asyncio.run(write_company(f"sqlite:///{path}", (WORKER, GUEST)))
    return path


@pytest.fixture
def house_url(prepared: Path, tmp_path: Path) -> str:
    """A database of the test's own, with the demonstration's people and models."""
    return f"sqlite:///{shutil.copy(prepared, tmp_path / 'noria.db')}"


@pytest.fixture
async def house(house_url: str) -> AsyncIterator[House]:
    """A running Noria with the demonstration's people and models, behind its HTTP interface."""
    opened = await House.open(house_url)
    yield opened
    await opened.close()


@pytest.fixture
async def sending_house(house_url: str, loopback_allowed: None) -> AsyncIterator[House]:
    """A house that may send to loopback; what is due is sent when a test says so, and not beside it."""
    opened = await House.open(house_url)
    await opened.noria.sender.stop()
    yield opened
    await opened.close()


@pytest.fixture
async def sign_in(house: House) -> Callable[[str], Awaitable[Client]]:
    return house.sign_in
