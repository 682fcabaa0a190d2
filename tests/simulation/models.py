"""Random processes from blocks. A block is at the same time what `bpmn.py` writes and what `oracle.py` runs.

What a model leaves open (which branch, which result, which error) is decided by `planned`, a pure function of the
number of the request and the id of the element, so that people, workers and the oracle agree without talking.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

from noria.kernel.instants import HOUR_MS, MINUTE_MS

DURATIONS = {"PT1M": MINUTE_MS, "PT20M": 20 * MINUTE_MS, "PT2H": 2 * HOUR_MS, "PT30H": 30 * HOUR_MS}
"""ISO 8601 text → ms; none of them contains a day, which a clock change would make longer or shorter."""


def planned(request: int, what: str, below: int) -> int:
    """What was decided beforehand for one request, 0 to less than `below`."""
    return crc32(f"{request}/{what}".encode()) % below


def decided(request: int, variable: str) -> int:
    """The value that people, jobs and the start give to a variable, 0 to 3."""
    return planned(request, variable, 4)


@dataclass(frozen=True, slots=True)
class Trigger:
    """What an event waits for.

    Attributes:
        kind: "timer", "message", "signal", "error", "escalation", "cancel" or "conditional".
        value: the duration, the name, the error's or escalation's code ("" for every code), or the variable that has
            to be set.
        times: how often a repeating timer fires; 1 for all others.
    """

    kind: str
    value: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class Boundary:
    """A boundary event; the way behind an interrupting one comes back to the host's, the other ends by itself."""

    id: str
    trigger: Trigger
    interrupting: bool
    then: Block


@dataclass(frozen=True, slots=True)
class Loop:
    """How often an activity is carried out.

    Attributes:
        kind: "standard", "parallel" or "sequential".
        number: how many instances there are; what they go over, when `items`, are as many numbers.
        enough: as many completed instances end it; 0 when all have to complete.
        tests_before: of a standard one; without it there is one instance at least.
        items: whether it goes over a list instead of having a number.
        results: the variable that takes the instances' results in their order, "" for none.
    """

    kind: str
    number: int
    enough: int = 0
    tests_before: bool = True
    items: bool = False
    results: str = ""

    @property
    def total(self) -> int:
        """How many instances there are when nothing ends it early."""
        return max(1, self.number) if self.kind == "standard" and not self.tests_before else self.number

    @property
    def goal(self) -> int:
        """How many instances have to complete."""
        return min(self.enough or self.total, self.total)


@dataclass(frozen=True, slots=True)
class UserTask:
    """A person's task.

    Attributes:
        id: of the element.
        group: whether a group may claim it.
        limit: a duration, "" for none.
        sets: a variable that the person decides, "" for none.
        boundaries: its boundary events.
        loop: how it is repeated.
        saved: where save points are: "", "before", "after" or "before after".
        apart: id of the task whose doers may not do this one, "" for none.
    """

    id: str
    group: bool = False
    limit: str = ""
    sets: str = ""
    boundaries: tuple[Boundary, ...] = ()
    loop: Loop | None = None
    saved: str = ""
    apart: str = ""


@dataclass(frozen=True, slots=True)
class ServiceTask:
    """A job; it fails `planned` times first, and ends by one of `errors` or well."""

    id: str
    errors: tuple[str, ...] = ()
    sets: str = ""
    boundaries: tuple[Boundary, ...] = ()
    loop: Loop | None = None
    saved: str = ""

    def outcome(self, request: int) -> str:
        """The error that it ends by, "" for none."""
        number = planned(request, f"outcome of {self.id}", len(self.errors) * 2 + 2)
        return self.errors[number] if number < len(self.errors) else ""

    def failures(self, request: int) -> int:
        """How many tries fail first; the model grants two."""
        return max(0, planned(request, f"failures of {self.id}", 8) - 5)


@dataclass(frozen=True, slots=True)
class ScriptTask:
    """FEEL: sets a variable to (request + add) modulo 3; in a loop its counter is added as well."""

    id: str
    sets: str
    add: int
    boundaries: tuple[Boundary, ...] = ()
    loop: Loop | None = None
    saved: str = ""


