"""Going on by another version: what is running keeps running, or the refusal says what stands in the way."""

from __future__ import annotations

import msgspec
import pytest
from tests.scenarios.drawing import draw

from noria.engine import commands as c
from noria.engine import events as e
from noria.engine.definition import Definition
from noria.engine.evolve import replay
from noria.engine.facts import Facts
from noria.engine.migrating import Correspondence
from noria.engine.outcome import Outcome
from noria.engine.state import FORMAT, State, encode_state
from noria.engine.step import step
from noria.kernel.errors import Rejected
from noria.operate.bundles import read_bundle

NOW_MS = 1_772_413_200_000
FIRST = """
  startEvent start
  userTask apply assignee=li
  userTask check assignee=wang
  boundaryEvent late on=check timer=PT1H
  endEvent end
  start -> apply -> check -> end
  late -> end
"""

TWICE = "<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics>"


def version(text: str, number: int) -> Definition:
    bundle = read_bundle({"model.bpmn": draw(text.splitlines())})
    assert not [item for item in bundle.findings if item.severity == "error"], bundle.findings
    return Definition(bundle.graphs[0][1], number)


class Instance:
    """One instance, and what happened to it."""

    def __init__(self, text: str) -> None:
        self.definition = version(text, 1)
        self.state = State()
        self.history: list[tuple[e.AnyEvent, ...]] = []
        self.do(c.StartInstance("li", {"id": "li"}))

    def do(self, command: c.AnyCommand, target: Definition | None = None) -> Rejected | None:
        outcome = step(self.definition, self.state, command, NOW_MS, Facts(target=target))
        if not isinstance(outcome, Outcome):
            return outcome
        self.state = outcome.state
        self.history.append(e.decode_events(e.encode_events(outcome.events)))
        assert encode_state(replay(self.history)) == encode_state(self.state), "replay gives another state"
        if target is not None:
            self.definition = target
        return None

    def migrate(self, target: Definition, **elements: str) -> Rejected | None:
        return self.do(c.MigrateInstance("admin", "a new version", 1, 2, elements), target)

    def complete(self, element: str) -> Rejected | None:
        index = self.definition.graph.element_of[element]
        token = next(key for key, task in self.state.tasks.items() if task.element == index)
        return self.do(c.CompleteTask(token, self.state.tasks[token].assignee))

    def fire(self) -> Rejected | None:
        """The oldest timer is due: a save point, as long as there is one."""
        return self.do(c.FireTimer(next(iter(self.state.timers))))

    def places(self) -> list[str]:
        return sorted(self.definition.graph.elements[token.element].id for token in self.state.tokens.values())

    def awaited(self) -> list[tuple[str, str]]:
        """What is waited for, and where: event element, and element of the token or "" for the process."""
        found = [*self.state.timers.values(), *self.state.waits.values(), *self.state.conditions.values()]
        elements, tokens = self.definition.graph.elements, self.state.tokens
        return sorted(
            (elements[item.element].id, elements[tokens[item.token].element].id if item.token else "") for item in found
        )


def test_a_running_task_goes_on_by_the_other_versions_flows() -> None:
    one = Instance(FIRST)
    assert (
        one.migrate(
            version(FIRST.replace("apply -> check", "apply -> look -> check") + "  userTask look assignee=li", 2)
        )
        is None
    )
    assert one.places() == ["apply"]
    one.complete("apply")
    assert one.places() == ["look"]


def test_a_timer_keeps_its_instant_and_what_is_new_is_waited_for() -> None:
    one = Instance(FIRST)
    one.complete("apply")
    (before,) = one.state.timers.values()
    more = (
        FIRST
        + "  boundaryEvent asked on=check cancel=false message=question\n"
        + "  userTask tell assignee=li\n  asked -> tell -> end"
    )
    assert one.migrate(version(more, 2)) is None
    (after,) = one.state.timers.values()
    (wait,) = one.state.waits.values()
    assert (after.due_ms, wait.name) == (before.due_ms, "question")


def test_a_boundary_event_that_is_gone_is_not_waited_for_any_more() -> None:
    one = Instance(FIRST)
    one.complete("apply")
    without = FIRST.replace("  boundaryEvent late on=check timer=PT1H\n", "").replace("  late -> end\n", "")
    assert one.migrate(version(without, 2)) is None
    assert (one.state.timers, one.places()) == ({}, ["check"])


