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
from noria.operate.deploying import read_bundle

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

    def places(self) -> list[str]:
        return sorted(self.definition.graph.elements[token.element].id for token in self.state.tokens.values())


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
