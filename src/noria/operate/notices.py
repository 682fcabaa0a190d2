"""Notices (通知): who is told what, derived from the events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Protocol

import msgspec

from noria.design.bpmn.graph import Graph
from noria.engine import events as e
from noria.trust.people import Organisation

KINDS = (
    "task",
    "offered",
    "assigned",
    "reminder",
    "overdue",
    "urged",
    "returned",
    "mentioned",
    "handed_back",
    "taken_back",
    "copied",
    "consulted",
    "answered",
    "nobody",
    "refused",
    "completed",
    "terminated",
    "withdrawn",
)
"""Of notices: a new task of mine, one that I may claim, one handed over to me, a limit that comes near or is over, …"""

URGENT = frozenset({"overdue", "urged"})
"""Kinds that do not wait for the end of quiet hours, nor for a digest."""

SHOWING = frozenset({"copied", "consulted"})
"""Kinds by which a person may see a request from then on, and finds it among what was copied to him."""

ABOUT_TASKS = frozenset(
    {"task", "offered", "assigned", "handed_back", "consulted", "nobody", "reminder", "overdue", "urged"}
)
"""Kinds that say nothing any more when their task is done."""

TOLD_OF: frozenset[type] = frozenset(
    {
        e.TaskReminded,
        e.TaskUrged,
        e.TaskReturned,
        e.TaskTransferred,
        e.TaskDelegated,
        e.TaskHandedBack,
        e.TakenBack,
        e.CopiesSent,
        e.ConsultationOpened,
        e.ConsultationAnswered,
        e.NobodyFound,
        e.InstanceRefused,
        e.InstanceCompleted,
        e.InstanceTerminated,
        e.InstanceWithdrawn,
        e.Commented,
    }
)
"""Events that somebody is told of."""

OPENING: frozenset[type] = frozenset({e.TaskOpened})
"""Events that only those are told of who want it: a new task stands in the inbox anyway."""

_TOLD = TOLD_OF | OPENING


class Notice(msgspec.Struct, frozen=True):
    """One line for one person.

    Attributes:
        shard, seq, n: the journal row it comes from, and its number there.
        tenant: whose.
        person: who is told.
        at: when, ms.
        kind: one of `KINDS`.
        iid: the instance.
        tok: the task, 0 for none.
        params: what the sentence names.
    """

    shard: int
    seq: int
    n: int
    tenant: int
    person: str
    at: int
    kind: str
    iid: int
    tok: int
    params: dict[str, object]


class Holding(msgspec.Struct, frozen=True):
    """Who has an open task, may claim it or may not do it, and its name ("" for that of its element)."""

    assignee: str = ""
    groups: tuple[str, ...] = ()
    name: str = ""
    users: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


_NOBODY = Holding()


class Members:
    """Who is in which group, from an organisation: read once for many events."""

    def __init__(self, organisation: Organisation) -> None:
        self.organisation = organisation

    @cached_property
    def _by_group(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for person in self.organisation.people.values():
            if person.active:
                for group in self.organisation.groups_of(person):
                    found.setdefault(group, []).append(person.id)
        return found

    def of(self, groups: Iterable[str]) -> list[str]:
        """The active people of some groups, each once."""
        return list(dict.fromkeys(person for group in groups for person in self._by_group.get(group, ())))


class Row(Protocol):
    """What is needed of a journal row."""

    @property
    def shard(self) -> int:
        """Its shard."""

    @property
    def seq(self) -> int:
        """Its number in the shard."""

    @property
    def iid(self) -> int:
        """The instance."""

    @property
    def ts(self) -> int:
        """When, ms."""

    @property
    def tenant(self) -> int:
        """Whose."""

    @property
    def events(self) -> tuple[e.AnyEvent, ...]:
        """What happened."""


def notices_of(
    row: Row,
    starter: str,
    title: str,
    graph: Graph,
    members: Members,
    holders: Mapping[int, Holding],
    amount: float | None = None,
    *,
    opening: bool = False,
) -> list[Notice]:
    """The notices of one journal row.

    A reminder goes to whoever holds the task, or to all who may claim it, and to their managers; a return and
    the end go to the starter, a withdrawal to who had it; a mention to whom it names. What is told of a task
    goes to the substitutes of those people as well. Nobody is told of what they did themselves.

    Args:
        row: decoded.
        starter: who started the instance.
        title: the instance's line.
        graph: its definition's.
        members: people as they are now.
        holders: of the open tasks, by token; for a withdrawal those of the tasks that it takes away.
        amount: of the request, which limits substitutes; None for none that is known.
        opening: whether new tasks are told of too.
    """
    found: list[Notice] = []
    organisation = members.organisation

    def tell(people: Iterable[str], kind: str, token: int, actor: str, **params: object) -> None:
        people = list(people)
        if token:
            # Nobody stands in for others in a request of their own.
            excluded = holders.get(token, _NOBODY).excluded
            people += [
                way.substitute
                for person in people
                for way in organisation.substitutes_of(person, graph.key, amount)
                if {starter, *excluded}.isdisjoint((way.substitute, *way.via))
            ]
        for person in dict.fromkeys(people):
            if person and person != actor and person in organisation.people:
                found.append(
                    Notice(
                        row.shard,
                        row.seq,
                        len(found),
                        row.tenant,
                        person,
                        row.ts,
                        kind,
                        row.iid,
                        token,
                        {"title": title, **params},
                    )
                )

    def holding(token: int) -> list[str]:
        held = holders.get(token, _NOBODY)
        if held.assignee:
            return [held.assignee]
        return [person for person in (*held.users, *members.of(held.groups)) if person not in held.excluded]

    def called(token: int, element: int) -> str:
        return holders.get(token, _NOBODY).name or graph.elements[element].name

    def managers(people: Iterable[str]) -> list[str]:
        return [organisation.manager_of(organisation.people[key]) for key in people if key in organisation.people]

    for event in row.events:
        if event.__class__ not in _TOLD:
            continue
        if isinstance(event, e.TaskReminded):
            people = holding(event.token)
            kind = "overdue" if event.share >= 1 else "reminder"
            name = called(event.token, event.element)
            tell([*people, *managers(people)], kind, event.token, "", element=name, share=event.share)
        elif isinstance(event, e.TaskUrged):
            tell(
                holding(event.token), "urged", event.token, event.by, by=organisation.name_of(event.by), text=event.text
            )
        elif isinstance(event, e.TaskReturned):
            by = organisation.name_of(event.by)
            tell([starter], "returned", 0, event.by, by=by, reason=event.reason, element=graph.elements[event.to].name)
        elif isinstance(event, e.TaskTransferred | e.TaskDelegated):
            by, name = organisation.name_of(event.by), holders.get(event.token, _NOBODY).name
            tell([event.to], "assigned", event.token, event.by, by=by, text=event.reason, element=name)
        elif isinstance(event, e.TaskHandedBack):
            by = organisation.name_of(event.by)
            tell([event.to], "handed_back", event.token, event.by, by=by, text=event.comment)
        elif isinstance(event, e.TakenBack) and _is_late(row.events):
            tell([event.by], "taken_back", 0, "", element=graph.elements[event.element].name)
        elif isinstance(event, e.ConsultationOpened):
            by = organisation.name_of(event.by)
            tell([event.person], "consulted", event.consultation, event.by, by=by, text=event.text)
        elif isinstance(event, e.ConsultationAnswered):
            tell([event.asked_by], "answered", 0, event.by, by=organisation.name_of(event.by), text=event.text)
        elif isinstance(event, e.CopiesSent):
            tell(event.people, "copied", 0, "", by=organisation.name_of(event.by), text=event.text)
        elif isinstance(event, e.NobodyFound):
            tell(holding(event.token), "nobody", event.token, "", element=graph.elements[event.element].name)
        elif isinstance(event, e.InstanceRefused):
            by = organisation.name_of(event.by)
            tell([starter], "refused", 0, event.by, by=by, element=graph.elements[event.element].name)
        elif isinstance(event, e.Commented):
            by = organisation.name_of(event.by)
            tell(event.mentions, "mentioned", 0, event.by, by=by, text=event.text)
        elif isinstance(event, e.TaskOpened) and opening and event.token in holders:
            # A task that is closed meanwhile, as that of the start form is at once, is nobody's news.
            kind = "task" if holders[event.token].assignee else "offered"
            tell(holding(event.token), kind, event.token, "", element=called(event.token, event.element))
        elif isinstance(event, e.InstanceCompleted):
            tell([starter], "completed", 0, "")
        elif isinstance(event, e.InstanceTerminated):
            tell([starter], "terminated", 0, event.by, reason=event.reason)
        elif isinstance(event, e.InstanceWithdrawn):
            by = organisation.name_of(event.by)
            for token, held in holders.items():
                # Whom it was only offered to have lost nothing.
                tell([held.assignee], "withdrawn", token, event.by, by=by, text=event.reason)
    return found


def _is_late(events: tuple[e.AnyEvent, ...]) -> bool:
    """Whether what is taken back stands as before only now, after a compensation that somebody else has finished."""
    return not isinstance(events[0], e.TakenBack) and not any(isinstance(event, e.TakeBackBegun) for event in events)
