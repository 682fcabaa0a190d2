"""What an edited decision makes of cases that were decided already: which would have gone elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from noria.design.bpmn.graph import Element, Graph, Kind
from noria.design.dmn import Decision, DecisionModel
from noria.design.feel import to_json
from noria.design.feel.expression import FeelBudgetError
from noria.engine import events as e
from noria.engine.definition import Definition
from noria.engine.facts import Facts
from noria.engine.state import FACTS
from noria.engine.variables import Variables
from noria.kernel.errors import NoriaError
from noria.operate.changes import Held
from noria.operate.office import element_ref, iso
from noria.operate.reasons import facts_read
from noria.operate.rows import JournalRow
from noria.operate.rule_views import DecidedOtherwise
from noria.operate.timeline import History


class Tried(msgspec.Struct):
    """One decision made again; `otherwise` is None when it comes out the same."""

    otherwise: DecidedOtherwise | None


class _Fork(msgspec.Struct):
    """A decision that waits for the fork that its result is asked for at."""

    found: DecidedOtherwise
    values: dict[str, object]


def asking_for(model: DecisionModel, decision: str) -> frozenset[str]:
    """Ids of the decisions of a file that depend on one of them, itself included."""
    found = {decision}
    grown = True
    while grown:
        more = {item.id for item in model.decisions.values() if not found.isdisjoint(item.requires)} - found
        found |= more
        grown = bool(more)
    return frozenset(found)


def tried(
    held: Held, history: History, decisions: Mapping[str, Decision], facts: Facts, since_ms: int
) -> Iterator[Tried]:
    """Make the decisions of a case once more, as they were made, by edited ones.

    Args:
        held: the instance.
        history: of it, not yet folded.
        decisions: the edited ones by id.
        facts: the tenant's; what was recorded with a decision goes before them.
        since_ms: older decisions are left out.
    """
    waiting: list[_Fork] = []
    for row, definition, event in history.before(e.Event):
        if isinstance(event, e.DecisionEvaluated) and event.decision in decisions and row.ts >= since_ms:
            found, value = _again(held, history, row, definition, event, decisions[event.decision], facts)
            if found is not None:
                element = definition.graph.elements[event.element]
                waiting.append(_Fork(found, _written(element, event.decision, value)))
            yield Tried(found)
        elif isinstance(event, e.ElementLeft) and waiting and event.flows:
            waiting = [fork for fork in waiting if not _went(fork, history, row, definition, event, facts)]


def _again(
    held: Held,
    history: History,
    row: JournalRow,
    definition: Definition,
    event: e.DecisionEvaluated,
    decision: Decision,
    facts: Facts,
) -> tuple[DecidedOtherwise | None, object]:
    inside = Variables(definition, history.state, row.ts, facts)
    variables = inside.variables(event.token)
    model = decision.within()
    if FACTS in model.inputs:
        world = inside.with_facts(variables, model.source)[FACTS]
        read = facts_read(e.decode_events(row.ev))
        recorded = read.values if read is not None else {}
        variables = {**variables, FACTS: {**(world if isinstance(world, dict) else {}), **recorded}}
    context = facts.context(row.ts)
    try:
        result = decision.evaluate(variables, context)
        value, rows = to_json(result.value), [hit.rule_index + 1 for hit in result.matched]
    except FeelBudgetError as error:
        value, rows = None, []
        context.note(error.code, error.message)
    if value == event.result:
        return None, value
    found = DecidedOtherwise(
        instance_id=str(held.row.iid),
        business_key=held.row.bkey,
        title=held.row.title,
        at=iso(row.ts),
        before=event.result,
        after=value,
        rows_before=[number for _, _, number in event.rules],
        rows_after=rows,
        went_to="",
        would_go_to="",
        notes=list(dict.fromkeys(note.message for note in context.diagnostics)),
    )
    return found, value


def _written(element: Element, decision: str, value: object) -> dict[str, object]:
    """The variables that a business rule task writes; see `engine/behaviours/business_rule_task.py`."""
    if element.result_variable:
        return {element.result_variable: value}
    return value if isinstance(value, dict) else {decision: value}


def _went(
    fork: _Fork, history: History, row: JournalRow, definition: Definition, event: e.ElementLeft, facts: Facts
) -> bool:
    """Whether this is the fork that asks for the result; then it is told where the case would have gone."""
    graph = definition.graph
    element = graph.elements[event.element]
    conditions = {flow: graph.flows[flow].condition for flow in element.outgoing}
    names = {name for condition in conditions.values() if condition is not None for name in condition.names}
    if names.isdisjoint(fork.values):
        return False
    inside = Variables(definition, history.state, row.ts, facts)
    variables = {**inside.variables(event.token), **fork.values}
    read = facts_read(e.decode_events(row.ev))
    if FACTS in names and read is not None:
        variables = {**variables, FACTS: read.values}
    context = facts.context(row.ts)
    try:
        holds = [
            flow
            for flow, condition in conditions.items()
            if flow != element.default and (condition is None or condition.test(variables, context))
        ]
    except NoriaError:
        return True  # it cannot be told; the decision is listed all the same
    taken = holds or ([element.default] if element.default >= 0 else [])
    if element.kind is Kind.EXCLUSIVE_GATEWAY:
        taken = taken[:1]
    fork.found.went_to, fork.found.would_go_to = _targets(graph, event.flows), _targets(graph, taken)
    return True


def _targets(graph: Graph, flows: Iterable[int]) -> str:
    return ", ".join(element_ref(graph.elements[graph.flows[flow].target]).name for flow in flows)
