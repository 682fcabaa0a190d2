"""What tests of several processes must not do to the machine at once."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NETWORK = Path(tempfile.gettempdir()) / "noria-tests-network.lock"


@contextmanager
def network_at_rest() -> Iterator[None]:
    """While a browser runs: it gives its requests up when the machine's network interfaces change."""
    with _locked(fcntl.LOCK_SH):
        yield


@contextmanager
def network_changing() -> Iterator[None]:
    """While network interfaces come and go; waits until no browser runs."""
    with _locked(fcntl.LOCK_EX):
        yield


@contextmanager
def _locked(how: int) -> Iterator[None]:
    with _NETWORK.open("a") as file:
        fcntl.flock(file, how)
        yield
