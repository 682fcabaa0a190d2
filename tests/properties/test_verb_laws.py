"""Whatever people do with a request, in whatever order: nothing is orphaned, it can end, and replay gives the same.

What is foreseen of each verb is what then happens: the same events, and those are told whom the preview names.

NORIA_VERB_SEQUENCES says how many sequences are drawn, NORIA_VERB_SEED where they begin.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable

import msgspec
import pytest
from tests.scenarios.playing import BEGIN, FACTS, load

from noria.engine import commands as c
from noria.engine import events as e
from noria.engine import voting
from noria.engine.definition import Definition
from noria.engine.evolve import APPLY, replay
from noria.engine.foreseeing import foresee
from noria.engine.lifecycle import RESTARTABLE
from noria.engine.outcome import Outcome
from noria.engine.state import Approval, State, Status, Task, encode_state
from noria.engine.step import _FROM_PEOPLE, step
from noria.engine.tasks import taking_back
from noria.engine.tasks.returning import returnable
from noria.kernel.errors import Rejected
from noria.kernel.instants import HOUR_MS, parse_instant
from noria.operate.cases import STATUS_NAMES
from noria.operate.changes import Held
from noria.operate.dry_runs import preview_of, tried
from noria.operate.notices import Holding, Members, Notice, notices_of
from noria.operate.rows import InstanceRow
from noria.trust.people import Organisation, Person, Unit
from noria.trust.substitutes import Substitution

SEQUENCES = int(os.environ.get("NORIA_VERB_SEQUENCES", "3000"))
SEED = int(os.environ.get("NORIA_VERB_SEED", "1"))
LENGTH = 20
STRANGERS = ("owen", "pia", "quin", "roy")
BY_SUBSTITUTES = (
    *(c.CompleteTask, c.ReturnTask, c.TransferTask, c.DelegateTask, c.AddApprovers),
    *(c.ClaimTask, c.UnclaimTask, c.Consult, c.AnswerConsultation, c.TakeBack),
)
ON_ALL = (c.StartInstance, c.SetVariables, c.MigrateInstance, c.RestoreInstance, c.DeriveDeadlines)
"""What people do, but not to a request that they look at."""
TO_AN_END = 200
WORDS = tuple(kind for kind in taking_back.WITHOUT_EFFECT if kind is not c.FireTimer)
PEOPLE = ("ann", "bo", "cy", "di", "ed", "flo")
LIMIT = 'dueIn=PT8H remindAt="0.5,1.0"'
WORKER = "worker"
OPERATOR = "roy"
BY_MACHINES = (c.StartInstance, c.CompleteJob, c.FailJob, c.FireTimer)
WITH_STATE = (e.TakenBack, e.InstanceRestarted)
"""Events after which tasks stand as before, without having been opened again."""
HOUSE = Organisation(
    {name: Person(name, name, name.title(), "office") for name in (*PEOPLE, *STRANGERS, "gil", "ivy")},
    {"office": Unit("office", "Office", "", "flo")},
    1,
    # Whoever stands in for somebody is told of what that one is told of.
    [Substitution("s1", "ann", "gil", 0, 2), Substitution("s2", "di", "bo", 0, 2, amount_max=1)],
)
FOUR = '["ann","bo","cy"]'

MODELS = {
    "one after the other": f"""
  startEvent start
  userTask apply assignee="= starter.id" {LIMIT}
  userTask first approval=allOf approvers='= {FOUR}' {LIMIT}
  userTask second approval=inTurn approvers='= {FOUR}' repeats=skip whenRefused=goOn
  userTask third approval=vote passShare=0.6 approvers='= {FOUR}' whenStarter=skip {LIMIT} whenOverdue=approve
  userTask file assignee=di copyTo=ed
  endEvent end
  start -> apply -> first -> second -> third -> file -> end
