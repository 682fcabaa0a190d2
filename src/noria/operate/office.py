"""What the application services share: where things are, who asks, and how things are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import msgspec

from noria.design.bpmn.graph import Element, Graph
from noria.engine.facts import Facts
from noria.kernel.errors import NoriaError, Rejected
from noria.kernel.instants import InstantMs, format_instant
from noria.operate.deploying import Catalogue, DefinitionRow
from noria.operate.files import BlobStore
from noria.operate.ids import parse_task_id
from noria.operate.ports import Clock, InstanceStore
from noria.operate.reading import Lists
from noria.operate.requests import Accepted, Origin, Request
from noria.operate.runtime import Runtime
from noria.operate.views import ProcessRef, Ref, SummaryItem
from noria.trust.audit import AuditRecord, AuditTrail
from noria.trust.people import Organisation, PeopleStore, Person
from noria.trust.policy import DENIED, Permission, Principal, StandsFor, Verdict, exclusive_roles, may, permissions_of
from noria.trust.substitutes import Way


class DeniedError(NoriaError):
    """The policy does not allow it. Recorded in the audit trail."""

    code: ClassVar[str] = "permission.denied"


class NotFoundError(NoriaError):
    """There is no such thing, or the caller may not know of it."""

    code: ClassVar[str] = "not_found"


class RefusedError(NoriaError):
    """The engine refused a command; `rejected` says why. Nothing was recorded."""

    code: ClassVar[str] = "refused"

    def __init__(self, rejected: Rejected) -> None:
        super().__init__(rejected.message, details=rejected.details)
        self.rejected = rejected


class Caller(msgspec.Struct, frozen=True):
    """Who asks, from where, and with which idempotency key.

    Attributes:
        principal: for the policy.
        person: the signed-in person.
        origin: for the audit trail.
        key: idempotency key, "" for none.
    """

    principal: Principal
    person: Person
    origin: Origin
    key: str = ""


class Office(msgspec.Struct):
    """Everything that the services need.

    Attributes:
        principals: tenant → the organisation, and those of its people as the policy sees them who act for nobody else.
    """

    runtime: Runtime
    store: InstanceStore
    lists: Lists
    catalogue: Catalogue
    people: PeopleStore
    trail: AuditTrail
    blobs: BlobStore
    clock: Clock
    facts: Callable[[int], Facts]
    principals: dict[int, tuple[Organisation, dict[str, tuple[Person, Principal]]]] = {}

    async def principal(self, tenant: int, person: Person) -> Principal:
        """A person as the policy sees them, with the roles they have now."""
        return self.principal_in(await self.people.organisation(tenant), tenant, person)

    def principal_in(self, organisation: Organisation, tenant: int, person: Person) -> Principal:
        """The same by who has just asked for the organisation."""
        known = self.principals.get(tenant)
        if known is None or known[0] is not organisation:
            # Whatever changes among people, and each instant from which it holds, makes another organisation.
            known = self.principals[tenant] = organisation, {}
        last = known[1].get(person.id)
        if last is not None and last[0] is person:
            return last[1]
        principal = self._principal(tenant, person, organisation)
        if not principal.stands_for and not principal.limited:
            # What somebody may do for others hangs on the models, too.
            known[1][person.id] = person, principal
        return principal

    def _principal(self, tenant: int, person: Person, organisation: Organisation) -> Principal:
        permissions = permissions_of(person.roles)
        administers = Permission.OPERATE in permissions
        return Principal(
            person.id,
            tenant,
            permissions,
            organisation.groups_of(person),
            organisation.managed_units(person.id),
            tuple(
                self._stands_for(tenant, way, organisation)
                for way in organisation.ways_of(person.id)
                if exclusive_roles(_roles_of(way, organisation)) is None
            ),
            tuple(
                self._stands_for(tenant, Way((item,)), organisation)
                for item in organisation.substitutions
                if administers and item.amount_max is not None and item.holds(organisation.at_ms)
            ),
        )

    def _stands_for(self, tenant: int, way: Way, organisation: Organisation) -> StandsFor:
        """A way of acting for somebody in the policy's words: what all its substitutions have in common."""
        scopes = [link.processes for link in way.links if link.processes]
        definitions = None
        if scopes:
            definitions = frozenset(
                row.id for row in self.catalogue.rows(tenant) if all(row.key in scope for scope in scopes)
            )
        tasks = None
        if not way.links[0].holds(organisation.at_ms):
            tasks = frozenset(place for key in way.links[0].kept if (place := parse_task_id(key)) is not None)
        limits = [link.amount_max for link in way.links if link.amount_max is not None]
        return StandsFor(
            way.principal,
            organisation.groups_of(organisation.people[way.principal]),
            definitions,
            min(limits, default=None),
            tasks,
            way.via,
        )

    async def deny(
        self, caller: Caller, action: str, object_type: str, object_id: str, verdict: Verdict
    ) -> DeniedError | RefusedError:
        """Record a denial, and give the error to raise."""
        await self.trail.record(
            AuditRecord(
                caller.principal.tenant,
                self.clock.now_ms(),
                caller.principal.id,
                action,
                object_type,
                object_id,
                "refused",
                verdict.reason,
                origin=origin_json(caller.origin),
            )
        )
        if verdict.code != DENIED:
            return RefusedError(Rejected(verdict.code, verdict.reason, {"action": action}))
        return DeniedError(verdict.reason, details={"action": action})

    async def require(self, caller: Caller, permission: Permission, object_type: str = "", object_id: str = "") -> None:
        """Raise unless the caller's role allows an operation.

        Raises:
            DeniedError: it does not.
        """
        verdict = may(caller.principal, permission)
        if not verdict.allowed:
            raise await self.deny(caller, str(permission), object_type, object_id, verdict)

    async def run(self, request: Request) -> Accepted:
        """Have a command run.

        Raises:
            RefusedError: the engine refused it.
        """
        answer = await self.runtime.submit(request)
        if isinstance(answer, Rejected):
            raise RefusedError(answer)
        return answer

    async def graph(self, definition: int) -> Graph:
        """The graph of a definition."""
        return (await self.catalogue.get(definition)).graph


def _roles_of(way: Way, organisation: Organisation) -> tuple[str, ...]:
    """The roles of everybody on a way."""
    people = (way.principal, *way.via, way.substitute)
    return tuple(role for person in people for role in organisation.people[person].roles)


def origin_json(origin: Origin) -> str:
    """An origin as a JSON object, for audit records."""
    names = origin.__struct_fields__
    return msgspec.json.encode({name: getattr(origin, name) for name in names}).decode()


def iso(instant: int) -> str:
    """An instant as text."""
    return format_instant(InstantMs(instant))


def iso_or_none(instant: int) -> str | None:
    """An instant as text, None for 0."""
    return iso(instant) if instant else None


def person_ref(organisation: Organisation, person: str) -> Ref:
    """Id and name of a person."""
    return Ref(person, organisation.name_of(person))


def person_or_none(organisation: Organisation, person: str) -> Ref | None:
    """Id and name of a person, None for ""."""
    return person_ref(organisation, person) if person else None


def element_ref(element: Element, name: str = "") -> Ref:
    """Id and name of an element."""
    return Ref(element.id, name or element.name or element.id)


def process_ref(row: DefinitionRow) -> ProcessRef:
    """A version of a process."""
    return ProcessRef(row.key, row.name, row.version)


def summary_items(summary: str, labels: Mapping[str, str]) -> list[SummaryItem]:
    """The facts of a card, with the labels that the form gives them."""
    values = msgspec.json.decode(summary)
    return [SummaryItem(name, labels.get(name, name), value) for name, value in values.items()]
