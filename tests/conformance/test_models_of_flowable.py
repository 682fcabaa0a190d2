"""What Flowable's user guide says of a model holds when Noria runs what its importer makes of it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from noria.engine import commands as c
from noria.kernel.errors import Rejected
from tests.conformance.importing import imported
from tests.conformance.observing import Observer
from tests.conformance.vendor_scenarios import Scenario
from tests.conformance.world import BY, START_MS, World

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:flowable="http://flowable.org/bpmn" '
    'targetNamespace="t">'
)


class Played:
    """One world with imported processes."""

    def __init__(self, *processes: str, outside: str = "") -> None:
        self.world = World()
        files: dict[str, bytes] = {}
        for number, process in enumerate(processes):
            files |= imported(f"m{number}.bpmn", f"{HEAD}{outside}{process}</definitions>".encode())
        assert [str(item) for item in self.world.deploy(files) if item.severity == "error"] == []

    def start(self, **variables: object) -> int:
        iid = self.world.start("p", variables)
        assert not isinstance(iid, Rejected)
        return iid

    def variables(self, iid: int) -> dict[str, object]:
        held = self.world.held(iid).state.scopes[0].variables
        return {name: value for name, value in held.items() if name not in ("starter", "business_key")}

    def places(self, iid: int) -> list[str]:
        held = self.world.held(iid)
        return [held.definition.graph.elements[task.element].id for task in held.state.tasks.values()]

    def complete(self, iid: int, **variables: object) -> None:
        """Complete the oldest open task of an instance."""
        token = next(iter(self.world.held(iid).state.tasks))
        answer = self.world.submit(c.CompleteTask(token, BY, variables), iid)
        assert not isinstance(answer, Rejected), answer


def flow(source: str, target: str) -> str:
    return f'<sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}"/>'


def line(*keys: str) -> str:
    return "".join(flow(source, target) for source, target in pairwise(keys))


def process(body: str, key: str = "p") -> str:
    return f'<process id="{key}" isExecutable="true">{body}</process>'


DATA = """
<dataObject id="d1" name="text" itemSubjectRef="xsd:string">
  <extensionElements><flowable:value>Testing</flowable:value></extensionElements></dataObject>
<dataObject id="d2" name="pieces" itemSubjectRef="xsd:int">
  <extensionElements><flowable:value>12</flowable:value></extensionElements></dataObject>
<dataObject id="d3" name="paid" itemSubjectRef="xsd:boolean">
  <extensionElements><flowable:value>true</flowable:value></extensionElements></dataObject>