""",
    "side by side": f"""
  startEvent start
  userTask apply candidateUsers=ann,bo,cy,di,ed,flo
  parallelGateway fork
  userTask left approval=anyOf approvers='= {FOUR}' {LIMIT}
  userTask after candidateUsers=di,cy {LIMIT}
  userTask right approval=allOf approvers='= {FOUR}' {LIMIT} whenOverdue=transfer overdueTo=flo
  parallelGateway join
  userTask last approval=allOf approvers=ed
  endEvent end
  start -> apply -> fork -> left -> after -> join -> last -> end
  fork -> right -> join
""",
    "inside": f"""
  startEvent start
  userTask apply assignee="= starter.id"
  subProcess inner
    startEvent begin
    userTask check approval=allOf approvers='= {FOUR}' {LIMIT}
    userTask sign approval=anyOf approvers='= ["di","ed"]' whenRefused=goOn {LIMIT} whenOverdue=escalate
    boundaryEvent late on=sign escalation=overdue
    endEvent over
    endEvent late_over
    begin -> check -> sign -> over
    late -> late_over
  boundaryEvent long on=inner timer=P9D
  userTask pay assignee=flo {LIMIT}
  endEvent end
  endEvent given_up
  start -> apply -> inner -> pay -> end
  long -> given_up
""",
    "for each": f"""
  startEvent start
  userTask apply assignee="= starter.id"
  userTask check approval=anyOf approvers='= {FOUR}' {LIMIT} whenRefused=goOn
    raw <multiInstanceLoopCharacteristics noria:collection='= [1, 2]' noria:item="which"/>
  subProcess inner
    raw <multiInstanceLoopCharacteristics noria:collection='= [1, 2]' noria:item="which"/>
    startEvent begin
    userTask sign approval=allOf approvers='= ["di","ed"]' whenRefused=goOn {LIMIT} whenOverdue=approve
    endEvent over
    begin -> sign -> over
  userTask pay assignee=flo {LIMIT}
  endEvent end
  start -> apply -> check -> inner -> pay -> end
""",
    "four eyes": f"""
  startEvent start
  userTask enter candidateUsers=ann,bo,cy,di
  userTask check approval=anyOf approvers='= {FOUR}' separateFrom=enter {LIMIT}
  userTask sign candidateUsers=ann,bo,cy,di,ed,flo separateFrom=check {LIMIT}
  endEvent end
  start -> enter -> check -> sign -> end
""",
    "with work in between": f"""
  startEvent start
  userTask apply assignee="= starter.id"
  serviceTask reserve topic=reserve
  boundaryEvent undo_reserve on=reserve
    raw <compensateEventDefinition/>
  serviceTask release isForCompensation=true topic=release
  userTask check approval=allOf approvers='= {FOUR}' {LIMIT} whenRefused=goOn
  subProcess inner
    startEvent begin
    userTask sign assignee=di {LIMIT}
    serviceTask order topic=order
    boundaryEvent undo_order on=order
      raw <compensateEventDefinition/>
    scriptTask cancel script=1 isForCompensation=true
    userTask pay assignee=flo {LIMIT}
    serviceTask transfer topic=transfer
    boundaryEvent undo_transfer on=transfer
      raw <compensateEventDefinition/>
    userTask reclaim isForCompensation=true assignee=ed
    endEvent over
    begin -> sign -> order -> pay -> transfer -> over
    raw <association id="a2" sourceRef="undo_order" targetRef="cancel"/>
    raw <association id="a3" sourceRef="undo_transfer" targetRef="reclaim"/>
  boundaryEvent long on=inner timer=P9D
  userTask file assignee=ed
  serviceTask tell topic=tell
  endEvent end
  endEvent given_up
  start -> apply -> reserve -> check -> inner -> file -> tell -> end
  long -> given_up
  raw <association id="a1" sourceRef="undo_reserve" targetRef="release"/>
