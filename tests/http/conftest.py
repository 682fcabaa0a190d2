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
async def house(prepared: Path, tmp_path: Path) -> AsyncIterator[House]:
    """A running Noria with the demonstration's people and models, behind its HTTP interface."""
    path = tmp_path / "noria.db"
    shutil.copy(prepared, path)
    opened = await House.open(f"sqlite:///{path}")
    yield opened
    await opened.close()


@pytest.fixture
async def sign_in(house: House) -> Callable[[str], Awaitable[Client]]:
    return house.sign_in
