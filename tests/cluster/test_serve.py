"""The command itself: several processes on one address, on one database, and one on SQLite."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

START_S_MAX = 40


def wait_until(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_S_MAX
    while not look():
        assert time.monotonic() < deadline, f"{look} never came true"
        time.sleep(0.05)


class Served:
    """A `noria serve` on a free port, and what it prints."""

    def __init__(self, log: Path, *arguments: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = log
        command = [sys.executable, "-c", "from noria.bootstrap import main; main()", "serve", *arguments]
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [*command, "--listen", f"127.0.0.1:{self.port}"], stdout=out, stderr=out, start_new_session=True
            )

    def answers(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/api/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    def await_ready(self) -> None:
        wait_until(lambda: self.answers() or self.process.poll() is not None)
        assert self.process.poll() is None, self.log.read_text()

    def workers(self) -> list[int]:
        """Its worker processes."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(START_S_MAX)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    made: list[Served] = []

    def start(*arguments: str) -> Served:
        made.append(Served(tmp_path / f"log{len(made)}", *arguments))
        return made[-1]

    yield start
    for served in made:
        if served.process.poll() is None:
            served.process.kill()
            served.process.wait()


def test_a_worker_that_is_killed_is_replaced_and_the_address_keeps_answering(
    postgres_url: str, serve: Callable[..., Served]
) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("finds its workers in /proc")
    served = serve("--database", postgres_url, "--processes", "2")
    served.await_ready()
    wait_until(lambda: len(served.workers()) == 2)
    before = served.workers()
    os.kill(before[0], signal.SIGKILL)
    wait_until(lambda: len(served.workers()) == 2 and before[0] not in served.workers())
    assert served.answers()
    assert served.stop() == 0
    log = served.log.read_text()
    assert log.count("First administrator created") == 1
    assert log.count("Noria is ready") == 1
    assert "Traceback" not in log


def test_servers_that_are_started_at_once_on_an_empty_database_share_it(
    postgres_url: str, serve: Callable[..., Served]
) -> None:
    both = [serve("--database", postgres_url) for _ in range(2)]
    for served in both:
        served.await_ready()
    assert [served.stop() for served in both] == [0, 0]
    logs = [served.log.read_text() for served in both]
    assert sum(log.count("First administrator created") for log in logs) == 1
    assert all("Traceback" not in log for log in logs)


def test_a_second_server_on_one_sqlite_file_is_refused_and_the_first_goes_on(
    tmp_path: Path, serve: Callable[..., Served]
) -> None:
    first = serve("--data", str(tmp_path / "data"))
    first.await_ready()
    second = serve("--data", str(tmp_path / "data"))
    assert second.process.wait(START_S_MAX) == 1
    assert "database.taken" in second.log.read_text()
    assert first.answers()
    assert first.stop() == 0
    third = serve("--data", str(tmp_path / "data"))
    third.await_ready()
    assert third.stop() == 0


@pytest.mark.parametrize("peers", ["0.0.0.0:0", "[::]:7080", ":7080", "127.0.0.1:none"])
def test_an_address_that_others_cannot_connect_to_is_refused(
    postgres_url: str, serve: Callable[..., Served], peers: str
) -> None:
    served = serve("--database", postgres_url, "--peers", peers)
    assert served.process.wait(START_S_MAX) == 1
    assert "cluster.address" in served.log.read_text()


def test_several_processes_on_sqlite_are_refused(tmp_path: Path, serve: Callable[..., Served]) -> None:
    served = serve("--data", str(tmp_path / "data"), "--processes", "2")
    assert served.process.wait(START_S_MAX) == 1
    assert "database.single_process" in served.log.read_text()