""",
}
NOT_HERE = {
    name: (
        *(() if "serviceTask" in text else (c.RetryIncident,)),
        *(() if "candidateUsers" in text else (c.ClaimTask, c.UnclaimTask)),
    )
    for name, text in MODELS.items()
}
"""What a model does not put to the test: where no machine works nothing fails, and only what is offered is claimed."""
DEFINITIONS: dict[str, Definition] = {name: load(text.strip("\n").splitlines()) for name, text in MODELS.items()}


class Row(msgspec.Struct, frozen=True):
    """A row of the journal."""

    shard: int
    seq: int
    iid: int
    ts: int
    tenant: int
    events: tuple[e.AnyEvent, ...]


class Request:
    """A request, what has happened to it, and people who do anything to it."""

    def __init__(self, definition: Definition, seed: int) -> None:
        self.definition = definition
        self.random = random.Random(seed)
        self.now_ms = parse_instant(BEGIN)
        self.state = State()
        self.folded = State()
        self.history: list[tuple[e.AnyEvent, ...]] = []
        self.acts: list[tuple[c.AnyCommand, State, tuple[e.AnyEvent, ...]]] = []
        self.done: Counter[str] = Counter()
        self.doers: dict[int, set[str]] = {}
        starter = self.random.choice(PEOPLE)
        self.give(c.StartInstance(starter, {"id": starter, "manager": "flo"}, {"amount": 1}))

    def give(self, command: c.AnyCommand, *, in_person: bool = False) -> Outcome | Rejected:
        """Give a command, in person or perhaps by a substitute, and look whether everything still holds."""
        before = encode_state(self.state)
        actor = "" if in_person else self.substitute(command)
        by = str(getattr(command, "by", ""))
        foreseen = tried(self.held(), [command], actor or by, self.now_ms, FACTS)
        facts = msgspec.structs.replace(FACTS, actor=actor)
        outcome = step(self.definition, self.state, command, self.now_ms, facts)
        assert foreseen == outcome, "something else was foreseen"
        assert encode_state(self.state) == before, "looking has left a trace"
        if not isinstance(command, BY_MACHINES):
            self.as_the_preview_says(outcome)
        if isinstance(outcome, Rejected):
            self.done[f"refused: {outcome.code}"] += 1
            return outcome
        self.done[type(command).__name__] += 1
        self.acts.append((command, self.state, outcome.events))
        self.four_eyes_hold(outcome.events, actor)
        for event in outcome.events:
            if isinstance(event, WITH_STATE):
                kept = event.state.copy()
                kept.version, kept.next_id = outcome.state.version, outcome.state.next_id
                kept.copied = self.state.copied
                assert encode_state(kept) == encode_state(outcome.state), "it is not as it was before"
                self.done["TakenBack after compensation"] += self.state.taking_back is not None
        self.state = outcome.state
        self.history.append(outcome.events)
        for event in outcome.events:
            APPLY[event.__class__](self.folded, event)
        self.folded.version += 1
        assert encode_state(self.folded) == encode_state(self.state), "the events give another state"
        nothing_is_orphaned(self.definition, self.state, self.now_ms)
        return outcome

    def held(self) -> Held:
        amount = self.state.scopes[0].variables.get("amount") if 0 in self.state.scopes else None
        known = float(amount) if isinstance(amount, int) else None
        row = InstanceRow(
            *(0, 1, 1, 1, self.state.version, 0, "", "A request", "{}", self.state.starter, "", 0, 0),
            *(self.now_ms, 0, 1, 0, b"", known),
        )
        return Held(row, self.state, self.definition)

    def as_the_preview_says(self, outcome: Outcome | Rejected) -> None:
        """What somebody is shown before is what the rows and notices of the step would be made of."""
        preview = preview_of(self.held(), outcome, self.now_ms, HOUSE)
        if isinstance(outcome, Rejected):
            assert (preview.refused, preview.details) == (outcome.code, outcome.details)
            return
        before, after, events = self.state, outcome.state, outcome.events
        assert (preview.refused, preview.status, preview.suspended) == (
            "",
            STATUS_NAMES[after.status],
            after.suspended and after.status is Status.OPEN,
        )
        told = [item.person for item in self.notices(outcome)]
        if after.taking_back is None:
            new = [task for key, task in after.tasks.items() if key not in before.tasks]
            assert {person.id for person in preview.notified} == {task.assignee for task in new} - {""} | set(told)
            assert [one.assignee.id if one.assignee else "" for one in preview.opened] == [t.assignee for t in new]
        if after.taking_back is None and not any(isinstance(event, WITH_STATE) for event in events):
            opened = [event.token for event in events if isinstance(event, e.TaskOpened) and event.token in after.tasks]
            assert len(preview.opened) == len(opened)
            finished = {event.token for event in events if isinstance(event, e.TaskCompleted | e.TaskReturned)}
            left = before.tasks.keys() - after.tasks.keys() - finished
            assert len(preview.cancelled) == len(left)
        self.done["preview"] += 1
        self.done["preview told somebody"] += bool(told)

    def notices(self, outcome: Outcome) -> list[Notice]:
        """Who is told, from the tasks that are open afterwards, as the lists know them."""
        withdrawn = any(isinstance(event, e.InstanceWithdrawn) for event in outcome.events)
        state = self.state if withdrawn else outcome.state
        holders = {
            key: Holding(task.assignee, task.groups, task.name, task.users, task.excluded)
            for key, task in state.tasks.items()
        }
        if not withdrawn:
            holders |= {key: Holding(asked.person) for key, asked in state.consultations.items()}
        amount = outcome.state.scopes[0].variables.get("amount")
        known = float(amount) if isinstance(amount, int) else None
        row = Row(0, 1, 1, self.now_ms, 1, outcome.events)
        graph = self.definition.graph
        return notices_of(row, self.state.starter, "A request", graph, Members(HOUSE), holders, known)

    def substitute(self, command: c.AnyCommand) -> str:
        """Who gives a command in somebody's place, "" for that one."""
        if not isinstance(command, BY_SUBSTITUTES) or self.random.random() < 0.85:
            return ""
        self.done["by a substitute"] += 1
        return self.random.choice([person for person in (*PEOPLE, "gil") if person != command.by])

    def four_eyes_hold(self, events: tuple[e.AnyEvent, ...], actor: str) -> None:
        """Whoever does a task, or has it done, did nothing that it is to be separate from."""
        for event in events:
            if isinstance(event, WITH_STATE):
                # What was taken back was not done.
                self.doers = {index: set(people) for index, people in event.state.doers.items()}
            if not isinstance(event, e.TaskCompleted | e.TaskReturned):
                continue
            acting = {event.by, actor} - {""}
            for other in self.definition.graph.elements[event.element].separate_from:
                assert acting.isdisjoint(self.doers.get(other, set())), f"{acting} did what {event} is apart from"
                self.done["four eyes"] += 1
            self.doers.setdefault(event.element, set()).update(acting)

    def anything(self) -> None:
        """One verb by somebody, mostly by somebody who may."""
        verbs: list[Callable[[], None]] = [
            *(self.decide,) * 9,
            *(self.send_back,) * 2,
            *(self.ask_more, self.ask_less, self.hand_over, self.delegate, self.take_back, self.claim, self.unclaim),
            *(self.urge, self.copy, self.consult, self.answer, self.comment, self.wait, self.withdraw, self.operate),
            *(self.work,) * (4 if self.state.jobs else 0),
            *(self.retry,) * (4 if self.state.incidents else 0),
        ]
        if self.state.suspended and self.state.status is Status.OPEN:
            verbs = [self.resume, self.resume, self.comment, self.operate, self.decide, self.wait]
        elif self.state.status is not Status.OPEN:
            verbs = [self.restart, self.restart, self.void, self.copy, self.comment, self.decide]
        self.random.choice(verbs)()

    def task(self) -> tuple[int, str]:
        """An open task, and who acts on it: mostly who holds it, or may."""
        token = self.random.choice(sorted(self.state.tasks) or [1])
        task = self.state.tasks.get(token)
        holder = holder_of(task) if task is not None else "ann"
        return token, holder if self.random.random() < 0.9 else self.random.choice(PEOPLE)

    def decide(self) -> None:
        token, by = self.task()
        outcome = self.random.choice(["", "approve", "approve", "approve", "refuse", "abstain"])
        if self.approval_of(token) is None and self.random.random() < 0.9:
            outcome = ""
        values: dict[str, object] = {"amount": self.random.randrange(3)} if self.random.random() < 0.3 else {}
        way = self.random.choice(["", "", "", "straight", "step"]) if self.state.comeback is not None else ""
        self.give(c.CompleteTask(token, by, values, "", 0, outcome, way))

    def approval_of(self, token: int) -> Approval | None:
        return self.state.approvals.get(self.state.tokens[token].scope) if token in self.state.tokens else None

    def send_back(self) -> None:
        token, by = self.task()
        if token not in self.state.tasks:
            return
        targets = returnable(self.definition, self.state, token) or (1,)
        to = self.definition.graph.elements[self.random.choice(targets)].id
        self.give(c.ReturnTask(token, by, to, "again", 0, self.random.random() < 0.5))

    def ask_more(self) -> None:
        token, by = self.task()
        people = tuple(self.random.sample(PEOPLE, self.random.randrange(1, 3)))
        where = self.random.choice([voting.BEFORE, voting.AFTER, voting.PARALLEL])
        mode = self.random.choice([voting.ALL_OF, voting.ANY_OF, voting.IN_TURN])
        self.give(c.AddApprovers(token, by, where, people, mode))

    def ask_less(self) -> None:
        for token, approval in self.state.approvals.items():
            added = [seat for seat in approval.seats.values() if seat.by]
            if added:
                seat = self.random.choice(added)
                self.give(c.RemoveApprover(token, seat.by, seat.person))
                return

    def hand_over(self) -> None:
        token, by = self.task()
        self.give(c.TransferTask(token, by, self.random.choice(PEOPLE)))

    def delegate(self) -> None:
        token, by = self.task()
        self.give(c.DelegateTask(token, by, self.random.choice(PEOPLE)))

    def claim(self) -> None:
        token, by = self.task()
        self.give(c.ClaimTask(token, by))

    def unclaim(self) -> None:
        token, by = self.task()
        self.give(c.UnclaimTask(token, by))

    def urge(self) -> None:
        token, by = self.task()
        self.give(c.UrgeTask(token, by))

    def comment(self) -> None:
        mentions = tuple(self.random.sample(PEOPLE, self.random.randrange(3)))
        self.give(c.Comment(self.random.choice(PEOPLE), self.random.choice(["", "so", "so"]), 0, mentions))

    def operate(self) -> None:
        """What an operator does once in a while, now and then without saying why."""
        why = self.random.choice(["", "why", "why", "why"])
        verb = self.random.random()
        if verb < 0.2:
            self.give(c.CancelInstance(OPERATOR, why))
        elif verb < 0.5:
            self.give(c.SuspendInstance(OPERATOR, why))
        elif self.state.tasks:
            task = self.state.tasks[self.random.choice(sorted(self.state.tasks))]
            element = self.definition.graph.elements[task.element].id
            self.give(c.ModifyInstance(OPERATOR, why, (c.Move("move", element, element),)))

    def resume(self) -> None:
        self.give(c.ResumeInstance(OPERATOR))

    def retry(self) -> None:
        number = self.random.choice(sorted(self.state.incidents) or [1])
        self.give(c.RetryIncident(number, OPERATOR))

    def void(self) -> None:
        self.give(c.VoidInstance(OPERATOR, "void"))

    def restart(self) -> None:
        """As it was before what ended it, which is the last that was more than words."""
        ended = next(act for act in reversed(self.acts) if not isinstance(act[0], c.Comment | c.SendCopy))
        self.give(c.RestartInstance(OPERATOR, "again", ended[1], self.state.version))

    def copy(self) -> None:
        self.give(c.SendCopy(self.random.choice(PEOPLE), (self.random.choice(PEOPLE),)))

    def consult(self) -> None:
        token, by = self.task()
        self.give(c.Consult(token, by, (self.random.choice(PEOPLE),), "well?"))

    def answer(self) -> None:
        for number, asked in self.state.consultations.items():
            self.give(c.AnswerConsultation(number, asked.person, "yes"))
            return

    def withdraw(self) -> None:
        if self.random.random() < 0.2:
            self.give(c.WithdrawInstance(self.state.starter))

    def work(self, *, reliably: bool = False) -> None:
        troubled = {incident.token for incident in self.state.incidents.values()}
        for token in self.state.jobs:
            if token in troubled:
                continue
            fails = not reliably and self.random.random() < 0.15
            outcome = self.give(c.FailJob(token, WORKER, "no", 0) if fails else c.CompleteJob(token, WORKER))
            assert not isinstance(outcome, Rejected), outcome
            return

    def take_back(self) -> None:
        at = len(self.acts) - 1
        while isinstance(self.acts[at][0], (*taking_back.OF_WORKERS, *WORDS)):
            at -= 1
        command, before, events = self.acts[at]
        if not isinstance(command, taking_back.DONE):
            return
        by = str(getattr(command, "by", ""))
        touched = [getattr(event, "token", 0) for event in events]
        token = next((token for token in touched if token in before.tasks), 0)
        effects, lasting = taking_back.effects_in(event for _, _, events in self.acts[at:] for event in events)
        if not token or lasting or self.state.status is not Status.OPEN:
            return
        element = self.definition.graph.elements[before.tasks[token].element].id
        entered = {
            event.token: event.element
            for events in self.history
            for event in events
            if isinstance(event, e.ElementEntered)
        }
        done = [self.state.done[key].element for key in self.state.done if key in effects]
        undo = {token: entered[token] for token in effects}
        outcome = self.give(c.TakeBack(by, before, self.state.version, element, undo))
        if isinstance(outcome, Rejected):
            assert effects, "what has had no effect is taken back"
        elif effects:
            undone = [event.element for event in outcome.events if isinstance(event, e.CompensationStarted)]
            assert undone, "it has had effects, and nothing undoes them"
            assert self.definition.graph.elements[done[-1]].compensated_by >= 0

    def wait(self) -> None:
        self.now_ms += self.random.randrange(1, 9) * HOUR_MS
        while not self.state.suspended and (
            due := [(timer.due_ms, key) for key, timer in self.state.timers.items() if timer.due_ms <= self.now_ms]
        ):
            self.give(c.FireTimer(min(due)[1]))

    def to_an_end(self) -> None:
        """Everybody does what is asked of them, as soon as it is asked: and so it was foreseen."""
        if self.state.status in RESTARTABLE:
            self.restart()
        if self.state.suspended:
            self.resume()
        for number in list(self.state.incidents):
            self.give(c.RetryIncident(number, OPERATOR))
        path = foresee(self.definition, self.state, self.now_ms, FACTS, {})
        met: dict[int, tuple[int, str, int]] = {}
        for _ in range(TO_AN_END):
            for key, task in self.state.tasks.items():
                met.setdefault(key, (task.element, task.assignee, task.round))
            if self.state.status is not Status.OPEN:
                foreseen = [(step.task.element, step.task.assignee, step.task.round) for step in path.tasks]
                assert path.complete
                assert foreseen == list(met.values())
                return
            if not self.state.tasks and self.state.jobs:
                self.work(reliably=True)
                continue
            assert self.state.tasks, "nobody has anything to do, and it has not ended"
            token, task = min(self.state.tasks.items())
            outcome = "approve" if self.approval_of(token) is not None else ""
            # Nobody knows who takes what is offered to several: somebody of whom nothing else is foreseen.
            strangers = [person for person in STRANGERS if person not in task.excluded]
            command = c.CompleteTask(token, task.assignee or strangers[0], outcome=outcome)
            answer = self.give(command, in_person=True)
            assert not isinstance(answer, Rejected), answer
        pytest.fail("it does not come to an end")