def test_a_single_timer_that_has_fired_is_not_set_again() -> None:
    beside = FIRST.replace("late on=check", "late on=check cancel=false")
    one = Instance(beside)
    one.complete("apply")
    (timer,) = one.state.timers
    outcome = step(one.definition, one.state, c.FireTimer(timer), NOW_MS + 3_600_000)
    assert isinstance(outcome, Outcome)
    one.state = outcome.state
    one.history.append(outcome.events)
    assert one.migrate(version(beside, 2)) is None
    assert one.state.timers == {}


def test_an_element_with_another_id_is_mapped() -> None:
    one = Instance(FIRST)
    other = version(FIRST.replace("apply", "request"), 2)
    refused = one.migrate(other)
    assert refused is not None
    assert (refused.code, "apply" in refused.message) == ("migration.impossible", True)
    assert one.migrate(other, apply="request") is None
    assert one.places() == ["request"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (FIRST.replace("userTask apply assignee=li", "serviceTask apply topic=t"), "migration.kind"),
        (
            FIRST.replace("userTask apply assignee=li", "userTask other assignee=li").replace("apply", "other"),
            "migration.gone",
        ),
        (
            FIRST.replace(
                "  userTask apply assignee=li\n",
                "  subProcess box\n    startEvent in\n    userTask apply assignee=li\n    in -> apply\n",
            ).replace("start -> apply -> check", "start -> box -> check"),
            "migration.scope",
        ),
        (
            FIRST.replace(
                "userTask apply assignee=li",
                f"userTask apply assignee=li\n    raw {TWICE}",
            ),
            "migration.loop",
        ),
    ],
)
def test_what_has_no_place_in_the_other_version_is_named(text: str, code: str) -> None:
    one = Instance(FIRST)
    before = encode_state(one.state)
    refused = one.migrate(version(text, 2))
    assert refused is not None
    assert refused.code == "migration.impossible"
    assert [problem["code"] for problem in refused.details["problems"]] == [code]
    assert encode_state(one.state) == before


def test_a_mapping_that_names_nothing_is_refused() -> None:
    refused = Instance(FIRST).migrate(version(FIRST, 2), nowhere="apply")
    assert refused is not None
    assert refused.code == "migration.mapping"


def test_a_token_at_a_join_needs_the_flow_it_came_by() -> None:
    text = """
  startEvent start
  parallelGateway split
  task quick
  userTask slow assignee=li
  parallelGateway join
  endEvent end
  start -> split -> quick -> join -> end
  split -> slow -> join
"""
    one = Instance(text)
    other = version(text.replace("split -> quick -> join", "split -> join").replace("  task quick\n", ""), 2)
    refused = one.migrate(other)
    assert refused is not None
    assert [problem["code"] for problem in refused.details["problems"]] == ["migration.flow"]
    assert one.migrate(version(text, 2)) is None
    one.complete("slow")
    assert one.state.status.name == "COMPLETED"


def test_the_dry_run_tells_clean_from_mapped() -> None:
    one = Instance(FIRST)
    same, other = version(FIRST, 2), version(FIRST.replace("apply", "request"), 2)
    assert not Correspondence(one.definition, same, {}).mapped(one.state)
    assert Correspondence(one.definition, other, {"apply": "request"}).mapped(one.state)


def test_a_change_is_taken_back_until_the_instance_moves_on() -> None:
    one = Instance(FIRST)
    first, before = one.definition, one.state
    one.do(c.ModifyInstance("admin", "wrong place", (c.Move("move", "apply", "check"),)))
    back = c.RestoreInstance("admin", "it was right", before, 1, 1, one.state.version)
    assert one.do(back, first) is None
    assert (one.state.tasks, one.state.tokens, one.state.timers) == (before.tasks, before.tokens, before.timers)
    assert one.state.version == before.version + 2
    one.complete("apply")
    assert one.places() == ["check"]
    assert one.do(back, first) is not None


def test_another_version_is_left_again() -> None:
    one = Instance(FIRST)
    first, before = one.definition, one.state
    assert one.migrate(version(FIRST.replace("apply", "request"), 2), apply="request") is None
    assert one.do(c.RestoreInstance("admin", "back", before, 2, 1, one.state.version), first) is None
    assert one.places() == ["apply"]


def test_a_state_of_an_older_format_that_is_restored_is_of_todays() -> None:
    one = Instance(FIRST)
    older = msgspec.structs.replace(one.state, format=FORMAT - 1)
    one.history.append((e.InstanceRestored("admin", "back", 2, 1, older),))
    assert replay(one.history).format == FORMAT


