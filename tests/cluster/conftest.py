from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.cluster.fleet import Fleet


@pytest.fixture
async def a_fleet(postgres_url: str) -> AsyncIterator[Callable[..., Fleet]]:
    """Makes a fleet that is there for the test."""
    made: list[Fleet] = []

    def make(**given: Any) -> Fleet:
        made.append(Fleet(postgres_url, **given))
        return made[-1]

    yield make
    for fleet in made:
        await fleet.close()
