"""One engine process among others."""

from __future__ import annotations

from noria.adapters.cluster.door import Door
from noria.adapters.cluster.links import TcpLinks
from noria.adapters.database.leases import PostgresLeases
from noria.adapters.database.postgres_store import PostgresStore
from noria.adapters.system import SystemClock, SystemSecrets, machine
from noria.kernel.errors import NoriaError
from noria.operate.delivery import Delivery
from noria.operate.leases import Leases, Member
from noria.operate.neighbours import Neighbours
from noria.operate.runtime import Runtime

_EVERY_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104 - refused, not listened on


class PeersAddressError(NoriaError):
    """The address for other processes cannot be used."""

    code = "cluster.address"


class Cluster:
    """This process among others on one PostgreSQL: its lease, the door for the others, and the links to them.

    Attributes:
        id: of this life of the process, the owner of its shards.
        neighbours: where work goes that others own.
    """

    def __init__(self, store: PostgresStore, secret: bytes, peers: str, lease_ms: int) -> None:
        self.id = SystemSecrets().token()[:16]
        self._clock = SystemClock()
        self._store = PostgresLeases(store)
        self._secret = secret
        self._peers = peers
        self._lease_ms = lease_ms
        self._links = TcpLinks(secret, self._lost)
        self._door: Door | None = None
        self.leases: Leases | None = None
        self.neighbours = Neighbours(self._links, self._clock)

    async def start(self, runtime: Runtime, delivery: Delivery) -> None:
        """Take part.

        Raises:
            PeersAddressError: the others cannot reach this process there.
            StoreUnavailableError: the database cannot be used.
        """
        host, _, port = self._peers.rpartition(":")
        if host.strip("[]") in _EVERY_ADDRESS:
            raise PeersAddressError(f"{self._peers!r} names no address that other processes can connect to; give one.")
        door = Door(self._secret, runtime.submit_here, delivery.accept)
        try:
            address = await door.open(host.strip("[]"), int(port))
        except (OSError, ValueError) as error:
            raise PeersAddressError(f"{self._peers!r} cannot be listened on for other processes: {error}.") from error
        self._door = door
        member = Member(self.id, address, machine())
        leases = Leases(member, self._store, runtime, self._clock, self._links.is_dead, self._lease_ms)
        leases.listen(lambda standing: self._links.keep_only(standing.members))
        self.neighbours.connect(leases, runtime, delivery)
        self.leases = leases
        await leases.start()

    def _lost(self) -> None:
        if self.leases is not None:
            self.leases.hurry()

    async def stop(self) -> None:
        """Finish what is on its way, hand all shards over, and take no part any more."""
        if self.leases is not None:
            await self.leases.stop()
        if self._door is not None:
            await self._door.close()
        await self._links.close()