def holder_of(task: Task) -> str:
    """Who has a task, or the first who may take it."""
    free = [person for person in (*task.users, "owen") if person not in task.excluded]
    return task.assignee or free[0]


def nothing_is_orphaned(definition: Definition, state: State, now_ms: int) -> None:
    """Every task, timer, seat and subscription belongs to something that is there; every scope counts right."""
    if state.status is not Status.OPEN:
        assert not any((state.tokens, state.tasks, state.timers, state.waits, state.approvals, state.consultations))
        return
    assert state.tasks.keys() <= state.tokens.keys()
    for item in (*state.timers.values(), *state.waits.values()):
        assert item.token in state.tokens or item.token in state.scopes
    assert {item.token for item in state.consultations.values()} <= state.tasks.keys()
    assert state.approvals.keys() <= state.scopes.keys()
    assert state.jobs.keys() <= state.tokens.keys()
    assert {handler.asked_by for handler in state.handlers.values()} <= state.tokens.keys()
    if state.taking_back is not None:
        assert state.taking_back.token in state.compensations, "it waits for nothing"
        assert state.handlers or state.incidents, "nothing is being undone"
    inside = Counter(token.scope for token in state.tokens.values())
    for scope, value in state.scopes.items():
        assert value.live == inside[scope]
        assert scope == 0 or scope in state.tokens
    for scope, approval in state.approvals.items():
        asked = set(voting.asked_now(approval))
        assert not voting.outcome_of(approval), "it is decided, and still open"
        assert asked, "nobody is asked"
        for number, seat in approval.seats.items():
            assert bool(seat.task) is (number in asked)
            assert not seat.task or state.tokens[seat.task].scope == scope
    for key, task in state.tasks.items():
        work = definition.graph.elements[task.element].human
        assert work is not None
        assert task.assignee or task.groups or task.users
        armed = sum(timer.token == key for timer in state.timers.values())
        still_to_come = task.due_ms > now_ms and bool(work.remind_shares)
        assert armed <= len(work.remind_shares)
        assert armed or not still_to_come, "nobody will be reminded"


