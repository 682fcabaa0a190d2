"""The permission policy (`noria.trust.policy`) as conditions on rows: what is in them must be what the policy says."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from noria.adapters.database import schema as t
from noria.operate.reading import TaskBox
from noria.trust.policy import Principal, StandsFor

Where = sa.ColumnElement[bool]


def _is_candidate(tenant: int, person: str, groups: Sequence[str]) -> Where:
    """Whether somebody may claim a row of `task`."""
    c = t.candidate.c
    named = sa.or_(sa.and_(c.kind == "u", c.name == person), sa.and_(c.kind == "g", c.name.in_(groups or ("",))))
    of_task = sa.and_(c.shard == t.task.c.shard, c.iid == t.task.c.iid, c.tok == t.task.c.tok, c.tenant == tenant)
    return sa.select(sa.literal(1)).where(of_task, named).exists()


def excluded(tenant: int, *people: str) -> Where:
    """Whether one of these people did something earlier that keeps them from a row of `task`."""
    c = t.candidate.c
    of_task = sa.and_(
        c.shard == t.task.c.shard, c.iid == t.task.c.iid, c.tok == t.task.c.tok, c.tenant == tenant, c.kind == "x"
    )
    return sa.select(sa.literal(1)).where(of_task, c.name.in_(people)).exists()


def _holds(tenant: int, person: str, groups: Sequence[str], box: TaskBox | None) -> Where:
    """Whether somebody has a row of `task` (MINE), may claim it (GROUP), or either."""
    mine = t.task.c.assignee == person
    group = sa.and_(t.task.c.assignee == "", _is_candidate(tenant, person, groups))
    return mine if box is TaskBox.MINE else group if box is TaskBox.GROUP else sa.or_(mine, group)


def _stands_for(who: Principal, stands: StandsFor, box: TaskBox | None) -> Where:
    """Whether a row of `task` may be done for somebody, whatever the amount; `StandsFor.about` as a condition."""
    parts = [_holds(who.tenant, stands.principal, stands.groups, box)]
    if stands.definitions is not None:
        parts.append(t.task.c.definition.in_(stands.definitions))
    if stands.tasks is not None:
        parts.append(sa.tuple_(t.task.c.iid, t.task.c.tok).in_(sorted(stands.tasks)))
    return sa.and_(*parts)


def _beyond(stands: StandsFor) -> Where:
    """Whether the amount of a row of `inst` is too high for a substitute, or not known where there is a limit."""
    amount = t.inst.c.amount
    return sa.false() if stands.amount_max is None else sa.or_(amount.is_(None), amount > stands.amount_max)


def may_work_on(who: Principal, box: TaskBox | None) -> Where:
    """`noria.trust.policy.may_work_on` as a condition on `task` joined with `inst`."""
    mine = t.task.c.assignee == who.id
    may_claim = sa.and_(_holds(who.tenant, who.id, who.groups, TaskBox.GROUP), sa.not_(excluded(who.tenant, who.id)))
    ways = [mine] if box is TaskBox.MINE else [may_claim] if box is TaskBox.GROUP else [mine, may_claim]
    return sa.or_(*ways, *_as_substitute(who, box))


def _as_substitute(who: Principal, box: TaskBox | None) -> list[Where]:
    """The ways in which a row of `task` joined with `inst` may be done for somebody else."""
    return [
        sa.and_(
            _stands_for(who, stands, box),
            t.inst.c.starter.not_in((who.id, *stands.via)),
            sa.not_(_beyond(stands)),
            sa.not_(excluded(who.tenant, who.id, *stands.via, stands.principal)),
        )
        for stands in who.stands_for
    ]


def may_reassign(who: Principal) -> Where:
    """`noria.trust.policy.may_reassign` as a condition on `task` joined with `inst`."""
    return sa.or_(sa.false(), *(sa.and_(_stands_for(who, stands, None), _beyond(stands)) for stands in who.limited))
