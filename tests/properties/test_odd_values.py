"""Law: whatever a variable holds where a model asks for it, a command is carried out or raises an incident."""

from __future__ import annotations

import pytest
from tests.scenarios.playing import FACTS, load

from noria.engine import commands as c
from noria.engine.definition import Definition
from noria.engine.outcome import Outcome
from noria.engine.state import State, encode_state
from noria.engine.step import step
from noria.kernel.errors import Rejected

NOW_MS = 1_790_000_000_000
STARTER = {"id": "zhang", "name": "张", "unit": "purchasing", "manager": "li", "roles": ["employee"]}
ODD = {
    "numbers": (2**63 - 1, -(2**63), 10**18, 1e308, -1e308, 1e-308, -1, 0, 1, 2, 0.5, True, False, None),
    "texts": ("", " ", "²", "9" * 5_000, "nan", "inf", "a\x00b", "=x", "${x}", "x" * 100_000, "😀", "li,wang"),
    "durations": ("P1D", "PT0S", "P99999999D", "-P1D", "P9999999999999999Y", "R/PT1S", "R9999999/PT0.001S", "R/P1M"),
    "dates": ("0001-01-01", "9999-12-31", "9999-12-31T23:59:59Z", "2026-02-30", "R/0001-01-01/P1D", "0 9 31 2 *"),
    "lists": ([], [None], [[]], ["a", "a"], ["li"] * 2_000, [f"p{number}" for number in range(600)], [2**63 - 1]),
    "contexts": ({}, {"": None}, {"a": {"a": 1}}, [{"person": 5}], [{"person": "li", "weight": -1}]),
    "weights": (
        [{"person": "li", "weight": 2**62}],
        [{"person": "li", "weight": 0}],
        [{"person": "li", "weight": "1"}],
    ),
}
MANY, AGAIN = "multiInstanceLoopCharacteristics", "standardLoopCharacteristics"
COUNT = '<loopCardinality xsi:type="tFormalExpression">v</loopCardinality>'
UNTIL = '<completionCondition xsi:type="tFormalExpression">v</completionCondition>'
WHILE = '<loopCondition xsi:type="tFormalExpression">v</loopCondition>'
PLACES = {
    "who does it": 'userTask t assignee="= v"',
    "candidate groups": 'userTask t candidateGroups="= v"',
    "candidate users": 'userTask t candidateUsers="= v"',
    "a limit": 'userTask t assignee=a dueIn="= v"',
    "a limit in working time": 'userTask t assignee=a dueIn="= v" calendar=default remindAt=0.5,1.0',
    "how urgent it is": 'userTask t assignee=a priority="= v"',
    "what it is called": 'userTask t assignee=a title="= v"',
    "who gets a copy": 'userTask t assignee=a copyTo="= v"',
    "who does it instead": 'userTask t assignee="= nobody" whenNobody=person nobodyTo="= v"',
    "all approve": 'userTask t approval=allOf approvers="= v"',
    "one after the other": 'userTask t approval=inTurn approvers="= v"',
    "who votes": 'userTask t approval=vote passShare=0.5 approvers="= v"',
    "a share": 'userTask t approval=vote passShare="= v" approvers=li,wang',
    "a count": 'userTask t approval=vote passCount="= v" approvers=li,wang',
    "a job's priority": 'serviceTask t topic=a jobPriority="= v"',
    "a job's topic": 'serviceTask t topic="= v"',
    "a duration": 'intermediateCatchEvent t timer="= v"',
    "a duration of working time": 'intermediateCatchEvent t timer="= v" calendar=default',
    "a date": 'intermediateCatchEvent t date="= v"',
    "a cycle": 'intermediateCatchEvent t cycle="= v"',
    "a cycle of working time": 'intermediateCatchEvent t cycle="= v" calendar=default',
    "what is called": 'callActivity t called="= v"',
    "a business key": 'callActivity t called=x businessKey="= v"',
    "entries": 'scriptTask t script="v"',
    "a product": 'scriptTask t script="v * 4" resultVariable=r',
    "a power": 'scriptTask t script="v ** v" resultVariable=r',
    "a range": 'scriptTask t script="for i in 1..v return i" resultVariable=r',
    "an instant": 'scriptTask t script="now() + duration(v)" resultVariable=r',
    "a pattern": 'scriptTask t script="matches(v, v)" resultVariable=r',
    "text of it": 'scriptTask t script="[string(v), number(v), date(v), flatten(v), decimal(v, v)]" resultVariable=r',
    "a cardinality": f"userTask t assignee=a\n    raw <{MANY}>{COUNT}</{MANY}>",
    "a collection": f'userTask t assignee="= i"\n    raw <{MANY} noria:collection="= v" noria:item="i"/>',
    "an end of a loop": f'userTask t assignee=a\n    raw <{MANY} noria:collection="= [1, 2]">{UNTIL}</{MANY}>',
    "a standard loop": f'userTask t assignee=a\n    raw <{AGAIN} loopMaximum="3">{WHILE}</{AGAIN}>',
    "a message's name": 'intermediateThrowEvent t\n    raw <messageEventDefinition messageRef="m"/>'
    '\n  beside <message id="m" name="= v"/>',
    "an escalation's code": 'intermediateThrowEvent t\n    raw <escalationEventDefinition escalationRef="m"/>'
    '\n  beside <escalation id="m" escalationCode="= v"/>',
    "inputs and outputs": 'userTask t assignee=a\n    input x "= v"\n    output y "= [x, v]"',
    "activities": 'adHocSubProcess t activities="= v"\n    userTask q assignee=a',
}


def done(known: Definition, state: State, command: c.AnyCommand, now_ms: int = NOW_MS) -> State | None:
    """The state after a command, which can be written down; None when it is refused."""
    outcome = step(known, state, command, now_ms, FACTS)
    if isinstance(outcome, Rejected):
        return None
    assert isinstance(outcome, Outcome)
    encode_state(outcome.state)
    return outcome.state


@pytest.mark.parametrize("place", PLACES)
def test_no_value_breaks_a_command(place: str) -> None:
    known = load(["  startEvent s", *f"  {PLACES[place]}".splitlines(), "  endEvent e", "  s -> t -> e"])
    for value in (value for values in ODD.values() for value in values):
        state = done(known, State(), c.StartInstance("zhang", STARTER, {"v": value}))
        assert state is not None
        for token, task in list(state.tasks.items())[:1]:
            outcome = "approve" if state.approvals else ""
            done(known, state, c.CompleteTask(token, task.assignee or "a", {"v": value}, outcome=outcome))
        for key, timer in list(state.timers.items())[:1]:
            done(known, state, c.FireTimer(key), timer.due_ms)


def test_no_value_breaks_a_gateway() -> None:
    flows = ["  s -> t", "  t -[v]-> e", "  t -[v > 1]-> f", "  t -default-> g"]
    for kind in ("exclusiveGateway", "inclusiveGateway"):
        known = load(["  startEvent s", f"  {kind} t", *(f"  endEvent {end}" for end in "efg"), *flows])
        for value in (value for values in ODD.values() for value in values):
            assert done(known, State(), c.StartInstance("zhang", STARTER, {"v": value})) is not None
