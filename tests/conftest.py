"""What all tests have: databases, and a deadline, so that a test that hangs fails instead of holding everything up."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Generator
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import HealthCheck, settings

from tests.databases import database_url, empty_sqlite, postgres_server, postgres_url, shared_url, sqlite_url

__all__ = ["database_url", "empty_sqlite", "postgres_server", "postgres_url", "shared_url", "sqlite_url"]

TESTS = Path(__file__).parent
DEADLINE_S = int(os.environ.get("NORIA_TEST_DEADLINE_S", "300"))
"""Far beyond what any test takes: 0 for none, as for long runs of simulation or torture."""

LONG = ("torture", "e2e", "stores", "cluster", "simulation", "http", "conformance")
"""Folders with long files, the longest first: with what is short at the end no worker waits for another."""

# On a busy machine an example may take long without anything being wrong. The checks of a clean checkout draw the same
# examples each time; whoever works on the project draws new ones.
settings.register_profile(
    "noria",
    deadline=None,
    derandomize=os.environ.get("NORIA_REQUIRE_ALL") == "1",
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("noria")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def turn(item: pytest.Item) -> int:
        folder = item.path.relative_to(TESTS).parts[0]
        return LONG.index(folder) if folder in LONG else len(LONG)

    items.sort(key=turn)


def _overdue(_number: int, _frame: FrameType | None) -> None:
    raise TimeoutError(f"The test hangs: it has not ended after {DEADLINE_S} s.")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Fail a test that hangs, with the place where it waits."""
    if not DEADLINE_S or threading.current_thread() is not threading.main_thread():
        return (yield)
    before = signal.signal(signal.SIGALRM, _overdue)
    signal.alarm(DEADLINE_S)
    try:
        return (yield)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def loopback_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator of the servers allows what is otherwise refused: mail servers and services on loopback."""
    monkeypatch.setenv("NORIA_ALLOW_HOSTS", "127.0.0.1")
