"""The short way of most commands gives the outcome of the careful one, whatever the model and whatever is asked."""

from __future__ import annotations

import json
from unittest.mock import patch

from hypothesis import event, given, settings
from hypothesis import strategies as st
from tests.scenarios.drawing import draw
from tests.scenarios.playing import BEGIN, FACTS

from noria.engine import commands as c
from noria.engine import step as stepping
from noria.engine.definition import Definition
from noria.engine.events import ElementLeft
from noria.engine.outcome import Outcome
from noria.engine.state import State, Status, encode_state
from noria.engine.step import carefully, step
from noria.kernel.errors import Rejected
from noria.kernel.instants import DAY_MS, parse_instant
from noria.operate.bundles import read_bundle

NOW_MS = parse_instant(BEGIN)
FORM = json.dumps(
    {"type": "default", "id": "ask", "components": [{"type": "number", "id": "x", "key": "x", "label": "X"}]}
).encode()
PLAIN = (
    "task",
    "manualTask",
    "exclusiveGateway",
    "exclusiveGateway",
    "userTask assignee=zhang",
    "userTask assignee=xu",
    "userTask assignee=xu form=ask",
    "userTask candidateGroups=purchasing",
    "serviceTask topic=work",
    "serviceTask topic=work resultVariable=y",
    "parallelGateway",
    "parallelGateway",
    "endEvent",
)
CAREFUL = (
    "userTask assignee=nobody",
    "userTask assignee=zhang dueIn=PT1H",
    "userTask assignee=zhang separateFrom=start",
    "scriptTask script=1 resultVariable=z",
    "inclusiveGateway",
    "endEvent terminate",
)
KINDS = st.sampled_from(PLAIN * 6 + CAREFUL)
BESIDE = (
    ("boundaryEvent late on={task} timer=PT1H cancel=false", "endEvent later", "late -> later"),
    ("boundaryEvent told on={task} message=news", "endEvent heard", "told -> heard"),
    (
        "boundaryEvent wrong on={task}",
        "  raw <compensateEventDefinition/>",
        "serviceTask undo topic=undo isForCompensation=true",
        'raw <association id="undoing" sourceRef="wrong" targetRef="undo"/>',
    ),
    (
        "boundaryEvent high on={task} cancel=false",
        "  raw <conditionalEventDefinition><condition>x &gt; 5</condition></conditionalEventDefinition>",
        "endEvent seen",
        "high -> seen",
    ),
    (
        "eventSubProcess ask_again",
        "  startEvent asked message=question interrupting=false",
        "  userTask reply assignee=xu",
        "  asked -> reply",
    ),
    ("inclusiveGateway meet", "endEvent met", "{task} -> meet", "{other} -> meet", "meet -> met"),
)
"""What may stand beside, at a task of the model."""
VALUES = st.dictionaries(
    st.sampled_from(("x", "x", "x", "y", "y", "starter")), st.sampled_from((*range(10), "word")), max_size=2
)
Nodes = list[tuple[str, int, list[tuple[int, int]]]]
"""For each element its kind, which one leads to it, and where else it leads, with a number for a condition."""
MODELS: st.SearchStrategy[Nodes] = st.lists(
    st.tuples(KINDS, st.integers(0, 7), st.lists(st.tuples(st.integers(0, 7), st.integers(0, 9)), max_size=2)),
    min_size=2,
    max_size=8,
)
OTHERS = ("timer", "timer", "message", "version", "outcome", "claim", "fail", "consult", "return", "rest", "go on")
Act = tuple[str, int, str, dict[str, object]]
ACTS: st.SearchStrategy[Act] = st.tuples(
    st.sampled_from(("complete",) * 24 + ("job",) * 8 + OTHERS),
    st.integers(0, 5),
    st.sampled_from(("", "", "", "zhang", "xu")),
    VALUES,
)


