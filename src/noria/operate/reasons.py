"""Why a case went the way it went: each fork, decision and choice of people, with what was used to decide it."""

from __future__ import annotations

from collections.abc import Iterator

from noria.design.bpmn.graph import Element, Graph
from noria.design.feel import Expression
from noria.engine import events as e
from noria.engine.definition import Definition
from noria.engine.state import FACTS
from noria.operate.office import element_ref, iso
from noria.operate.reason_views import Chosen, Why
from noria.operate.rows import JournalRow
from noria.operate.timeline import History
from noria.trust.people import Organisation


def reasons_of(history: History, organisation: Organisation, *, with_models: bool) -> list[Why]:
    """Every fork with a condition, decision and computed choice of people on record, oldest first.

    Args:
        history: of the instance; it need not be folded.
        organisation: whose people are named.
        with_models: whether conditions and expressions of the model are told.
    """
    found: list[Why] = []
    for row, definition in zip(history.rows, history.definitions, strict=True):
        events = e.decode_events(row.ev)
        read = facts_read(events)
        for event in events:
            for reason, outside in _reasons(row, definition, event):
                if outside and read is not None:
                    reason.facts, reason.versions = read.values, read.versions
                    reason.calendar, reason.calendar_version = read.calendar, read.calendar_version
                loads = reason.facts.get("load", {})
                counted = loads.get("people", {}) if isinstance(loads, dict) else {}
                reason.names = {
                    who: organisation.name_of(who) for who in (*reason.people, *counted) if who in organisation.people
                }
                if not with_models:
                    reason.asked = ""
                    reason.chosen = [Chosen(one.id, one.name, "", one.to) for one in reason.chosen]
                found.append(reason)
    return found


def facts_read(events: tuple[e.AnyEvent, ...]) -> e.FactsRead | None:
    """What a command used of the outside, None when it used nothing."""
    return next((event for event in events if isinstance(event, e.FactsRead)), None)


def _reasons(row: JournalRow, definition: Definition, event: e.AnyEvent) -> Iterator[tuple[Why, bool]]:
    """What an event says, and whether something of the outside may have been used for it."""
    graph = definition.graph
    if isinstance(event, e.ElementLeft):
        element = graph.elements[event.element]
        conditions = [condition for flow in element.outgoing if (condition := graph.flows[flow].condition) is not None]
        if conditions and event.flows:
            chosen = [_chosen(graph, flow) for flow in event.flows]
            yield _reason(row, element, "route", chosen=chosen), any(FACTS in one.names for one in conditions)
    elif isinstance(event, e.DecisionEvaluated):
        decision = definition.decisions.get(event.decision)
        matched: list[dict[str, object]] = [
            {"decision": table, "rule": rule, "row": number} for table, rule, number in event.rules
        ]
        reason = _reason(
            row, graph.elements[event.element], "decision", decision=event.decision, matched=matched, value=event.result
        )
        yield reason, decision is not None and FACTS in decision.within().inputs
    elif isinstance(event, e.TaskOpened):
        element = graph.elements[event.element]
        asked = _asked(element)
        if asked:
            people = [event.assignee] if event.assignee else [*event.groups, *event.users]
            sources = ", ".join(expression.source for expression in asked)
            yield (
                _reason(row, element, "people", asked=sources, people=people),
                any(FACTS in expression.names for expression in asked),
            )


def _reason(row: JournalRow, element: Element, kind: str, **more: object) -> Why:
    return Why(seq=row.ver, at=iso(row.ts), element=element_ref(element), kind=kind, **more)  # type: ignore[arg-type]


def _chosen(graph: Graph, flow: int) -> Chosen:
    taken = graph.flows[flow]
    condition = taken.condition.source if taken.condition is not None else ""
    return Chosen(taken.id, taken.name, condition, element_ref(graph.elements[taken.target]))


def _asked(element: Element) -> list[Expression]:
    """The expressions that name people for a task, without constants."""
    work = element.human
    if work is None:
        return []
    named = (work.assignee, work.candidate_groups, work.candidate_users)
    return [expression for expression in named if expression is not None and expression.constant is None]
