"""What operators change: one instance, or all live ones of a process as a batch that is looked at before and undone.

A plan is tried on every live instance by the engine itself, without writing anything (`Operations.plan`); a batch then
carries it out one instance after the other in the background, and goes on after a restart. It can be taken back for
the instances that have not moved on and where the change has had no effect outside.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import ClassVar, Literal, Protocol

import msgspec

from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.definition import Definition
from noria.engine.evolve import replay
from noria.engine.facts import Facts
from noria.engine.migrating import Correspondence
from noria.engine.state import State, Status
from noria.kernel.errors import REASON_REQUIRED, NoriaError, Rejected
from noria.operate.background import ended
from noria.operate.changes import Held
from noria.operate.deploying import DefinitionRow
from noria.operate.office import Caller, NotFoundError, Office, RefusedError, iso, iso_or_none, origin_json, person_ref
from noria.operate.redefining import definitions_of
from noria.operate.requests import Accepted, Origin, Request
from noria.operate.restoring import restored
from noria.operate.rows import JournalRow
from noria.operate.stepping import decided
from noria.operate.views import BatchItemView, BatchView, Page, PlanProblem, PlanView
from noria.trust.audit import AuditRecord
from noria.trust.policy import Permission

logger = logging.getLogger(__name__)

_CHUNK = 200
_UNDO = "undo"
_EXAMPLES = 5
_OUTSIDE = (
    e.MessageThrown,
    e.SignalThrown,
    e.CallRequested,
    e.CallCancelled,
    e.JobCompleted,
    e.TaskCompleted,
    e.InstanceCompleted,
)
"""What cannot be taken back: somebody else has been told of it, or may have been."""
_NOT_MEANT = Rejected(
    "batch.not_meant",
    "The request is not as the batch takes it to be: it is elsewhere, of another version, or done with already.",
)

Kind = Literal["migrate", "modify", "retry", "suspend", "resume", "derive"]


class PlanError(NoriaError):
    """A plan that cannot be tried: it names a version or element that is not there, or says too little."""

    code: ClassVar[str] = "batch.plan"


class Plan(msgspec.Struct, frozen=True):
    """What is to be done to the live instances of a process.

    Attributes:
        kind: what.
        process: key of the process.
        version: only instances of this version; 0 for all (a migration leaves those of its target out).
        to_version: for a migration, the version to go on by.
        elements: for a migration, source element id → target element id where they differ.
        moves: for a modification.
        variables: for a retry, what is corrected before.
        at: only instances that are at this element; "" for all.
        calendar: for counting due dates anew, the calendar; its publication makes this batch.
        calendar_version: likewise, the version published.
    """

    kind: Kind
    process: str
    version: int = 0
    to_version: int = 0
    elements: dict[str, str] = {}
    moves: tuple[c.Move, ...] = ()
    at: str = ""
    variables: dict[str, object] = {}
    calendar: str = ""
    calendar_version: int = 0


class BatchRow(msgspec.Struct):
    """A batch as stored; `plan` is the plan as JSON, `undone_by` who has it taken back."""

    id: str
    tenant: int
    process: str
    kind: str
    plan: str
    by: str
    reason: str
    created: int
    ended: int
    undone_by: str
    total: int


class BatchItem(msgspec.Struct):
    """One instance of a batch.

    Attributes:
        batch: id of the batch.
        iid: the instance.
        state: "waiting", "done", "refused", "undone" or "kept" (could not be taken back).
        ver: version of the instance after the change.
        code: why it was refused or kept.
        message: likewise, in words.
    """

    batch: str
    iid: int
    state: str
    ver: int = 0
    code: str = ""
    message: str = ""


class BatchStore(Protocol):
    """Where batches are kept."""

    async def live(self, tenant: int, definitions: Sequence[int], after: int, limit: int) -> list[int]:
        """Open instances of these definitions behind an instance id, by id."""
        ...

    async def put(self, batch: BatchRow, items: Sequence[BatchItem]) -> None:
        """Write a batch and its instances, all or nothing."""
        ...

    async def get(self, tenant: int, batch: str) -> BatchRow | None:
        """One batch."""
        ...

    async def newest(self, tenant: int, limit: int, offset: int) -> tuple[list[BatchRow], int]:
        """Batches, newest first, and how many there are."""
        ...

    async def unfinished(self) -> list[BatchRow]:
        """Batches that are still at work, of all tenants."""
        ...

    async def counts(self, batch: str) -> dict[str, int]:
        """Number of instances by state."""
        ...

    async def items(self, batch: str, state: str, limit: int, offset: int = 0) -> list[BatchItem]:
        """Instances of a batch in one state, or in any for ""."""
        ...

    async def settle(self, items: Sequence[BatchItem], before: str) -> None:
        """Write what became of some instances that are still in the state before; another process may be faster."""
        ...

    async def finish(self, batch: str, ended: int, undone_by: str) -> bool:
        """Set when a batch ended, or with 0 that it is at work again and who has it taken back.

        Returns:
            Whether that was so: not when somebody has it taken back already, or meanwhile.
        """
        ...

    async def due_after(self, tenant: int, due_ms: int, after: int, limit: int) -> list[int]:
        """Instances with an open task or a timer that is due behind an instant, behind an instance id, by id."""
        ...

    async def add(self, batch: str, items: Sequence[BatchItem]) -> None:
        """Have more instances in a batch; those that are in it already wait again."""
        ...


class Operations:
    """Plans, batches and single changes of operators."""

    def __init__(self, office: Office, store: BatchStore) -> None:
        self._office = office
        self._store = store
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    # Looking before

    async def plan(self, caller: Caller, plan: Plan) -> PlanView:
        """Try a plan on every live instance; nothing is written.

        Raises:
            NotFoundError: there is no such process.
            DeniedError: the caller is no operator.
            PlanError: the plan is not complete.
        """
        await self._office.require(caller, Permission.OPERATE, "process", plan.process)
        view, _ = await self._tried(caller, plan)
        return view

    async def _tried(self, caller: Caller, plan: Plan) -> tuple[PlanView, list[int]]:
        tenant = caller.principal.tenant
        rows, target = self._rows(tenant, plan)
        after = await self._office.catalogue.get(target.id) if target is not None else None
        facts = msgspec.structs.replace(self._office.facts(tenant), target=after)
        view = PlanView(plan.process, 0, 0, 0, 0, [])
        problems: dict[tuple[str, str], PlanProblem] = {}
        ready: list[int] = []
        behind = 0
        while found := await self._store.live(tenant, [row.id for row in rows], behind, _CHUNK):
            behind = found[-1]
            for iid, row in (await self._office.store.load(found)).items():
                definition = await self._office.catalogue.get(row.definition)
                state = restored(row)
                if not _concerned(plan, definition, state):
                    continue
                view.total += 1
                outcome = self._outcome(plan, Held(row, state, definition), target, facts, caller)
                if isinstance(outcome, Rejected):
                    view.impossible += 1
                    _note(problems, outcome, iid)
                    continue
                ready.append(iid)
                if after is not None and Correspondence(definition, after, plan.elements).mapped(state):
                    view.mapped += 1
                else:
                    view.clean += 1
        view.problems = sorted(problems.values(), key=lambda item: -item.count)
        return view, ready

    def _rows(self, tenant: int, plan: Plan) -> tuple[list[DefinitionRow], DefinitionRow | None]:
        if plan.kind == "derive":
            raise PlanError("Due dates are counted anew when a calendar is published, and only then.")
        rows = [row for row in self._office.catalogue.rows(tenant) if row.key == plan.process]
        if not rows:
            raise NotFoundError(f"There is no process {plan.process!r}.")
        target = None
        if plan.kind == "migrate":
            target = next((row for row in rows if row.version == plan.to_version), None)
            if target is None:
                raise PlanError(f"{plan.process} has no version {plan.to_version} to go on by.")
            rows = [row for row in rows if row.id != target.id]
        if plan.variables and plan.kind != "retry":
            raise PlanError("Variables are corrected before a retry; a modification names them with each move.")
        if plan.kind == "modify" and not plan.moves:
            raise PlanError("Nothing is to be changed: give moves.")
        if plan.version:
            rows = [row for row in rows if row.version == plan.version]
        return rows, target

    def _outcome(
        self, plan: Plan, held: Held, target: DefinitionRow | None, facts: Facts, caller: Caller
    ) -> Rejected | None:
        """Why the engine would refuse the plan for one instance, None when it would not."""
        by, after = caller.principal.id, held.state
        for command in _commands(plan, held, target, by, "dry run").values():
            if _is_settled(command, after):
                continue
            now = msgspec.structs.replace(held, state=after)
            outcome = decided(now, command, by, self._office.clock.now_ms(), facts)
            if isinstance(outcome, Rejected):
                return outcome
            again = raised_in(outcome.events)
            if plan.kind == "retry" and again is not None:
                return again
            after = outcome.state
        return None

    # Batches

    async def begin(self, caller: Caller, plan: Plan, reason: str) -> BatchView:
        """Have a plan carried out for every live instance for which the engine would.

        Raises:
            NotFoundError: there is no such process.
            DeniedError: the caller is no operator.
            PlanError: the plan is not complete, or no reason is given.
        """
        office, tenant = self._office, caller.principal.tenant
        await office.require(caller, Permission.OPERATE, "process", plan.process)
        if not reason.strip():
            raise RefusedError(REASON_REQUIRED)
        _, ready = await self._tried(caller, plan)
        now_ms = office.clock.now_ms()
        written = msgspec.json.encode(plan)
        name = blake2b(written + f"{tenant}/{caller.principal.id}/{now_ms}".encode(), digest_size=8).hexdigest()
        row = BatchRow(
            id=name,
            tenant=tenant,
            process=plan.process,
            kind=plan.kind,
            plan=written.decode(),
            by=caller.principal.id,
            reason=reason,
            created=now_ms,
            ended=0 if ready else now_ms,
            undone_by="",
            total=len(ready),
        )
        await self._store.put(row, [BatchItem(name, iid, "waiting") for iid in ready])
        await self._record(caller, "batch.begun", row, reason)
        self._wake.set()
        return await self._view(row)

    async def _record(self, caller: Caller, action: str, row: BatchRow, reason: str) -> None:
        now_ms = self._office.clock.now_ms()
        await self._office.trail.record(
            AuditRecord(
                row.tenant,
                now_ms,
                caller.principal.id,
                action,
                "batch",
                row.id,
                "done",
                reason,
                origin=origin_json(caller.origin),
            )
        )

    async def find(self, caller: Caller, limit: int, offset: int) -> Page[BatchView]:
        """Batches, newest first."""
        await self._office.require(caller, Permission.OPERATE, "batch")
        rows, total = await self._store.newest(caller.principal.tenant, limit, offset)
        return Page([await self._view(row) for row in rows], total, limit, offset)

    async def one(self, caller: Caller, batch: str) -> BatchView:
        """One batch with its progress."""
        return await self._view(await self._row(caller, batch))

    async def items(self, caller: Caller, batch: str, state: str, limit: int, offset: int) -> list[BatchItemView]:
        """The instances of a batch, in one state or all."""
        row = await self._row(caller, batch)
        found = await self._store.items(row.id, state, limit, offset)
        return [BatchItemView(str(item.iid), item.state, item.code, item.message) for item in found]

    async def undo(self, caller: Caller, batch: str, reason: str) -> BatchView:
        """Take a finished batch back for the instances that have not moved on since.

        Raises:
            RefusedError: it is still at work, has been taken back, or no reason is given.
        """
        row = await self._row(caller, batch)
        if not reason.strip():
            raise RefusedError(REASON_REQUIRED)
        if row.kind == "derive" or not await self._store.finish(row.id, 0, caller.principal.id):
            raise RefusedError(
                Rejected("batch.not_undoable", "The batch is at work, has been taken back already, or cannot be.")
            )
        await self._record(caller, "batch.undone", row, reason)
        self._wake.set()
        return await self.one(caller, batch)

    async def _row(self, caller: Caller, batch: str) -> BatchRow:
        await self._office.require(caller, Permission.OPERATE, "batch", batch)
        row = await self._store.get(caller.principal.tenant, batch)
        if row is None:
            raise NotFoundError("There is no such batch.")
        return row

    async def _view(self, row: BatchRow) -> BatchView:
        organisation = await self._office.people.organisation(row.tenant)
        counts = await self._store.counts(row.id)
        return BatchView(
            id=row.id,
            kind=row.kind,
            process=row.process,
            plan=msgspec.json.decode(row.plan),
            by=person_ref(organisation, row.by),
            reason=row.reason,
            created_at=iso(row.created),
            ended_at=iso_or_none(row.ended),
            undone=bool(row.undone_by),
            total=row.total,
            waiting=counts.get("waiting", 0),
            done=counts.get("done", 0),
            refused=counts.get("refused", 0),
            taken_back=counts.get("undone", 0),
            kept=counts.get("kept", 0),
        )

    # Working in the background

    def start(self) -> None:
        """Begin to work; batches of an earlier run go on."""
        self._wake.set()
        self._task = asyncio.create_task(self._work(), name="noria-batches")

    async def stop(self) -> None:
        """Stop after the instances at hand."""
        await ended(self._task)

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                fails = [not await self._carried_out(row) for row in await self._store.unfinished()]
            except NoriaError as error:
                logger.warning("Batches pause: %s", error)
                fails = [True]
            if any(fails):
                await self._office.clock.sleep_until(self._office.clock.now_ms() + 1_000)
                self._wake.set()

    async def _carried_out(self, row: BatchRow) -> bool:
        """Carry out one batch; what fails in it holds up no other. Gives whether it need not be tried again soon."""
        try:
            if row.kind != "derive":
                await self._carry_out(row)
        except NoriaError as error:
            logger.warning("Batch %s pauses: %s", row.id, error)
            return False
        except Exception:
            logger.exception("Batch %s pauses on a defect", row.id)
        return True

    async def _carry_out(self, row: BatchRow) -> None:
        from_state = "done" if row.undone_by else "waiting"
        plan = msgspec.json.decode(row.plan, type=Plan)
        while items := await self._store.items(row.id, from_state, _CHUNK):
            settled = await asyncio.gather(
                *(self._taken_back(row, item) if row.undone_by else self._done(row, plan, item) for item in items)
            )
            await self._store.settle(settled, from_state)
        await self._store.finish(row.id, self._office.clock.now_ms(), row.undone_by)

    async def _done(self, row: BatchRow, plan: Plan, item: BatchItem) -> BatchItem:
        def refused(why: Rejected) -> BatchItem:
            return BatchItem(row.id, item.iid, "refused", 0, why.code, why.message)

        held = await self._office.runtime.instance(item.iid)
        meant, target = self._rows(row.tenant, plan)
        if held is None or not self._still_meant(plan, held, meant):
            # Either it has gone on by itself, or by what was carried out just before a crash.
            own = await self._own_entries(row, item)
            if own:
                return BatchItem(row.id, item.iid, "done", own[-1].ver)
            ended = held is None or held.state.status is not Status.OPEN
            return refused(Rejected("instance.ended", "The instance has ended meanwhile.") if ended else _NOT_MEANT)
        version, again = 0, None
        for part, command in _commands(plan, held, target, row.by, row.reason).items():
            answer = await self._submit(row, item, command, part, target.id if target is not None else 0)
            if isinstance(answer, Rejected):
                if answer.code == "incident.not_open" or (version and answer.code == "instance.ended"):
                    # The retry of another one, or somebody else, has settled it.
                    continue
                return refused(answer)
            version = answer.version
            again = again or (raised_in(answer.events) if plan.kind == "retry" else None)
        if again is not None:
            return refused(again)
        return BatchItem(row.id, item.iid, "done", version) if version else refused(_NOT_MEANT)

    @staticmethod
    def _still_meant(plan: Plan, held: Held, meant: Sequence[DefinitionRow]) -> bool:
        return (
            held.state.status is Status.OPEN
            and any(row.id == held.row.definition for row in meant)
            and _concerned(plan, held.definition, held.state)
        )

    async def _own_entries(self, row: BatchRow, item: BatchItem) -> list[JournalRow]:
        """What the batch has done to an instance, oldest first."""
        own = _key(row, item, "")
        return [
            entry
            for entry in await self._office.store.journal_of(item.iid)
            if entry.key.startswith(own) and entry.key != f"{own}{_UNDO}"
        ]

    async def _submit(
        self, row: BatchRow, item: BatchItem, command: c.AnyCommand, part: str, target: int
    ) -> Accepted | Rejected:
        return await self._office.runtime.submit(
            Request(
                command,
                row.by,
                iid=item.iid,
                tenant=row.tenant,
                key=_key(row, item, part),
                origin=Origin("batch"),
                target=target,
            )
        )

    async def _taken_back(self, row: BatchRow, item: BatchItem) -> BatchItem:
        def kept(code: str, message: str) -> BatchItem:
            return BatchItem(row.id, item.iid, "kept", item.ver, code, message)

        held = await self._office.runtime.instance(item.iid)
        if held is None or held.state.version != item.ver:
            key = _key(row, item, _UNDO)
            if done := (await self._office.store.answers([key])).get(key):
                # It was taken back just before a crash.
                return BatchItem(row.id, item.iid, "undone", done[1])
            return kept("restore.moved_on", "The instance has moved on since; the change cannot be taken back.")
        own = {entry.ver for entry in await self._own_entries(row, item)}
        first = min(own, default=0)
        if own != set(range(first, item.ver + 1)):
            return kept("restore.moved_on", "Something else has happened between; the change cannot be taken back.")
        rows = await self._office.store.journal_of(item.iid)
        entries = [e.decode_events(entry.ev) for entry in rows]
        if any(_has_told(event, held.state) for entry in entries[first - 1 :] for event in entry):
            return kept("restore.effects", "The change has had effects outside that cannot be taken back.")
        before = definitions_of(rows, held.row.definition)[first - 2]
        state = replay(entries[: first - 1])
        command = c.RestoreInstance(row.undone_by, row.reason, state, held.row.definition, before, item.ver)
        answer = await self._submit(row, item, command, _UNDO, before)
        if isinstance(answer, Rejected):
            return kept(answer.code, answer.message)
        return BatchItem(row.id, item.iid, "undone", answer.version)


def _key(row: BatchRow, item: BatchItem, part: str) -> str:
    return f"batch:{row.id}:{item.iid}:{part}"


def _has_told(event: e.AnyEvent, state: State) -> bool:
    """Whether something outside has been told of an event, or may have been."""
    if isinstance(event, e.EscalationThrown):
        return state.parent is not None and event.caught_by < 0
    return isinstance(event, _OUTSIDE)


def raised_in(events: Iterable[e.AnyEvent]) -> Rejected | None:
    """The first incident among events, as the reason why something did not pass."""
    raised = next((event for event in events if isinstance(event, e.IncidentRaised)), None)
    return Rejected(raised.code, raised.message) if raised is not None else None


def _is_settled(command: c.AnyCommand, state: State) -> bool:
    """Whether the incident that is to be retried is not there any more, as when another one's retry has ended it."""
    return isinstance(command, c.RetryIncident) and command.incident not in state.incidents


