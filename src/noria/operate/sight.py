"""Which variables of an instance a person may see: what every step of theirs hides is shown to them nowhere."""

from __future__ import annotations

from collections.abc import Mapping

from noria.engine import events as e
from noria.engine.definition import Definition
from noria.operate.changes import Held
from noria.operate.office import Office
from noria.operate.taskviews import open_tasks, task_facts
from noria.trust.policy import Permission, Principal, may_work_on


async def hidden_from(office: Office, who: Principal, held: Held) -> frozenset[str]:
    """The variables of an instance that are not for a person.

    What some step hides is seen by who may read all, by its starter if the start form has it, and by those with a task,
    open or done, at a step that shows it. Nobody else sees it: not on the instance's page, nor in its history.
    """
    definition, state = held.definition, held.state
    if not definition.guarded or Permission.READ_ALL in who.permissions:
        return frozenset()
    seen: set[str] = set()
    start = definition.forms.get(definition.graph.start_form)
    if who.id == state.starter and start is not None:
        seen |= set(start.names)
    elements = {element for element, actor in state.actors.items() if actor == who.id}
    elements |= set(await office.lists.worked_at(held.row.iid, who.id))
    if who.stands_for:
        elements |= await _just_done(office, who, held)
    for task in open_tasks(held):
        if may_work_on(who, task_facts(task)).allowed:
            elements.add(task.element)
    for index in elements:
        work = definition.graph.elements[index].human if index < len(definition.graph.elements) else None
        if work is not None:
            form = definition.form_at(index, work.form)
            shown = set(form.names) if form is not None else set(definition.guarded)
            # A computed field stays in the form for the server; to people it is hidden all the same.
            seen |= shown - set(work.hidden_fields)
    return definition.guarded - seen


async def _just_done(office: Office, who: Principal, held: Held) -> set[int]:
    """Elements whose tasks a person did for somebody: the state names that one, and the projection may lag behind."""
    return {
        event.element
        for row in await office.store.journal_of(held.row.iid)
        if row.actor == who.id
        for event in e.decode_events(row.ev)
        if isinstance(event, e.TaskCompleted | e.TaskReturned)
    }


def hidden_at(definition: Definition, element: int) -> tuple[str, ...]:
    """The variables that a step hides."""
    work = definition.graph.elements[element].human
    return work.hidden_fields if work is not None else ()


def without(values: Mapping[str, object], hidden: frozenset[str]) -> dict[str, object]:
    """Values without those that are hidden."""
    return {name: value for name, value in values.items() if name not in hidden}