def test_a_token_before_a_join_keeps_its_flow_when_the_flows_are_numbered_anew() -> None:
    elements = """
  startEvent start
  parallelGateway split
  userTask a assignee=li
  userTask b assignee=li
  parallelGateway join
  endEvent end
"""
    first = "  start -> split -> a -> join -> end\n  split -> b -> join\n"
    other = "  start -> split -> b -> join -> end\n  split -> a -> join\n"
    one = Instance(elements + first)
    one.complete("a")
    assert one.migrate(version(elements + other, 2)) is None
    one.complete("b")
    assert one.places() == []


APART = """
startEvent start
userTask enter assignee=li
userTask check assignee=li candidateGroups=finance
userTask sign assignee=wu
endEvent end
start -> enter -> check -> sign -> end
""".strip()


def test_four_eyes_of_the_other_version_hold_for_open_tasks_and_those_of_the_former_no_longer_do() -> None:
    one = Instance(APART)
    one.complete("enter")
    assert one.migrate(version(APART.replace("candidateGroups", "separateFrom=enter candidateGroups"), 2)) is None
    refused = one.complete("check")
    assert refused is not None
    assert refused.code == "task.separated"
    assert one.migrate(version(APART, 3)) is None
    assert one.complete("check") is None
    assert one.places() == ["sign"]


ASKED = """
  startEvent start
  userTask sign approval=allOf approvers='= ["li", "wang"]'
  endEvent end
  start -> sign -> end
"""
LATE = "  boundaryEvent late on=sign timer=PT1H\n  late -> end\n"


def test_what_is_new_at_an_approval_is_waited_for_once_and_not_at_each_persons_task() -> None:
    one = Instance(ASKED)
    assert one.migrate(version(ASKED + LATE, 2)) is None
    assert one.awaited() == [("late", "sign")]
    assert one.state.timers.keys() == {5}
    assert one.state.timers[5].token in one.state.approvals


@pytest.mark.parametrize("turned", [False, True])
def test_an_open_task_does_not_become_an_approval_nor_the_other_way_round(turned: bool) -> None:
    plain = ASKED.replace("""approval=allOf approvers='= ["li", "wang"]'""", "assignee=li")
    first, other = (plain, ASKED) if turned else (ASKED, plain)
    refused = Instance(first).migrate(version(other, 2))
    assert refused is not None
    assert [problem["code"] for problem in refused.details["problems"]] == ["migration.kind"]


def test_what_has_not_begun_waits_for_all_at_its_boundary_when_it_begins() -> None:
    text = FIRST.replace("userTask check assignee=wang", "userTask check assignee=wang saveBefore=true")
    one = Instance(text)
    one.complete("apply")
    more = text + "  boundaryEvent asked on=check cancel=false message=question\n  asked -> end"
    assert one.migrate(version(more, 2)) is None
    assert one.awaited() == [("check", "check")]
    one.fire()
    assert one.awaited() == [("asked", "check"), ("late", "check")]


def test_a_save_point_stays_when_the_event_behind_it_is_another() -> None:
    text = """
  startEvent start
  intermediateCatchEvent answer message=answer saveBefore=true
  endEvent end
  start -> answer -> end
"""
    one = Instance(text)
    assert one.migrate(version(text.replace("message=answer", "timer=PT1H"), 2)) is None
    (timer,) = one.state.timers.values()
    assert timer.due_ms == NOW_MS
    one.fire()
    (timer,) = one.state.timers.values()
    assert timer.due_ms == NOW_MS + 3_600_000


def test_a_boundary_event_that_is_at_another_activity_now_is_waited_for_there() -> None:
    one = Instance(FIRST)
    one.complete("apply")
    moved = FIRST.replace("late on=check", "late on=apply")
    assert one.migrate(version(moved, 2)) is None
    assert one.awaited() == []
    assert one.migrate(version(FIRST, 3)) is None
    assert one.awaited() == [("late", "check")]


def test_an_event_that_has_another_trigger_now_is_waited_for_anew() -> None:
    text = """
  startEvent start
  serviceTask work topic=work
  boundaryEvent off on=work error=failed
  endEvent end
  start -> work -> end
  off -> end
"""
    one = Instance(text)
    assert one.awaited() == []
    assert one.migrate(version(text.replace("error=failed", "timer=PT1H"), 2)) is None
    assert one.awaited() == [("off", "work")]


INSIDE = """
  startEvent start
  subProcess box
    startEvent in
    userTask apply assignee=li
    in -> apply
  userTask check assignee=wang
  endEvent end
  start -> box -> check -> end
"""
STOPPED = """
eventSubProcess stopped
  startEvent stop signal=stop interrupting=false
  userTask tidy assignee=li
  stop -> tidy
"""


