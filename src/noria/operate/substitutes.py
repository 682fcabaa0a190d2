"""Substitutes (代理): naming them, seeing them, taking them back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

from noria.engine import events as e
from noria.kernel.errors import Rejected
from noria.operate.ids import task_id
from noria.operate.office import Caller, NotFoundError, Office, RefusedError, iso, iso_or_none, origin_json, person_ref
from noria.operate.reading import TaskBox, TaskFields, TaskSort
from noria.operate.staff import Staff
from noria.operate.taskviews import task_facts
from noria.operate.views import Page, Ref
from noria.trust.audit import AuditRecord
from noria.trust.history import History
from noria.trust.people import Organisation, PeopleStore
from noria.trust.policy import Permission, StandsFor, exclusive_roles, may
from noria.trust.substitutes import Substitution

_PAGE = 200


class SubstitutionOrder(msgspec.Struct):
    """A substitute to name.

    `since` and `until` are dates or instants; a date in `until` is the last day; "" in `since` is at once. Without
    `processes` it is about all; without `amount_max` whatever the amount; without `principal` for the caller. With
    `passes_on` the substitute's own substitutes may act for the principal, too.
    """

    substitute: str
    until: str
    since: str = ""
    processes: list[str] = []
    amount_max: float | None = None
    principal: str = ""
    passes_on: bool = False


class SubstitutionView(msgspec.Struct):
    """A substitute; `state` is "ahead", "in_force" or "over", `kept` what stays with them after it was taken back."""

    id: str
    principal: Ref
    substitute: Ref
    since: str
    until: str
    processes: list[Ref]
    amount_max: float | None
    state: str
    created_by: Ref
    ended_at: str | None
    kept: list[str]
    passes_on: bool = False


class SubstitutionStore(PeopleStore, Protocol):
    """Where substitutions are kept."""

    async def history(self, tenant: int) -> History:
        """All that is known, substitutions of the past among it."""
        ...

    async def put_substitution(self, tenant: int, item: Substitution) -> None:
        """Write a substitution; one with this id is replaced."""
        ...


class Substitutes:
    """The use cases about substitutes. Everybody names their own; an administrator of people names anybody's."""

    def __init__(self, office: Office, store: SubstitutionStore, staff: Staff, new_id: Callable[[], str]) -> None:
        self._office = office
        self._store = store
        self._staff = staff
        self._new_id = new_id

    async def find(self, caller: Caller, *, everybody: bool = False) -> Page[SubstitutionView]:
        """The caller's, as principal or substitute, or those of everybody; the newest first.

        Raises:
            DeniedError: the caller may not see those of others.
        """
        if everybody:
            await self._office.require(caller, Permission.PEOPLE, "substitution")
        tenant, me = caller.principal.tenant, caller.principal.id
        history = await self._store.history(tenant)
        organisation = await self._store.organisation(tenant)
        views = [
            self._view(item, organisation, tenant)
            for item in reversed(history.substitutions)
            if everybody or me in (item.principal, item.substitute)
        ]
        return Page(views, len(views), len(views), 0)

    def _view(self, item: Substitution, organisation: Organisation, tenant: int) -> SubstitutionView:
        now_ms = self._office.clock.now_ms()
        names = {row.key: row.name for row in self._office.catalogue.rows(tenant)}
        over = item.ended_ms or now_ms >= item.until_ms
        return SubstitutionView(
            item.id,
            person_ref(organisation, item.principal),
            person_ref(organisation, item.substitute),
            iso(item.since_ms),
            iso(item.until_ms),
            [Ref(key, names.get(key, key)) for key in item.processes],
            item.amount_max,
            "in_force" if item.holds(now_ms) else "over" if over else "ahead",
            person_ref(organisation, item.created_by),
            iso_or_none(item.ended_ms),
            list(item.kept),
            item.passes_on,
        )

    async def add(self, caller: Caller, order: SubstitutionOrder) -> SubstitutionView:
        """Name a substitute.

        Raises:
            DeniedError: the caller may not name one for somebody else.
            RefusedError: a field is wrong, or the two must not act together.
            ValueError: `since` or `until` is no date or instant.
        """
        office = self._office
        tenant, now_ms = caller.principal.tenant, office.clock.now_ms()
        principal = order.principal or caller.principal.id
        if principal != caller.principal.id:
            await office.require(caller, Permission.PEOPLE, "substitution", principal)
        item = Substitution(
            self._new_id(),
            principal,
            order.substitute,
            self._staff.instant(tenant, order.since) if order.since else now_ms,
            self._staff.instant(tenant, order.until, end=True),
            tuple(dict.fromkeys(order.processes)),
            order.amount_max,
            now_ms,
            caller.principal.id,
            passes_on=order.passes_on,
        )
        refused = self._wrong(item, await self._store.organisation(tenant), tenant, now_ms)
        if refused is not None:
            raise RefusedError(refused)
        await self._store.put_substitution(tenant, item)
        await self._record(caller, "substitution.added", item)
        return self._view(item, await self._store.organisation(tenant), tenant)

    def _wrong(self, item: Substitution, organisation: Organisation, tenant: int, now_ms: int) -> Rejected | None:
        def refuse(code: str, message: str, field: str) -> Rejected:
            return Rejected(code, message, {"fields": {field: code}})

        for field, person in (("principal", item.principal), ("substitute", item.substitute)):
            if not organisation.is_active(person):
                return refuse("person.not_found", f"There is no active person {person!r}.", field)
        if item.principal == item.substitute:
            return refuse("substitute.self", "Name somebody else as the substitute.", "substitute")
        if item.since_ms >= item.until_ms or item.until_ms <= now_ms:
            return refuse("period.empty", "A period ends after it begins, and not in the past.", "until")
        if item.amount_max is not None and not item.amount_max >= 0:
            return refuse("substitute.amount", "The highest amount is a number from 0 on.", "amount_max")
        known = {row.key for row in self._office.catalogue.rows(tenant)}
        unknown = next((key for key in item.processes if key not in known), None)
        if unknown is not None:
            return refuse("process.not_found", f"There is no process {unknown!r}.", "processes")
        roles = organisation.people[item.principal].roles + organisation.people[item.substitute].roles
        pair = exclusive_roles(roles)
        if pair is not None:
            text = f"Nobody acts with {' and '.join(sorted(pair))} together, as a substitute neither."
            return refuse("roles.exclusive", text, "substitute")
        return None

    async def end(self, caller: Caller, key: str, in_flight: Literal["stay", "return"]) -> SubstitutionView:
        """Take a substitute back, at once.

        Args:
            caller: the principal, or an administrator of people.
            key: id of the substitution.
            in_flight: whether the tasks that were opened, or claimed by the substitute, meanwhile stay with the
                substitute until they are done, or return as well. The principal may do them either way.

        Raises:
            NotFoundError: there is none that the caller may end.
            RefusedError: it is over already.
        """
        office = self._office
        tenant, now_ms = caller.principal.tenant, office.clock.now_ms()
        history = await self._store.history(tenant)
        item = next((item for item in history.substitutions if item.id == key), None)
        manages = may(caller.principal, Permission.PEOPLE).allowed
        if item is None or not (manages or caller.principal.id == item.principal):
            raise NotFoundError(f"You have no substitute with the id {key!r}.")
        if item.ended_ms or now_ms >= item.until_ms:
            raise RefusedError(Rejected("substitute.over", "It is over already."))
        kept: tuple[str, ...] = ()
        if in_flight == "stay" and item.holds(now_ms):
            kept = await self._in_flight(tenant, item)
        ended = msgspec.structs.replace(item, ended_ms=now_ms, ended_by=caller.principal.id, kept=kept)
        await self._store.put_substitution(tenant, ended)
        await self._record(caller, "substitution.ended", ended)
        return self._view(ended, await self._store.organisation(tenant), tenant)

    async def _in_flight(self, tenant: int, item: Substitution) -> tuple[str, ...]:
        """Ids of the open tasks that were opened for the principal meanwhile, or claimed by the substitute."""
        office = self._office
        organisation = await self._store.organisation(tenant)
        as_substitute = await office.principal(tenant, organisation.people[item.substitute])
        as_principal = await office.principal(tenant, organisation.people[item.principal])
        own = msgspec.structs.replace(as_principal, stands_for=())
        ways = [one for one in as_substitute.stands_for if one.principal == item.principal and not one.via]
        found: list[str] = []
        for box in (TaskBox.MINE, TaskBox.GROUP):
            offset, total = 0, 1
            while offset < total:
                rows, total = await office.lists.tasks(
                    own, box, definitions=None, search=None, sort=TaskSort.CREATED, limit=_PAGE, offset=offset
                )
                offset += _PAGE
                found += [
                    task_id(row.iid, row.tok)
                    for row in rows
                    if self._concerns(ways, row, item) and await self._meanwhile(row, item)
                ]
        return tuple(found)

    @staticmethod
    def _concerns(ways: list[StandsFor], row: TaskFields, item: Substitution) -> bool:
        facts = task_facts(row)
        return facts.starter != item.substitute and any(way.about(facts) and way.allows(facts.amount) for way in ways)

    async def _meanwhile(self, row: TaskFields, item: Substitution) -> bool:
        if row.created >= item.since_ms:
            return True
        claimed_by = ""
        for entry in await self._office.store.journal_of(row.iid) if row.claimed else ():
            for event in e.decode_events(entry.ev):
                if isinstance(event, e.TaskClaimed) and event.token == row.tok:
                    claimed_by = entry.actor
        return claimed_by == item.substitute

    async def _record(self, caller: Caller, action: str, item: Substitution) -> None:
        after = {
            "substitute": item.substitute,
            "since": iso(item.since_ms),
            "until": iso(item.ended_ms or item.until_ms),
            "processes": item.processes,
            "amount_max": item.amount_max,
            "kept": item.kept,
            "passes_on": item.passes_on,
        }
        await self._office.trail.record(
            AuditRecord(
                caller.principal.tenant,
                self._office.clock.now_ms(),
                caller.principal.id,
                action,
                "person",
                item.principal,
                after=msgspec.json.encode(after).decode(),
                origin=origin_json(caller.origin),
            )
        )
