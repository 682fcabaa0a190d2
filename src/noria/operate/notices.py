"""Notices (通知): who is told what, derived from the events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec

from noria.design.bpmn.graph import Graph
from noria.engine import events as e
from noria.trust.people import Organisation

TOLD_OF = (
    e.TaskReminded,
    e.TaskUrged,
    e.TaskReturned,
    e.TaskTransferred,
    e.TaskDelegated,
    e.TaskHandedBack,
    e.CopiesSent,
    e.NobodyFound,
    e.InstanceRefused,
    e.InstanceCompleted,
    e.InstanceTerminated,
)
"""Events that somebody is told of."""


class Notice(msgspec.Struct, frozen=True):
    """One line for one person.

    Attributes:
        shard, seq, n: the journal row it comes from, and its number there.
        tenant: whose.
        person: who is told.
        at: when, ms.
        kind: "assigned", "reminder", "overdue", "urged", "returned", "handed_back", "copied", "nobody", "refused",
            "completed" or "terminated".
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
    """Who has an open task, or may claim it, and what it is called ("" for the name of its element)."""

    assignee: str = ""
    groups: tuple[str, ...] = ()
    name: str = ""


_NOBODY = Holding()


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
    organisation: Organisation,
    holders: Mapping[int, Holding],
    amount: float | None = None,
) -> list[Notice]:
    """The notices of one journal row.

    A reminder goes to whoever holds the task, or to all who may claim it, and to their managers; a return, the end and
    a withdrawal to the starter or the holders, as it concerns them. What is told of a task goes to the substitutes of
    those people as well. Nobody is told of what they did themselves.

    Args:
        row: decoded.
        starter: who started the instance.
        title: the instance's line.
        graph: its definition's.
        organisation: people as they are now.
        holders: of the open tasks, by token.
        amount: of the request, which limits substitutes; None for none that is known.
    """
    found: list[Notice] = []

    def tell(people: Iterable[str], kind: str, token: int, actor: str, **params: object) -> None:
        people = list(people)
        if token:
            # Nobody stands in for others in a request of their own.
            people += [
                substitute
                for person in people
                for substitute in organisation.substitutes_of(person, graph.key, amount)
                if substitute != starter
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
        return [
            person.id
            for person in organisation.people.values()
            if person.active and any(group in held.groups for group in organisation.groups_of(person))
        ]

    def managers(people: Iterable[str]) -> list[str]:
        return [organisation.manager_of(organisation.people[key]) for key in people if key in organisation.people]

    for event in row.events:
        if isinstance(event, e.TaskReminded):
            people = holding(event.token)
            kind = "overdue" if event.share >= 1 else "reminder"
            name = holders.get(event.token, _NOBODY).name or graph.elements[event.element].name
            tell([*people, *managers(people)], kind, event.token, "", element=name, share=event.share)
        elif isinstance(event, e.TaskUrged):
            tell(
                holding(event.token), "urged", event.token, event.by, by=organisation.name_of(event.by), text=event.text
            )
        elif isinstance(event, e.TaskReturned):
            by = organisation.name_of(event.by)
            tell([starter], "returned", 0, event.by, by=by, reason=event.reason, element=graph.elements[event.to].name)
        elif isinstance(event, e.TaskTransferred | e.TaskDelegated):
            tell([event.to], "assigned", event.token, event.by, by=organisation.name_of(event.by), text=event.reason)
        elif isinstance(event, e.TaskHandedBack):
            by = organisation.name_of(event.by)
            tell([event.to], "handed_back", event.token, event.by, by=by, text=event.comment)
        elif isinstance(event, e.CopiesSent):
            tell(event.people, "copied", 0, "", by=organisation.name_of(event.by), text=event.text)
        elif isinstance(event, e.NobodyFound):
            tell(holding(event.token), "nobody", event.token, "", element=graph.elements[event.element].name)
        elif isinstance(event, e.InstanceRefused):
            by = organisation.name_of(event.by)
            tell([starter], "refused", 0, event.by, by=by, element=graph.elements[event.element].name)
        elif isinstance(event, e.InstanceCompleted):
            tell([starter], "completed", 0, "")
        elif isinstance(event, e.InstanceTerminated):
            tell([starter], "terminated", 0, event.by, reason=event.reason)
    return found
