"""Saved filters (常用筛选): what a person looks for again and again, by a name, for one of the lists."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

import msgspec

from noria.kernel.errors import Rejected
from noria.operate.finding import Wanted, fields_for, problems_with, search_for
from noria.operate.office import Caller, NotFoundError, Office, RefusedError
from noria.operate.reading import InstanceBox, InstanceStatus, TaskBox, TaskSort

FILTERS_MAX = 50
NAME_CHARS_MAX = 60


class ListName(StrEnum):
    """Of which list."""

    INSTANCES = "instances"
    TASKS = "tasks"


class FilterQuery(msgspec.Struct, frozen=True, omit_defaults=True):
    """The parameters of a list, in its own words; "" and nothing for what is left as the list has it."""

    q: str = ""
    process: str = ""
    status: InstanceStatus | None = None
    box: str = ""
    sort: TaskSort | None = None
    starter: str = ""
    holder: str = ""
    actor: str = ""
    field: tuple[str, ...] = ()

    @property
    def wanted(self) -> Wanted:
        """What is looked for."""
        return Wanted(self.q, self.starter, self.holder, self.actor, self.field)


class FilterRow(msgspec.Struct):
    """A saved filter as it is stored."""

    tenant: int
    person: str
    id: str
    list: str
    name: str
    query: str
    at: int


class FilterOrder(msgspec.Struct):
    """A filter to save."""

    list: ListName
    name: str
    query: FilterQuery


class FilterProblem(msgspec.Struct):
    """A part of a saved filter that means nothing any more, and why."""

    parameter: str
    given: str
    code: str
    message: str


class FilterView(msgspec.Struct):
    """A saved filter; with problems it cannot be used until it is changed."""

    id: str
    list: ListName
    name: str
    query: FilterQuery
    problems: tuple[FilterProblem, ...]


class FieldView(msgspec.Struct):
    """A field by which a list can be filtered; `type` is "text", "number", "date" or "bool"."""

    name: str
    label: str
    type: str
    choices: list[tuple[str, str]]


class FieldList(msgspec.Struct):
    """Fields by which a list can be filtered."""

    items: list[FieldView]


class FilterList(msgspec.Struct):
    """A person's filters, by name."""

    items: list[FilterView]


class FilterStore(Protocol):
    """Where filters are kept."""

    async def filters(self, tenant: int, person: str) -> list[FilterRow]:
        """All of a person's."""
        ...

    async def put_filter(self, row: FilterRow) -> bool:
        """Keep one, in place of the one with its id; False when another of that list has its name."""
        ...

    async def drop_filter(self, tenant: int, person: str, key: str) -> bool:
        """Forget one; False when there is none."""
        ...


class SavedFilters:
    """The use cases. Everybody's filters are their own."""

    def __init__(self, office: Office, store: FilterStore, new_id: Callable[[], str]) -> None:
        self._office = office
        self._store = store
        self._new_id = new_id

    async def fields(self, caller: Caller, process: str) -> FieldList:
        """The fields that the caller may look for: of all versions of a process, or of the newest of every process.

        Raises:
            NotFoundError: there is no such process.
        """
        self._check_process(caller, process)
        found = await fields_for(self._office, caller.principal, process)
        return FieldList([FieldView(item.name, item.label, item.type, list(item.choices)) for item in found])

    async def all(self, caller: Caller, of: ListName | None = None) -> FilterList:
        """The caller's filters, each with what is wrong with it by now."""
        rows = await self._store.filters(caller.principal.tenant, caller.principal.id)
        rows = sorted((row for row in rows if of in (None, row.list)), key=lambda row: (row.list, row.name, row.id))
        return FilterList([await self._view(caller, row) for row in rows])

    async def add(self, caller: Caller, order: FilterOrder) -> FilterView:
        """Save a filter.

        Raises:
            RefusedError: its name is empty, too long or taken, it cannot be used, or there are too many.
            NotFoundError: it is about a process that there is not.
        """
        if len(await self._store.filters(caller.principal.tenant, caller.principal.id)) >= FILTERS_MAX:
            message = f"At most {FILTERS_MAX} filters are saved; delete one first."
            raise RefusedError(Rejected("filter.too_many_saved", message, {"max": FILTERS_MAX}))
        return await self._put(caller, self._new_id(), order)

    async def change(self, caller: Caller, key: str, order: FilterOrder) -> FilterView:
        """Give a saved filter another name, or have it look for something else.

        Raises:
            RefusedError: its name is empty, too long or taken, or it cannot be used.
            NotFoundError: the caller has no such filter, or it is about a process that there is not.
        """
        rows = await self._store.filters(caller.principal.tenant, caller.principal.id)
        if key not in {row.id for row in rows}:
            raise NotFoundError(f"You have no filter {key!r}.")
        return await self._put(caller, key, order)

    async def drop(self, caller: Caller, key: str) -> None:
        """Forget a filter.

        Raises:
            NotFoundError: the caller has no such filter.
        """
        if not await self._store.drop_filter(caller.principal.tenant, caller.principal.id, key):
            raise NotFoundError(f"You have no filter {key!r}.")

    async def _put(self, caller: Caller, key: str, order: FilterOrder) -> FilterView:
        name = order.name.strip()
        if not 1 <= len(name) <= NAME_CHARS_MAX:
            message = f"A filter's name has 1 to {NAME_CHARS_MAX} characters."
            raise RefusedError(Rejected("filter.name", message, {"fields": {"name": "filter.name"}}))
        query = order.query
        boxes = InstanceBox if order.list is ListName.INSTANCES else TaskBox
        if query.box and query.box not in set(boxes):
            message = f"{query.box!r} is no box of the list {order.list}."
            raise RefusedError(Rejected("filter.box", message, {"parameter": "box", "given": query.box}))
        self._check_process(caller, query.process)
        await search_for(self._office, caller.principal, query.wanted, query.process)
        row = FilterRow(
            caller.principal.tenant,
            caller.principal.id,
            key,
            str(order.list),
            name,
            msgspec.json.encode(query).decode(),
            self._office.clock.now_ms(),
        )
        if not await self._store.put_filter(row):
            message = f"You have a filter {name!r} for this list already."
            raise RefusedError(Rejected("filter.exists", message, {"fields": {"name": "filter.exists"}, "name": name}))
        return await self._view(caller, row)

    def _check_process(self, caller: Caller, process: str) -> None:
        if process and self._office.catalogue.find(caller.principal.tenant, process) is None:
            raise NotFoundError(f"There is no process {process!r}.")

    async def _view(self, caller: Caller, row: FilterRow) -> FilterView:
        query = msgspec.json.decode(row.query, type=FilterQuery)
        problems = []
        if query.process and self._office.catalogue.find(row.tenant, query.process) is None:
            message = f"There is no process {query.process!r} any more."
            problems.append(FilterProblem("process", query.process, "process.not_found", message))
        for refused in await problems_with(self._office, caller.principal, query.wanted, query.process):
            details = refused.details
            given = str(details.get("given", ""))
            problems.append(FilterProblem(str(details["parameter"]), given, refused.code, refused.message))
        return FilterView(row.id, ListName(row.list), row.name, query, tuple(problems))