@dataclass(frozen=True, slots=True)
class Catch:
    """An intermediate catch event, or a receive task when `activity`."""

    id: str
    trigger: Trigger
    activity: bool = False
    boundaries: tuple[Boundary, ...] = ()


@dataclass(frozen=True, slots=True)
class Throw:
    """What publishes a message or broadcasts a signal: "message" and "signal" are events, "task" is a send task."""

    id: str
    name: str
    kind: str = "message"


@dataclass(frozen=True, slots=True)
class Pass:
    """What a token just passes: "task", "manualTask", "rule" (a decision) or "link" (a jump to `id` + "_target")."""

    id: str
    kind: str


@dataclass(frozen=True, slots=True)
class Raise:
    """A person's task, then an escalation, at an intermediate event or, when it `ends`, at an end event.

    The task comes first for the reason that `Stop` has.
    """

    id: str
    code: str
    ends: bool = False

    @property
    def task(self) -> UserTask:
        """The task before the escalation."""
        return UserTask(f"{self.id}_task")


@dataclass(frozen=True, slots=True)
class Stop:
    """A person's task, then an end event that ends more than its own token: "terminate" or an error's code.

    The task comes first so that everything else is at rest when the scope is cut, and what was done is certain.
    """

    id: str
    code: str

    @property
    def task(self) -> UserTask:
        """The task before the end."""
        return UserTask(f"{self.id}_task")


@dataclass(frozen=True, slots=True)
class Sequence:
    """Blocks one after another."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Gateway:
    """A split and its join.

    Attributes:
        id: id of the split; the join is `id` + "_join".
        kind: "exclusive", "parallel" or "inclusive".
        branches: the last one is the default of an exclusive or inclusive split.
        variable: what the conditions look at.
        source: who sets the variable: "start", "task", "job" or "script", right before.
        add: for a script.
    """

    id: str
    kind: str
    branches: tuple[Block, ...]
    variable: str = ""
    source: str = "start"
    add: int = 0

    def value(self, request: int) -> int:
        """The variable's value: as a script works it out, or as it was decided."""
        return (request + self.add) % 3 if self.source == "script" else decided(request, self.variable)

    def chosen(self, request: int) -> tuple[int, ...]:
        """Positions of the branches that are taken."""
        last = len(self.branches) - 1
        if self.kind == "parallel":
            return tuple(range(last + 1))
        value = self.value(request)
        if self.kind == "exclusive":
            return (min(value, last),)
        taken = tuple(index for index in range(last) if value >> index & 1)
        return taken or (last,)


@dataclass(frozen=True, slots=True)
class EventGateway:
    """Waits for the first of several events; the join is `id` + "_join"."""

    id: str
    arms: tuple[tuple[Catch, Block], ...]


@dataclass(frozen=True, slots=True)
class EventSubProcess:
    """A handler in a scope."""

    id: str
    trigger: Trigger
    interrupting: bool
    body: Block


@dataclass(frozen=True, slots=True)
class SubProcess:
    """An embedded sub-process."""

    id: str
    body: Block
    handlers: tuple[EventSubProcess, ...] = ()
    boundaries: tuple[Boundary, ...] = ()
    loop: Loop | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call activity."""

    id: str
    process: str
    boundaries: tuple[Boundary, ...] = ()
    loop: Loop | None = None


@dataclass(frozen=True, slots=True)
class Complex:
    """A parallel split whose complex join goes on when `needs` of the branches have arrived."""

    id: str
    branches: tuple[Block, ...]
    needs: int


@dataclass(frozen=True, slots=True)
class AdHoc:
    """An ad-hoc sub-process.

    Attributes:
        id: of the element.
        activities: what is in it.
        sequential: whether one is done at a time, in their order.
        decider: the user task whose completion is enough, None when all have to be done.
        cancels: whether the others end when it is enough.
        boundaries: its boundary events.
    """

    id: str
    activities: tuple[Leaf, ...]
    sequential: bool = False
    decider: UserTask | None = None
    cancels: bool = True
    boundaries: tuple[Boundary, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A task and what undoes it."""

    task: Leaf
    undo: Leaf


