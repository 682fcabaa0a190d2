"""Batches on each database: who is late, as another process may be, overwrites nothing."""

from __future__ import annotations

import msgspec
import pytest

from noria.adapters.database.opening import Database
from noria.adapters.database.operations import DatabaseBatches
from noria.operate.operations import BatchItem, BatchRow

BATCH = BatchRow("b", 1, "trip", "suspend", "{}", "he", "why", 1, 0, "", 2)


@pytest.fixture
async def batches(database: Database) -> DatabaseBatches:
    """With a batch of two requests that is at work."""
    store = DatabaseBatches(database)
    await store.put(BATCH, [BatchItem("b", iid, "waiting") for iid in (1, 2)])
    return store


async def states(batches: DatabaseBatches) -> list[str]:
    return [item.state for item in await batches.items("b", "", 10)]


async def test_only_what_is_still_as_it_was_is_settled(batches: DatabaseBatches) -> None:
    await batches.settle([BatchItem("b", 1, "done", 7)], "waiting")
    await batches.settle([BatchItem("b", 1, "undone", 8)], "done")
    await batches.settle([BatchItem("b", 1, "done", 7), BatchItem("b", 2, "refused")], "waiting")
    assert await states(batches) == ["undone", "refused"]


async def test_a_batch_is_taken_back_by_one_and_not_while_it_is_at_work(batches: DatabaseBatches) -> None:
    assert not await batches.finish("b", 0, "he")
    assert await batches.finish("b", 5, "")
    assert await batches.finish("b", 0, "he")
    assert not await batches.finish("b", 0, "wu")
    # A process that has carried it out, too, and is late.
    assert not await batches.finish("b", 6, "")
    assert await batches.unfinished() == [msgspec.structs.replace(BATCH, undone_by="he")]
    assert await batches.finish("b", 7, "he")
    assert await batches.unfinished() == []
