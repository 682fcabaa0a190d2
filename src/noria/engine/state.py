"""The state of one instance: one compact value that the events fold into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import Any

import msgspec

from noria.kernel.errors import NoriaError

FORMAT = 6
"""Of stored states. 1 had nothing behind `returned`, 2 no priorities, names of tasks and approvals, 3 no `taking_back`,
and who reads 4 does not ask the journal for what came later; all are read."""
FACTS = "facts"
"""The name of the outside in expressions and decisions (see `surroundings`)."""
RESERVED_VARIABLES = frozenset({"starter", "business_key", FACTS})
"""Set at the start, or by the engine whenever they are asked for, and never overwritten by a submission."""


class _Nothing(dict[Any, Any]):
    """A dict with nothing in it, now and for ever."""

    def __setitem__(self, key: object, value: object) -> None:
        """Refused: whoever adds to a state's dict makes it the state's own first.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"{key} would be added to what every instance shares.")


NOTHING: Mapping[Any, Any] = _Nothing()


class Status(IntEnum):
    """Where an instance is in its life."""

    OPEN = 0
    COMPLETED = 1
    WITHDRAWN = 2
    TERMINATED = 3
    FAILED = 4
    REFUSED = 5
    VOIDED = 6


class Token(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One visit of one element (令牌). Its id is unique in the instance and never used again.

    Attributes:
        element: element index.
        scope: id of the scope it moves in.
        via: index of the flow it came by, -1 for none.
    """

    element: int
    scope: int
    via: int = -1


class Scope(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A container of variables, and of tokens when it belongs to the process or a sub-process (作用域).

    Its id is the id of the token that hosts it, 0 for the process itself.

    Attributes:
        element: element index of the host.
        parent: id of the scope around it, -1 for the process.
        variables: name → JSON value; never changed in place.
        live: how many tokens are directly inside.
    """

    element: int
    parent: int
    variables: dict[str, object]
    live: int = 0


class Task(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An open work item of a person (待办).

    Attributes:
        element: element index.
        round: 1 at first, one more after each return (R2).
        assignee: person id, "" while only candidates are named.
        groups: role or unit keys whose members may claim it.
        users: person ids who may claim it.
        due_ms: when it is overdue, 0 for no limit.
        opened_ms: when it was opened.
        form: form name, "" for none.
        priority: 0..100.
        claimed: whether the assignee took it from a group (and may put it back).
        urged_ms: when it was last urged, 0 for never.
        version: one more at each change of the task; callers may insist on it.
        name: what it is called when the model computes that, "" for the name of its element.
        owner: who has delegated it to the assignee and concludes it afterwards, "" for nobody.
        excluded: who may not do it, because they did an earlier task that it is to be separate from.
    """

    element: int
    round: int
    assignee: str = ""
    groups: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    due_ms: int = 0
    opened_ms: int = 0
    form: str = ""
    priority: int = 50
    claimed: bool = False
    urged_ms: int = 0
    version: int = 1
    name: str = ""
    owner: str = ""
    excluded: tuple[str, ...] = ()


class Seat(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One person in an approval.

    Attributes:
        person: who is asked.
        weight: of the vote.
        veto: without this person's approval the vote is refused.
        outcome: "approve", "refuse" or "abstain", "" before.
        task: token of the open task, 0 for none.
        by: who has added the seat, "" for the model.
    """

    person: str
    weight: float = 1.0
    veto: bool = False
    outcome: str = ""
    task: int = 0
    by: str = ""


class Panel(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Seats and panels with a rule among them.

    Attributes:
        mode: "allOf", "anyOf", "inTurn" or "vote".
        members: numbers of seats and panels, in order.
        by: who has added it, "" for the model.
        at_once: whether one refusal ends it, or only when all have decided.
        share: of the weights that a vote needs, 0..1.
        count: of the weights that a vote needs, instead of a share; 0 for none.
    """

    mode: str
    members: tuple[int, ...]
    by: str = ""
    at_once: bool = True
    share: float = 0.0
    count: float = 0.0


class Approval(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A user task that several people decide. Their tasks are tokens in the scope of the activity's own token.

    Attributes:
        element: element index of the user task.
        round: of the tasks.
        panels: by number; 0 is the whole.
        seats: by number.
    """

    element: int
    round: int
    panels: dict[int, Panel]
    seats: dict[int, Seat]


class Consultation(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Somebody is asked for an opinion on a task that stays with who asks.

    Attributes:
        token: of the task.
        element: element index of the user task.
        person: who is asked.
        by: who asks.
        text: the question.
        at_ms: when.
    """

    token: int
    element: int
    person: str
    by: str
    text: str
    at_ms: int


class Comeback(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A request that was returned and is on its way back to who returned it.

    Attributes:
        element: element index of the task that returned it.
        to: element index of the task that it was returned to.
        straight: tasks that saw nothing of what has changed are passed on the way (R3).
        valid: element indexes of the tasks in between whose completion still counts.
        before: the variables as they were when it was returned.
    """

    element: int
    to: int
    straight: bool
    valid: tuple[int, ...]
    before: dict[str, object]


class Job(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Work that a worker does (not a person).

    Attributes:
        element: element index.
        topic: workers fetch by it.
        retries: tries left; 0 means an incident is open.
        due_ms: not before this instant.
        priority: 0..1,000,000; of what is due, the higher goes first.
    """

    element: int
    topic: str
    retries: int
    due_ms: int
    priority: int = 0


class Purpose(IntEnum):
    """What a timer is for."""

    EVENT = 0
    SAVE_BEFORE = 1
    SAVE_AFTER = 2


class Timer(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Something that happens at an instant.

    Attributes:
        token: the token or scope it belongs to, and ends with.
        element: the event element that it triggers; the user task itself for a reminder.
        due_ms: when.
        remaining: how many more times a cycle repeats after this one, -1 for ever.
        interval: of a cycle: an ISO 8601 duration, anchored or not, or a cron expression; "" for a single shot.
        share: for a reminder the share of the limit it stands for, 0 otherwise.
        purpose: a save point is a timer that is due at once.
        priority: 0..1,000,000; of what is due, the higher fires first.
    """

    token: int
    element: int
    due_ms: int
    remaining: int = 0
    interval: str = ""
    share: float = 0.0
    purpose: Purpose = Purpose.EVENT
    priority: int = 0


class Wait(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A subscription to a message or signal.

    Attributes:
        token: the token or scope it belongs to, and ends with.
        element: the event element or receive task that it triggers.
        signal: True for a signal, False for a message.
        name: message or signal name.
        key: correlation key, "" for signals.
    """

    token: int
    element: int
    signal: bool
    name: str
    key: str = ""


class Incident(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Something an operator must look at (异常).

    Attributes:
        token: which token stands still.
        element: element index.
        code: stable code.
        message: what happened.
        phase: where to go on after a retry: "enter", "begin", "leave", "job", "loop", "choose", "join" or "condition".
    """

    token: int
    element: int
    code: str
    message: str
    phase: str


class Deadline(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How a due date was counted in a working calendar.

    Attributes:
        calendar: id of the calendar.
        version: of the calendar.
        start_ms: from when it counts.
        duration: ISO 8601, as the model gave it then.
        provisional: whether it lies behind what the calendar knew of holidays.
    """

    calendar: str
    version: int
    start_ms: int
    duration: str
    provisional: bool = False


class Parent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The call activity that a called instance answers to.

    Attributes:
        instance: id of the calling instance.
        token: stands at the call activity.
        depth: how many calls lie between the called instance and one that nobody called, this one among them.
    """

    instance: int
    token: int
    depth: int = 1


class LoopState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How far the loop of an activity is. Its instances are tokens in the scope of the activity's own token.

    Attributes:
        element: element index of the activity.
        round: of the tasks that its instances open.
        total: how many instances there will be, -1 when the loop's condition decides.
        started: instances begun.
        completed: instances completed.
        terminated: instances cancelled by the completion condition.
        items: the items of the instances, None when there is no collection.
        results: token of a completed instance → its result.
    """

    element: int
    round: int
    total: int
    started: int = 0
    completed: int = 0
    terminated: int = 0
    items: tuple[object, ...] | None = None
    results: dict[int, object] = {}


class Condition(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A conditional event that is waited for.

    Attributes:
        token: the token or scope it belongs to, and ends with.
        element: the event element that it triggers.
        which: position of its event definition among the element's.
        met: whether the condition held when it was last looked at; it must fail before it counts again.
    """

    token: int
    element: int
    which: int = 0
    met: bool = False


class Done(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A completed activity that can still be compensated. Its id is that of the token that completed.

    Attributes:
        element: element index of the activity.
        scope: id of the scope in which it completed.
        at: the next unused id when it completed; what was entered later has this id or a higher one.
        variables: its own ones then.
    """

    element: int
    scope: int
    at: int
    variables: dict[str, object] = {}


class Compensation(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A compensation under way, by the token that asked for it.

    Attributes:
        left: ids of what is still to be compensated, the last completed first; those being compensated among them.
        waits: whether the token waits for it.
    """

    left: tuple[int, ...]
    waits: bool = True


class Handler(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A token that compensates.

    Attributes:
        asked_by: the token that asked for the compensation.
        done: id of what it compensates.
    """

    asked_by: int
    done: int


class TakingBack(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What somebody did is being taken back: first its effects are compensated.

    Attributes:
        token: waits for the compensation.
        element: element index of the task that it was done at.
        by: who takes it back.
        before: what the instance is to be afterwards.
    """

    token: int
    element: int
    by: str
    before: State


class State(msgspec.Struct, array_like=True, gc=False):
    """One instance.

    Attributes:
        format: number of this encoding; older ones are migrated on reading.
        version: number of commands applied.
        status: where it is in its life.
        next_id: next unused id for a token, timer, wait, condition or incident.
        business_key: the number people know it by.
        starter: person id of the starter (发起人).
        parent: who called it, None for a top-level instance.
        tokens, scopes, tasks, jobs, calls, timers, waits, incidents: by id; tasks, jobs and calls by token.
        hosted: token or scope id → ids of its timers, waits and conditions.
        rounds: element → rounds of its user task so far.
        actors: element → person who last completed or returned its task; a later round goes to them.
        decisions: completed tasks, without those submitted together with the start.
        returned: whether a return ever happened (R4).
        loops: by the token of the looped activity.
        conditions: conditional events waited for, by id.
        done: what can be compensated, by id, in the order of completion.
        compensations: under way, by the token that asked.
        handlers: tokens that compensate.
        activated: complex gateways that have gone on and wait for their other flows: token → flows already used.
        gathered: tokens that wait for others to begin their activity together → how many have come.
        suspended: nothing happens to it until an operator resumes it.
        approvals: by the token of the user task.
        comeback: while a request that was returned has not come back to who returned it.
        approved: who has approved, in order, since it was returned last.
        copied: who has been sent a copy.
        consultations: open ones, by their numbers, which no token has.
        doers: who did the user tasks that others are to be separate from, by element, of every round.
        deadlines: due dates in working time, by the token of the task or by the timer.
        chosen: by the scope of an ad-hoc sub-process, element indexes of what is still to be begun in it.
        taking_back: while effects are compensated that somebody takes back.
    """

    format: int = FORMAT
    version: int = 0
    status: Status = Status.OPEN
    next_id: int = 1
    business_key: str = ""
    starter: str = ""
    parent: Parent | None = None
    tokens: dict[int, Token] = {}
    scopes: dict[int, Scope] = {}
    tasks: dict[int, Task] = {}
    jobs: Mapping[int, Job] = NOTHING
    calls: Mapping[int, str] = NOTHING
    timers: Mapping[int, Timer] = NOTHING
    waits: Mapping[int, Wait] = NOTHING
    incidents: Mapping[int, Incident] = NOTHING
    hosted: Mapping[int, tuple[int, ...]] = NOTHING
    rounds: dict[int, int] = {}
    actors: dict[int, str] = {}
    decisions: int = 0
    returned: bool = False
    loops: Mapping[int, LoopState] = NOTHING
    conditions: Mapping[int, Condition] = NOTHING
    done: Mapping[int, Done] = NOTHING
    compensations: Mapping[int, Compensation] = NOTHING
    handlers: Mapping[int, Handler] = NOTHING
    activated: Mapping[int, tuple[int, ...]] = NOTHING
    gathered: Mapping[int, int] = NOTHING
    chosen: Mapping[int, tuple[int, ...]] = NOTHING
    suspended: bool = False
    approvals: Mapping[int, Approval] = NOTHING
    comeback: Comeback | None = None
    approved: tuple[str, ...] = ()
    copied: tuple[str, ...] = ()
    consultations: Mapping[int, Consultation] = NOTHING
    doers: Mapping[int, tuple[str, ...]] = NOTHING
    deadlines: Mapping[int, Deadline] = NOTHING
    taking_back: TakingBack | None = None

    def copy(self) -> State:
        """A working copy.

        What its dicts hold is shared, and replaced as a whole; and so are the dicts that are typed as mappings, until
        something is to be added to one that is empty (see `own`): most instances have nothing of most kinds.
        """
        # Straight, not by `copy.copy`: it costs twice as much.
        after: State = self.__copy__()  # type: ignore[attr-defined]  # msgspec's stubs do not have it
        after.tokens = self.tokens.copy()
        after.scopes = self.scopes.copy()
        after.tasks = self.tasks.copy()
        after.rounds = self.rounds.copy()
        after.actors = self.actors.copy()
        if self.jobs:
            after.jobs = dict(self.jobs)
        if self.calls:
            after.calls = dict(self.calls)
        if self.timers:
            after.timers = dict(self.timers)
        if self.waits:
            after.waits = dict(self.waits)
        if self.incidents:
            after.incidents = dict(self.incidents)
        if self.hosted:
            after.hosted = dict(self.hosted)
        if self.loops:
            after.loops = dict(self.loops)
        if self.conditions:
            after.conditions = dict(self.conditions)
        if self.done:
            after.done = dict(self.done)
        if self.compensations:
            after.compensations = dict(self.compensations)
        if self.handlers:
            after.handlers = dict(self.handlers)
        if self.activated:
            after.activated = dict(self.activated)
        if self.gathered:
            after.gathered = dict(self.gathered)
        if self.chosen:
            after.chosen = dict(self.chosen)
        if self.approvals:
            after.approvals = dict(self.approvals)
        if self.consultations:
            after.consultations = dict(self.consultations)
        if self.doers:
            after.doers = dict(self.doers)
        if self.deadlines:
            after.deadlines = dict(self.deadlines)
        return after

    def flowing(self, scope: int) -> Iterator[tuple[int, Token]]:
        """The tokens in a scope that go on along flows: those that compensate end where they are."""
        for key, value in self.tokens.items():
            if value.scope == scope and key not in self.handlers:
                yield key, value

    def own(self, name: str) -> dict[int, Any]:
        """The dict of this name, to add to: those with nothing in them are shared between instances."""
        held: dict[int, Any] = getattr(self, name)
        if not held:
            held = {}
            setattr(self, name, held)
        return held


class StateFormatError(NoriaError):
    """A stored state is of a format that this version does not know."""

    code = "state.format"


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(State)


def encode_state(state: State) -> bytes:
    """Compact msgpack; equal states give equal bytes."""
    return _encoder.encode(state)


def decode_state(data: bytes) -> State:
    """Read a stored state, of this format or an earlier one.

    Raises:
        StateFormatError: it was written by a later version of Noria, or is damaged.
    """
    try:
        state = _decoder.decode(data)
    except msgspec.DecodeError as error:
        raise StateFormatError(f"The stored state cannot be read: {error}") from None
    if not 1 <= state.format <= FORMAT:
        raise StateFormatError(f"The stored state has format {state.format}; this version reads 1 to {FORMAT}.")
    state.format = FORMAT
    return state
