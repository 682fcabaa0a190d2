"""Four eyes hold whatever people do, for themselves and for others, in whatever order; replay gives the same."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scenarios.playing import BEGIN, FACTS, load

from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.evolve import replay
from noria.engine.state import State, Status, encode_state
from noria.engine.step import step
from noria.engine.tasks.returning import returnable
from noria.kernel.errors import Rejected
from noria.kernel.instants import parse_instant

PEOPLE = ("ann", "bo", "cy", "di")
MODEL = load(
    """
  startEvent start
  userTask enter candidateGroups=clerks
  parallelGateway fork
  userTask left candidateUsers=ann,bo,cy separateFrom=enter,right
  userTask right candidateGroups=clerks separateFrom=enter,left
  parallelGateway join
  userTask vote approval=anyOf approvers='= ["ann","bo","cy"]' separateFrom=start,left
  userTask pay assignee=di separateFrom=vote
  endEvent end
  start -> enter -> fork -> left -> join -> vote -> pay -> end
  fork -> right -> join
""".splitlines()[1:]
)
APART = {
    element.id: {MODEL.graph.elements[index].id for index in element.separate_from} for element in MODEL.graph.elements
}
VERBS = ("claim", "unclaim", "complete", "transfer", "return", "delegate")
ACTS = st.tuples(
    st.sampled_from(VERBS),
    st.integers(0, 9),
    st.sampled_from(PEOPLE),
    st.sampled_from(("", *PEOPLE)),
    st.integers(0, 9),
)


def command_of(verb: str, token: int, state: State, by: str, other: int) -> c.AnyCommand:
    if verb == "claim":
        return c.ClaimTask(token, by)
    if verb == "unclaim":
        return c.UnclaimTask(token, by)
    if verb == "transfer":
        return c.TransferTask(token, by, PEOPLE[other % len(PEOPLE)])
    if verb == "delegate":
        return c.DelegateTask(token, by, PEOPLE[other % len(PEOPLE)], "please")
    if verb == "return":
        targets = returnable(MODEL, state, token)
        to = MODEL.graph.elements[targets[other % len(targets)]].id if targets else "enter"
        return c.ReturnTask(token, by, to, "again")
    voted = state.tokens[token].scope in state.approvals
    return c.CompleteTask(token, by, outcome="approve" if voted else "")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PEOPLE), st.lists(ACTS, max_size=40))
def test_nobody_and_no_substitute_does_what_what_they_did_keeps_them_from(
    starter: str, acts: list[tuple[str, int, str, str, int]]
) -> None:
    now_ms = parse_instant(BEGIN)
    history: list[tuple[e.AnyEvent, ...]] = []
    doers: dict[str, set[str]] = {"start": {starter}}
    state = State()

    def do(command: c.AnyCommand, actor: str = "") -> bool:
        nonlocal state
        outcome = step(MODEL, state, command, now_ms, msgspec.structs.replace(FACTS, actor=actor))
        if isinstance(outcome, Rejected):
            return False
        state = outcome.state
        history.append(outcome.events)
        return True

    assert do(c.StartInstance(starter, {"id": starter}))
    for verb, which, by, actor, other in acts:
        if state.status is not Status.OPEN or not state.tasks:
            break
        token = sorted(state.tasks)[which % len(state.tasks)]
        element = MODEL.graph.elements[state.tasks[token].element].id
        kept_out = set().union(*(doers.get(name, set()) for name in APART[element]))
        acting = {by, actor} - {""}
        if not do(command_of(verb, token, state, by, other), actor):
            continue
        if verb in ("claim", "complete", "return"):
            assert not acting & kept_out, (verb, element, acting, kept_out)
        if verb in ("transfer", "delegate"):
            assert PEOPLE[other % len(PEOPLE)] not in kept_out
        if verb in ("complete", "return"):
            doers.setdefault(element, set()).update(acting)
        for open_task in state.tasks.values():
            name = MODEL.graph.elements[open_task.element].id
            known = set().union(*(doers.get(other_name, set()) for other_name in APART[name]))
            assert set(open_task.excluded) == known, (name, open_task.excluded, known)
    assert encode_state(replay(history)) == encode_state(state)
