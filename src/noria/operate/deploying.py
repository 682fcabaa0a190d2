"""Deploying models: checking, storing, compiling, and knowing which definitions there are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import ClassVar, Protocol

import msgspec

from noria.design.bpmn.graph import Element, Trigger, TriggerKind
from noria.design.dmn import Decision, read_dmn
from noria.design.findings import Finding, has_errors
from noria.design.forms import Form, read_form
from noria.engine.definition import Definition
from noria.engine.facts import Facts
from noria.engine.starting import first_start
from noria.engine.state import Deadline
from noria.engine.trouble import Trouble
from noria.kernel.errors import NoriaError
from noria.operate.bundles import Known, check_bundle, read_bundle
from noria.operate.delivery import StartPoint

KINDS = {".bpmn": "bpmn", ".dmn": "dmn", ".form": "form"}
_LOAD = "facts.load"


class Resource(msgspec.Struct):
    """A deployed file.

    Attributes:
        name: file name.
        kind: "bpmn", "dmn" or "form".
        digest: SHA-256 of the content, hex.
        content: the file.
    """

    name: str
    kind: str
    digest: str
    content: bytes


class DefinitionRow(msgspec.Struct):
    """One version of one process as stored."""

    id: int
    tenant: int
    key: str
    version: int
    name: str
    deployment: int
    resource: str
    at: int
    by: str


class StartTimerRow(msgspec.Struct):
    """When a timer start event of the newest version is due next; of several the higher `prio` goes first.

    Attributes:
        calendar, calendar_version, start, duration, provisional: how the due instant was counted in a working
            calendar (`Deadline`); "" for clock time.
    """

    definition: int
    element: str
    tenant: int
    due: int
    remaining: int
    interval: str
    prio: int = 0
    calendar: str = ""
    calendar_version: int = 0
    start: int = 0
    duration: str = ""
    provisional: int = 0

    @property
    def deadline(self) -> Deadline | None:
        """How the due instant was counted in a working calendar, None for clock time."""
        if not self.calendar:
            return None
        return Deadline(self.calendar, self.calendar_version, self.start, self.duration, bool(self.provisional))

    def at(self, due_ms: int, deadline: Deadline | None) -> StartTimerRow:
        """The same start timer with another due instant."""
        counted = deadline or Deadline("", 0, 0, "")
        return msgspec.structs.replace(
            self,
            due=due_ms,
            calendar=counted.calendar,
            calendar_version=counted.version,
            start=counted.start_ms,
            duration=counted.duration,
            provisional=int(counted.provisional),
        )


class UnknownDefinitionError(NoriaError):
    """There is no such definition."""

    code: ClassVar[str] = "process.not_found"


class CatalogueStore(Protocol):
    """Where deployments are kept."""

    async def definitions(self, after: int = 0) -> list[DefinitionRow]:
        """The definitions of every tenant with a higher id, oldest first."""
        ...

    async def resources(self, deployment: int) -> list[Resource]:
        """What was deployed together."""
        ...

    async def newest_resources(self, tenant: int, kind: str, before: int | None = None) -> list[Resource]:
        """The newest resource of each name and of a kind, those deployed last at the end.

        Args:
            tenant: whose.
            kind: "bpmn", "dmn" or "form".
            before: as it was when this deployment was made, without what belongs to it; None: as it is.
        """
        ...

    async def deploy(
        self,
        tenant: int,
        by: str,
        now_ms: int,
        resources: list[Resource],
        definitions: list[DefinitionRow],
        timers: Mapping[str, list[StartTimerRow]],
    ) -> int:
        """Write a deployment, all or nothing; gives ids and versions to the definitions.

        Args:
            tenant: whose.
            by: who deploys.
            now_ms: when.
            resources: the files.
            definitions: the processes in them.
            timers: process key → its start timers, which take the place of those of the versions before.
        """
        ...

    async def put_start_timer(self, row: StartTimerRow) -> None:
        """Keep when a start timer is due next."""
        ...

    async def drop_start_timer(self, definition: int, element: str) -> None:
        """Forget a start timer that has fired for the last time."""
        ...

    async def due_start_timers(self, now_ms: int) -> list[StartTimerRow]:
        """Start timers that are due, those of higher priority first."""
        ...

    async def start_timers_of(self, tenant: int) -> list[StartTimerRow]:
        """All start timers of a tenant."""
        ...

    async def move_start_timer(self, due_ms: int, row: StartTimerRow) -> None:
        """Give a start timer another due instant, if it is still due when it was."""
        ...


class Deployed(msgspec.Struct):
    """What a deployment made. `id` is 0 for a refused or dry one."""

    id: int
    at: int
    definitions: list[DefinitionRow]
    decisions: list[Decision]
    forms: list[str]
    findings: list[Finding]


def _asks_for_load(definition: Definition, resources: Iterable[Resource]) -> bool:
    return any(_LOAD.encode() in resource.content for resource in resources) or any(
        _LOAD in decision.within().source for decision in definition.decisions.values()
    )


class Catalogue:
    """Knows every definition and compiles each once. `Definitions` for the runtime, `Directory` for delivery."""

    def __init__(self, store: CatalogueStore) -> None:
        self._store = store
        self._rows: dict[int, DefinitionRow] = {}
        self._newest: dict[tuple[int, str], int] = {}
        self._compiled: dict[int, Definition] = {}
        self._lock = asyncio.Lock()
        self._load_asked: Callable[[int], Awaitable[None]] | None = None

    def when_load_is_asked_for(self, count: Callable[[int], Awaitable[None]]) -> None:
        """Have a function called with the tenant before a model that asks for the load of people or groups is run."""
        self._load_asked = count

    async def load(self) -> None:
        """Read what is deployed, and compile the newest versions, whose start events must be known."""
        await self.refresh()

    async def refresh(self) -> list[DefinitionRow]:
        """Read what has been deployed since, by other processes too; gives it, oldest first."""
        async with self._lock:
            return await self._refresh()

    async def _refresh(self) -> list[DefinitionRow]:
        found = await self._store.definitions(max(self._rows, default=0))
        for row in found:
            self._rows[row.id] = row
        # The start events of the newest versions must be known before they are looked for.
        newest = {(row.tenant, row.key): row.id for row in found}
        for definition in newest.values():
            await self._compile(definition)
        self._newest |= newest
        return found

    # Looking up

    def rows(self, tenant: int) -> list[DefinitionRow]:
        """All definitions of a tenant, oldest first."""
        return [row for row in self._rows.values() if row.tenant == tenant]

    def row(self, definition: int) -> DefinitionRow:
        """The row of a definition.

        Raises:
            UnknownDefinitionError: there is none.
        """
        try:
            return self._rows[definition]
        except KeyError:
            raise UnknownDefinitionError(f"There is no definition {definition}.") from None

    def find(self, tenant: int, key: str, version: int | None = None) -> DefinitionRow | None:
        """A version of a process, the newest when none is named."""
        if version is None:
            newest = self._newest.get((tenant, key))
            return None if newest is None else self._rows[newest]
        return next(
            (row for row in self._rows.values() if (row.tenant, row.key, row.version) == (tenant, key, version)), None
        )

    def newest(self, tenant: int) -> list[DefinitionRow]:
        """The newest version of every process of a tenant."""
        return [self._rows[definition] for (owner, _), definition in self._newest.items() if owner == tenant]

    def is_newest(self, definition: int) -> bool:
        """Whether a definition is the newest version of its process."""
        row = self.row(definition)
        return self._newest[row.tenant, row.key] == definition

    def compiled(self, definition: int) -> Definition | None:
        """The compiled definition if it is in memory."""
        return self._compiled.get(definition)

    async def get(self, definition: int) -> Definition:
        """The compiled definition.

        Raises:
            UnknownDefinitionError: there is none.
        """
        known = self._compiled.get(definition)
        if known is not None:
            return known
        if definition not in self._rows:
            # Another process may have deployed it a moment ago.
            await self.refresh()
        return await self._compile(definition)

    async def _compile(self, definition: int) -> Definition:
        known = self._compiled.get(definition)
        if known is not None:
            return known
        row = self.row(definition)
        resources = await self._store.resources(row.deployment)
        bundle = read_bundle({resource.name: resource.content for resource in resources}, accepted=True)
        # As it was then: what has been deployed since must not change a version that cases run on.
        decisions, forms = await self._known(row.tenant, row.deployment)
        graph = next(graph for file, graph in bundle.graphs if file == row.resource and graph.key == row.key)
        made = Definition(graph, row.version, {**decisions, **bundle.decisions}, {**forms, **bundle.forms})
        await self._look_for_load(row.tenant, made, resources)
        self._compiled[definition] = made
        return made

    async def _look_for_load(self, tenant: int, definition: Definition, resources: Iterable[Resource]) -> None:
        if self._load_asked is not None and _asks_for_load(definition, resources):
            await self._load_asked(tenant)

    async def xml(self, definition: int) -> bytes:
        """The BPMN file of a definition as it was deployed."""
        row = self.row(definition)
        resources = await self._store.resources(row.deployment)
        return next(resource.content for resource in resources if resource.name == row.resource)

    async def _known(self, tenant: int, before: int | None = None) -> tuple[dict[str, Decision], dict[str, Form]]:
        """Decisions and forms that are deployed, the newest of each file; or that were, before a deployment."""
        decisions: dict[str, Decision] = {}
        forms: dict[str, Form] = {}
        resources = await self._store.newest_resources(tenant, "dmn", before)
        beside = {resource.name: resource.content for resource in resources}
        for resource in resources:
            model, _ = read_dmn(resource.content, resource.name, beside)
            decisions.update(model.decisions if model is not None else {})
        for resource in await self._store.newest_resources(tenant, "form", before):
            form, _ = read_form(resource.content, resource.name)
            if form is not None:
                forms[form.id] = form
        return decisions, forms

    async def decision_files(self, tenant: int) -> dict[str, bytes]:
        """The newest decision files by name."""
        return {resource.name: resource.content for resource in await self._store.newest_resources(tenant, "dmn")}

    async def form_files(self, tenant: int, before: int | None = None) -> dict[str, bytes]:
        """The newest form files by name, those deployed last at the end; or what they were before a deployment."""
        found = await self._store.newest_resources(tenant, "form", before)
        return {resource.name: resource.content for resource in found}

    async def resources(self, deployment: int) -> dict[str, bytes]:
        """What was deployed together, by name."""
        return {resource.name: resource.content for resource in await self._store.resources(deployment)}

    async def decision(self, tenant: int, decision: str) -> Decision | None:
        """The newest decision of that id."""
        return (await self._known(tenant))[0].get(decision)

    # Deploying

    async def deploy(
        self, tenant: int, by: str, files: Mapping[str, bytes], now_ms: int, facts: Facts, *, dry_run: bool = False
    ) -> Deployed:
        """Check files and, unless one finding is an error or it is a dry run, put them into force.

        A file that is equal to what is deployed still makes a new version: what was deployed together stays together.
        """
        async with self._lock:
            await self._refresh()
            known_decisions, known_forms = await self._known(tenant)
            bundle = check_bundle(files, Known(known_decisions.keys(), known_forms.keys(), facts.calendars.keys()))
            rows = [
                DefinitionRow(0, tenant, graph.key, 0, graph.name, 0, file, now_ms, by) for file, graph in bundle.graphs
            ]
            for row in rows:
                before = self.find(tenant, row.key)
                row.version = before.version + 1 if before is not None else 1
            made = []
            timers = {}
            sound = [] if has_errors(bundle.findings) else bundle.graphs
            for row, (_, graph) in zip(rows, sound, strict=False):
                decisions, forms = {**known_decisions, **bundle.decisions}, {**known_forms, **bundle.forms}
                definition = Definition(graph, row.version, decisions, forms)
                made.append(definition)
                timers[row.key] = _start_timers(row, definition, now_ms, facts, bundle.findings)
            deployed = Deployed(0, now_ms, rows, list(bundle.decisions.values()), list(bundle.forms), bundle.findings)
            if has_errors(bundle.findings) or dry_run:
                return deployed
            resources = [
                Resource(name, KINDS[name[name.rfind(".") :].lower()], sha256(content).hexdigest(), content)
                for name, content in files.items()
            ]
            deployed.id = await self._store.deploy(tenant, by, now_ms, resources, rows, timers)
            for row, definition in zip(rows, made, strict=True):
                definition.version = row.version  # another process may have deployed one meanwhile
                await self._look_for_load(tenant, definition, resources)
                self._compiled[row.id] = definition
                self._rows[row.id] = row
                self._newest[tenant, row.key] = row.id
            return deployed

    # Start events

    def _starts(self, definition: int, kind: TriggerKind) -> list[Element]:
        compiled = self._compiled.get(definition)
        return [] if compiled is None else _starts(compiled, kind)

    def _start_points(self, tenant: int, kind: TriggerKind, name: str) -> list[StartPoint]:
        return [
            StartPoint(row.id, element.id)
            for row in self.newest(tenant)
            for element in self._starts(row.id, kind)
            if any(trigger.kind is kind and trigger.name == name for trigger in element.triggers)
        ]

    def message_starts(self, tenant: int, name: str) -> Sequence[StartPoint]:
        """Start events of the newest versions that a message of this name triggers."""
        return self._start_points(tenant, TriggerKind.MESSAGE, name)

    def signal_starts(self, tenant: int, name: str) -> Sequence[StartPoint]:
        """Start events of the newest versions that a signal of this name triggers."""
        return self._start_points(tenant, TriggerKind.SIGNAL, name)

    def condition_starts(self, tenant: int) -> Sequence[tuple[StartPoint, Trigger]]:
        """Conditional start events of the newest versions."""
        return [
            (StartPoint(row.id, element.id), trigger)
            for row in self.newest(tenant)
            for element in self._starts(row.id, TriggerKind.CONDITIONAL)
            for trigger in element.triggers
            if trigger.kind is TriggerKind.CONDITIONAL and trigger.condition is not None
        ]

    def called(self, tenant: int, process: str, binding: str, caller: int) -> int | None:
        """The definition that a call activity of definition `caller` calls; None when there is none."""
        if binding.startswith("version:"):
            version = int(binding.removeprefix("version:"))
            rows = (row for row in self._rows.values() if row.tenant == tenant and row.version == version)
        elif binding == "deployment":
            deployment = self._rows[caller].deployment
            rows = (row for row in self._rows.values() if row.deployment == deployment)
        else:
            return self._newest.get((tenant, process))
        return next((row.id for row in rows if row.key == process), None)


def _starts(definition: Definition, kind: TriggerKind) -> list[Element]:
    """The start events of a process that a trigger of this kind makes an instance at."""
    elements = definition.graph.elements
    return [
        elements[index]
        for index in elements[0].starts
        if elements[index].instantiates and any(trigger.kind is kind for trigger in elements[index].triggers)
    ]


def _start_timers(
    row: DefinitionRow, definition: Definition, now_ms: int, facts: Facts, findings: list[Finding]
) -> list[StartTimerRow]:
    """When the timer start events of a process are due first; one that cannot be told is a finding."""
    found = []
    for element in _starts(definition, TriggerKind.TIMER):
        try:
            due, prio = first_start(definition, element.index, now_ms, facts)
        except Trouble as trouble:
            message = f"It cannot be told when this starts: {trouble.message}"
            findings.append(Finding("error", "deployment.start_timer", message, row.resource, element.line, element.id))
            continue
        timer = StartTimerRow(row.id, element.id, row.tenant, 0, due.remaining, due.interval, prio)
        found.append(timer.at(due.due_ms, due.deadline))
    return found
