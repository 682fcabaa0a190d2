"""Random processes from blocks. A block is at the same time what `bpmn.py` writes and what `oracle.py` runs.

What a model leaves open (which branch, which result, which error) is decided by `planned`, a pure function of the
number of the request and the id of the element, so that people, workers and the oracle agree without talking.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from zlib import crc32

from noria.kernel.instants import HOUR_MS, MINUTE_MS
from tests.simulation.choosing import Chooser

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
        kind: "timer", "message", "signal" or "error".
        value: the duration, the name, or the error's code ("" for every code).
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
class UserTask:
    """A person's task; `limit` is a duration or ""; `sets` names a variable that the person decides."""

    id: str
    group: bool = False
    limit: str = ""
    sets: str = ""
    boundaries: tuple[Boundary, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceTask:
    """A job; it fails `planned` times first, and ends by one of `errors` or well."""

    id: str
    errors: tuple[str, ...] = ()
    sets: str = ""
    boundaries: tuple[Boundary, ...] = ()

    def outcome(self, request: int) -> str:
        """The error that it ends by, "" for none."""
        number = planned(request, f"outcome of {self.id}", len(self.errors) * 2 + 2)
        return self.errors[number] if number < len(self.errors) else ""

    def failures(self, request: int) -> int:
        """How many tries fail first; the model grants two."""
        return max(0, planned(request, f"failures of {self.id}", 8) - 5)


@dataclass(frozen=True, slots=True)
class ScriptTask:
    """FEEL: sets a variable to (request + add) modulo 3."""

    id: str
    sets: str
    add: int


@dataclass(frozen=True, slots=True)
class Catch:
    """An intermediate catch event, or a receive task when `activity`."""

    id: str
    trigger: Trigger
    activity: bool = False
    boundaries: tuple[Boundary, ...] = ()


@dataclass(frozen=True, slots=True)
class Throw:
    """An intermediate throw event of a message."""

    id: str
    name: str


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


@dataclass(frozen=True, slots=True)
class Call:
    """A call activity."""

    id: str
    process: str
    boundaries: tuple[Boundary, ...] = ()


Block = (
    UserTask | ServiceTask | ScriptTask | Catch | Throw | Stop | Sequence | Gateway | EventGateway | SubProcess | Call
)
Activity = UserTask | ServiceTask | Catch | SubProcess | Call


def goes_on(block: Block) -> bool:
    """Whether a token may come out of a block."""
    if isinstance(block, Sequence):
        return goes_on(block.blocks[-1])
    if isinstance(block, Gateway):
        return any(goes_on(branch) for branch in block.branches)
    if isinstance(block, EventGateway):
        return any(goes_on(then) for _, then in block.arms)
    return not isinstance(block, Stop)


def blocks_in(block: Block) -> Iterator[Block]:
    """A block and all blocks inside it."""
    yield block
    inner: list[Block] = []
    if isinstance(block, Sequence):
        inner.extend(block.blocks)
    elif isinstance(block, Gateway):
        inner.extend(block.branches)
    elif isinstance(block, EventGateway):
        for arm, then in block.arms:
            inner += (arm, then)
    elif isinstance(block, Stop):
        inner.append(block.task)
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


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a block is drawn: how deep, which errors are caught around it, and whether it may cut its scope."""

    depth: int
    caught: tuple[str, ...] = ()
    scoped: bool = True


@dataclass
class Builder:
    """Draws models.

    Attributes:
        choose: the stream.
        budget: how many more blocks there may be, roughly.
        called: processes that may be called.
    """

    choose: Chooser
    budget: int = 10
    called: tuple[Process, ...] = ()
    _number: int = field(default=0)

    def model(self) -> Model:
        """A process, and sometimes one that it calls."""
        if self.choose.chance(30):
            throws = ("E_child",) if self.choose.chance(50) else ()
            budget, self.budget = self.budget, 3
            child = Process("child", self.sequence(_Place(1, throws)), self._handlers(_Place(1)), throws)
            self.budget = budget
            self.called = (child,)
        main = Process("main", self.sequence(_Place(0)), self._handlers(_Place(0)))
        return Model((main, *self.called))

    def _id(self, kind: str) -> str:
        self._number += 1
        return f"{kind}{self._number}"

    def sequence(self, place: _Place) -> Sequence:
        """Some blocks, the last of which may cut the scope."""
        blocks = []
        for _ in range(1 + self.choose.below(3 if place.depth else 4)):
            if self.budget <= 0 and blocks:
                break
            blocks.append(self.block(place))
            if not goes_on(blocks[-1]):
                break
        return Sequence(tuple(blocks))

    def block(self, place: _Place) -> Block:
        """Any block that fits."""
        self.budget -= 1
        simple = ("user", "service", "script", "timer", "message", "receive", "signal")
        kinds: tuple[str, ...] = ("user", "service", *simple)
        if place.depth < 3 and self.budget > 0:
            kinds += (
                "exclusive",
                "parallel",
                "inclusive",
                "events",
                "sub_process",
                "parallel",
                "ping",
                "sub_process",
                "inclusive",
            )
            if self.called:
                kinds += ("call", "call")
        if place.depth > 0 and place.scoped:
            kinds += ("stop",)
        return getattr(self, f"_{self.choose.one_of(kinds)}")(place)

    def linear(self) -> Block:
        """What may be there several times at once: no gateway, no boundary event."""
        self.budget -= 1
        kind = self.choose.one_of(("script", "user", "service", "timer"))
        if kind == "user":
            return UserTask(self._id("task"))
        if kind == "service":
            return ServiceTask(self._id("job"))
        if kind == "timer":
            return Catch(self._id("timer"), Trigger("timer", "PT1M"))
        return self._script(_Place(9))

    # Leaves

    def _user(self, place: _Place) -> UserTask:
        key = self._id("task")
        limit = self.choose.one_of(("", "", "PT2H", "PT30H"))
        return UserTask(key, self.choose.chance(50), limit, "", self._boundaries(key, place))

    def _service(self, place: _Place) -> ServiceTask:
        key = self._id("job")
        errors = (self.choose.one_of(place.caught),) if place.caught and self.choose.chance(40) else ()
        boundaries = self._boundaries(key, place)
        if self.choose.chance(25):
            code = self.choose.one_of((f"E_{key}", ""))
            boundaries += (Boundary(f"{key}_error", Trigger("error", code), True, self._short(place)),)
            errors = (code or f"E_{key}",)
        return ServiceTask(key, errors, "", boundaries)

    def _script(self, place: _Place) -> ScriptTask:
        key = self._id("script")
        return ScriptTask(key, f"v_{key}", self.choose.below(3))

    def _timer(self, place: _Place) -> Catch:
        return Catch(self._id("timer"), Trigger("timer", self._duration()))

    def _message(self, place: _Place) -> Catch:
        key = self._id("message")
        return Catch(key, Trigger("message", f"m_{key}"))

    def _signal(self, place: _Place) -> Catch:
        key = self._id("signal")
        return Catch(key, Trigger("signal", f"s_{key}"))

    def _receive(self, place: _Place) -> Catch:
        key = self._id("receive")
        return Catch(key, Trigger("message", f"m_{key}"), True, self._boundaries(key, place))

    def _stop(self, place: _Place) -> Stop:
        return Stop(self._id("stop"), self.choose.one_of(("terminate", *place.caught)))

    def _duration(self) -> str:
        return self.choose.one_of(tuple(DURATIONS))

    # Gateways

    def _branches(self, place: _Place, least: int = 2, *, stops: bool = True) -> tuple[Block, ...]:
        inner = _Place(place.depth + 1, place.caught, place.scoped and stops)
        return tuple(self.sequence(inner) for _ in range(least + self.choose.below(4 - least)))

    def _parallel(self, place: _Place) -> Gateway:
        return Gateway(self._id("and"), "parallel", self._branches(place))

    def _exclusive(self, place: _Place) -> Block:
        return self._deciding(place, "exclusive", self._id("xor"))

    def _inclusive(self, place: _Place) -> Block:
        return self._deciding(place, "inclusive", self._id("or"))

    def _deciding(self, place: _Place, kind: str, key: str) -> Block:
        variable = f"c_{key}"
        source = self.choose.one_of(("start", "task", "job", "script"))
        add = self.choose.below(3)
        # No stop in a branch of an inclusive one: from when on the branch cannot reach the join any more, an oracle
        # that only counts does not see.
        inclusive = kind == "inclusive"
        branches = self._branches(place, 3 if inclusive else 2, stops=not inclusive)
        gateway = Gateway(key, kind, branches, variable, source, add)
        if source == "task":
            return Sequence((UserTask(f"{key}_task", sets=variable), gateway))
        if source == "job":
            return Sequence((ServiceTask(f"{key}_job", sets=variable), gateway))
        if source == "script":
            return Sequence((ScriptTask(f"{key}_script", variable, add), gateway))
        return gateway

    def _events(self, place: _Place) -> EventGateway:
        key = self._id("first")
        arms = [Catch(f"{key}_timer", Trigger("timer", self._duration()))]
        arms.append(Catch(f"{key}_message", Trigger("message", f"m_{key}"), self.choose.chance(50)))
        if self.choose.chance(30):
            arms.append(Catch(f"{key}_signal", Trigger("signal", f"s_{key}")))
        inner = _Place(place.depth + 1, place.caught, place.scoped)
        return EventGateway(key, tuple((arm, self.sequence(inner)) for arm in arms))

    def _ping(self, place: _Place) -> Gateway:
        """A message that one branch throws and the other awaits, whichever comes first."""
        key = self._id("ping")
        catch = Catch(f"{key}_catch", Trigger("message", f"m_{key}"), self.choose.chance(50))
        sides: list[Block] = [Throw(f"{key}_throw", f"m_{key}"), catch]
        if self.choose.chance(50):
            late = self.choose.below(2)
            sides[late] = Sequence((self.linear(), sides[late]))
        return Gateway(key, "parallel", tuple(sides))

    # Scopes

    def _sub_process(self, place: _Place) -> SubProcess:
        key = self._id("sub")
        boundaries = self._boundaries(key, place)
        caught: tuple[str, ...] = ()
        if self.choose.chance(50):
            code = self.choose.one_of((f"E_{key}", ""))
            boundaries += (Boundary(f"{key}_error", Trigger("error", code), True, self._short(place)),)
            caught = (code or f"E_{key}",)
        handlers = self._handlers(_Place(place.depth + 1))
        caught += tuple(handler.trigger.value for handler in handlers if handler.trigger.kind == "error")
        body = self.sequence(_Place(place.depth + 1, (*caught[::-1], *place.caught)))
        return SubProcess(key, body, handlers, boundaries)

    def _handlers(self, place: _Place) -> tuple[EventSubProcess, ...]:
        if not self.choose.chance(35):
            return ()
        key = self._id("handler")
        kind = self.choose.one_of(("timer", "message", "error") if place.depth else ("timer", "message"))
        if kind == "error":
            return (EventSubProcess(key, Trigger("error", f"E_{key}"), True, self.linear()),)
        trigger = Trigger("timer", self._duration()) if kind == "timer" else Trigger("message", f"m_{key}")
        return (EventSubProcess(key, trigger, self.choose.chance(50), self.linear()),)

    def _call(self, place: _Place) -> Call:
        process = self.choose.one_of(self.called)
        key = self._id("call")
        boundaries = self._boundaries(key, place)
        if process.throws:
            boundaries += (Boundary(f"{key}_error", Trigger("error", process.throws[0]), True, self._short(place)),)
        return Call(key, process.key, boundaries)

    # Boundary events

    def _short(self, place: _Place) -> Block:
        return self.block(_Place(9, (), scoped=False))

    def _boundaries(self, key: str, place: _Place) -> tuple[Boundary, ...]:
        if place.depth >= 9 or not self.choose.chance(40):
            return ()
        kind = self.choose.one_of(("timer", "message", "signal"))
        interrupting = self.choose.chance(50)
        boundary = f"{key}_{kind}"
        then = self._short(place) if interrupting else self.linear()
        if kind == "timer":
            times = 1 if interrupting else self.choose.one_of((1, 3))
            return (Boundary(boundary, Trigger("timer", self._duration(), times), interrupting, then),)
        return (Boundary(boundary, Trigger(kind, f"{kind[0]}_{boundary}"), interrupting, then),)