@dataclass(frozen=True, slots=True)
class Part:
    """Steps "in_turn", "at_once" (between parallel gateways), or "inside" a sub-process, one after another.

    Attributes:
        id: of the sub-process; the gateways are `id` + "_split" and "_join".
        kind: which.
        steps: at least one.
    """

    id: str
    kind: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Undoing:
    """A sub-process in which something is done and then undone.

    Attributes:
        id: of the sub-process; the event that undoes is `id` + "_undo".
        parts: what is done, one after another.
        how: "throw" (then a task follows), "unattended" (likewise, but nobody waits for the undoing), "named" (only
            the first step is undone), "end" (by an end event), or "cancel" (a transaction: a task, then its end).
        boundaries: its boundary events; one for the cancellation among them when it is a transaction.
    """

    id: str
    parts: tuple[Part, ...]
    how: str
    boundaries: tuple[Boundary, ...] = ()

    @property
    def task(self) -> UserTask:
        """The task before a cancellation, or after the throwing of a compensation."""
        return UserTask(f"{self.id}_task")

    @property
    def steps(self) -> Iterator[Step]:
        """All steps."""
        for part in self.parts:
            yield from part.steps


Leaf = UserTask | ServiceTask | ScriptTask
Activity = Leaf | Catch | SubProcess | Call | AdHoc | Undoing
Block = Activity | Throw | Pass | Raise | Stop | Sequence | Gateway | EventGateway | Complex


def goes_on(block: Block) -> bool:
    """Whether a token may come out of a block."""
    if isinstance(block, Sequence):
        return goes_on(block.blocks[-1])
    if isinstance(block, Gateway):
        return any(goes_on(branch) for branch in block.branches)
    if isinstance(block, EventGateway):
        return any(goes_on(then) for _, then in block.arms)
    if isinstance(block, Raise):
        return not block.ends
    return not isinstance(block, Stop)


def blocks_in(block: Block) -> Iterator[Block]:
    """A block and all blocks inside it."""
    yield block
    inner: list[Block] = []
    if isinstance(block, Sequence):
        inner.extend(block.blocks)
    elif isinstance(block, Gateway | Complex):
        inner.extend(block.branches)
    elif isinstance(block, EventGateway):
        for arm, then in block.arms:
            inner += (arm, then)
    elif isinstance(block, Stop | Raise):
        inner.append(block.task)
    elif isinstance(block, AdHoc):
        inner.extend(block.activities)
    elif isinstance(block, Undoing):
        inner.append(block.task)
        for step in block.steps:
            inner += (step.task, step.undo)
    elif isinstance(block, SubProcess):
        inner += (block.body, *(handler.body for handler in block.handlers))
    if isinstance(block, Activity):
        inner.extend(boundary.then for boundary in block.boundaries)
    for item in inner:
        yield from blocks_in(item)


@dataclass(frozen=True, slots=True)
class Process:
    """One process; `throws` are the error codes by which it may fail towards its caller."""

    key: str
    body: Block
    handlers: tuple[EventSubProcess, ...] = ()
    throws: tuple[str, ...] = ()

    def blocks(self) -> Iterator[Block]:
        """All blocks."""
        yield from blocks_in(self.body)
        for handler in self.handlers:
            yield from blocks_in(handler.body)


@dataclass(frozen=True, slots=True)
class Model:
    """What one world runs: the first process is started, the others are called."""

    processes: tuple[Process, ...]

    def start_variables(self, request: int) -> dict[str, object]:
        """What a request is started with: its number, and what the gateways look at that nobody sets later."""
        variables: dict[str, object] = {"request": request}
        for process in self.processes:
            for block in process.blocks():
                if isinstance(block, Gateway) and block.variable and block.source == "start":
                    variables[block.variable] = block.value(request)
        return variables
