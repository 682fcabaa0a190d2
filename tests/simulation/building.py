"""Draws random models, plainest first, within what the oracle can follow."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tests.simulation.choosing import Chooser
from tests.simulation.models import (
    DURATIONS,
    AdHoc,
    Block,
    Boundary,
    Call,
    Catch,
    Complex,
    EventGateway,
    EventSubProcess,
    Gateway,
    Leaf,
    Loop,
    Model,
    Part,
    Pass,
    Process,
    Raise,
    ScriptTask,
    Sequence,
    ServiceTask,
    Step,
    Stop,
    SubProcess,
    Throw,
    Trigger,
    Undoing,
    UserTask,
    goes_on,
)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a block is drawn.

    Attributes:
        depth: how many blocks are around it; 9 where nothing may have blocks inside.
        caught: the errors that are caught around it.
        scoped: whether it may cut its scope.
        escalations: the escalations that are caught around it.
        ends: whether a token may end here; elsewhere a join would wait for it for ever.
        once: whether it is carried out at most once in a world's request, so that what it sets was not set before.
    """

    depth: int
    caught: tuple[str, ...] = ()
    scoped: bool = True
    escalations: tuple[str, ...] = ()
    ends: bool = True
    once: bool = True

    def inside(self, *, stops: bool = True, ends: bool = True) -> _Place:
        """One block deeper; without `stops` it may not cut its scope, without `ends` no token may end there."""
        return replace(self, depth=self.depth + 1, scoped=self.scoped and stops, ends=self.ends and ends)


