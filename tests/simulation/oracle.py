"""What must have happened: an interpreter on the block tree that shares no line with the engine.

It is told what came from outside (which tasks and jobs were finished, which timers fired, which messages arrived) and
says how often every element must have been entered and left, and how the instance must have ended. Tokens are only
counted: those of one element are alike.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.simulation.models import (
    Block,
    Boundary,
    Call,
    Catch,
    EventGateway,
    EventSubProcess,
    Gateway,
    Process,
    ScriptTask,
    Sequence,
    ServiceTask,
    Stop,
    SubProcess,
    Throw,
    UserTask,
    decided,
    goes_on,
)


class ImpossibleError(Exception):
    """What came from outside cannot have happened in this model."""


@dataclass
class Outside:
    """What came from outside into one instance.

    Attributes:
        request: number of the request.
        happened: element id → how often its task or job was finished, its timer fired, its message came, its call
            was answered.
        failed_calls: (element id, error code) → how often a call was answered by that error.
        ended: "terminated" when somebody ended the instance from outside, else "".
    """

    request: int
    happened: Counter[str] = field(default_factory=Counter)
    failed_calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    ended: str = ""


@dataclass
class Expected:
    """What must have happened inside."""

    entered: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    merged: Counter[str] = field(default_factory=Counter)
    variables: dict[str, object] = field(default_factory=dict)
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
        return self.happened.pop(key, 0)

    # Scopes

    def scope(self, key: str, body: Block, handlers: tuple[EventSubProcess, ...]) -> bool | str:
        """Run a scope once: whether it finished, or the error that it ended by."""
        before = self.standing
        self.passes(f"{key}_start", 1)
        self.cuts.append([])
        out = self.block(body, 1)
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
        if not count:
            return 0
        return getattr(self, f"_{type(block).__name__.lower()}")(block, count)

    def _sequence(self, block: Sequence, count: int) -> int:
        for inner in block.blocks:
            count = self.block(inner, count)
        return count

    def _scripttask(self, block: ScriptTask, count: int) -> int:
        self.passes(block.id, count)
        if count:
            self.result.variables[block.sets] = (self.outside.request + block.add) % 3
        return count

    def _throw(self, block: Throw, count: int) -> int:
        self.passes(block.id, count)
        return count

    def _catch(self, block: Catch, count: int) -> int:
        return self.host(block.id, block.boundaries, count, self.take(block.id), {})

    def _usertask(self, block: UserTask, count: int) -> int:
        done = self.take(block.id)
        self.sets(block.sets, done)
        return self.host(block.id, block.boundaries, count, done, {})

    def sets(self, variable: str, done: int) -> None:
        if variable and done:
            self.result.variables[variable] = decided(self.outside.request, variable)

    def _servicetask(self, block: ServiceTask, count: int) -> int:
        done = self.take(block.id)
        self.sets(block.sets, done)
        error = block.outcome(self.outside.request)
        errors = {error: done} if error and done else {}
        return self.host(block.id, block.boundaries, count, 0 if errors else done, errors)

    def _call(self, block: Call, count: int) -> int:
        errors = {code: times for (key, code), times in self.outside.failed_calls.items() if key == block.id}
        done = self.take(block.id) - sum(errors.values())
        return self.host(block.id, block.boundaries, count, done, errors)

    def _subprocess(self, block: SubProcess, count: int) -> int:
        before = self.standing
        finished = self.scope(block.id, block.body, block.handlers)
        errors = {finished: 1} if isinstance(finished, str) else {}
        inside = self.standing - before
        return self.host(block.id, block.boundaries, count, int(finished is True), errors, inside)

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
        self.enter(key, count)
        self.leave(key, done)
        out = done
        gone = sum(errors.values())
        uncaught = dict(errors)
        join = 0
        for boundary in boundaries:
            fired = self.take(boundary.id)
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