def _concerned(plan: Plan, definition: Definition, state: State) -> bool:
    if plan.kind == "retry" and not state.incidents:
        return False
    if plan.kind in ("suspend", "resume") and state.suspended is (plan.kind == "suspend"):
        return False
    if not plan.at:
        return True
    index = definition.graph.element_of.get(plan.at)
    return any(token.element == index for token in state.tokens.values())


def _commands(plan: Plan, held: Held, target: DefinitionRow | None, by: str, reason: str) -> dict[str, c.AnyCommand]:
    """What a plan comes to for one instance, by what tells the commands apart in their idempotency keys."""
    command: c.AnyCommand
    if plan.kind == "migrate" and target is not None:
        command = c.MigrateInstance(by, reason, held.row.definition, target.id, plan.elements)
    elif plan.kind == "modify":
        command = c.ModifyInstance(by, reason, plan.moves)
    elif plan.kind == "suspend":
        command = c.SuspendInstance(by, reason)
    elif plan.kind == "resume":
        command = c.ResumeInstance(by, reason)
    else:
        corrections = {"variables": c.SetVariables(by, plan.variables, reason)} if plan.variables else {}
        # By the incident, not by its place: after a crash those before it are not there any more.
        retries = {f"incident-{incident}": c.RetryIncident(incident, by) for incident in held.state.incidents}
        return {**corrections, **retries}
    return {"0": command}


def _note(problems: dict[tuple[str, str], PlanProblem], refusal: Rejected, iid: int) -> None:
    listed = refusal.details.get("problems")
    causes = listed if isinstance(listed, list) else [{"code": refusal.code, "element": "", "message": refusal.message}]
    for cause in causes:
        key = (cause["code"], cause["element"])
        problem = problems.setdefault(key, PlanProblem(cause["code"], cause["element"], cause["message"], 0, []))
        problem.count += 1
        if len(problem.examples) < _EXAMPLES:
            problem.examples.append(str(iid))