@dataclass
class Builder:
    """Draws models.

    Attributes:
        choose: the stream.
        budget: how many more blocks there may be, roughly.
        called: processes that may be called.
        focus: kinds of blocks that are drawn more often, "loop" among them for loops.
    """

    choose: Chooser
    budget: int = 10
    called: tuple[Process, ...] = ()
    focus: tuple[str, ...] = ()
    _number: int = field(default=0)

    def model(self) -> Model:
        """A process, and sometimes one that it calls."""
        if self.choose.chance(40):
            throws = ("E_child",) if self.choose.chance(60) else ()
            budget, self.budget = self.budget, 3
            place = _Place(1, throws, once=False)
            child = Process("child", self.sequence(place), self._handlers(place), throws)
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
        simple = ("user", "service", "script", "timer", "message", "receive", "signal", "pass", "send")
        kinds: tuple[str, ...] = ("user", "service", *simple)
        if place.depth < 3 and self.budget > 0:
            kinds += ("exclusive", "parallel", "inclusive", "events", "sub_process", "parallel", "ping")
            kinds += ("sub_process", "inclusive", "ad_hoc", "ad_hoc", "undoing", "undoing", "undoing", "four_eyes")
            if place.scoped:
                kinds += ("complex",)
            if place.once:
                kinds += ("watch",)
            if self.called:
                kinds += ("call", "call", "call", "call")
        if place.depth > 0 and place.scoped:
            kinds += ("stop", "raise")
            if place.escalations:
                kinds += ("raise", "raise", "raise")
        kinds += tuple(kind for kind in self.focus if kind in kinds) * len(kinds)
        return getattr(self, f"_{self.choose.one_of(kinds)}")(place)

    def linear(self) -> Block:
        """What may be there several times at once: no gateway, boundary event, loop or save point."""
        self.budget -= 1
        if self.choose.chance(25):
            return Catch(self._id("timer"), Trigger("timer", "PT1M"))
        return self._leaf()

    def _leaf(self) -> Leaf:
        """A task alone."""
        kind = self.choose.one_of(("script", "user", "service"))
        if kind == "user":
            return UserTask(self._id("task"))
        if kind == "service":
            return ServiceTask(self._id("job"))
        key = self._id("script")
        return ScriptTask(key, f"v_{key}", self.choose.below(3))

    # Leaves

    def _user(self, place: _Place) -> UserTask:
        key = self._id("task")
        limit = self.choose.one_of(("", "", "PT2H", "PT30H"))
        group = self.choose.chance(50)
        return UserTask(key, group, limit, "", self._boundaries(key, place), self._loop(key), self._saved())

    def _four_eyes(self, place: _Place) -> Sequence:
        """Two tasks, the second for others than did the first."""
        first = self._user(place)
        key = self._id("task")
        return Sequence((first, UserTask(key, group=True, boundaries=self._boundaries(key, place), apart=first.id)))

    def _service(self, place: _Place) -> ServiceTask:
        key = self._id("job")
        errors = (self.choose.one_of(place.caught),) if place.caught and self.choose.chance(40) else ()
        boundaries = self._boundaries(key, place)
        if self.choose.chance(25):
            code = self.choose.one_of((f"E_{key}", ""))
            boundaries += (Boundary(f"{key}_error", Trigger("error", code), True, self._short(place)),)
            errors = (code or f"E_{key}",)
        return ServiceTask(key, errors, "", boundaries, self._loop(key), self._saved())

    def _script(self, place: _Place) -> ScriptTask:
        key = self._id("script")
        saved = self._saved()
        # At the save point behind a script there is time for its boundary events.
        boundaries = self._boundaries(key, place) if saved else ()
        return ScriptTask(key, f"v_{key}", self.choose.below(3), boundaries, self._loop(key), saved)

    def _loop(self, key: str) -> Loop | None:
        if not self.choose.chance(60 if "loop" in self.focus else 18):
            return None
        kind = self.choose.one_of(("parallel", "sequential", "standard"))
        number = self.choose.one_of((2, 3, 1, 0))
        if kind == "standard":
            return Loop(kind, number, tests_before=self.choose.chance(50))
        enough = 1 + self.choose.below(number - 1) if number > 1 and self.choose.chance(40) else 0
        items = self.choose.chance(50)
        return Loop(kind, number, enough, items=items, results=f"r_{key}" if items and self.choose.chance(80) else "")

    def _saved(self) -> str:
        return self.choose.one_of(("before", "after", "before after")) if self.choose.chance(10) else ""

    def _pass(self, place: _Place) -> Pass:
        kind = self.choose.one_of(("task", "manualTask", "rule", "link"))
        return Pass(self._id("pass"), kind)

    def _send(self, place: _Place) -> Throw:
        key = self._id("throw")
        return Throw(key, f"m_{key}", self.choose.one_of(("task", "message", "signal")))

    def _raise(self, place: _Place) -> Raise:
        key = self._id("raise")
        code = self.choose.one_of((*place.escalations, *place.escalations, f"X_{key}"))
        return Raise(key, code, place.ends and self.choose.chance(40))

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

    def _branches(self, place: _Place, least: int = 2, *, stops: bool = True, ends: bool = False) -> tuple[Block, ...]:
        inner = place.inside(stops=stops, ends=ends)
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
        # No stop in a branch of an inclusive one: from when on it cannot reach the join any more, an oracle that
        # only counts does not see.
        inclusive = kind == "inclusive"
        branches = self._branches(place, 3 if inclusive else 2, stops=not inclusive, ends=not inclusive)
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
        return EventGateway(key, tuple((arm, self.sequence(place.inside())) for arm in arms))

    def _complex(self, place: _Place) -> Complex:
        # No stop, for the reason that inclusive ones have.
        branches = self._branches(place, 2, stops=False)
        return Complex(self._id("some"), branches, 1 + self.choose.below(len(branches)))

    def _watch(self, place: _Place) -> Gateway:
        """A variable that one branch sets and the other one waits for."""
        key = self._id("watch")
        variable = f"w_{key}"
        trigger = Trigger("conditional", variable)
        sets = Sequence((self.linear(), ScriptTask(f"{key}_script", variable, self.choose.below(3))))
        if self.choose.chance(50):
            return Gateway(key, "parallel", (sets, Catch(f"{key}_catch", trigger)))
        boundary = Boundary(f"{key}_task_condition", trigger, True, self._short(place))
        return Gateway(key, "parallel", (sets, UserTask(f"{key}_task", boundaries=(boundary,))))

    def _ping(self, place: _Place) -> Gateway:
        """What one branch throws and the other awaits, whichever comes first."""
        key = self._id("ping")
        kind = self.choose.one_of(("message", "task", "signal"))
        awaited = "signal" if kind == "signal" else "message"
        name = f"{awaited[0]}_{key}"
        catch = Catch(f"{key}_catch", Trigger(awaited, name), awaited == "message" and self.choose.chance(50))
        sides: list[Block] = [Throw(f"{key}_throw", name, kind), catch]
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
        escalations: tuple[str, ...] = ()
        if self.choose.chance(25):
            code = self.choose.one_of((f"X_{key}", ""))
            trigger = Trigger("escalation", code)
            boundaries += (Boundary(f"{key}_escalation", trigger, self.choose.chance(50), self.linear()),)
            escalations = (code or f"X_{key}",)
        handlers = self._handlers(place.inside())
        caught += tuple(handler.trigger.value for handler in handlers if handler.trigger.kind == "error")
        escalations += tuple(handler.trigger.value for handler in handlers if handler.trigger.kind == "escalation")
        loop = self._loop(key)
        inner = replace(
            place.inside(),
            caught=(*caught[::-1], *place.caught),
            scoped=True,
            ends=True,
            escalations=(*escalations[::-1], *place.escalations),
            once=place.once and loop is None,
        )
        body = self.sequence(inner)
        if loop is not None and goes_on(body):
            # The task comes last so that the other instances are at rest when one completes and cuts them.
            body = Sequence((*body.blocks, UserTask(f"{key}_last")))
        return SubProcess(key, body, handlers, boundaries, loop)

    def _handlers(self, place: _Place) -> tuple[EventSubProcess, ...]:
        if not self.choose.chance(35):
            return ()
        key = self._id("handler")
        kinds = ("timer", "message", "error", "escalation") if place.depth else ("timer", "message")
        kind = self.choose.one_of(kinds)
        if kind == "error":
            return (EventSubProcess(key, Trigger("error", f"E_{key}"), True, self.linear()),)
        if kind == "escalation":
            return (EventSubProcess(key, Trigger("escalation", f"X_{key}"), self.choose.chance(50), self.linear()),)
        trigger = Trigger("timer", self._duration()) if kind == "timer" else Trigger("message", f"m_{key}")
        return (EventSubProcess(key, trigger, self.choose.chance(50), self.linear()),)

    def _call(self, place: _Place) -> Call:
        process = self.choose.one_of(self.called)
        key = self._id("call")
        boundaries = self._boundaries(key, place)
        if self.choose.chance(20):
            trigger = Trigger("escalation", "")
            boundaries += (Boundary(f"{key}_escalation", trigger, self.choose.chance(50), self.linear()),)
        if process.throws:
            boundaries += (Boundary(f"{key}_error", Trigger("error", process.throws[0]), True, self._short(place)),)
        return Call(key, process.key, boundaries, self._loop(key))

    def _ad_hoc(self, place: _Place) -> AdHoc:
        key = self._id("any")
        boundaries = self._boundaries(key, place)
        activities = [self._leaf() for _ in range(2 + self.choose.below(2))]
        sequential = self.choose.chance(40)
        decider = None
        if place.once and self.choose.chance(80):
            decider = UserTask(f"{key}_task", sets=f"c_{key}")
            activities.insert(self.choose.below(len(activities) + 1), decider)
        return AdHoc(key, tuple(activities), sequential, decider, self.choose.chance(65), boundaries)

    def _undoing(self, place: _Place) -> Undoing:
        key = self._id("deal")
        how = self.choose.one_of(("throw", "end", "unattended", "named", "cancel"))
        boundaries = self._boundaries(key, place)
        if how == "cancel":
            boundaries += (Boundary(f"{key}_cancelled", Trigger("cancel", ""), True, self._short(place)),)
        parts = []
        for number in range(1 + self.choose.below(2)):
            kind = self.choose.one_of(("in_turn", "at_once", "inside"))
            if how == "named":
                kind = "in_turn"
            steps = tuple(
                Step(self._leaf(), self._leaf()) for _ in range(1 + (kind == "at_once") + self.choose.below(2))
            )
            parts.append(Part(f"{key}_part{number + 1}", kind, steps))
        return Undoing(key, tuple(parts), how, boundaries)

    # Boundary events

    def _short(self, place: _Place) -> Block:
        return self.block(_Place(9, scoped=False))

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
