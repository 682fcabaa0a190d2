"""What a scenario of Camunda 7 observes, of small models: what counts as an execution, and what as a subscription."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.conformance.vendor_scenarios import Scenario

MESSAGE = '<messageEventDefinition messageRef="m"/>'
TIMER = "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"
CONDITION = "<conditionalEventDefinition><condition>${x == 1}</condition></conditionalEventDefinition>"
AT_X = f'<boundaryEvent id="b" attachedToRef="x">{TIMER}</boundaryEvent>'
COMPENSATION = "<compensateEventDefinition/>"


def scenario(body: str, *steps: dict[str, object]) -> Scenario:
    """A scenario on one process, with these steps played."""
    model = (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
        'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="t"><message id="m" name="hello"/>'
        f'<process id="p" isExecutable="true">{body}</process></definitions>'
    )
    made = Scenario("camunda7")
    made.deploy([("model.bpmn", model.encode())])
    made.play(list(steps))
    return made


def chain(*nodes: str) -> str:
    """The nodes, each leading to the next."""
    ids = [node.split('id="')[1].split('"')[0] for node in nodes]
    return "".join(nodes) + "".join(
        f'<sequenceFlow id="{a}_{b}" sourceRef="{a}" targetRef="{b}"/>' for a, b in pairwise(ids)
    )


def counted(made: Scenario, kind: str, **wanted: object) -> int:
    made.play([{"op": "query", "kind": kind, "filter": wanted, "want": "count", "as": "n"}])
    number: int = made.bound["n"]
    return number


START, END = '<startEvent id="s"/>', '<endEvent id="e"/>'
GO: dict[str, object] = {"op": "start", "key": "p", "as": "p1"}


@pytest.mark.parametrize(
    ("element", "executions"),
    [
        ('<userTask id="x"/>', 1),
        ('<receiveTask id="x"/>', 1),
        ('<receiveTask id="x" messageRef="m"/>', 2),
        ('<serviceTask id="x" camunda:type="external" camunda:topic="t"/>', 2),
        (f'<userTask id="x" camunda:asyncBefore="true"/>{AT_X}', 1),
        (f'<userTask id="x"/>{AT_X}', 2),
    ],
)
def test_an_activity_that_is_a_scope_has_an_execution_of_its_own_once_it_has_begun(element, executions):
    assert counted(scenario(chain(START, element, END), GO), "execution") == executions


def test_what_has_no_message_is_no_subscription():
    assert counted(scenario(chain(START, '<receiveTask id="x"/>', END), GO), "subscription") == 0


def test_a_condition_that_starts_processes_is_subscribed_to():
    start = f'<startEvent id="c">{CONDITION}</startEvent><sequenceFlow id="f" sourceRef="c" targetRef="x"/>'
    made = scenario(chain(START, '<userTask id="x"/>', END) + start)
    assert counted(made, "subscription", event_type="conditional", activity="c", instance=None) == 1


def test_what_can_be_compensated_is_subscribed_to_until_it_is():
    undo = '<task id="undo" isForCompensation="true"/>'
    leads = '<association associationDirection="One" sourceRef="b" targetRef="undo"/>'
    handler = f'<boundaryEvent id="b" attachedToRef="x">{COMPENSATION}</boundaryEvent>{undo}{leads}'
    throw = f'<intermediateThrowEvent id="t">{COMPENSATION}</intermediateThrowEvent>'
    made = scenario(
        chain(START, '<userTask id="x"/>', '<userTask id="y"/>', throw, '<userTask id="z"/>', END) + handler, GO
    )
    found = []
    for task in ("x", "y"):
        made.play([{"op": "complete", "task": {"activity": task}}])
        found.append(counted(made, "subscription", event_type="compensate", activity="undo"))
    assert found == [1, 0]


def test_a_message_that_starts_does_so_though_an_instance_waits_for_it():
    wait = f'<intermediateCatchEvent id="c">{MESSAGE}</intermediateCatchEvent>'
    begin: dict[str, object] = {"op": "start_by_message", "message": "hello", "as": "p1"}
    made = scenario(chain(f'<startEvent id="s">{MESSAGE}</startEvent>', wait, END), begin, begin)
    assert counted(made, "execution", message="hello") == 2


def test_found_things_are_ordered_and_those_without_a_value_come_first():
    made = scenario(chain(START, '<userTask id="x" camunda:assignee="${who}"/>', END))
    for who in ("b", None, "a"):
        made.play([{**GO, "vars": {"who": who}}])
    found = {}
    for order in ("TaskAssignee:asc", "TaskAssignee:desc", "TaskId:desc"):
        query = {"op": "query", "kind": "task", "filter": {}, "want": "list", "order": [order], "as": "l"}
        made.play([query])
        found[order] = [task["assignee"] for task in made.bound["l"]]
    assert found == {
        "TaskAssignee:asc": [None, "a", "b"],
        "TaskAssignee:desc": ["b", "a", None],
        "TaskId:desc": ["a", None, "b"],
    }


def test_a_job_behind_a_timer_that_was_executed_early_is_due():
    made = scenario(
        chain(START, '<userTask id="x"/>', END)
        + AT_X
        + '<userTask id="y" camunda:asyncBefore="true"/><sequenceFlow id="f" sourceRef="b" targetRef="y"/>',
        GO,
        {"op": "query", "kind": "job", "filter": {}, "want": "one", "as": "j"},
        {"op": "run_job", "job": {"ref": "j", "attr": "id"}},
        {"op": "run_jobs"},
    )
    assert counted(made, "task", activity="y") == 1
