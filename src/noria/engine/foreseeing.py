"""What will probably become of a request (预测路径): the engine itself goes on from the live state, on a copy.

Everybody decides as is hoped: tasks are done, approvals approved, jobs succeed, what is waited for arrives. Gateways,
decisions and rules see the data as they are now.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from noria.engine import commands as c
from noria.engine import events as e
from noria.engine import lifecycle, triggers, voting
from noria.engine.behaviours import BEHAVIOURS
from noria.engine.definition import Definition
from noria.engine.facts import Facts
from noria.engine.run import Run, RunawayError
from noria.engine.state import State, Status, Task
from noria.engine.tasks import approving, separating
from noria.engine.trouble import Trouble

STEPS_MAX = 300
SOMEBODY = "?"
"""Who does a task that is for a group."""
_OPEN = Status.OPEN


class Expected(msgspec.Struct, frozen=True):
    """A task that is open, or will be.

    Attributes:
        task: as the engine opens it.
        open: whether it is open now.
        from_ms: when it opens, or has opened; 0 where nobody knows.
        until_ms: when it is done, if it takes as long as usual; 0 where nobody knows.
    """

    task: Task
    open: bool
    from_ms: int
    until_ms: int


class Path(msgspec.Struct, frozen=True):
    """What is expected of a request.

    Attributes:
        tasks: in the order in which they open.
        complete: whether it comes to its end; else it cannot be told what follows.
        ends_ms: when; 0 where nobody knows.
    """

    tasks: tuple[Expected, ...]
    complete: bool
    ends_ms: int = 0


def foresee(definition: Definition, state: State, now_ms: int, facts: Facts, usual_ms: Mapping[int, int]) -> Path:
    """Go on from a state as is hoped.

    Args:
        definition: what the instance runs on.
        state: left as it was.
        now_ms: the instant from which on.
        facts: what the outside says.
        usual_ms: how long the tasks of an element usually take, by element index.
    """
    run = _Ahead(definition, state.copy(), now_ms, facts, BEHAVIOURS)
    found: dict[int, Expected] = {}
    certain = True
    for _ in range(STEPS_MAX):
        for token, task in run.state.tasks.items():
            if token not in found:
                takes_ms = usual_ms.get(task.element, 0)
                until_ms = max(task.opened_ms + takes_ms, now_ms) if takes_ms and certain else 0
                from_ms = task.opened_ms if certain else 0
                found[token] = Expected(task, token in state.tasks, from_ms, until_ms)
        if run.state.status is not _OPEN:
            return Path(tuple(found.values()), True, run.now_ms if certain else 0)
        done_ms = {token: found[token].until_ms for token in run.state.tasks}
        certain = certain and all(done_ms.values())
        try:
            if not run.go_on_with_something(done_ms):
                break
            run.advance()
        except (Trouble, RunawayError):
            break
        if run.state.incidents.keys() - state.incidents.keys():
            break
    return Path(tuple(found.values()), False)


class _Ahead(Run):
    """A run that does what people, workers and the outside will do."""

    def go_on_with_something(self, done_ms: Mapping[int, int]) -> bool:
        """Do what is expected next; gives whether there is anything to expect."""
        state, elements = self.state, self.definition.graph.elements
        if state.tasks:
            token = min(state.tasks, key=lambda key: (done_ms[key], key))
            self._at(done_ms[token])
            self._done(token, state.tasks[token])
        elif state.jobs:
            token = next(iter(state.jobs))
            self.emit(e.JobCompleted(token, ""))
            self.leave(token, elements[state.tokens[token].element])
        elif state.calls:
            token = next(iter(state.calls))
            self.emit(e.CallCompleted(token))
            self.leave(token, elements[state.tokens[token].element])
        elif state.waits:
            triggers.receive(self, next(iter(state.waits)), {}, "")
        elif state.timers:
            number, timer = min(state.timers.items(), key=lambda item: (item[1].due_ms, item[0]))
            self._at(timer.due_ms)
            lifecycle.fire_timer(self, c.FireTimer(number))
        else:
            return False
        return True

    def _at(self, at_ms: int) -> None:
        if at_ms > self.now_ms:
            self.now_ms, self._context = at_ms, None

    def _done(self, token: int, task: Task) -> None:
        element = self.definition.graph.elements[task.element]
        scope = self.state.tokens[token].scope
        is_approval = scope in self.state.approvals
        outcome = voting.APPROVE if is_approval else ""
        by = task.assignee or SOMEBODY
        if task.owner:
            self.emit(e.TaskHandedBack(token, by, task.owner, outcome))
            separating.note(self, token, element, by)
            return
        self.emit(e.TaskCompleted(token, task.element, by, task.round, outcome=outcome))
        separating.note(self, token, element, by)
        if is_approval:
            approving.decided(self, scope, element, token, outcome, by)
        else:
            self.leave(token, element)