def definition_of(lines: list[str]) -> Definition:
    bundle = read_bundle({"model.bpmn": draw(lines), "ask.form": FORM})
    errors = [finding for finding in bundle.findings if finding.severity == "error"]
    assert not errors, (lines, errors)
    return Definition(bundle.graphs[0][1], 1, bundle.decisions, bundle.forms)


def drawn(nodes: Nodes, beside: set[int]) -> list[str]:
    """The lines of a model of these elements, each of which is reached from the start or one before it."""
    lines = ["startEvent start"]
    flows: list[list[tuple[int, int]]] = [[] for _ in nodes]
    ends = {at for at, (kind, _, _) in enumerate(nodes) if kind.startswith("endEvent")}
    for at, (kind, before, more) in enumerate(nodes):
        local, *attributes = kind.split()
        lines.append(" ".join((local, f"n{at}", *attributes)))
        earlier = [index for index in range(at) if index not in ends]
        if earlier:
            flows[earlier[before % len(earlier)]].append((at, before))
        else:
            lines.append(f"start -> n{at}")
        if at not in ends:
            # Other elements split, too, when they have several flows; that is not plain, and rare.
            flows[at] += [(to % len(nodes), limit) for to, limit in more if "Gateway" in kind or not limit]
    lines.append("endEvent end")
    for at, taken in enumerate(flows):
        if not taken and at not in ends:
            lines.append(f"n{at} -> end")
        for number, (to, limit) in enumerate(taken):
            how = ""
            if nodes[at][0] == "exclusiveGateway" and len(taken) > 1:
                how = "default-" if number == len(taken) - 1 and limit % 2 else f"[x > {limit}]-"
            lines.append(f"n{at} -{how}> n{to}")
    tasks = [f"n{at}" for at, (kind, _, _) in enumerate(nodes) if "Task" in kind]
    for number in sorted(beside) if tasks else ():
        lines += [line.format(task=tasks[number % len(tasks)], other=tasks[-1]) for line in BESIDE[number]]
    return lines


def command_of(act: Act, state: State) -> c.AnyCommand | None:
    """What is asked; None when there is nothing open to ask it of."""
    verb, which, by, values = act
    if verb == "rest":
        return c.SuspendInstance("zhang", "wait")
    if verb == "go on":
        return c.ResumeInstance("zhang", "now")
    if verb == "timer":
        return c.FireTimer(min(state.timers)) if state.timers else None
    if verb == "message":
        return c.Correlate(min(state.waits), values, "m") if state.waits else None
    asked = state.jobs if verb in ("job", "fail") else state.tasks
    if not asked:
        return None
    token = sorted(asked)[which % len(asked)]
    if verb == "job":
        return c.CompleteJob(token, "worker", values)
    if verb == "fail":
        return c.FailJob(token, "worker", "no", retries=0)
    by = by or state.tasks[token].assignee or "zhang"
    if verb == "claim":
        return c.ClaimTask(token, by)
    if verb == "consult":
        return c.Consult(token, by, "wang", "?")
    if verb == "return":
        return c.ReturnTask(token, by, "n0", "again")
    outcome = "approve" if verb == "outcome" else ""
    return c.CompleteTask(token, by, values, version=which if verb == "version" else 0, outcome=outcome)


def both_ways(definition: Definition, state: State, command: c.AnyCommand) -> tuple[Outcome | Rejected, bool]:
    """The outcome, which must be the same both ways, and whether the short way came to it alone."""
    before = encode_state(state)
    now_ms = NOW_MS + DAY_MS if isinstance(command, c.FireTimer) else NOW_MS
    with patch.object(stepping, "carefully", wraps=carefully) as asked:
        outcome = step(definition, state, command, now_ms, FACTS)
    careful = carefully(definition, state, command, now_ms, FACTS)
    assert outcome == careful
    if isinstance(outcome, Outcome) and isinstance(careful, Outcome):
        assert encode_state(outcome.state) == encode_state(careful.state), "in another order"
    assert encode_state(state) == before
    return outcome, not asked.called