def test_an_event_sub_process_that_lies_elsewhere_now_is_waited_for_there() -> None:
    outside = "\n".join(f"  {line}" for line in STOPPED.splitlines())
    inside = "\n".join(f"    {line}" for line in STOPPED.splitlines())
    one = Instance(INSIDE + outside)
    assert one.awaited() == [("stop", "")]
    assert one.migrate(version(INSIDE.replace("    in -> apply", inside + "\n    in -> apply"), 2)) is None
    assert one.awaited() == [("stop", "box")]


def test_what_has_been_interrupted_waits_for_no_further_event_sub_process() -> None:
    stopped = "\n".join(f"  {line}" for line in STOPPED.replace(" interrupting=false", "").splitlines())
    one = Instance(INSIDE + stopped)
    one.do(c.Correlate(next(iter(one.state.waits)), {}))
    another = stopped.replace("stop", "other").replace("tidy", "sweep")
    assert one.migrate(version(INSIDE + stopped + another, 2)) is None
    assert (one.places(), one.awaited()) == (["stopped", "tidy"], [])


def test_what_an_event_gateway_has_behind_it_now_is_waited_for() -> None:
    text = """
  startEvent start
  eventBasedGateway await
  intermediateCatchEvent answer message=answer
  intermediateCatchEvent late timer=PT1H
  intermediateCatchEvent stop signal=stop
  parallelGateway fork
  endEvent end
  start -> fork -> await -> answer -> end
  await -> late -> end
  fork -> stop -> end
"""
    other = text.replace("await -> late", "await -> stop").replace("fork -> stop", "fork -> late")
    one = Instance(text)
    one.do(c.ModifyInstance("admin", "only the gateway", (c.Move("cancel", "stop"),)))
    assert one.migrate(version(other, 2)) is None
    assert one.awaited() == [("answer", "await"), ("stop", "await")]


THREE = """
  startEvent start
  parallelGateway fork
  userTask a assignee=li
  userTask b assignee=li
  userTask c assignee=li
  parallelGateway join
  userTask after assignee=li
  endEvent end
  endEvent aside
  start -> fork -> a -> join -> after -> end
  fork -> b -> join
  fork -> c -> join
"""


def test_a_join_that_has_all_it_waits_for_in_the_other_version_goes_on() -> None:
    one = Instance(THREE)
    one.complete("a")
    one.complete("b")
    assert one.migrate(version(THREE.replace("fork -> c -> join", "fork -> c -> aside"), 2)) is None
    assert one.places() == ["after", "c"]


def test_tokens_that_have_come_of_another_number_stand_in_the_way() -> None:
    text = """
  startEvent start
  parallelGateway fork
  userTask a assignee=li
  userTask b assignee=li
  task both startQuantity=2
  endEvent end
  start -> fork -> a -> both -> end
  fork -> b -> both
"""
    one = Instance(text)
    one.complete("a")
    refused = one.migrate(version(text.replace("startQuantity=2", "startQuantity=1"), 2))
    assert refused is not None
    assert [problem["code"] for problem in refused.details["problems"]] == ["migration.quantity"]


UNDONE = """
  startEvent start
  userTask book assignee=li
  boundaryEvent undo_book on=book
    raw <compensateEventDefinition/>
  serviceTask cancel_booking isForCompensation=true topic=cancel_booking
  userTask pay assignee=li
  boundaryEvent undo_pay on=pay
    raw <compensateEventDefinition/>
  serviceTask refund isForCompensation=true topic=refund
  intermediateThrowEvent undo
    raw <compensateEventDefinition/>
  endEvent end
  start -> book -> pay -> undo -> end
  raw <association id="a1" sourceRef="undo_book" targetRef="cancel_booking"/>
  raw <association id="a2" sourceRef="undo_pay" targetRef="refund"/>
"""


def test_what_is_still_to_be_compensated_must_be_there_in_the_other_version() -> None:
    one = Instance(UNDONE)
    one.complete("book")
    one.complete("pay")
    renamed = version(
        UNDONE.replace("userTask book", "userTask reserve")
        .replace("on=book", "on=reserve")
        .replace("start -> book", "start -> reserve"),
        2,
    )
    refused = one.migrate(renamed)
    assert refused is not None
    assert [(item["code"], item["element"]) for item in refused.details["problems"]] == [("migration.gone", "book")]
    assert one.migrate(renamed, book="reserve") is None
    for topic in ("refund", "cancel_booking"):
        (token,) = (key for key, job in one.state.jobs.items() if job.topic == topic)
        one.do(c.CompleteJob(token, "worker"))
    assert one.state.status.name == "COMPLETED"
