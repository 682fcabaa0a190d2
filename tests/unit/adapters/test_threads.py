"""A thread that works for event loops."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from noria.adapters.database.threads import Worker


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker("suite")
    yield worker
    worker.stop()


async def test_what_is_given_is_done_one_after_another_in_one_other_thread(worker: Worker) -> None:
    done: list[tuple[int, int]] = []

    def work(number: int) -> int:
        done.append((number, threading.get_ident()))
        return number * number

    assert await asyncio.gather(*(worker.do(work, number) for number in range(100))) == [n * n for n in range(100)]
    assert [number for number, _ in done] == list(range(100))
    assert len({ident for _, ident in done} | {threading.get_ident()}) == 2


async def test_what_it_raises_is_raised_to_who_waits_and_the_next_is_done(worker: Worker) -> None:
    def fails() -> None:
        raise LookupError("not there")

    with pytest.raises(LookupError, match="not there"):
        await worker.do(fails)
    assert await worker.do(int, "7") == 7


async def test_what_is_given_up_before_it_begins_is_not_done(worker: Worker) -> None:
    goes_on, done = threading.Event(), []
    first = worker.do(goes_on.wait)
    second = worker.do(done.append, "second")
    third = worker.do(done.append, "third")
    second.cancel()
    goes_on.set()
    await asyncio.gather(first, third)
    assert done == ["third"]


async def test_what_is_given_up_while_it_is_done_is_done_all_the_same(worker: Worker) -> None:
    begun, goes_on, done = threading.Event(), threading.Event(), []

    def work() -> None:
        begun.set()
        goes_on.wait()
        done.append("whole")

    future = worker.do(work)
    await asyncio.to_thread(begun.wait)
    future.cancel()
    goes_on.set()
    await worker.do(int)
    assert done == ["whole"]


def test_whoever_is_gone_with_their_loop_keeps_it_from_nothing(worker: Worker) -> None:
    goes_on = threading.Event()

    async def gone() -> None:
        worker.do(goes_on.wait)

    asyncio.run(gone())
    goes_on.set()

    async def comes() -> int:
        return await worker.do(int, "7")

    assert asyncio.run(comes()) == 7


async def test_it_stops_behind_all_that_was_given() -> None:
    worker, done = Worker("suite"), []
    futures = [worker.do(done.append, number) for number in range(10)]
    await asyncio.to_thread(worker.stop)
    assert done == list(range(10))
    assert all([await future is None for future in futures])