@settings(max_examples=200, deadline=None)
@given(MODELS, st.sets(st.integers(0, len(BESIDE) - 1), max_size=2), VALUES, st.lists(ACTS, min_size=2, max_size=12))
def test_whatever_is_asked_of_whatever_model_the_short_way_gives_what_the_careful_one_gives(
    nodes: Nodes, beside: set[int], values: dict[str, object], acts: list[Act]
):
    definition, state = definition_of(drawn(nodes, beside)), State()
    for command in (c.StartInstance("zhang", {"id": "zhang"}, values, "R-1"), *acts):
        asked = command_of(command, state) if isinstance(command, tuple) else command
        if asked is not None:
            outcome, short = both_ways(definition, state, asked)
            event(f"{type(asked).__name__} {'the short way' if short else 'carefully'}")
            if isinstance(outcome, Outcome):
                state = outcome.state


def test_an_everyday_request_goes_the_short_way_from_its_start_to_its_end():
    definition = definition_of(
        """
        startEvent start
        userTask ask assignee=xu form=ask
        exclusiveGateway split
        serviceTask book topic=work resultVariable=booked
        userTask note assignee=zhang
        endEvent end
        start -> ask -> split -[x > 5]-> book -> note -> end
        split -default-> note
        """.splitlines()[1:-1]
    )
    state = State()
    for command in (
        c.StartInstance("zhang", {"id": "zhang"}),
        c.CompleteTask(2, "xu", {"x": 7}),
        c.CompleteJob(4, "worker", {"number": 11}),
        c.CompleteTask(5, "zhang"),
    ):
        outcome, short = both_ways(definition, state, command)
        assert short
        assert isinstance(outcome, Outcome)
        state = outcome.state
    assert state.scopes[0].variables["booked"] == {"number": 11}
    assert not state.tokens


def test_branches_that_are_all_taken_and_joined_go_the_short_way():
    definition = definition_of(
        """
        startEvent start
        parallelGateway fork
        task copy
        serviceTask book topic=work
        userTask check assignee=xu
        boundaryEvent late on=check timer=PT1H cancel=false
        endEvent told
        parallelGateway join
        endEvent end
        start -> fork -> copy -> join -> end
        fork -> book -> join
        fork -> check -> join
        late -> told
        """.splitlines()[1:-1]
    )
    state = State()
    for command in (
        c.StartInstance("zhang", {"id": "zhang"}),
        c.CompleteJob(4, "worker", {}),
        c.CompleteTask(5, "xu"),
    ):
        outcome, short = both_ways(definition, state, command)
        assert short
        assert isinstance(outcome, Outcome)
        state = outcome.state
        assert state.status is Status.COMPLETED or len(state.timers) == 1
    assert state.status is Status.COMPLETED
    assert not state.timers


def test_a_token_passes_more_elements_than_one_way_is_long():
    tasks = [f"n{number}" for number in range(250)]
    definition = definition_of(
        [
            "startEvent start",
            *(f"task {task}" for task in tasks),
            "endEvent end",
            f"start -> {' -> '.join(tasks)} -> end",
        ]
    )
    outcome, short = both_ways(definition, State(), c.StartInstance("zhang", {"id": "zhang"}))
    assert short
    assert isinstance(outcome, Outcome)
    assert outcome.state.status is Status.COMPLETED
    assert sum(isinstance(happened, ElementLeft) for happened in outcome.events) == 252


def test_a_token_that_goes_round_for_ever_is_refused_both_ways():
    ring = ("startEvent start", "exclusiveGateway again", "task one", "manualTask other", "start -> again")
    for back in ("again -> one -> other -> again", "again -[x >= 0]-> one -> other -> again"):
        definition = definition_of([*ring, back])
        outcome, short = both_ways(definition, State(), c.StartInstance("zhang", {"id": "zhang"}, {"x": 1}))
        assert not short
        assert isinstance(outcome, Rejected)
        assert outcome.code == "process.runaway"
