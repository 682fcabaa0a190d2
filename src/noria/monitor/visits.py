"""The fold behind the board: from journal rows to visits, flow counts, occurrences and lives.

Each definition of a figure stands here once; every screen shows the same number.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import UTC
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import msgspec

from noria.design.bpmn.graph import Graph, Kind
from noria.engine import events as e
from noria.engine.state import State, Status
from noria.kernel.calendar import WorkCalendar, WorkingDays
from noria.kernel.instants import InstantMs, to_datetime

RETURN, INCIDENT = "return", "incident"


class Visit(msgspec.Struct, gc=False):
    """One visit of one element by one token.

    Attributes:
        iid: the instance.
        tok: the token.
        tenant: whose.
        definition: id of the definition.
        element: element index.
        entered: instant, ms.
        claimed: when somebody had it in hand, ms; `entered` for a task with an assignee; 0 for never.
        closed: instant, ms, 0 while it lasts.
        outcome: "" while it lasts, then "completed", "returned" or "cancelled"; "submitted" when the start form was the
            task's submission, which took nobody's time and counts in no handling figure.
        actor: who completed or returned it, "" for machines.
        due: when it is overdue, ms, 0 for no limit.
        round: round of a user task, 1 otherwise.
        human: 1 for a person's task.
        handling: entered to closed, ms.
        waiting: entered to claimed, ms.
        handling_work: the same in working time.
        waiting_work: the same in working time.
        name: what a person's task was called, "" for the name of its element.
        proxy: who did it for the actor, as a substitute; "" when the actor did it.
        calendar: in which its limit counts and its working time is told, "" for the default one.
        calendar_version: of that calendar, 0 for the version in force.
    """

    iid: int
    tok: int
    tenant: int
    definition: int
    element: int
    entered: int
    claimed: int = 0
    closed: int = 0
    outcome: str = ""
    actor: str = ""
    due: int = 0
    round: int = 1
    human: int = 0
    handling: int = 0
    waiting: int = 0
    handling_work: int = 0
    waiting_work: int = 0
    name: str = ""
    proxy: str = ""
    calendar: str = ""
    calendar_version: int = 0


class Occurrence(msgspec.Struct, frozen=True):
    """A return or an incident, where and when."""

    shard: int
    seq: int
    n: int
    tenant: int
    definition: int
    iid: int
    element: int
    kind: str
    at: int


class Life(msgspec.Struct, gc=False):
    """From start to end of one instance; `cycle_work` is its working time in ms."""

    iid: int
    tenant: int
    definition: int
    started: int
    ended: int = 0
    status: int = 0
    cycle_work: int = 0


class Recorded(msgspec.Struct, gc=False):
    """One journal row, decoded, with what the fold must know of its instance.

    Attributes:
        shard, seq, iid, ver, ts, actor: as in the journal.
        tenant: whose.
        definition: what the instance ran on.
        events: what happened.
        kinds: of the events.
    """

    shard: int
    seq: int
    iid: int
    ver: int
    ts: int
    actor: str
    tenant: int
    definition: int
    events: tuple[e.AnyEvent, ...]
    kinds: AbstractSet[type]


class Known(msgspec.Struct, gc=False):
    """What a fold must know of an instance, as of a version: the same whoever has folded it, and when.

    Attributes:
        version: of the last command that was folded; 0 before the first.
        visits: the open ones by token.
        life: None when it has to be read, as that of an instance that has ended.
        people: who did something in it, for themselves or for somebody; None when that has to be read.
        names: of what was done, where the model computes them.
    """

    version: int = 0
    visits: dict[int, Visit] = {}
    life: Life | None = None
    people: set[str] | None = set()
    names: set[str] = set()

    def note(self, visit: Visit) -> None:
        """Keep in mind who did what in a visit, and what it was called."""
        if self.people is not None:
            if visit.actor:
                self.people.add(visit.actor)
            if visit.proxy:
                self.people.add(visit.proxy)
        if visit.name:
            self.names.add(visit.name)


_ENDS = {
    e.InstanceCompleted: Status.COMPLETED,
    e.InstanceWithdrawn: Status.WITHDRAWN,
    e.InstanceTerminated: Status.TERMINATED,
    e.InstanceFailed: Status.FAILED,
    e.InstanceRefused: Status.REFUSED,
    e.InstanceVoided: Status.VOIDED,
}

REVIVING: frozenset[type] = frozenset(
    {*_ENDS, e.InstanceMigrated, e.InstanceRestored, e.TakenBack, e.InstanceRestarted}
)
"""Events that change a life that has begun before."""
_PASSED = ("completed", "")


class Fold:
    """What a page of journal rows changes in the projection.

    Attributes:
        known: the instances that the page is about, as its rows leave them.
        flows: how often each flow was taken: (tenant, definition, flow, day) → times.
        occurrences: returns and incidents.
        lives: new or changed lives by instance.
    """

    def __init__(self, known: dict[int, Known], calendar_of: Callable[[str, int], WorkCalendar]) -> None:
        """Start from what is known of the instances.

        Args:
            known: all of them, as before the page; lives of those that have an event of `REVIVING`. What is known is
                changed, also when the fold does not come to its end.
            calendar_of: gives a calendar by id ("" for the default one) and version (0 for the one in force).
        """
        self.known = known
        self._calendar_of = calendar_of
        self._days: dict[tuple[str, int], WorkingDays] = {}
        self._dates: dict[int, str] = {}
        zone = calendar_of("", 0).zone
        self._zone = ZoneInfo(zone) if zone != "UTC" else UTC
        self._visits: dict[int, dict[int, Visit]] = {}
        self.flows: dict[tuple[int, int, int, str], int] = {}
        self.occurrences: list[Occurrence] = []
        self.lives: dict[int, Life] = {}

    def visits(self) -> list[Visit]:
        """New or changed visits."""
        return [visit for changed in self._visits.values() for visit in changed.values()]

    def add(self, row: Recorded, graph: Graph) -> None:
        """Fold one row."""
        self._graph = graph
        self._known = self.known[row.iid]
        self._open = self._known.visits
        self._changed = self._visits.setdefault(row.iid, {})
        self._actors: dict[int, tuple[str, str]] = {}
        folds = self._FOLDS
        for n, event in enumerate(row.events):
            fold = folds.get(event.__class__)
            if fold is not None:
                fold(self, row, n, event)
        self._known.version = row.ver

    def _start(self, row: Recorded, _n: int, _event: e.InstanceStarted) -> None:
        self.lives[row.iid] = self._known.life = Life(row.iid, row.tenant, row.definition, row.ts)

    def _enter(self, row: Recorded, _n: int, event: e.ElementEntered) -> None:
        token, element = event.token, event.element
        if self._graph.elements[element].kind is not Kind.PROCESS:
            visit = Visit(row.iid, token, row.tenant, row.definition, element, row.ts)
            self._open[token] = self._changed[token] = visit

    def _task_opened(self, row: Recorded, _n: int, event: e.TaskOpened) -> None:
        visit = self._visit(event.token)
        visit.due, visit.round, visit.human = event.due_ms, event.round, 1
        visit.claimed = row.ts if event.assignee else 0
        if event.name:
            visit.name = event.name
            self._known.note(visit)

    def _claim(self, row: Recorded, _n: int, event: e.TaskClaimed | e.TaskTransferred) -> None:
        visit = self._visit(event.token)
        visit.claimed = visit.claimed or row.ts

    def _unclaim(self, _row: Recorded, _n: int, event: e.TaskUnclaimed) -> None:
        self._visit(event.token).claimed = 0

    def _complete(self, _row: Recorded, _n: int, event: e.TaskCompleted) -> None:
        self._actors[event.token] = ("submitted" if event.with_start else "completed", event.by)
        if event.with_start:
            self._visit(event.token).human = 0

    def _return(self, row: Recorded, n: int, event: e.TaskReturned) -> None:
        self._actors[event.token] = ("returned", event.by)
        self._occur(row, n, event.element, RETURN)

    def _fail(self, row: Recorded, n: int, event: e.IncidentRaised) -> None:
        self._occur(row, n, event.element, INCIDENT)

    def _take_back(self, row: Recorded, _n: int, event: e.TakenBack | e.InstanceRestarted) -> None:
        self._restore(row, event.state, row.definition)

    def _put_back(self, row: Recorded, _n: int, event: e.InstanceRestored) -> None:
        self._restore(row, event.state, event.after)

    def _leave(self, row: Recorded, _n: int, event: e.ElementLeft) -> None:
        outcome, actor = self._actors.get(event.token, _PASSED)
        self._close(row, event.token, outcome, actor)
        if event.flows:
            self._count_flows(row, event.flows)

    def _activate(self, row: Recorded, _n: int, event: e.GatewayActivated) -> None:
        self._count_flows(row, event.flows)

    def _cancel(self, row: Recorded, _n: int, event: e.ElementCancelled) -> None:
        outcome, actor = self._actors.get(event.token, ("cancelled", ""))
        self._close(row, event.token, outcome, actor)

    def _merge(self, row: Recorded, _n: int, event: e.TokenMerged) -> None:
        self._close(row, event.token, "completed", "")

    def _count_by(self, _row: Recorded, _n: int, event: e.DeadlineSet | e.DeadlineMoved) -> None:
        """A limit in working time; that of a timer is no visit's."""
        if event.key not in self._open:
            return
        visit = self._visit(event.key)
        visit.calendar_version = event.version
        if isinstance(event, e.DeadlineSet):
            visit.calendar = event.calendar
        else:
            visit.due = event.due_ms

    def _migrate(self, row: Recorded, _n: int, event: e.InstanceMigrated) -> None:
        """What is open goes on in the other version; what is closed stays with the version that it happened in."""
        self._live_by(row, event.after)
        for token, visit in self._open.items():
            visit.definition = event.after
            visit.element = event.elements[visit.element]
            self._changed[token] = visit

    def _restore(self, row: Recorded, state: State, definition: int) -> None:
        """What was taken back had begun is cancelled, and what it had cancelled goes on from now."""
        life = self._live_by(row, definition)
        life.status = int(state.status)
        if state.status is Status.OPEN:
            life.ended, life.cycle_work = 0, 0
        # Those who did what goes on now, and nothing else, have done nothing.
        self._known.people = None
        for token, visit in sorted(self._open.items()):
            if token in state.tokens:
                visit.definition, visit.element = definition, state.tokens[token].element
                self._changed[token] = visit
            else:
                self._close(row, token, "cancelled", "")
        for token, value in state.tokens.items():
            if token in state.loops or token in state.approvals or token in self._open:
                continue
            visit = Visit(row.iid, token, row.tenant, definition, value.element, row.ts)
            if token in state.tasks:
                task = state.tasks[token]
                visit.human, visit.due, visit.round, visit.name = 1, task.due_ms, task.round, task.name
                visit.claimed = row.ts if task.assignee else 0
            if token in state.deadlines:
                visit.calendar = state.deadlines[token].calendar
                visit.calendar_version = state.deadlines[token].version
            self._open[token] = self._changed[token] = visit

    def _live_by(self, row: Recorded, definition: int) -> Life:
        life = self._life(row)
        life.definition = definition
        return life

    def _begin_loop(self, row: Recorded, n: int, event: e.LoopStarted | e.ApprovalOpened) -> None:
        """The instances of a loop are the visits; the activity's own token only waits for them."""
        token = event.token
        if any(isinstance(before, e.ElementEntered) and before.token == token for before in row.events[:n]):
            self._open.pop(token, None)
            self._changed.pop(token, None)
        else:
            self._close(row, token, "completed", "")

    def _count_flows(self, row: Recorded, flows: tuple[int, ...]) -> None:
        # What is committed together happened at one instant.
        day = self._dates.get(row.ts)
        if day is None:
            day = self._dates[row.ts] = to_datetime(InstantMs(row.ts), self._zone).date().isoformat()
        for flow in flows:
            key = (row.tenant, row.definition, flow, day)
            self.flows[key] = self.flows.get(key, 0) + 1

    def _visit(self, token: int) -> Visit:
        visit = self._changed[token] = self._open[token]
        return visit

    def _life(self, row: Recorded) -> Life:
        life = self._known.life
        assert life is not None, row  # noqa: S101 - see `REVIVING`
        self.lives[row.iid] = life
        return life

    def _occur(self, row: Recorded, n: int, element: int, kind: str) -> None:
        self.occurrences.append(
            Occurrence(row.shard, row.seq, n, row.tenant, row.definition, row.iid, element, kind, row.ts)
        )

    def _working(self, start: int, end: int, calendar: str = "", version: int = 0) -> int:
        if end <= start:
            return 0
        days = self._days.get((calendar, version))
        if days is None:
            days = self._days[calendar, version] = WorkingDays(self._calendar_of(calendar, version))
        return days.between(InstantMs(start), InstantMs(end))

    def _close(self, row: Recorded, token: int, outcome: str, actor: str) -> None:
        visit = self._open.pop(token, None)
        if visit is None:
            return  # the activity's own token of a loop, whose visits are those of the instances
        self._changed[token] = visit
        visit.closed, visit.outcome = row.ts, outcome
        if actor:
            visit.actor = actor
            # A task that just went away was nobody's doing.
            visit.proxy = row.actor if outcome != "cancelled" and row.actor != actor else ""
            self._known.note(visit)
        visit.handling = row.ts - visit.entered
        if not visit.handling:
            return  # passed at once, as most are that no person has to do with
        visit.handling_work = self._working(visit.entered, row.ts, visit.calendar, visit.calendar_version)
        if visit.human:
            until = visit.claimed or row.ts
            visit.waiting = until - visit.entered
            visit.waiting_work = (
                visit.handling_work
                if until == row.ts
                else self._working(visit.entered, until, visit.calendar, visit.calendar_version)
            )

    def _end(self, row: Recorded, _n: int, event: e.AnyEvent) -> None:
        life = self._life(row)
        life.ended, life.status = row.ts, int(_ENDS[type(event)])
        life.cycle_work = self._working(life.started, row.ts)

    _FOLDS: ClassVar[dict[type, Callable[[Any, Recorded, int, Any], None]]] = {
        e.InstanceStarted: _start,
        e.ElementEntered: _enter,
        e.TaskOpened: _task_opened,
        e.DeadlineSet: _count_by,
        e.DeadlineMoved: _count_by,
        e.TaskClaimed: _claim,
        e.TaskTransferred: _claim,
        e.TaskUnclaimed: _unclaim,
        e.TaskCompleted: _complete,
        e.TaskReturned: _return,
        e.IncidentRaised: _fail,
        e.InstanceMigrated: _migrate,
        e.InstanceRestored: _put_back,
        e.TakenBack: _take_back,
        e.InstanceRestarted: _take_back,
        e.LoopStarted: _begin_loop,
        e.ApprovalOpened: _begin_loop,
        e.ElementLeft: _leave,
        e.GatewayActivated: _activate,
        e.ElementCancelled: _cancel,
        e.TokenMerged: _merge,
        **dict.fromkeys(_ENDS, _end),
    }
    """What is done with each kind of event; all others are none of the board's."""
