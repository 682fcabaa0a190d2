"""What must have happened: an interpreter on the block tree that shares no line with the engine.

It is told what came from outside (which tasks and jobs were finished, which timers fired, which messages arrived) and
says how often every element must have been entered and left, and how the instance must have ended. Tokens are only
counted: those of one element are alike. What happens inside the instances of a loop is told apart by a path, `#1` for
the first instance and `#1#2` for the second one of a loop inside it; it stands behind an element's id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.simulation.models import (
    Activity,
    AdHoc,
    Block,
    Boundary,
    Call,
    Catch,
    Complex,
    EventGateway,
    EventSubProcess,
    Gateway,
    Loop,
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
    Undoing,
    UserTask,
    decided,
    goes_on,
)

Once = Callable[[int], tuple[int, dict[str, int]]]
"""Carries an activity out for so many tokens: how many finished, and how many ended by which error."""


class ImpossibleError(Exception):
    """What came from outside cannot have happened in this model."""


@dataclass
class Outside:
    """What came from outside into one instance.

    Attributes:
        request: number of the request.
        happened: element id and path → how often its task or job was finished, its timer fired, its message came,
            its call was answered; with ":before" or ":after" how often its save point was passed.
        failed_calls: (element id and path, error code) → how often a call was answered by that error.
        escalated: (id and path of a call, code) → how often the called instance escalated.
        added, removed, passed: id and path of an element → how many tokens an operator had begin at it, took away from
            it, and had go on behind it.
        ended: "terminated" when somebody ended the instance from outside, else "".
    """

    request: int
    happened: Counter[str] = field(default_factory=Counter)
    failed_calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    escalated: Counter[tuple[str, str]] = field(default_factory=Counter)
    added: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    ended: str = ""


@dataclass
class Expected:
    """What must have happened inside.

    Attributes:
        entered, left, merged: element id → count.
        unsettled: complex joins that have gone on and wait for more; what came at once was merged at once or not.
        variables: of the process, those that it knows.
        rivals: variable → what else it may be, set by instances side by side: the last one wins.
        status: how the instance ended, "open" while it has not.
    """

    entered: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    merged: Counter[str] = field(default_factory=Counter)
    unsettled: set[str] = field(default_factory=set)
    variables: dict[str, object] = field(default_factory=dict)
    rivals: dict[str, list[object]] = field(default_factory=dict)
    status: str = "open"


def expected(process: Process, outside: Outside) -> Expected:
    """Run a process on the tree.

    Raises:
        ImpossibleError: something came from outside for which nothing was open.
    """
    return _Oracle(outside).process(process)


class _Oracle:
    """Each method takes how many tokens come in, and gives how many come out."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside
        self.result = Expected()
        # Not yet used up; the walk takes from it, and nothing may be left.
        self.happened = Counter(outside.happened)
        self.standing = 0
        # What cut the scopes at hand, the innermost last: "terminate" or error codes.
        self.cuts: list[list[str]] = []
        # Path of the loops' instances at hand, and the position in the innermost one.
        self.path = ""
        self.position = 0
        # Whether some of those instances are side by side.
        self.abreast = False
        # What catches escalations, the innermost last: (id and path, code, whether it interrupts).
        self.catchers: list[tuple[str, str, bool]] = []

    def process(self, process: Process) -> Expected:
        result = self.result
        finished = self.scope(process.key, process.body, process.handlers)
        if isinstance(finished, str):
            result.status = f"failed {finished}"
        elif finished:
            result.status = "completed"
        if self.outside.ended:
            if result.status != "open":
                raise ImpossibleError(f"ended from outside after it was {result.status}")
            result.status = self.outside.ended
        rest = +self.happened
        if rest:
            raise ImpossibleError(f"nothing was open for {dict(rest)}")
        return result

    # Counting

    def enter(self, key: str, count: int) -> None:
        self.result.entered[key] += count
        self.standing += count

    def leave(self, key: str, count: int) -> None:
        self.result.left[key] += count
        self.standing -= count

    def passes(self, key: str, count: int) -> None:
        self.enter(key, count)
        self.leave(key, count)

    def take(self, key: str) -> int:
        return self.happened.pop(key + self.path, 0)

    # Scopes

    def scope(self, key: str, body: Block, handlers: tuple[EventSubProcess, ...]) -> bool | str:
        """Run a scope once: whether it finished, or the error that it ended by."""
        before = self.standing
        self.passes(f"{key}_start", 1)
        self.cuts.append([])
        caught = [
            (f"{handler.id}_start{self.path}", handler.trigger.value, handler.interrupting)
            for handler in handlers
            if handler.trigger.kind == "escalation"
        ]
        self.catchers += caught
        out = self.block(body, 1)
        del self.catchers[len(self.catchers) - len(caught) :]
        cuts = self.cuts.pop()
        if out:
            self.passes(f"{key}_end", out)
        taken_over: bool | None = None
        for handler in handlers:
            fired = self.take(f"{handler.id}_start")
            if handler.trigger.kind == "error":
                fired = cuts.count(handler.trigger.value)
                cuts = [cut for cut in cuts if cut != handler.trigger.value]
            self.enter(handler.id, fired)
            self.passes(f"{handler.id}_start", fired)
            finished = self.block(handler.body, fired)
            if finished:
                self.passes(f"{handler.id}_end", finished)
            self.leave(handler.id, finished)
            if handler.interrupting and fired:
                if fired > 1 or taken_over is not None:
                    raise ImpossibleError(f"{handler.id} interrupted its scope {fired} times")
                taken_over = finished == fired
        if len(cuts) + (taken_over is not None) > 1:
            raise ImpossibleError(f"{key} was cut by {cuts} and taken over: {taken_over}")
        finished_by: bool | str = self.standing == before
        if cuts:
            finished_by = True if cuts[0] == "terminate" else cuts[0]
        elif taken_over is not None:
            finished_by = taken_over
        if finished_by:
            # What still stood inside was cancelled.
            self.standing = before
        return finished_by

    def cut(self, by: str) -> None:
        self.cuts[-1].append(by)

    # Blocks

    def block(self, block: Block, count: int) -> int:
        if self.outside.added and hasattr(block, "id"):
            count += self.outside.added[block.id + self.path]
        if not count and not isinstance(block, Sequence):
            return 0
        return getattr(self, f"_{type(block).__name__.lower()}")(block, count)

    def _sequence(self, block: Sequence, count: int) -> int:
        for inner in block.blocks:
            count = self.block(inner, count)
        return count

    def _throw(self, block: Throw, count: int) -> int:
        self.passes(block.id, count)
        return count

    def _pass(self, block: Pass, count: int) -> int:
        self.passes(block.id, count)
        if block.kind == "link":
            self.passes(f"{block.id}_target", count)
        elif block.kind == "rule":
            self.result.variables[f"v_{block.id}"] = self.outside.request % 2
        return count

    def _raise(self, block: Raise, count: int) -> int:
        if not self._usertask(block.task, count):
            return 0
        self.enter(block.id, 1)
        if self.escalate(block.code, 1):
            # It goes with what is interrupted.
            return 0
        self.leave(block.id, 1)
        return 0 if block.ends else 1

    def escalate(self, code: str, times: int) -> bool:
        """Tell the nearest who catches an escalation; whether that interrupts."""
        catcher = next((item for item in reversed(self.catchers) if item[1] in ("", code)), None)
        if catcher is None:
            return False
        self.happened[catcher[0]] += times
        return catcher[2]

    # Activities

    def activity(self, block: Activity, count: int, once: Once) -> int:
        """Save points, the loop and the boundary events around what an activity does `once`."""
        saved = getattr(block, "saved", "")
        loop = getattr(block, "loop", None)
        begun = count
        if "before" in saved:
            begun = self.take(f"{block.id}:before")
            if begun > count:
                raise ImpossibleError(f"{block.id} began {begun} times, but {count} came in")
        stood = self.standing
        outer = len(self.catchers)
        self.catchers += [
            (boundary.id + self.path, boundary.trigger.value, boundary.interrupting)
            for boundary in block.boundaries
            if boundary.trigger.kind == "escalation"
        ]
        done: int
        errors: dict[str, int]
        if not begun:
            done, errors = 0, {}
        elif loop is None:
            done, errors = once(begun)
        else:
            done, errors = self.repeated(block, loop, once)
        del self.catchers[outer:]
        if "after" in saved:
            passed = self.take(f"{block.id}:after")
            if passed > done:
                raise ImpossibleError(f"{block.id} was left {passed} times, but finished {done} times")
            done = passed
        return self.host(block.id, block.boundaries, count, done, errors, self.standing - stood)

    def repeated(self, block: Activity, loop: Loop, once: Once) -> tuple[int, dict[str, int]]:
        """The instances of a loop: whether it finished, and the error that ended it."""
        stood, path, position, abreast = self.standing, self.path, self.position, self.abreast
        self.abreast = abreast or loop.kind == "parallel"
        finished: list[int] = []
        errors: dict[str, int] = {}
        for number in range(1, loop.total + 1):
            one_by_one = loop.kind != "parallel"
            if one_by_one and (len(finished) < number - 1 or len(finished) >= loop.goal):
                break
            self.path, self.position = f"{path}#{number}", number
            self.enter(block.id, 1)
            done, failed = once(1)
            errors.update(failed)
            if done:
                self.leave(block.id, 1)
                finished.append(number)
        self.path, self.position, self.abreast = path, position, abreast
        if isinstance(block, ScriptTask):
            # They need nothing from outside: the last one makes the first cut.
            cut = finished[loop.goal :] if loop.kind == "parallel" else []
            self.result.left[block.id] -= len(cut)
            self.standing += len(cut)
            finished = finished[: loop.goal]
        if len(finished) > loop.goal or len(errors) > 1:
            raise ImpossibleError(f"{block.id}: {len(finished)} of {loop.goal} instances finished, errors {errors}")
        if errors or len(finished) < loop.goal:
            return 0, errors
        self.standing = stood
        if loop.results:
            of_script = isinstance(block, ScriptTask)
            if abreast and loop.results in self.result.variables:
                self.result.rivals.setdefault(loop.results, []).append(self.result.variables[loop.results])
            self.result.variables[loop.results] = [
                self.scripted(block.add, number) if of_script else self.outside.request + number - 1
                for number in finished
            ]
        return 1, {}

    def scripted(self, add: int, position: int) -> int:
        return (self.outside.request + add + position) % 3

    def _scripttask(self, block: ScriptTask, count: int) -> int:
        def once(begun: int) -> tuple[int, dict[str, int]]:
            loop = block.loop
            if loop is None:
                self.result.variables[block.sets] = self.scripted(block.add, 0)
            elif not loop.results and self.position <= loop.goal:
                self.result.variables[block.sets] = self.scripted(block.add, self.position)
            return begun, {}

        return self.activity(block, count, once)

    def _catch(self, block: Catch, count: int) -> int:
        def once(begun: int) -> tuple[int, dict[str, int]]:
            if block.trigger.kind == "conditional":
                return begun if block.trigger.value in self.result.variables else 0, {}
            return self.take(block.id), {}

        return self.activity(block, count, once)

    def _usertask(self, block: UserTask, count: int) -> int:
        def once(_begun: int) -> tuple[int, dict[str, int]]:
            done = self.take(block.id)
            self.sets(block.sets, done)
            return done, {}

        return self.activity(block, count, once)

    def sets(self, variable: str, done: int) -> None:
        if variable and done:
            self.result.variables[variable] = decided(self.outside.request, variable)

    def _servicetask(self, block: ServiceTask, count: int) -> int:
        def once(_begun: int) -> tuple[int, dict[str, int]]:
            done = self.take(block.id)
            error = block.outcome(self.outside.request)
            if error and done:
                return 0, {error: done}
            self.sets(block.sets, done)
            return done, {}

        return self.activity(block, count, once)

    def _call(self, block: Call, count: int) -> int:
        def once(_begun: int) -> tuple[int, dict[str, int]]:
            for (key, code), times in self.outside.escalated.items():
                if key == block.id + self.path:
                    self.escalate(code, times)
            failed = {
                code: times for (key, code), times in self.outside.failed_calls.items() if key == block.id + self.path
            }
            return self.take(block.id) - sum(failed.values()), failed

        return self.activity(block, count, once)

    def _subprocess(self, block: SubProcess, count: int) -> int:
        def once(_begun: int) -> tuple[int, dict[str, int]]:
            finished = self.scope(block.id, block.body, block.handlers)
            return (0, {finished: 1}) if isinstance(finished, str) else (int(finished), {})

        return self.activity(block, count, once)

    def _adhoc(self, block: AdHoc, count: int) -> int:
        def once(_begun: int) -> tuple[int, dict[str, int]]:
            stood = self.standing
            done: list[str] = []
            enough = False
            for activity in block.activities:
                if block.sequential and (enough or self.standing > stood):
                    break
                if self.block(activity, 1):
                    done.append(activity.id)
                    enough = enough or (block.decider is not None and activity.id == block.decider.id)
            if (enough and block.cancels) or (
                self.standing == stood and (enough or len(done) == len(block.activities))
            ):
                self.standing = stood
                return 1, {}
            return 0, {}

        return self.activity(block, count, once)

    def _undoing(self, block: Undoing, count: int) -> int:
        def once(_begun: int) -> tuple[int, dict[str, int]]:
            stood = self.standing
            self.passes(f"{block.id}_start", 1)
            if all(self.part(part) for part in block.parts):
                self.undo_all(block)
            finished = self.standing == stood
            return int(finished), {}

        return self.activity(block, count, once)

    def part(self, part: Part) -> bool:
        """Do the steps of a part; whether all are done."""
        if part.kind == "at_once":
            self.passes(f"{part.id}_split", 1)
            arrived = sum(self.block(step.task, 1) for step in part.steps)
            self.enter(f"{part.id}_join", arrived)
            if arrived < len(part.steps):
                return False
            self.leave(f"{part.id}_join", 1)
            self.result.merged[f"{part.id}_join"] += arrived - 1
            self.standing -= arrived - 1
            return True
        if part.kind == "inside":
            self.enter(part.id, 1)
            self.passes(f"{part.id}_start", 1)
        if not all(self.block(step.task, 1) for step in part.steps):
            return False
        if part.kind == "inside":
            self.passes(f"{part.id}_end", 1)
            self.leave(part.id, 1)
        return True

    def undo_all(self, block: Undoing) -> None:
        """Everything is done: undo it, and go on as the model says."""
        key = f"{block.id}_undo"
        if block.how == "cancel" and not self._usertask(block.task, 1):
            return
        self.enter(key, 1)
        if block.how == "named":
            undone = self.undo(block.parts[0].steps[:1])
        else:
            undone = all(self.undo_part(part) for part in reversed(block.parts))
        if block.how == "cancel":
            if undone:
                self.happened[f"{block.id}_cancelled{self.path}"] += 1
            return
        if not undone and block.how != "unattended":
            return
        self.leave(key, 1)
        if block.how != "end" and self._usertask(block.task, 1):
            self.passes(f"{block.id}_end", 1)

    def undo_part(self, part: Part) -> bool:
        """What was done last is undone first; what was done at once, at once."""
        if part.kind == "at_once":
            return sum(self.block(step.undo, 1) for step in part.steps) == len(part.steps)
        if part.kind != "inside":
            return self.undo(part.steps)
        self.enter(part.id, 1)
        undone = self.undo(part.steps)
        self.leave(part.id, int(undone))
        return undone

    def undo(self, steps: tuple[Step, ...]) -> bool:
        """Undo steps, the last one first; whether all are undone."""
        return all(self.block(step.undo, 1) for step in reversed(steps))

    def host(
        self,
        key: str,
        boundaries: tuple[Boundary, ...],
        count: int,
        done: int,
        errors: dict[str, int],
        inside: int = 0,
    ) -> int:
        """An activity: those that finished, and those that its boundary events took over.

        Args:
            key: its id.
            boundaries: its boundary events.
            count: tokens that came in.
            done: those that finished.
            errors: error code → those that ended by it.
            inside: what stands inside it and goes with it.
        """
        passed = self.outside.passed[key + self.path]
        self.enter(key, count + passed)
        self.leave(key, done + passed)
        out = done + passed
        gone = sum(errors.values()) + self.outside.removed[key + self.path]
        uncaught = dict(errors)
        join = 0
        for boundary in boundaries:
            fired = self.take(boundary.id)
            if boundary.trigger.kind == "conditional" and boundary.trigger.value in self.result.variables:
                fired = max(0, count - done - gone)
            if boundary.trigger.kind == "error":
                caught = [code for code in uncaught if boundary.trigger.value in ("", code)]
                fired = sum(uncaught.pop(code) for code in caught)
            self.passes(boundary.id, fired)
            after = self.block(boundary.then, fired)
            if boundary.interrupting:
                join += after
                gone += 0 if boundary.trigger.kind == "error" else fired
            elif after:
                self.passes(f"{boundary.id}_end", after)
            if fired > boundary.trigger.times * count and boundary.trigger.kind == "timer":
                raise ImpossibleError(f"{boundary.id} fired {fired} times")
        if done + gone > count:
            raise ImpossibleError(f"{key}: {count} came in, {done} finished and {gone} were interrupted")
        for code in uncaught:
            self.cut(code)
        # The interrupted tokens are cancelled, but they stand nowhere any more.
        gone -= sum(uncaught.values())
        self.standing -= gone + (inside if gone else 0)
        out += join
        if any(boundary.interrupting for boundary in boundaries):
            self.passes(f"{key}_join", out)
        return out

    def _complex(self, block: Complex, count: int) -> int:
        self.passes(block.id, count)
        arrived = sum(self.block(branch, 1) for branch in block.branches)
        join = f"{block.id}_join"
        self.enter(join, arrived)
        if arrived < block.needs:
            return 0
        # It stays until nothing more can come, and that is when all have come.
        if arrived == len(block.branches):
            self.leave(join, 1)
            self.result.merged[join] += arrived - 1
            self.standing -= arrived - 1
        else:
            self.result.unsettled.add(join)
        return 1

    def _stop(self, block: Stop, count: int) -> int:
        if self._usertask(block.task, count):
            self.enter(block.id, 1)
            if block.code == "terminate":
                self.leave(block.id, 1)
            self.cut(block.code)
        return 0

    def _gateway(self, block: Gateway, count: int) -> int:
        self.passes(block.id, count)
        chosen = block.chosen(self.outside.request)
        arrived = sum(self.block(branch, count) for index, branch in enumerate(block.branches) if index in chosen)
        join = f"{block.id}_join"
        incoming = [index for index, branch in enumerate(block.branches) if goes_on(branch)]
        self.enter(join, arrived)
        if block.kind == "exclusive" or len(incoming) < 2:
            self.leave(join, arrived)
            return arrived
        if not arrived or arrived < len([index for index in incoming if index in chosen]):
            return 0
        self.leave(join, 1)
        self.result.merged[join] += arrived - 1
        self.standing -= arrived - 1
        return 1

    def _eventgateway(self, block: EventGateway, count: int) -> int:
        fired = [self.take(arm.id) for arm, _ in block.arms]
        if sum(fired) > count:
            raise ImpossibleError(f"{block.id} took {sum(fired)} ways for {count} tokens")
        self.enter(block.id, count)
        self.leave(block.id, sum(fired))
        out = 0
        for (arm, then), times in zip(block.arms, fired, strict=True):
            self.passes(arm.id, times)
            out += self.block(then, times)
        if out:
            self.passes(f"{block.id}_join", out)
        return out
