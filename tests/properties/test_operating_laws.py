"""Whatever operators do to an instance, whatever it is at: no token waits for nothing, and it can be taken back.

An equal version changes nothing, and one that waits for more is left again without a trace.

NORIA_OPERATING_SEQUENCES says how many sequences are drawn for each model, NORIA_OPERATING_SEED where they begin.
"""

from __future__ import annotations

import os
import random
import re
from collections import Counter

import msgspec
import pytest
from tests.scenarios.playing import BEGIN, FACTS, load

from noria.design.bpmn.graph import Kind
from noria.engine import commands as c
from noria.engine import events as e
from noria.engine import voting
from noria.engine.definition import Definition
from noria.engine.evolve import replay
from noria.engine.outcome import Outcome
from noria.engine.state import State, Status, encode_state
from noria.engine.step import step
from noria.kernel.errors import Rejected
from noria.kernel.instants import parse_instant

SEQUENCES = int(os.environ.get("NORIA_OPERATING_SEQUENCES", "150"))
SEED = int(os.environ.get("NORIA_OPERATING_SEED", "1"))
LENGTH = 25
COMMANDS_MAX = 300
TOKENS_MAX = 60
"""Who starts things again and again gets more and more tokens."""
OPERATOR = "roy"
JOINS = (Kind.PARALLEL_GATEWAY, Kind.INCLUSIVE_GATEWAY, Kind.COMPLEX_GATEWAY)

MODELS = {
    "branches": """
  startEvent start
  parallelGateway fork
  userTask a assignee=li saveBefore=true saveAfter=true
  boundaryEvent late on=a timer=P1D cancel=false
  serviceTask b topic=work retries=1
  boundaryEvent wrong on=b error=wrong
  exclusiveGateway which
  userTask c assignee=li
  userTask d assignee=li
  parallelGateway join saveBefore=true
  inclusiveGateway some
  userTask f assignee=li
  userTask g assignee=li
  inclusiveGateway meet
  eventBasedGateway await
  intermediateCatchEvent answer message=answer
  intermediateCatchEvent stop timer=P2D
  userTask after assignee=li
  endEvent end
  start -> fork -> a -> which
  which -[= amount > 1]-> c -> join
  which -default-> d -> join
  fork -> b -> join
  fork -> some
  some -[= amount > 0]-> f -> meet
  some -default-> g -> meet
  meet -> join
  join -> await
  await -> answer -> after -> end
  await -> stop -> end
  late -> after
  wrong -> after
""",
    "inside": """
  startEvent start
  userTask before assignee=li
  subProcess outer
    input limit "= 5"
    startEvent in
    userTask first assignee=li
    subProcess inner
      startEvent deep
      userTask second assignee=li
      callActivity ask called=other
      endEvent out
      deep -> second -> ask -> out
      eventSubProcess told
        startEvent news message=news interrupting=false
        userTask read assignee=li
        news -> read
    boundaryEvent long on=inner timer=P3D
    endEvent done
    in -> first -> inner -> done
    long -> done
    eventSubProcess broken
      startEvent fault signal=fault
      userTask mend assignee=li
      endEvent mended
      fault -> mend -> mended
  boundaryEvent late on=outer timer=P1D
  userTask after assignee=li
  endEvent end
  start -> before -> outer -> after -> end
  late -> after
  eventSubProcess watched
    startEvent wish signal=wish interrupting=false
    serviceTask look topic=look
    wish -> look
""",
    "repeated": """
  startEvent start
  userTask sign approval=allOf approvers='= ["li", "wang", "boss"]' whenRefused=goOn dueIn=P2D remindAt="0.5"
  boundaryEvent late on=sign timer=P1D cancel=false
  subProcess each
    raw <multiInstanceLoopCharacteristics><loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics>
    startEvent in
    userTask one assignee=li
    serviceTask two topic=two
    in -> one -> two
  boundaryEvent enough on=each message=enough
  userTask again assignee=li
    raw <multiInstanceLoopCharacteristics isSequential="true" noria:collection="= [1, 2]"/>
  adHocSubProcess free
    userTask free_one assignee=li
    userTask free_two assignee=li
  task both startQuantity=2
  endEvent end
  start -> sign -> each -> again -> free -> both -> end
  start -> both
  late -> end
  enough -> end
""",
    "undone": """
  startEvent start
  transaction deal
    startEvent in
    serviceTask book topic=book
    boundaryEvent undo_book on=book
      raw <compensateEventDefinition/>
    userTask cancel_book assignee=li isForCompensation=true
    subProcess box
      startEvent inside
      serviceTask pay topic=pay
      boundaryEvent undo_pay on=pay
        raw <compensateEventDefinition/>
      serviceTask refund topic=refund isForCompensation=true
      inside -> pay
      raw <association id="a2" sourceRef="undo_pay" targetRef="refund"/>
    userTask decide assignee=li
    exclusiveGateway well
    endEvent ok
    endEvent bad
      raw <cancelEventDefinition/>
    in -> book -> box -> decide -> well
    well -[= amount > 1]-> bad
    well -default-> ok
    raw <association id="a1" sourceRef="undo_book" targetRef="cancel_book"/>
  boundaryEvent off on=deal
    raw <cancelEventDefinition/>
  userTask after assignee=li
  endEvent end
  start -> deal -> after -> end
  off -> after
""",
}
ACTIVITY = re.compile(
    r"^ *(?:userTask|serviceTask|callActivity|subProcess|transaction) (?!free_)(\w+)(?!.*isForCompensation)"
)


