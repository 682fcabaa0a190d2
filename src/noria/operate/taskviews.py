"""How a task is shown."""

from __future__ import annotations

from noria.design.forms import Field, Form
from noria.operate.changes import Held
from noria.operate.ids import task_id
from noria.operate.office import (
    Office,
    element_ref,
    iso,
    iso_or_none,
    person_or_none,
    person_ref,
    process_ref,
    summary_items,
)
from noria.operate.reading import TaskFields
from noria.operate.views import ConsultationView, TaskView
from noria.trust.people import Organisation
from noria.trust.policy import Principal, TaskFacts, may_reassign, may_work_on


def labels_of(forms: dict[str, Form]) -> dict[str, str]:
    """Variable → label, as the first form that has the field gives it."""
    labels: dict[str, str] = {}

    def collect(fields: tuple[Field, ...]) -> None:
        for field in fields:
            label = field.label or str(field.settings.get("dateLabel") or field.settings.get("timeLabel") or "")
            if (field.key or field.path) and label:
                labels.setdefault(field.key or field.path, label)
            if field.type == "group":
                collect(field.fields)

    for form in forms.values():
        collect(form.fields)
    return labels


def open_task(held: Held, token: int) -> TaskFields:
    """An open task as lists have it, from an instance in memory: no question to the database."""
    row, task = held.row, held.state.tasks[token]
    return TaskFields(
        iid=row.iid,
        tok=token,
        definition=row.definition,
        element=task.element,
        assignee=task.assignee,
        created=task.opened_ms,
        due=task.due_ms,
        prio=task.priority,
        round=task.round,
        version=task.version,
        claimed=int(task.claimed),
        closed=0,
        bkey=row.bkey,
        title=row.title,
        summary=row.summary,
        starter=row.starter,
        groups=sorted(set(task.groups)),
        name=task.name,
        users=list(task.users),
        excluded=list(task.excluded),
        amount=row.amount,
        provisional=int(token in held.state.deadlines and held.state.deadlines[token].provisional),
    )


def open_opinion(held: Held, number: int) -> TaskFields:
    """An opinion that somebody is asked for, as lists have it."""
    row, asked = held.row, held.state.consultations[number]
    return TaskFields(
        iid=row.iid,
        tok=number,
        definition=row.definition,
        element=asked.element,
        assignee=asked.person,
        created=asked.at_ms,
        due=0,
        prio=50,
        round=1,
        version=1,
        claimed=0,
        closed=0,
        bkey=row.bkey,
        title=row.title,
        summary=row.summary,
        starter=row.starter,
        amount=row.amount,
        opinion=1,
    )


def consultation_views(held: Held, token: int, organisation: Organisation) -> list[ConsultationView]:
    """The opinions that are asked for on a task."""
    return [
        consultation_view(held, number, organisation)
        for number, asked in held.state.consultations.items()
        if asked.token == token
    ]


def consultation_view(held: Held, number: int, organisation: Organisation) -> ConsultationView:
    """One opinion that is asked for."""
    asked = held.state.consultations[number]
    return ConsultationView(
        id=task_id(held.row.iid, number),
        person=person_ref(organisation, asked.person),
        by=person_ref(organisation, asked.by),
        at=iso(asked.at_ms),
        text=asked.text,
    )


def open_task_facts(held: Held, token: int) -> TaskFacts:
    """What counts for the policy about an open task of an instance in memory."""
    row, task = held.row, held.state.tasks[token]
    return TaskFacts(
        task.assignee,
        task.groups,
        task.users,
        task.excluded,
        row.starter,
        row.definition,
        row.amount,
        (row.iid, token),
    )


def task_facts(task: TaskFields) -> TaskFacts:
    """What counts about an open task for the policy."""
    return TaskFacts(
        task.assignee,
        tuple(task.groups),
        tuple(task.users),
        tuple(task.excluded),
        task.starter,
        task.definition,
        task.amount,
        (task.iid, task.tok),
    )


def open_tasks(held: Held) -> list[TaskFields]:
    """All open tasks of an instance in memory."""
    return [open_task(held, token) for token in sorted(held.state.tasks)]


async def task_view(
    office: Office, task: TaskFields, organisation: Organisation, now_ms: int, viewer: Principal | None = None
) -> TaskView:
    """A task for a list; with a viewer it says for whom that one would act."""
    definition = await office.catalogue.get(task.definition)
    human = definition.graph.elements[task.element].human
    done = bool(task.closed)
    return TaskView(
        id=task_id(task.iid, task.tok),
        instance_id=str(task.iid),
        business_key=task.bkey,
        process=process_ref(office.catalogue.row(task.definition)),
        element=element_ref(definition.graph.elements[task.element], task.name),
        title=task.title,
        summary=summary_items(task.summary, labels_of(definition.own_forms)),
        assignee=person_or_none(organisation, task.assignee),
        candidate_groups=task.groups,
        starter=person_ref(organisation, task.starter),
        created_at=iso(task.created),
        due_at=iso_or_none(task.due),
        due_provisional=bool(task.provisional),
        overdue=bool(task.due) and (task.closed or now_ms) > task.due,
        priority=task.prio,
        round=task.round,
        claimed_at=iso_or_none(task.claimed) if done else None,
        status="done" if done else "open",
        done_at=iso_or_none(task.closed),
        version=task.version,
        is_approval=human is not None and human.approval is not None,
        opinion=bool(task.opinion),
        in_bulk=human is not None and human.in_bulk and not (done or task.opinion),
        proxy=person_or_none(organisation, task.proxy),
        on_behalf_of=person_or_none(organisation, _owner(task, viewer)),
    )


def _owner(task: TaskFields, viewer: Principal | None) -> str:
    """For whom somebody does a task, or did it; "" when it is for themselves or not theirs at all."""
    if viewer is None:
        return ""
    if task.closed:
        return task.assignee if task.proxy == viewer.id else ""
    facts = task_facts(task)
    owner = may_work_on(viewer, facts).owner or may_reassign(viewer, facts).owner
    return "" if owner == viewer.id else owner
