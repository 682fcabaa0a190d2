from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import pytest

from tests.journeys.company import Company

Found = Callable[..., Awaitable[Company]]


@pytest.fixture
async def found(database_url: str) -> AsyncIterator[Found]:
    """Founds the company of a journey, on each database."""
    opened: list[Company] = []

    async def found(at: str, *files: Mapping[str, bytes]) -> Company:
        opened.append(await Company.found(database_url, at, *files))
        return opened[-1]

    yield found
    for company in opened:
        await company.close()