def with_more(text: str) -> str:
    """The model with one more signal at each activity's boundary, which interrupts nothing."""
    lines: list[str] = []
    open_ones: list[tuple[int, str]] = []

    def close(depth: int) -> None:
        # What belongs into an activity is indented below it.
        while open_ones and depth <= open_ones[-1][0]:
            indent, name = open_ones.pop()
            more = (f"boundaryEvent more_{name} on={name} cancel=false signal=more", f"endEvent seen_{name}")
            lines.extend(" " * indent + line for line in (*more, f"more_{name} -> seen_{name}"))

    for line in text.splitlines():
        depth = len(line) - len(line.lstrip())
        close(depth)
        lines.append(line)
        if found := ACTIVITY.match(line):
            open_ones.append((depth, found[1]))
    close(0)
    return "\n".join(lines)


DEFINITIONS = {name: load(text.strip("\n").splitlines()) for name, text in MODELS.items()}
WITH_MORE = {name: load(with_more(text.strip("\n")).splitlines()) for name, text in MODELS.items()}


class Instance:
    """One instance, what has happened to it, and everybody who does something to it."""

    def __init__(self, name: str, seed: int) -> None:
        self.definition, self.with_more = DEFINITIONS[name], WITH_MORE[name]
        self.random = random.Random(seed)
        self.now_ms = parse_instant(BEGIN)
        self.state = State()
        self.history: list[tuple[e.AnyEvent, ...]] = []
        self.done: Counter[str] = Counter()
        self.give(c.StartInstance("li", {"id": "li"}, {"amount": 1}))

    def give(self, command: c.AnyCommand, target: Definition | None = None) -> Outcome | Rejected:
        facts = msgspec.structs.replace(FACTS, target=target)
        before = encode_state(self.state)
        outcome = step(self.definition, self.state, command, self.now_ms, facts)
        assert encode_state(self.state) == before, "a step has changed what it was given"
        if isinstance(outcome, Rejected):
            self.done[f"refused: {outcome.code}"] += 1
            return outcome
        self.done[type(command).__name__] += 1
        self.state = outcome.state
        self.history.append(e.decode_events(e.encode_events(outcome.events)))
        if target is not None:
            self.definition = target
        if self.state.status is Status.OPEN:
            nothing_is_orphaned(self.state)
            self.nothing_hangs()
        return outcome

    def nothing_hangs(self) -> None:
        """Each token at rest waits for something that can come."""
        state, elements = self.state, self.definition.graph.elements
        troubled = {incident.token for incident in state.incidents.values()}
        for key, token in state.tokens.items():
            inside = key in state.scopes and state.scopes[key].live
            waits = (
                *(
                    key in state.tasks,
                    key in state.jobs,
                    key in state.calls,
                    key in troubled,
                    key in state.compensations,
                ),
                *(key in state.gathered, key in state.hosted and not elements[token.element].boundaries),
                elements[token.element].kind in JOINS,
                any(timer.token == key and timer.purpose for timer in state.timers.values()),
            )
            assert inside or any(waits), f"{elements[token.element].id} waits for nothing"

    # What people and machines do

    def anything(self) -> None:
        if self.state.suspended:
            self.random.choice((self.resume, self.resume, self.operate))()
        else:
            self.random.choice((self.work, self.work, self.work, self.fail, self.operate, self.operate))()

    def work(self) -> bool:
        """Somebody or something does what is open; gives False when nothing is."""
        state = self.state
        ways: list[c.AnyCommand] = [c.RetryIncident(number, OPERATOR) for number in state.incidents]
        for token, task in state.tasks.items():
            seat = state.tokens[token].scope in state.approvals
            outcome = self.random.choice(("approve", "approve", "refuse")) if seat else ""
            ways.append(c.CompleteTask(token, task.assignee, {"amount": self.random.randrange(3)}, "", 0, outcome))
        ways += [c.CompleteJob(token, "robot") for token, job in state.jobs.items() if job.retries]
        ways += [c.CompleteCall(token, {}) for token in state.calls]
        ways += [c.Correlate(number, {}) for number in state.waits]
        ways += [c.FireTimer(number) for number, timer in state.timers.items() if timer.due_ms <= self.now_ms]
        if state.timers and (not ways or self.random.random() < 0.2):
            number, timer = self.random.choice(sorted(state.timers.items()))
            self.now_ms = max(self.now_ms, timer.due_ms)
            ways.append(c.FireTimer(number))
        if not ways:
            return False
        outcome = self.give(self.random.choice(ways))
        assert not isinstance(outcome, Rejected), outcome
        return True

    def fail(self) -> None:
        for token in self.state.jobs:
            self.give(c.FailJob(token, "robot", "no", 0))
            return

    # What operators do

    def operate(self) -> None:
        self.random.choice(
            (self.modify, self.modify, self.modify, self.go_over, self.go_and_come_back, self.suspend, self.correct)
        )()

    def suspend(self) -> None:
        self.give(c.SuspendInstance(OPERATOR, "why"))

    def resume(self) -> None:
        self.give(c.ResumeInstance(OPERATOR))

    def correct(self) -> None:
        self.give(c.SetVariables(OPERATOR, {"amount": self.random.randrange(3)}, "why"))

    def modify(self) -> None:
        """Put it elsewhere, and often take that back."""
        before = self.state
        moves = tuple(self.move() for _ in range(self.random.choice((1, 1, 1, 2))))
        outcome = self.give(c.ModifyInstance(OPERATOR, "why", moves))
        if isinstance(outcome, Outcome) and self.state.status is Status.OPEN and self.random.random() < 0.4:
            self.restore(before)

    def move(self) -> c.Move:
        choose, state, elements = self.random.choice, self.state, self.definition.graph.elements
        anywhere = choose(elements[1:]).id
        token = choose(sorted(state.tokens)) if state.tokens else 0
        here = elements[state.tokens[token].element].id if token else anywhere
        only = choose((0, token))
        scope = choose((0, 0, choose(sorted(state.scopes)))) if state.scopes else 0
        kinds = ("move", "move", "cancel", "start_before", "start_after")
        if len(state.tokens) > TOKENS_MAX:
            kinds = ("cancel",) * 5
        kind = choose(kinds)
        if kind == "move":
            return c.Move("move", here, anywhere, only, scope)
        if kind == "cancel":
            return c.Move("cancel", here, token=only)
        return c.Move("start_before" if kind == "start_before" else "start_after", anywhere, scope=scope)

    def restore(self, before: State) -> None:
        command = c.RestoreInstance(OPERATOR, "why", before, 1, 1, self.state.version)
        assert isinstance(self.give(command, self.definition), Outcome)
        assert as_it_is(self.state) == as_it_is(before), "it is not as it was"

    def go_over(self) -> None:
        """Go on by an equal version."""
        before = self.state
        other = Definition(self.definition.graph, self.definition.version + 1)
        outcome = self.give(c.MigrateInstance(OPERATOR, "why", 1, 2), other)
        assert isinstance(outcome, Outcome), outcome
        assert as_it_is(self.state) == as_it_is(before), "an equal version has changed something"

    def go_and_come_back(self) -> None:
        """Go on by a version that waits for more, and come back."""
        before, first = self.state, self.definition
        assert isinstance(self.give(c.MigrateInstance(OPERATOR, "why", 1, 2), self.with_more), Outcome)
        state, elements = self.state, self.definition.graph.elements
        at = Counter((wait.token, wait.element) for wait in state.waits.values() if wait.name == "more")
        assert set(at.values()) <= {1}, "it is waited for twice"
        for token, _ in at:
            assert state.tokens[token].scope not in (*state.approvals, *state.loops), "a part of something waits"
        for token in (*state.tasks, *state.jobs, *state.calls):
            place = state.tokens[token]
            if place.scope not in (*state.approvals, *state.loops):
                assert all(
                    at[token, index] for index in elements[place.element].boundaries if elements[index].id[:4] == "more"
                ), f"it is not waited for at {elements[place.element].id}"
        assert isinstance(self.give(c.MigrateInstance(OPERATOR, "why", 2, 1), first), Outcome)
        assert as_it_is(self.state) == as_it_is(before), "it has not come back to what it was"

    def to_an_end(self) -> None:
        if self.state.suspended:
            self.resume()
        for _ in range(COMMANDS_MAX):
            if self.state.status is not Status.OPEN:
                self.done["ended"] += 1
                return
            if not self.work():
                break
        else:
            pytest.fail("it does not come to an end")
        elements = self.definition.graph.elements
        left = {elements[token.element].id for key, token in self.state.tokens.items() if key not in self.state.scopes}
        # Whoever takes a branch away must know that what joins it with others waits for it.
        assert left <= {"join", "both"}, f"it stands still at {left}"
        self.done["waits for what was taken away"] += 1


