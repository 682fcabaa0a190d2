"""Connections to the outside: only to addresses that everybody may reach, unless the operator allows a host by name.

Who sets up a channel chooses where this server connects to. Without a guard that reaches what only this server should:
its own loopback, the machines beside it, a cloud's metadata.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterable

import httpcore

from noria.kernel.instants import DAY_MS
from noria.kernel.numbers import whole_number
from noria.operate.channels import UndeliveredError

TIMEOUT_S = 10.0
ANSWER_BYTES_MAX = 64 * 1024
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class RefusedAddressError(Exception):
    """A host stands for an address that must not be reached."""


def is_public(address: str) -> bool:
    """Whether everybody may reach an address: none of this machine, of private networks, or of a group."""
    found: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        # What leads to an IPv4 address is as good as that address.
        if found in _NAT64 or found.teredo is not None:
            return False
        inner = found.ipv4_mapped or found.sixtofour
        found = inner if inner is not None else found
    return found.is_global and not found.is_multicast


def checked(host: str, addresses: Iterable[str], allowed: frozenset[str]) -> list[str]:
    """The addresses of a host, if all of them may be reached.

    Raises:
        RefusedAddressError: one of them must not.
    """
    found = list(dict.fromkeys(addresses))
    private = [address for address in found if not is_public(address)]
    if private and host not in allowed:
        raise RefusedAddressError(
            f"{host} is {private[0]}, which is not a public address. If that is meant, the operator of this server "
            f"allows it: NORIA_ALLOW_HOSTS={host}."
        )
    return found


def addresses_of(host: str, port: int, allowed: frozenset[str]) -> list[str]:
    """Where a host is, looked up and checked; blocks.

    Raises:
        OSError: it is not known.
        RefusedAddressError: it must not be reached.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return checked(host, (str(item[4][0]) for item in found), allowed)


class _Guarded(httpcore.AsyncNetworkBackend):
    """Connects to the very address that was checked: a name must not stand for another one a moment later."""

    def __init__(self, allowed: frozenset[str]) -> None:
        self._allowed = allowed
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's own interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers."""
        try:
            found = await asyncio.wait_for(asyncio.to_thread(addresses_of, host, port, self._allowed), TIMEOUT_S)
        except (OSError, TimeoutError) as error:
            raise httpcore.ConnectError(f"{host} is not known") from error
        failure: Exception | None = None
        for address in found:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class Answer:
    """What the other side said: status, and the beginning of its body."""

    def __init__(self, status: int, body: bytes, retry_after_ms: int) -> None:
        self.status = status
        self.body = body
        self.retry_after_ms = retry_after_ms


class Outside:
    """Posts to the outside; redirections are not followed.

    Args:
        allowed: hosts that the operator of the machine allows although their addresses are private.
    """

    def __init__(self, allowed: frozenset[str]) -> None:
        self.allowed = allowed
        self._pool: httpcore.AsyncConnectionPool | None = None

    def _connections(self) -> httpcore.AsyncConnectionPool:
        if self._pool is None:
            # The machine's own certificates: a company's own authority is added there (or by SSL_CERT_FILE).
            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=ssl.create_default_context(),
                max_connections=20,
                keepalive_expiry=30.0,
                network_backend=_Guarded(self.allowed),
            )
        return self._pool

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Post a body; gives the answer, whatever its status.

        Raises:
            UndeliveredError: there is no answer. The sentence does not name the address: it may be a secret.
        """
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), TIMEOUT_S)
        lines = [(name.encode(), value.encode()) for name, value in {"User-Agent": "Noria", **headers}.items()]
        try:
            async with self._connections().stream(
                "POST", url, headers=lines, content=body, extensions={"timeout": timeouts}
            ) as response:
                answer = b""
                async for chunk in response.aiter_stream():
                    answer += chunk
                    if len(answer) >= ANSWER_BYTES_MAX:
                        break
                after = {name.lower(): value for name, value in response.headers}.get(b"retry-after", b"")
        except RefusedAddressError as error:
            raise UndeliveredError(str(error), final=True) from None
        except (httpcore.TimeoutException, TimeoutError):
            raise UndeliveredError(f"The other side did not answer within {TIMEOUT_S:.0f} seconds.") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            cause = str(error) or type(error).__name__
            raise UndeliveredError(f"The other side cannot be reached: {cause[:200]}.") from None
        # Nine digits are years already; what is no number, a date among others, says nothing.
        wait_ms = min((whole_number(after[:9].decode("latin-1")) or 0) * 1000, DAY_MS)
        return Answer(response.status, answer[:ANSWER_BYTES_MAX], wait_ms)

    async def close(self) -> None:
        """Close all connections."""
        if self._pool is not None:
            await self._pool.aclose()
            self._pool = None


def judge(answer: Answer) -> None:
    """Raise unless the other side took it.

    Raises:
        UndeliveredError: it did not; what would be refused again and again is final.
    """
    if 200 <= answer.status < 300:
        return
    again = answer.status in (408, 425, 429) or answer.status >= 500
    raise UndeliveredError(
        f"The other side answered {answer.status}.", final=not again, retry_after_ms=answer.retry_after_ms
    )
