"""Queries that the screens need, as a port; every answer is under the permission policy."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from noria.operate.terms import Clause
from noria.trust.policy import InstanceFacts, Principal

COUNTED_MAX = 1_000
"""Lists of instances are counted up to this; a total of as many says: at least."""


class TaskBox(StrEnum):
    """Which of a person's tasks; QUEUE is what an administrator must hand on, because no substitute may do it."""

    MINE = "mine"
    GROUP = "group"
    DONE = "done"
    QUEUE = "queue"


class TaskSort(StrEnum):
    """In which order."""

    DUE = "due"
    CREATED = "created"
    PRIORITY = "priority"


class InstanceBox(StrEnum):
    """Which instances."""

    STARTED = "started"
    COPIED = "copied"
    UNIT = "unit"
    ALL = "all"


class InstanceStatus(StrEnum):
    """In which state."""

    OPEN = "open"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"
    TERMINATED = "terminated"
    FAILED = "failed"
    REFUSED = "refused"
    VOIDED = "voided"
    ALL = "all"


class Search(msgspec.Struct, frozen=True):
    """What is looked for in the index.

    Attributes:
        clauses: all of them must hold.
        number: the words as they were given, which may be the whole of a business key; "" for none.
    """

    clauses: tuple[Clause, ...]
    number: str = ""


class InstanceFields(msgspec.Struct):
    """An instance's columns in a list."""

    iid: int
    definition: int
    bkey: str
    title: str
    summary: str
    starter: str
    status: int
    started: int
    ended: int
    round: int
    incidents: int


class TaskFields(msgspec.Struct):
    """A task's columns in a list; `closed` and `outcome` are set for those that are done.

    `name` is "" when the task is called as its element. `proxy` did a closed one for its assignee, "" for nobody.
    `provisional` tells that the due date is; `opinion` that only that is asked for.
    """

    iid: int
    tok: int
    definition: int
    element: int
    assignee: str
    created: int
    due: int
    prio: int
    round: int
    version: int
    claimed: int
    closed: int
    bkey: str
    title: str
    summary: str
    starter: str
    groups: list[str] = []
    name: str = ""
    users: list[str] = []
    excluded: list[str] = []
    amount: float | None = None
    proxy: str = ""
    provisional: int = 0
    opinion: int = 0


class ProcessCounts(msgspec.Struct):
    """Numbers of one process over all its versions."""

    open_instances: int = 0
    open_tasks: int = 0
    overdue_tasks: int = 0
    incidents: int = 0


class NoticeFields(msgspec.Struct):
    """A notice's columns."""

    shard: int
    seq: int
    n: int
    at: int
    kind: str
    iid: int
    tok: int
    params: str
    read: int


class VisitFields(msgspec.Struct):
    """An open visit: since when a token is where it is."""

    tok: int
    element: int
    entered: int


class Lists(Protocol):
    """Lists and counts, all read-your-writes: what was committed before a question is in its answer.

    What a projection serves (what was done or copied, everything that is looked for) waits until that has come so far.
    """

    async def tasks(
        self,
        who: Principal,
        box: TaskBox,
        *,
        definitions: Sequence[int] | None,
        search: Search | None,
        sort: TaskSort,
        limit: int,
        offset: int,
    ) -> tuple[list[TaskFields], int]:
        """Tasks of a person, and how many there are."""
        ...

    async def open_tasks(self, iids: Sequence[int]) -> list[TaskFields]:
        """The open tasks of some instances."""
        ...

    async def counts(self, who: Principal) -> tuple[int, int, int, int, int, int]:
        """Numbers of my, my groups', done and started, of unread notices, and of the administrators' queue."""
        ...

    async def instances(
        self,
        who: Principal,
        box: InstanceBox,
        *,
        definitions: Sequence[int] | None,
        status: InstanceStatus,
        search: Search | None,
        limit: int,
        offset: int,
    ) -> tuple[list[InstanceFields], int]:
        """Instances that a person may see, newest first, and how many there are."""
        ...

    async def instance_facts(self, iid: int) -> InstanceFacts | None:
        """What counts for the policy about one instance."""
        ...

    async def worked_at(self, iid: int, person: str) -> list[int]:
        """Indexes of the elements of an instance where a person did something."""
        ...

    async def visited(self, tenant: int, places: Sequence[tuple[int, int]], since_ms: int, limit: int) -> list[int]:
        """Instances that have left one of these elements (definition, element) since, the newest first."""
        ...

    async def usual_ms(self, tenant: int, definition: int) -> dict[int, int]:
        """How long the tasks of each element of a definition usually took lately: element index → median, ms."""
        ...

    async def process_counts(self, tenant: int, definitions: Sequence[int], now_ms: int) -> ProcessCounts:
        """Numbers of one process."""
        ...

    async def open_per_definition(self, tenant: int) -> dict[int, int]:
        """Open instances of each definition."""
        ...

    async def notices(self, who: Principal, *, unread: bool, limit: int, offset: int) -> tuple[list[NoticeFields], int]:
        """Notices of a person, newest first."""
        ...

    async def read_notices(self, who: Principal, notice: tuple[int, int, int] | None, now_ms: int) -> None:
        """Mark one notice, or all, as read."""
        ...
