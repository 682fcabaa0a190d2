"""What integrators say of the world, and how much work waits for whom: facts for the engine, kept in memory."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from noria.engine.facts import Facts, Observation
from noria.engine.surroundings import valid
from noria.kernel.errors import NoriaError, Rejected
from noria.operate.background import ended
from noria.operate.office import Caller, NotFoundError, Office, RefusedError, iso, iso_or_none, origin_json, person_ref
from noria.operate.ports import Clock
from noria.operate.reason_views import ObservationView
from noria.operate.requests import Committed
from noria.operate.views import Page
from noria.trust.audit import AuditRecord
from noria.trust.policy import Permission

logger = logging.getLogger(__name__)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}")
_NAMES_MAX = 500
_VALUE_BYTES_MAX = 4_096
_COUNT_AGAIN_MS = 2_000


class ObservationRow(msgspec.Struct, frozen=True):
    """What was said, as stored; `value` is JSON."""

    tenant: int
    name: str
    version: int
    value: str
    valid_from: int
    valid_until: int
    at: int
    by: str


class ObservationStore(Protocol):
    """Where observations are kept, and where open tasks are counted."""

    async def current(self, now_ms: int) -> list[ObservationRow]:
        """Of every tenant and name what is valid now or will be, and the newest."""
        ...

    async def versions(self, tenant: int, name: str, limit: int) -> list[ObservationRow]:
        """What was said under a name, newest first."""
        ...

    async def observe(self, row: ObservationRow) -> ObservationRow:
        """Write what was said as the next version of its name; what is long past is forgotten."""
        ...

    async def loads(self, tenant: int) -> tuple[dict[str, int], dict[str, int]]:
        """Open tasks of people, and untaken ones of groups."""
        ...


class World:
    """The environment and the load of every tenant in memory.

    Args:
        store: where they are kept.
        clock: tells what is past.
        facts: what else the engine is told.
    """

    def __init__(self, store: ObservationStore, clock: Clock, facts: Callable[[int], Facts]) -> None:
        self._store = store
        self._clock = clock
        self._facts = facts
        self._environment: dict[int, dict[str, tuple[Observation, ...]]] = {}
        self._loads: dict[int, tuple[dict[str, int], dict[str, int]]] = {}
        self._known: dict[int, tuple[Facts, Facts]] = {}
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def facts(self, tenant: int) -> Facts:
        """Everything that the engine is told of a tenant."""
        base = self._facts(tenant)
        known = self._known.get(tenant)
        if known is None or known[0] is not base:
            people, groups = self._loads.get(tenant, ({}, {}))
            whole = msgspec.structs.replace(
                base, environment=self._environment.get(tenant, {}), load_people=people, load_groups=groups
            )
            known = self._known[tenant] = base, whole
        return known[1]

    async def refresh(self) -> None:
        """Read what has been said.

        Raises:
            StoreUnavailableError: the database cannot be used.
        """
        found: dict[int, dict[str, tuple[Observation, ...]]] = {}
        for row in await self._store.current(self._clock.now_ms()):
            names = found.setdefault(row.tenant, {})
            one = Observation(row.version, msgspec.json.decode(row.value), row.valid_from, row.valid_until)
            names[row.name] = (*names.get(row.name, ()), one)
        self._environment = found
        self._known.clear()

    # Load: counted only for tenants whose models ask for it

    async def count(self, tenant: int) -> None:
        """A model asks for the load: count now, and from now on whenever something has happened.

        Raises:
            StoreUnavailableError: the database cannot be used.
        """
        self._loads[tenant] = await self._store.loads(tenant)
        self._known.clear()

    def committed(self, _items: list[Committed]) -> None:
        """Something has happened."""
        if self._loads:
            self._changed.set()

    def start(self) -> None:
        """Begin to count."""
        self._changed.set()
        self._task = asyncio.create_task(self._work(), name="noria-loads")

    async def stop(self) -> None:
        """Stop counting."""
        await ended(self._task)

    async def _work(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                for tenant in list(self._loads):
                    await self.count(tenant)
            except NoriaError as error:
                logger.warning("Open tasks are not counted now: %s", error)
            except Exception:
                logger.exception("Open tasks are not counted on a defect")
            await self._clock.sleep_until(self._clock.now_ms() + _COUNT_AGAIN_MS)


class Environment:
    """The use cases about what integrators say of the world."""

    def __init__(self, office: Office, store: ObservationStore, refresh: Callable[[], Awaitable[None]]) -> None:
        self._office = office
        self._store = store
        self._refresh = refresh

    async def current(self, caller: Caller) -> Page[ObservationView]:
        """What holds now, by name."""
        await self._office.require(caller, Permission.FACTS, "fact")
        now_ms = self._office.clock.now_ms()
        rows = [row for row in await self._store.current(now_ms) if row.tenant == caller.principal.tenant]
        views = []
        for name in sorted({row.name for row in rows}):
            said = {row.version: row for row in rows if row.name == name}
            holds = valid(
                (Observation(row.version, None, row.valid_from, row.valid_until) for row in said.values()), now_ms
            )
            if holds is not None:
                views.append(await self._view(said[holds.version]))
        return Page(views, len(views), len(views), 0)

    async def history(self, caller: Caller, name: str, limit: int) -> Page[ObservationView]:
        """What was said under a name, newest first.

        Raises:
            NotFoundError: nothing was.
        """
        await self._office.require(caller, Permission.FACTS, "fact", name)
        rows = await self._store.versions(caller.principal.tenant, name, limit)
        if not rows:
            raise NotFoundError(f"Nothing has been said under the name {name!r}.")
        return Page([await self._view(row) for row in rows], rows[0].version, limit, 0)

    async def observe(
        self, caller: Caller, name: str, value: object, valid_from: int, valid_until: int
    ) -> ObservationView:
        """Say something of the world under a name; it replaces what was said before for the time in which it holds.

        Raises:
            DeniedError: the caller may not.
            RefusedError: the name, the value or the period is not usable.
        """
        await self._office.require(caller, Permission.FACTS, "fact", name)
        tenant, now_ms = caller.principal.tenant, self._office.clock.now_ms()
        written = msgspec.json.encode(value)

        def refuse(code: str, field: str, message: str) -> RefusedError:
            return RefusedError(Rejected(code, message, {"fields": {field: code}}))

        if not _NAME.fullmatch(name):
            raise refuse("fact.bad_name", "name", f"{name!r} cannot be a name: use up to 60 letters, digits and _.")
        if len(written) > _VALUE_BYTES_MAX:
            raise refuse(
                "fact.too_large", "value", f"The value has {len(written)} bytes; {_VALUE_BYTES_MAX} are allowed."
            )
        if valid_until and valid_until <= max(valid_from, now_ms):
            raise refuse(
                "fact.bad_period", "valid_until", "The value would never hold: its end is past or not behind its start."
            )
        known = {row.name for row in await self._store.current(now_ms) if row.tenant == tenant}
        if name not in known and len(known) >= _NAMES_MAX:
            raise refuse("fact.too_many", "name", f"There are {_NAMES_MAX} names already.")
        row = await self._store.observe(
            ObservationRow(
                tenant, name, 0, written.decode(), valid_from or now_ms, valid_until, now_ms, caller.principal.id
            )
        )
        await self._refresh()
        await self._office.trail.record(
            AuditRecord(
                tenant,
                now_ms,
                caller.principal.id,
                "fact.observed",
                "fact",
                name,
                after=msgspec.json.encode({"version": row.version, "value": value}).decode(),
                origin=origin_json(caller.origin),
            )
        )
        return await self._view(row)

    async def _view(self, row: ObservationRow) -> ObservationView:
        organisation = await self._office.people.organisation(row.tenant)
        return ObservationView(
            name=row.name,
            version=row.version,
            value=msgspec.json.decode(row.value),
            valid_from=iso(row.valid_from),
            valid_until=iso_or_none(row.valid_until),
            observed_at=iso(row.at),
            observed_by=person_ref(organisation, row.by),
        )
