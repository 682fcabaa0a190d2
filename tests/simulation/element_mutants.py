"""Mutants of what single elements promise, beside those of `mutants.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from unittest.mock import patch

import msgspec

from noria.design.bpmn.graph import Element, Kind
from noria.engine import choosing, compensation, conditions, joining, looping, migrating, modifying, triggers
from noria.engine import events as e
from noria.engine.behaviours import BEHAVIOURS
from noria.engine.evolve import APPLY
from noria.engine.run import Run
from noria.engine.state import FORMAT, Purpose, State, StateFormatError, Task, decode_state
from noria.engine.tasks import separating
from noria.kernel.errors import Rejected
from noria.operate.rows import InstanceRow
from tests.simulation.mutants import Mutant, Patch

ELEMENT_MUTANTS: list[Mutant] = []
"""Some seeds notice each of them soon."""


def mutant(*focus: str) -> Callable[[Callable[[], list[Patch]]], Callable[[], list[Patch]]]:
    """Register a mutant by the name of the function that makes its patches."""

    def register(patches: Callable[[], list[Patch]]) -> Callable[[], list[Patch]]:
        ELEMENT_MUTANTS.append(Mutant(patches.__name__, patches, focus))
        return patches

    return register


@mutant("loop")
def loop_ends_with_its_first_instance() -> list[Patch]:
    def after_instance(run: Run, token: int, element: Element, _own: Any = None) -> None:
        looping.cut_short(run, token, element, "mutant")

    return [patch.object(looping, "after_instance", after_instance)]


@mutant("loop")
def completion_condition_is_not_asked() -> list[Patch]:
    def cut_short(run: Run, token: int, element: Element, _reason: str) -> None:
        if not run.state.scopes[token].live:
            looping._finish(run, token, element)

    return [patch.object(looping, "cut_short", cut_short)]


@mutant("loop")
def results_of_a_loop_come_in_the_order_of_completion() -> list[Patch]:
    def finish(run: Run, token: int, element: Element, _cut: Any = (), _never: int = 0) -> None:
        loop = looping._loop(element)
        if loop.output_collection:
            results = run.state.loops[token].results
            run.assign_outward(token, {loop.output_collection: list(results.values())})
        run.go_on(token, element)

    return [patch.object(looping, "_finish", finish)]


@mutant("loop")
def standard_loop_asks_once_too_often() -> list[Patch]:
    def goes_on(run: Run, token: int, element: Element, loop: Any) -> bool:
        return run.state.loops[token].started == 0 or original(run, token, element, loop)

    original = looping._standard_goes_on
    return [patch.object(looping, "_standard_goes_on", goes_on)]


@mutant()
def what_an_activity_passes_on_is_kept() -> list[Patch]:
    def assign(self: Run, token: int, element: Element, values: Mapping[str, object]) -> None:
        if element.passes_on and token in self.state.scopes:
            self.write(token, values)
        else:
            original(self, token, element, values)

    original = Run.assign
    return [patch.object(Run, "assign", assign)]


@mutant()
def what_an_activity_keeps_for_its_outputs_is_lost() -> list[Patch]:
    def assign(self: Run, token: int, element: Element, values: Mapping[str, object]) -> None:
        if not element.keeps:
            original(self, token, element, values)

    original = Run.assign
    return [patch.object(Run, "assign", assign)]


@mutant("undoing")
def compensation_undoes_everything_at_once() -> list[Patch]:
    def advance(run: Run, asked_by: int) -> None:
        busy = {handler.done for handler in run.state.handlers.values()}
        for key in run.state.compensations[asked_by].left:
            record = run.state.done.get(key)
            if record is not None and key not in busy and asked_by in run.state.compensations:
                compensation._start(run, asked_by, key, record)

    return [patch.object(compensation, "advance", advance)]


@mutant("undoing")
def compensation_is_not_awaited() -> list[Patch]:
    def throw(run: Run, token: int, element: Element, trigger: Any) -> bool:
        original(run, token, element, trigger)
        return False

    original = compensation.throw
    return [patch.object(compensation, "throw", throw)]


@mutant("undoing")
def what_is_done_inside_a_sub_process_is_not_undone() -> list[Patch]:
    def keep(run: Run, token: int, element: Element) -> None:
        if element.compensated_by >= 0:
            original(run, token, element)

    original = compensation.keep
    return [patch.object(compensation, "keep", keep)]


@mutant("undoing")
def cancelled_transaction_does_not_undo() -> list[Patch]:
    def cancel_transaction(run: Run, token: int, element: Element) -> None:
        compensation._cancelled(run, token, element)

    return [patch.object(compensation, "cancel_transaction", cancel_transaction)]


@mutant("watch")
def condition_is_looked_at_only_when_it_begins_to_be_awaited() -> list[Patch]:
    def look(run: Run, fresh: set[int], _changed: Any) -> None:
        original(run, fresh, {})

    original = conditions.look
    return [patch.object(conditions, "look", look)]


@mutant("complex")
def complex_join_goes_on_once_more_for_what_comes_late() -> list[Patch]:
    def reset(run: Run, scope: int, element: Element, tokens: list[int]) -> bool:
        marker = next((token for token in tokens if token in run.state.activated), None)
        if marker is None:
            return False
        run.take(marker, element, ())
        return True

    return [patch.object(joining, "_reset", reset)]


@mutant("ad_hoc")
def rest_of_an_ad_hoc_sub_process_goes_on() -> list[Patch]:
    def after_activity(run: Run, scope: int, element: Element) -> None:
        ad_hoc = choosing._ad_hoc(element)
        if ad_hoc.cancels_rest and run.state.scopes[scope].live:
            return
        original(run, scope, element)

    original = choosing.after_activity
    return [patch.object(choosing, "after_activity", after_activity)]


@mutant("ad_hoc")
def sequential_ad_hoc_sub_process_begins_everything() -> list[Patch]:
    def enter(run: Run, token: int, element: Element) -> None:
        run.open_scope(token, element)
        for index in element.starts:
            run.enter(index, token)

    return [patch.dict(BEHAVIOURS, {Kind.AD_HOC_SUB_PROCESS: enter})]


@mutant("raise")
def escalation_is_not_caught() -> list[Patch]:
    def throw_escalation(run: Run, token: int, code: str, outputs: Any = None) -> None:
        element = run.definition.graph.elements[run.state.tokens[token].element]
        run.emit(e.EscalationThrown(token, element.index, code, -1))

    return [patch.object(triggers, "throw_escalation", throw_escalation)]


@mutant("ping")
def signal_does_not_reach_its_own_instance() -> list[Patch]:
    return [patch.object(Run, "broadcast", lambda _self, _name, _variables: None)]


@mutant()
def save_point_is_passed_at_once() -> list[Patch]:
    def set_save_point(self: Run, token: int, element: Element, purpose: Purpose) -> None:
        if purpose is Purpose.SAVE_BEFORE:
            self.begin_behind_save_point(token, element)
        else:
            self.go_on_behind_save_point(token, element)

    return [patch.object(Run, "_set_save_point", set_save_point)]


@mutant("shift")
def moved_token_stays_where_it_was() -> list[Patch]:
    return [patch.object(modifying, "_cancel", lambda _run, _token: None)]


@mutant("migrate", "user")
def what_is_new_in_the_next_version_is_not_awaited() -> list[Patch]:
    return [patch.object(migrating, "_wait_for_new", lambda _run, _fresh: None)]


@mutant("migrate")
def migrated_token_keeps_the_former_number_of_the_flow_by_which_it_came() -> list[Patch]:
    def migrated(state: State, event: Any) -> None:
        original(state, msgspec.structs.replace(event, flows={flow: flow for flow in event.flows}))

    original = APPLY[e.InstanceMigrated]
    return [patch.dict(APPLY, {e.InstanceMigrated: migrated})]


@mutant("shift", "migrate")
def change_that_is_taken_back_leaves_its_timers_behind() -> list[Patch]:
    def restored(state: State, event: Any) -> None:
        timers = state.timers.copy()
        original(state, event)
        state.timers.update(timers)

    original = APPLY[e.InstanceRestored]
    return [patch.dict(APPLY, {e.InstanceRestored: restored})]


@mutant()
def states_of_the_former_version_cannot_be_read() -> list[Patch]:
    def decode(data: bytes) -> State:
        if msgspec.msgpack.decode(data)[0] != FORMAT:
            raise StateFormatError("The stored state is too old.")
        return decode_state(data)

    return [patch("noria.operate.restoring.decode_state", decode)]


@mutant()
def what_came_after_a_state_was_written_is_forgotten() -> list[Patch]:
    def restored(row: InstanceRow) -> State:
        state = decode_state(row.state)
        state.version = row.ver
        return state

    return [patch("noria.operate.runtime.restored", restored)]


@mutant("four_eyes")
def who_acts_for_others_is_not_remembered() -> list[Patch]:
    def note(run: Run, token: int, element: Element, by: str) -> None:
        run.facts = msgspec.structs.replace(run.facts, actor="")
        original(run, token, element, by)

    original = separating.note
    return [patch.object(separating, "note", note)]


@mutant("four_eyes")
def who_acts_for_others_is_not_looked_at() -> list[Patch]:
    def may_not_do(_run: Run, task: Task, by: str) -> Rejected | None:
        return separating.separated(task, by)

    return [patch.object(separating, "may_not_do", may_not_do)]