@pytest.mark.parametrize("name", MODELS)
def test_no_sequence_of_verbs_leaves_an_orphan_or_a_request_without_an_end(name: str) -> None:
    seen: Counter[str] = Counter()
    for seed in range(SEED, SEED + SEQUENCES // len(MODELS)):
        request = Request(DEFINITIONS[name], seed)
        try:
            for _ in range(LENGTH):
                request.anything()
            request.to_an_end()
            request.void()
            request.restart()
            assert request.state.status is Status.COMPLETED, "it does not count again"
            assert encode_state(replay(request.history)) == encode_state(request.state)
        except AssertionError as error:
            told = "\n".join(f"  {event}" for events in request.history for event in events)
            raise AssertionError(f"{name}, seed {seed}: {error}\n{told}") from error
        seen += request.done
    # A law that is never put to the test says nothing.
    wanted = [kind for kind in _FROM_PEOPLE if kind not in (*ON_ALL, *NOT_HERE[name])]
    missing = [kind.__name__ for kind in (*wanted, c.FireTimer) if not seen[kind.__name__]]
    wished = ["by a substitute", "preview told somebody", *(["four eyes"] if "separateFrom" in MODELS[name] else [])]
    missing += [mark for mark in wished if not seen[mark]]
    if "serviceTask" in MODELS[name] and not seen["TakenBack after compensation"]:
        missing.append("TakenBack after compensation")
    assert missing == []
