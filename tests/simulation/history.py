"""One instance's recorded events, read without the engine's own bookkeeping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.evolve import APPLY
from noria.engine.state import Purpose, State
from noria.operate.operations import _OUTSIDE
from noria.operate.rows import JournalRow
from tests.simulation.models import DURATIONS
from tests.simulation.moving import Shift
from tests.simulation.oracle import Outside

if TYPE_CHECKING:
    from tests.simulation.versions import Versions

_KEPT = ("outside", "entered", "left", "merged", "cancelled", "open", "due", "incidents", "jobs_done")
_KEPT += ("_limits", "_cycles", "_signals", "_instances", "_loops")
"""What an operator's change changes, and is as before when it is taken back."""


class ViolationError(Exception):
    """A promise was broken.

    Attributes:
        invariant: which.
    """

    def __init__(self, invariant: str, message: str) -> None:
        super().__init__(f"{invariant}: {message}")
        self.invariant = invariant


_OPERATING = (c.ACTIONS[c.ModifyInstance], c.ACTIONS[c.MigrateInstance])


@dataclass
class Before:
    """How an instance was before an operator changed it.

    Attributes:
        number: id of its definition.
        state: its state.
        told: what had been recorded.
    """

    number: int
    state: State
    told: dict[str, Any]


class History:
    """What was recorded about one instance so far.

    Attributes:
        iid: the instance.
        number: id of the definition that it runs on.
        definition: what it runs on.
        process: the model it was written from.
        before: how it was before an operator's last change, None when there was none.
        told_outside: whether the last command has had effects outside that cannot be taken back.
        meant: key of an operator's command → what it was to do.
        state: the events folded by the engine's table, for comparison with what is stored.
        outside: what came from outside, for the oracle.
        entered, left, merged, cancelled: element id → count.
        open: (kind, number) → the token it belongs to; the tokens, tasks, jobs, timers, waits, calls and incidents that
            have begun and not ended.
        due: timer → its due instant.
        incidents: incident → code.
        jobs_done: tokens whose job was finished.
        doers: element id → who did its task, and for whom.
        returned: whether a request was sent back, after which the oracle does not know the way.
        over: how it ended, "" while it is open.
        seen: recorded event → how often.
    """

    def __init__(self, iid: int, number: int, versions: Versions, meant: Mapping[str, Shift]) -> None:
        self.iid = iid
        self.number = number
        self.definition = versions.definition(number)
        self.process = versions.process(number)
        self._versions = versions
        self.meant = meant
        self.before: Before | None = None
        self.told_outside = False
        self.state = State()
        self.outside = Outside(0)
        self.entered: Counter[str] = Counter()
        self.left: Counter[str] = Counter()
        self.merged: Counter[str] = Counter()
        self.cancelled: Counter[str] = Counter()
        self.open: dict[tuple[str, int], int] = {}
        self.due: dict[int, int] = {}
        self.incidents: dict[int, str] = {}
        self.jobs_created: set[int] = set()
        self.jobs_done: set[int] = set()
        self.doers: dict[str, set[str]] = {}
        self.returned = False
        self.over = ""
        self._element_of: dict[int, str] = {}
        # Token → path of the loops' instances that it stands in, itself included (see `oracle.py`).
        self._path_of: dict[int, str] = {0: ""}
        self._instances: Counter[int] = Counter()
        self._loops: set[int] = set()
        self._purposes: dict[int, Purpose] = {}
        # Signal name of an open wait; waits that a signal of this very command has to reach.
        self._signals: dict[int, str] = {}
        self._unanswered: set[int] = set()
        self.seen: Counter[str] = Counter()
        self._limits: dict[int, tuple[int, int]] = {}
        self._cycles: dict[tuple[int, str], int] = {}
        self._seen: set[tuple[str, int]] = set()

    def add(self, row: JournalRow, events: tuple[e.AnyEvent, ...]) -> None:
        """Take in one journal row."""
        self.told_outside = any(isinstance(event, _OUTSIDE) for event in events)
        if row.action in _OPERATING:
            self.before = Before(
                self.number, self.state.copy(), {name: deepcopy(getattr(self, name)) for name in _KEPT}
            )
        for event in events:
            if self.over and not isinstance(event, e.Commented):
                raise ViolationError("I4", f"{type(event).__name__} of {self.iid} after it was {self.over}")
            try:
                APPLY[event.__class__](self.state, event)
            except (KeyError, AttributeError) as error:
                raise ViolationError("I2", f"{event} of {self.iid} cannot be replayed: {error!r}") from error
            self.seen[type(event).__name__] += 1
            reader = getattr(self, f"_{type(event).__name__}", None)
            if reader is not None:
                reader(event, row)
        self.state.version += 1
        if self._unanswered:
            raise ViolationError("I3", f"waits {sorted(self._unanswered)} of {self.iid} missed a signal of their own")

    def _id(self, element: int) -> str:
        return self.definition.graph.elements[element].id

    def has_happened(self, element: str, token: int) -> bool:
        """Whether an event that is awaited by a token has happened, for it or one at the same place."""
        return self.outside.happened[element + self._path_of[token]] > 0

    def standing(self) -> list[tuple[int, str]]:
        """The tokens that there are, and the ids of their elements."""
        return [(token, self._element_of[token]) for kind, token in self.open if kind == "token"]

    def _begin(self, kind: str, number: int, owner: int) -> None:
        if (kind, number) in self._seen:
            raise ViolationError("I4", f"{kind} {number} of {self.iid} begins twice")
        self._seen.add((kind, number))
        self.open[kind, number] = owner

    def _end(self, kind: str, number: int) -> None:
        if kind == "wait":
            self._signals.pop(number, None)
            self._unanswered.discard(number)
        if self.open.pop((kind, number), None) is None:
            raise ViolationError("I4", f"{kind} {number} of {self.iid} ends, but it is not open")

    def _end_all_of(self, owner: int, kinds: tuple[str, ...]) -> None:
        for kind, number in [key for key, token in self.open.items() if token == owner and key[0] in kinds]:
            self._end(kind, number)

    # Tokens

    def _InstanceStarted(self, event: e.InstanceStarted, row: JournalRow) -> None:  # noqa: N802 - named after the event
        number = event.variables.get("request")
        if not isinstance(number, int):
            raise ViolationError("I3", f"{self.iid} was started without its variables")
        self.outside.request = number

    def _ElementEntered(self, event: e.ElementEntered, row: JournalRow) -> None:  # noqa: N802
        self._element_of[event.token] = self._id(event.element)
        path = self._path_of[event.scope]
        if event.scope in self._loops:
            self._instances[event.scope] += 1
            path += f"#{self._instances[event.scope]}"
        self._path_of[event.token] = path
        self.entered[self._id(event.element)] += 1
        self._begin("token", event.token, -1)

    def _LoopStarted(self, event: e.LoopStarted, row: JournalRow) -> None:  # noqa: N802
        self._loops.add(event.token)

    def _happened(self, element: str, token: int, more: str = "") -> str:
        key = f"{element}{more}{self._path_of[token]}"
        self.outside.happened[key] += 1
        return key

    def _leave(self, token: int, element: int, counter: Counter[str]) -> None:
        if self._element_of.get(token) != self._id(element):
            raise ViolationError("I3", f"token {token} of {self.iid} leaves {self._id(element)} without being there")
        counter[self._id(element)] += 1
        self._end("token", token)
        self._end_all_of(token, ("timer", "wait"))
        still = [key for key, owner in self.open.items() if owner == token]
        if still:
            raise ViolationError("I4", f"{still} of {self.iid} outlive their token {token}")

    def _ElementLeft(self, event: e.ElementLeft, row: JournalRow) -> None:  # noqa: N802
        self._leave(event.token, event.element, self.left)

    def _TokenMerged(self, event: e.TokenMerged, row: JournalRow) -> None:  # noqa: N802
        self._leave(event.token, event.element, self.merged)

    def _ElementCancelled(self, event: e.ElementCancelled, row: JournalRow) -> None:  # noqa: N802
        self._end_all_of(event.token, ("task", "job", "call"))
        for incident in [key for key in self.incidents if self.open.get(("incident", key)) == event.token]:
            self._end("incident", incident)
            del self.incidents[incident]
        self._leave(event.token, event.element, self.cancelled)

    # Tasks

    def _TaskOpened(self, event: e.TaskOpened, row: JournalRow) -> None:  # noqa: N802
        self._begin("task", event.token, event.token)
        self._limits[event.token] = (event.opened_ms, event.due_ms)

    def _TaskCompleted(self, event: e.TaskCompleted, row: JournalRow) -> None:  # noqa: N802
        self._end("task", event.token)
        self._happened(self._id(event.element), event.token)

    def _TaskReturned(self, event: e.TaskReturned, row: JournalRow) -> None:  # noqa: N802
        self._end("task", event.token)
        self.returned = True

    # Jobs

    def _JobCreated(self, event: e.JobCreated, row: JournalRow) -> None:  # noqa: N802
        self._begin("job", event.token, event.token)
        self.jobs_created.add(event.token)

    def _JobCompleted(self, event: e.JobCompleted, row: JournalRow) -> None:  # noqa: N802
        self._end("job", event.token)
        self.jobs_done.add(event.token)
        self._happened(self._element_of[event.token], event.token)

    # Timers and messages

    def _TimerStarted(self, event: e.TimerStarted, row: JournalRow) -> None:  # noqa: N802
        self._begin("timer", event.timer, event.token)
        self.due[event.timer] = event.due_ms
        self._purposes[event.timer] = event.purpose
        if event.purpose is not Purpose.EVENT:
            rightly = row.ts
        elif event.share:
            opened_ms, due_ms = self._limits[event.token]
            rightly = opened_ms + round((due_ms - opened_ms) * event.share)
        else:
            # A cycle goes on from the instant it was due, not from when it fired.
            element = self.definition.graph.elements[event.element]
            since = self._cycles.get((event.token, element.id), row.ts)
            trigger = element.trigger
            assert trigger is not None
            assert trigger.timer_expression is not None
            text = trigger.timer_expression.source.strip('"').rpartition("/")[2]
            rightly = since + DURATIONS[text]
            self._cycles[event.token, element.id] = rightly
        if event.due_ms != rightly:
            raise ViolationError("I5", f"timer {event.timer} of {self.iid} is due at {event.due_ms}, not {rightly}")

    def _TimerFired(self, event: e.TimerFired, row: JournalRow) -> None:  # noqa: N802
        token = self.open.get(("timer", event.timer), 0)
        self._end("timer", event.timer)
        if row.ts < self.due[event.timer]:
            early_ms = self.due[event.timer] - row.ts
            raise ViolationError("I5", f"timer {event.timer} of {self.iid} fired {early_ms} ms before it was due")
        element = self._id(event.element)
        purpose = self._purposes[event.timer]
        if purpose is not Purpose.EVENT:
            self._happened(element, token, ":before" if purpose is Purpose.SAVE_BEFORE else ":after")
        elif self.definition.graph.elements[event.element].human is None:
            self._happened(element, token)

    def _WaitOpened(self, event: e.WaitOpened, row: JournalRow) -> None:  # noqa: N802
        self._begin("wait", event.wait, event.token)
        if event.signal:
            self._signals[event.wait] = event.name

    def _MessageReceived(self, event: e.MessageReceived, row: JournalRow) -> None:  # noqa: N802
        token = self.open.get(("wait", event.wait), 0)
        if not event.open:
            self._end("wait", event.wait)
        self._unanswered.discard(event.wait)
        if event.open and ("wait", event.wait) not in self.open:
            raise ViolationError("I4", f"wait {event.wait} of {self.iid} took a message, but it is not open")
        self._happened(self._id(event.element), token)

    def _SignalThrown(self, event: e.SignalThrown, row: JournalRow) -> None:  # noqa: N802
        self._unanswered |= {wait for wait, name in self._signals.items() if name == event.name}

    def _WaitsClosed(self, event: e.WaitsClosed, row: JournalRow) -> None:  # noqa: N802
        for number in event.ids:
            self._end("timer" if ("timer", number) in self.open else "wait", number)

    # Calls

    def _CallRequested(self, event: e.CallRequested, row: JournalRow) -> None:  # noqa: N802
        self._begin("call", event.token, event.token)

    def _CallCompleted(self, event: e.CallCompleted, row: JournalRow) -> None:  # noqa: N802
        self._end("call", event.token)
        key = self._happened(self._element_of[event.token], event.token)
        if event.error:
            self.outside.failed_calls[key, event.error] += 1

    def _EscalationThrown(self, event: e.EscalationThrown, row: JournalRow) -> None:  # noqa: N802
        if ("call", event.token) in self.open:
            self.outside.escalated[self._element_of[event.token] + self._path_of[event.token], event.code] += 1

    def _CallCancelled(self, event: e.CallCancelled, row: JournalRow) -> None:  # noqa: N802
        self._end("call", event.token)

    # Operators

    def _InstanceModified(self, event: e.InstanceModified, row: JournalRow) -> None:  # noqa: N802
        shift = self.meant[row.key]
        path = self._path_of[shift.token]
        self.outside.removed[shift.source + path] += 1
        if shift.target:
            self.outside.added[shift.target + path] += 1
        else:
            self.outside.passed[shift.source + path] += 1

    def _InstanceMigrated(self, event: e.InstanceMigrated, row: JournalRow) -> None:  # noqa: N802
        self._run_on(event.after)

    def _InstanceRestored(self, event: e.InstanceRestored, row: JournalRow) -> None:  # noqa: N802
        if self.before is None or self.before.state.version != self.state.version - 1:
            raise ViolationError("I3", f"a change of {self.iid} is taken back that is not its last one")
        for name, value in self.before.told.items():
            setattr(self, name, deepcopy(value))
        self._run_on(event.after)

    def _run_on(self, number: int) -> None:
        self.number, self.definition = number, self._versions.definition(number)
        process = self._versions.process(number)
        # Who has come to the end already does not pass what is new before it.
        if not self.entered[f"{process.key}_end"]:
            self.process = process

    # Incidents, and the end

    def _IncidentRaised(self, event: e.IncidentRaised, row: JournalRow) -> None:  # noqa: N802
        if event.code != "job.failed":
            raise ViolationError("I3", f"{self.iid} stands still at {self._id(event.element)}: {event.message}")
        self._begin("incident", event.incident, event.token)
        self.incidents[event.incident] = event.code

    def _IncidentResolved(self, event: e.IncidentResolved, row: JournalRow) -> None:  # noqa: N802
        self._end("incident", event.incident)
        del self.incidents[event.incident]

    def _finish(self, how: str) -> None:
        self.over = how
        self._end_all_of(0, ("timer", "wait"))
        if self.open:
            raise ViolationError("I4", f"{self.iid} is {how}, but {list(self.open)} never ended")

    def _InstanceCompleted(self, event: e.InstanceCompleted, row: JournalRow) -> None:  # noqa: N802
        self._finish("completed")

    def _InstanceTerminated(self, event: e.InstanceTerminated, row: JournalRow) -> None:  # noqa: N802
        self.outside.ended = "terminated"
        self._finish("terminated")

    def _InstanceWithdrawn(self, event: e.InstanceWithdrawn, row: JournalRow) -> None:  # noqa: N802
        self.outside.ended = "withdrawn"
        self._finish("withdrawn")

    def _InstanceFailed(self, event: e.InstanceFailed, row: JournalRow) -> None:  # noqa: N802
        self._finish(f"failed {event.code}")