"""


def test_data_objects_are_variables_with_their_values_unless_others_are_given_at_the_start() -> None:
    body = f'{DATA}<startEvent id="s"/><userTask id="work"/><endEvent id="e"/>{line("s", "work", "e")}'
    played = Played(process(body))
    assert played.variables(played.start()) == {"text": "Testing", "pieces": 12, "paid": True}
    assert played.variables(played.start(pieces=3)) == {"text": "Testing", "pieces": 3, "paid": True}


def test_data_objects_of_a_sub_process_are_gone_behind_it() -> None:
    inside = f'{DATA}<startEvent id="s1"/><userTask id="work"/><endEvent id="e1"/>{line("s1", "work", "e1")}'
    played = Played(
        process(
            f'<startEvent id="s"/><subProcess id="sub">{inside}</subProcess><userTask id="after"/><endEvent id="e"/>'
            f"{line('s', 'sub', 'after', 'e')}"
        )
    )
    iid = played.start()
    (scope,) = [scope for key, scope in played.world.held(iid).state.scopes.items() if key]
    assert scope.variables == {"text": "Testing", "pieces": 12, "paid": True}
    played.complete(iid)
    assert (played.places(iid), played.variables(iid)) == (["after"], {})


THROWS = (
    '<startEvent id="s"/><parallelGateway id="both"/><userTask id="before"/>'
    '<intermediateThrowEvent id="tell"><signalEventDefinition signalRef="sg"/></intermediateThrowEvent>'
    '<intermediateCatchEvent id="hear"><signalEventDefinition signalRef="sg"/></intermediateCatchEvent>'
    '<userTask id="heard"/><endEvent id="e"/><endEvent id="e2"/>'
    f"{line('s', 'both', 'before', 'tell', 'e')}{line('both', 'hear', 'heard', 'e2')}"
)


def test_a_signal_of_the_scope_process_instance_reaches_only_the_instance_that_throws_it() -> None:
    played = Played(process(THROWS), outside='<signal id="sg" name="alert" flowable:scope="processInstance"/>')
    first, second = played.start(), played.start()
    played.complete(first)
    assert (played.places(first), played.places(second)) == (["heard"], ["before"])


def test_a_signal_of_the_scope_process_instance_reaches_the_calling_instance_and_no_other() -> None:
    caller = process(
        '<startEvent id="s"/><callActivity id="ask" calledElement="q"/><endEvent id="e"/><userTask id="heard"/>'
        '<boundaryEvent id="hear" attachedToRef="ask"><signalEventDefinition signalRef="sg"/></boundaryEvent>'
        f"{line('s', 'ask', 'e')}{line('hear', 'heard', 'e')}"
    )
    called = process(
        '<startEvent id="s1"/><userTask id="before"/><intermediateThrowEvent id="tell">'
        '<signalEventDefinition signalRef="sg"/></intermediateThrowEvent><userTask id="after"/><endEvent id="e1"/>'
        f"{line('s1', 'before', 'tell', 'after', 'e1')}",
        key="q",
    )
    played = Played(caller, called, outside='<signal id="sg" name="alert" flowable:scope="processInstance"/>')
    first, second = played.start(), played.start()
    (child,) = [
        iid
        for iid in played.world.instances()
        if (parent := played.world.held(iid).state.parent) is not None and parent.instance == first
    ]
    played.complete(child)
    assert (played.places(first), played.places(second)) == (["heard"], [])


def test_a_signal_is_heard_by_all_without_a_scope() -> None:
    played = Played(process(THROWS), outside='<signal id="sg" name="alert"/>')
    first, second = played.start(), played.start()
    played.complete(first)
    assert (played.places(first), played.places(second)) == (["heard"], ["before", "heard"])


def test_a_called_process_gets_what_is_passed_in_and_not_the_item_or_counter_of_a_loop() -> None:
    caller = process(
        '<startEvent id="s"/><callActivity id="ask" calledElement="q"><extensionElements>'
        '<flowable:in source="person" target="who"/></extensionElements>'
        '<multiInstanceLoopCharacteristics flowable:collection="people" flowable:elementVariable="person"/>'
        f'</callActivity><endEvent id="e"/>{line("s", "ask", "e")}'
    )
    called = process(
        f'<startEvent id="s1"/><userTask id="work"/><endEvent id="e1"/>{line("s1", "work", "e1")}', key="q"
    )
    played = Played(caller, called)
    iid = played.start(people=["kermit", "gonzo"])
    others = [played.variables(other) for other in played.world.instances() if other != iid]
    assert others == [{"who": "kermit"}, {"who": "gonzo"}]


def review(loop: str, inside: str) -> str:
    return process(
        '<startEvent id="s"/><userTask id="work"><multiInstanceLoopCharacteristics '
        f'{loop}>{inside}</multiInstanceLoopCharacteristics></userTask><userTask id="after"/><endEvent id="e"/>'
        f"{line('s', 'work', 'after', 'e')}"
    )


def test_a_text_of_digits_says_how_many_instances_there_are() -> None:
    played = Played(review("", "<loopCardinality>${count}</loopCardinality>"))
    assert played.places(played.start(count="2")) == ["work", "work"]
    assert played.places(played.start(count=3)) == ["work", "work", "work"]


def test_one_instance_is_active_always_where_they_run_one_after_another() -> None:
    condition = "<completionCondition>${nrOfActiveInstances == 1}</completionCondition>"
    inside = f"<loopCardinality>3</loopCardinality>{condition}"
    in_turn = Played(review('isSequential="true"', inside))
    iid = in_turn.start()
    in_turn.complete(iid)
    assert in_turn.places(iid) == ["after"]
    at_once = Played(review("", inside))
    iid = at_once.start()
    at_once.complete(iid)
    assert at_once.places(iid) == ["work", "work"]


def test_a_boundary_event_of_a_loop_is_attached_once() -> None:
    loop = "<multiInstanceLoopCharacteristics><loopCardinality>3</loopCardinality></multiInstanceLoopCharacteristics>"
    played = Played(
        process(
            f'<startEvent id="s"/><userTask id="work">{loop}</userTask><endEvent id="e"/><endEvent id="e2"/>'
            '<boundaryEvent id="late" attachedToRef="work"><timerEventDefinition><timeDuration>PT1H</timeDuration>'
            f"</timerEventDefinition></boundaryEvent>{line('s', 'work', 'e')}{line('late', 'e2')}"
        )
    )
    iid = played.start()
    seen = Observer(played.world, "flowable").find("execution", {"instance": str(iid), "activity": "late"})
    assert len(seen) == 1


def test_a_text_with_commas_names_several_candidates() -> None:
    body = (
        '<startEvent id="s"/><userTask id="work" flowable:candidateUsers="${people}" '
        f'flowable:candidateGroups="sales,${{groups}}"/><endEvent id="e"/>{line("s", "work", "e")}'
    )
    played = Played(process(body))
    for people, groups in (("kermit, gonzo", "it,hr"), (["kermit", "gonzo"], ["it", "hr"])):
        held = played.world.held(played.start(people=people, groups=groups))
        (task,) = held.state.tasks.values()
        assert (task.users, task.groups) == (("kermit", "gonzo"), ("sales", "it", "hr"))


@pytest.mark.parametrize(
    "cycle",
    [
        '<timeCycle flowable:endDate="2026-09-21T16:30:00+00:00">R10/PT1H</timeCycle>',
        '<timeCycle flowable:endDate="${last}">R/PT1H</timeCycle>',
        "<timeCycle>R10/PT1H/${last}</timeCycle>",
        "<timeCycle>R2/PT1H/2030-01-01T00:00:00Z</timeCycle>",
    ],
)
def test_a_cycle_with_an_end_beats_from_now_on_and_not_after_it(cycle: str) -> None:
    played = Played(
        process(
            '<startEvent id="s"/><userTask id="work"/><endEvent id="e"/><userTask id="remind"/><endEvent id="e2"/>'
            f'<boundaryEvent id="late" attachedToRef="work" cancelActivity="false"><timerEventDefinition>{cycle}'
            f"</timerEventDefinition></boundaryEvent>{line('s', 'work', 'e')}{line('late', 'remind', 'e2')}"
        )
    )
    # The clock of the suites begins at 2026-09-21T14:13:20Z.
    iid = played.start(last="2026-09-21T16:30:00Z")
    dues = []
    while timers := [timer for timer in played.world.held(iid).state.timers.values() if not timer.share]:
        dues.append(timers[0].due_ms - START_MS)
        played.world.set_clock(timers[0].due_ms)
        assert played.world.fire_due()
    assert dues == [3_600_000, 7_200_000]


def test_a_cycle_whose_end_has_passed_does_not_beat() -> None:
    played = Played(
        process(
            '<startEvent id="s"/><userTask id="work"/><endEvent id="e"/><endEvent id="e2"/>'
            '<boundaryEvent id="late" attachedToRef="work"><timerEventDefinition>'
            "<timeCycle>R3/PT1H/2020-01-01T00:00:00Z"
            f"</timeCycle></timerEventDefinition></boundaryEvent>{line('s', 'work', 'e')}{line('late', 'e2')}"
        )
    )
    iid = played.start()
    played.world.let_pass(START_MS + 10 * 365 * 86_400_000, lambda: None)
    assert played.places(iid) == ["work"]


@pytest.mark.parametrize(
    ("local", "inside", "behind"),
    [
        ("", {}, {"price": 7, "known": 8}),
        ('flowable:useLocalScopeForOutParameters="true"', {"price": 7, "known": 8}, {"known": 1}),
    ],
)
def test_what_a_call_inside_a_sub_process_gives_back_is_the_processs_unless_the_call_says_otherwise(
    local: str, inside: dict[str, object], behind: dict[str, object]
) -> None:
    outs = '<flowable:out source="a" target="price"/><flowable:out source="b" target="known"/>'
    called = process(
        f'<startEvent id="s2"/><userTask id="work"/><endEvent id="e2"/>{line("s2", "work", "e2")}', key="q"
    )
    caller = process(
        '<startEvent id="s"/><subProcess id="sub"><startEvent id="s1"/>'
        f'<callActivity id="ask" calledElement="q" {local}>'
        f'<extensionElements>{outs}</extensionElements></callActivity><userTask id="look"/><endEvent id="e1"/>'
        f'{line("s1", "ask", "look", "e1")}</subProcess><userTask id="after"/><endEvent id="e"/>'
        f"{line('s', 'sub', 'after', 'e')}"
    )
    played = Played(caller, called)
    iid = played.start(known=1)
    (child,) = [other for other in played.world.instances() if other != iid]
    played.complete(child, a=7, b=8)
    held = played.world.held(iid).state.scopes
    assert {name: value for key, scope in held.items() if key for name, value in scope.variables.items()} == inside
    played.complete(iid)
    assert (played.places(iid), played.variables(iid)) == (["after"], behind)


def scenario(body: str, outside: str = "") -> Scenario:
    player = Scenario("flowable")
    player.deploy([("m.bpmn", f"{HEAD}{outside}{process(body)}</definitions>".encode())])
    return player


def test_programs_hand_in_what_no_form_lists() -> None:
    player = scenario(
        '<startEvent id="s"/><userTask id="work"><extensionElements><flowable:formProperty id="room" required="true"/>'
        f'</extensionElements></userTask><endEvent id="e"/>{line("s", "work", "e")}'
    )
    player.play(
        [
            {"op": "start", "key": "p", "as": "p1"},
            {"op": "complete", "task": {"activity": "work"}, "vars": {"other": 1}},
            {"op": "assert", "what": "ended", "instance": {"ref": "p1", "attr": "id"}},
        ]
    )


def test_what_a_condition_is_triggered_with_are_variables() -> None:
    player = scenario(
        '<startEvent id="s"/><intermediateCatchEvent id="wait"><conditionalEventDefinition>'
        "<condition>${ready == true}</condition></conditionalEventDefinition></intermediateCatchEvent>"
        f'<endEvent id="e"/>{line("s", "wait", "e")}'
    )
    player.play(
        [
            {"op": "start", "key": "p", "vars": {"ready": False}, "as": "p1"},
            {"op": "query", "kind": "execution", "filter": {"activity": "wait"}, "want": "one", "as": "r1"},
            {"op": "trigger", "execution": {"ref": "r1", "attr": "id"}, "vars": {"ready": True}},
            {"op": "assert", "what": "ended", "instance": {"ref": "p1", "attr": "id"}},
        ]
    )


def test_a_message_to_the_instance_is_for_its_own_event_sub_process_first() -> None:
    catch = '<messageEventDefinition messageRef="ms"/>'
    player = scenario(
        f'<startEvent id="s"/><intermediateCatchEvent id="hear">{catch}</intermediateCatchEvent><endEvent id="e"/>'
        f'{line("s", "hear", "e")}<subProcess id="beside" triggeredByEvent="true"><startEvent id="told">{catch}'
        f'</startEvent><userTask id="work"/><endEvent id="e1"/>{line("told", "work", "e1")}</subProcess>',
        '<message id="ms" name="news"/>',
    )
    player.play(
        [
            {"op": "start", "key": "p", "as": "p1"},
            {"op": "query", "kind": "execution", "filter": {"activity": "told"}, "want": "one", "as": "r1"},
            {"op": "message", "name": "news", "execution": {"ref": "r1", "attr": "id"}},
            {"op": "query", "kind": "task", "filter": {}, "want": "one", "order": ["TaskCreateTime:desc"], "as": "r2"},
            {"op": "assert", "target": {"ref": "r2", "attr": "activity"}, "is": "work"},
        ]
    )
