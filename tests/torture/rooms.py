"""Disks that are full when it is wanted: a small file system in memory, and a limit on the files of a process."""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Protocol

from tests.torture.clients import Torture

_CHUNK = bytes(65_536)
_STEP = bytes(512)


class Room(Protocol):
    """Where a database lies."""

    def fill(self, torture: Torture) -> None:
        """Leave no room any more."""
        ...

    def free(self, torture: Torture) -> None:
        """Have room again."""
        ...


class Mounted:
    """A file system of its own, which is filled to its last byte.

    Attributes:
        folder: where it is mounted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, torture: Torture) -> None:
        with self._ballast.open("ab", buffering=0) as file:
            for piece in (_CHUNK, _STEP):
                try:
                    while True:
                        file.write(piece)
                except OSError:
                    continue

    def free(self, torture: Torture) -> None:
        self._ballast.unlink()


class Limited:
    """A limit on how large files of the servers may be, which any user may set; a write beyond it fails."""

    def fill(self, torture: Torture) -> None:
        # What is written behind it fails, also where the file was longer before.
        self._limit(torture, torture.random.randrange(65_536))

    def free(self, torture: Torture) -> None:
        self._limit(torture, resource.RLIM_INFINITY)

    @staticmethod
    def _limit(torture: Torture, size: int) -> None:
        for server in torture.servers:
            assert server.process.pid is not None
            _, most = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, most))


@contextmanager
def mounted(size_mb: int) -> Iterator[Mounted]:
    """A small file system in memory."""
    folder = Path(tempfile.mkdtemp(prefix="noria-room-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "noria-room", folder], check=True)
    try:
        yield Mounted(folder)
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()


@cache
def missing_mount() -> str:
    """Why no file system can be mounted, "" when one can."""
    if os.geteuid() != 0:
        return "only root may mount a small file system"
    with tempfile.TemporaryDirectory() as folder:
        tried = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "noria-room", folder], capture_output=True, check=False
        )
        if tried.returncode != 0:
            return f"no file system can be mounted here: {tried.stderr.decode().strip()}"
        subprocess.run(["umount", folder], check=True)
    return ""