def nothing_is_orphaned(state: State) -> None:
    """All that is open belongs to a token or scope that is there, every scope counts right, and every seat is asked."""
    assert {*state.tasks, *state.jobs, *state.calls, *state.gathered, *state.handlers} <= state.tokens.keys()
    assert {*state.loops, *state.approvals, *state.chosen} <= state.scopes.keys() <= {0, *state.tokens}
    assert {*state.compensations, *state.activated} <= state.tokens.keys()
    for name in ("timers", "waits", "conditions"):
        for number, item in getattr(state, name).items():
            assert number in state.hosted[item.token]
    assert state.hosted.keys() <= {0, *state.tokens}
    assert {incident.token for incident in state.incidents.values()} <= {0, *state.tokens}
    inside = Counter(token.scope for token in state.tokens.values())
    assert inside.keys() <= state.scopes.keys()
    for scope, value in state.scopes.items():
        assert value.live == inside[scope]
    for approval in state.approvals.values():
        asked = set(voting.asked_now(approval))
        assert asked, "nobody is asked"
        assert asked == {number for number, seat in approval.seats.items() if seat.task}


def as_it_is(state: State) -> bytes:
    """A state without what counts commands and numbers."""
    return encode_state(msgspec.structs.replace(state, version=0, next_id=0))


@pytest.mark.parametrize("name", MODELS)
def test_no_change_by_operators_leaves_a_token_that_waits_for_nothing(name: str) -> None:
    seen: Counter[str] = Counter()
    for seed in range(SEED, SEED + SEQUENCES):
        instance = Instance(name, seed)
        try:
            for _ in range(LENGTH):
                if instance.state.status is Status.OPEN:
                    instance.anything()
            instance.to_an_end()
            assert encode_state(replay(instance.history)) == encode_state(instance.state)
        except (AssertionError, KeyError, IndexError, StopIteration) as error:
            told = "\n".join(f"  {event}" for events in instance.history for event in events)
            raise AssertionError(f"{name}, seed {seed}: {error!r}\n{told}") from error
        seen += instance.done
    # A law that is never put to the test says nothing.
    wanted = (c.ModifyInstance, c.MigrateInstance, c.RestoreInstance, c.SuspendInstance, c.RetryIncident)
    assert [kind.__name__ for kind in wanted if not seen[kind.__name__]] == []
    assert seen["ended"]
