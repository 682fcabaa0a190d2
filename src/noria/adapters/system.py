"""The machine's own clock, random bits and password hashing."""

from __future__ import annotations

import asyncio
import gc
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from argon2 import PasswordHasher as Argon2
from argon2.exceptions import InvalidHashError, VerificationError

from noria.kernel.instants import InstantMs

# 19 MiB, two passes: OWASP's smallest recommended cost; more would let sign-ins starve a small server.
_MEMORY_KIB, _PASSES, _LANES = 19 * 1024, 2, 1


def settle_memory() -> None:
    """Tell the garbage collector that what is here now stays, and to look for cycles less often.

    A server holds code, definitions and instances for as long as it runs, and hardly makes cycles; looking through all
    of them again and again took a third of the time of a busy one.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


class SystemClock:
    """`Clock` of the machine."""

    def now_ms(self) -> InstantMs:
        """The present instant."""
        return InstantMs(time.time_ns() // 1_000_000)

    async def sleep_until(self, instant_ms: int) -> None:
        """Return at that instant or later."""
        await asyncio.sleep(max(0.0, (instant_ms - self.now_ms()) / 1000))


def machine() -> str:
    """The same for all processes that share one network on one machine, and for no others; "" when it is not known."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        # Containers on one machine have networks of their own, where loopback leads elsewhere.
        return f"{boot} {Path('/proc/self/ns/net').readlink()}"
    except OSError:
        return ""


class SystemSecrets:
    """`Secrets` of the operating system."""

    def token(self) -> str:
        """256 random bits as text."""
        return secrets.token_urlsafe(32)


class Argon2Hasher:
    """`PasswordHasher` by argon2id, in two threads so that sign-ins do not hold up the loop."""

    def __init__(self) -> None:
        self._argon2 = Argon2(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES)
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="noria-passwords")

    async def hash(self, password: str) -> str:
        """Hash a new password."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._argon2.hash, password)

    async def verify(self, hashed: str, password: str) -> bool:
        """Whether a password fits."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._fits, hashed, password)

    def _fits(self, hashed: str, password: str) -> bool:
        try:
            return self._argon2.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False
