"""Where lists begin: sets of keys that indexes give at once, and that hold all that a person may see.

A condition of the policy is exact and knows no index; a list joins it to one of these sets, so that it is asked only of
what can be concerned. Sets for whole instances are cut at `COUNTED_MAX`, newest first: nobody pages further.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from noria.adapters.database import schema as t
from noria.operate.ids import shard_of
from noria.operate.notices import SHOWING
from noria.operate.reading import COUNTED_MAX, TaskBox
from noria.trust.policy import Principal

Where = sa.ColumnElement[bool]
Keys = sa.Select[Any]
_PROXIED = sa.text("visit.proxy <> ''")
_IN_A_UNIT = sa.text("inst.unit <> ''")
"""As the indexes of what substitutes did and of units say it: with a parameter they would not be used."""
_UNITS_EACH = 4
"""So many units are looked up one by one; a manager of more sees so much that the newest are found at once."""


def shard_in(iid: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The shard that an instance's id holds, as `ids.shard_of` does."""
    return iid.op(">>")(sa.literal_column("12")).op("&")(sa.literal_column("1023"))


def is_instance(table: sa.Table, iid: int) -> Where:
    """Whether a row belongs to an instance, by its key."""
    return sa.and_(table.c.shard == shard_of(iid), table.c.iid == iid)


class _Ids(sa.types.TypeDecorator[list[int]]):
    """Ids as one parameter: an array of PostgreSQL, a JSON text for SQLite."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        array = sa.ARRAY(sa.BigInteger)
        return dialect.type_descriptor(array if dialect.name == "postgresql" else sa.Text())

    def process_bind_param(self, value: list[int] | None, dialect: sa.Dialect) -> Any:
        return value if dialect.name == "postgresql" else json.dumps(value)


class _Each(FunctionElement[int]):
    """The ids of a parameter as rows."""

    name = "each"
    inherit_cache = True


@compiles(_Each, "postgresql")
def _unnest(element: _Each, compiler: SQLCompiler, **given: Any) -> str:
    return f"unnest({compiler.process(element.clauses, **given)})"


@compiles(_Each, "sqlite")
def _json_each(element: _Each, compiler: SQLCompiler, **given: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **given)})"


def is_among(table: sa.Table, iids: Iterable[int]) -> Where:
    """Whether a row belongs to one of these instances, by its key.

    As pairs: with a list of shards and one of ids PostgreSQL would look through all that these shards have.
    """
    found = _Each(sa.bindparam(None, sorted(set(iids)), type_=_Ids(), unique=True))
    # So both databases call the one column of such rows by the name that is given to them.
    iid = found.table_valued(sa.column("value", t.Int), name="value").c.value
    return sa.tuple_(table.c.shard, table.c.iid).in_(sa.select(shard_in(iid), iid))


def is_one_of(table: sa.Table, iids: Sequence[int]) -> Where:
    """The same of a few, which a condition among others may have: each is written out, so that it can be begun with."""
    return sa.and_(table.c.shard.in_({shard_of(iid) for iid in iids}), table.c.iid.in_(iids))


def on_instance(found: sa.FromClause) -> Where:
    """Joins `inst` to a set of ids, by its key."""
    return sa.and_(t.inst.c.shard == shard_in(found.c.iid), t.inst.c.iid == found.c.iid)


def on_task(found: sa.FromClause) -> Where:
    """Joins `task` to a set of keys."""
    k = t.task.c
    return sa.and_(k.shard == found.c.shard, k.iid == found.c.iid, k.tok == found.c.tok)


def _held(tenant: int, person: str) -> Keys:
    k = t.task.c
    return sa.select(k.shard, k.iid, k.tok).where(k.tenant == tenant, k.assignee == person)


def _offered(tenant: int, person: str, groups: Sequence[str]) -> list[Keys]:
    c = t.candidate.c
    found = sa.select(c.shard, c.iid, c.tok).where(c.tenant == tenant)
    return [
        found.where(c.kind == "u", c.name == person),
        found.where(c.kind == "g", c.name.in_(groups or ("",))),
    ]


def is_untaken() -> Where:
    """Whether nobody holds a row of `task`; said so that the index of assignees, which has them all, is not taken."""
    return sa.func.coalesce(t.task.c.assignee, "") == ""


def tasks_of(who: Principal, box: TaskBox | None) -> sa.Subquery:
    """Keys of the open tasks that a person holds or is offered, for himself or for somebody.

    Args:
        who: the person.
        box: MINE: only held ones; GROUP: only offered ones; QUEUE: of those whose substitutes have a limit.
    """
    others = who.limited if box is TaskBox.QUEUE else who.stands_for
    people = [(stands.principal, stands.groups) for stands in others]
    if box is not TaskBox.QUEUE:
        people.append((who.id, who.groups))
    parts: list[Keys] = []
    for person, groups in people:
        parts += [] if box is TaskBox.GROUP else [_held(who.tenant, person)]
        parts += [] if box is TaskBox.MINE else _offered(who.tenant, person, groups)
    # Nobody has a task of tenant -1: a set that is empty.
    return sa.union(*(parts or [_held(-1, who.id)])).subquery("seed")


def done_by(who: Principal) -> list[Keys]:
    """Visits that a person closed, and those that he closed for somebody; the sets have nothing in common."""
    v = t.visit.c
    closed = sa.select(v.iid, v.tok, v.closed, v.definition).where(v.tenant == who.tenant, v.human == 1, v.closed > 0)
    return [closed.where(v.actor == who.id), closed.where(v.proxy == who.id, _PROXIED)]


def copied_to(who: Principal) -> Keys:
    """Instances that a person was let know of."""
    n = t.notice.c
    return sa.select(n.iid).where(n.tenant == who.tenant, n.person == who.id, n.kind.in_(sorted(SHOWING)))


def instances_seen_by(
    who: Principal,
    where: Sequence[Where],
    has_task: Where,
    only: Sequence[int] | None = None,
    *,
    only_open: bool = False,
    definitions: Sequence[int] | None = None,
) -> sa.Subquery:
    """Ids of the instances that a person may see, and that fit: `noria.trust.policy.may_see` from the indexes' side.

    Args:
        who: the person.
        where: what else must hold for the row of `inst`.
        has_task: whether a row of `task`, joined with `inst`, gives the person a part in it as a substitute.
        only: the instances that `where` leaves, where they are known.
        only_open: whether `where` leaves those that are open.
        definitions: where it also leaves those of these alone.
    """
    c, v = t.inst.c, t.visit.c
    own = sa.select(c.iid).where(c.tenant == who.tenant, *where)
    # Of a few that are known nothing need be put in order.
    parts = [own.where(c.starter == who.id) if only is not None else newest(own.where(c.starter == who.id))]
    parts += of_units(who, own, in_order=only is None)
    # What has an open task is open: its instance need not be looked at for that.
    simply = only_open and only is None
    of_tasks = [t.task.c.definition.in_(definitions)] if simply and definitions is not None else []
    held = sa.select(_held(who.tenant, who.id).where(*of_tasks).subquery().c.iid)
    parts.append(held if simply else fitting(held, where))
    for keys in _offered(who.tenant, who.id, who.groups):
        offered = keys.subquery()
        joined = offered.join(t.task, on_task(offered))
        untaken = sa.select(offered.c.iid).select_from(joined).where(is_untaken(), *of_tasks)
        parts.append(untaken if simply else fitting(untaken, where))
    if who.stands_for:
        seed = tasks_of(who, None)
        open_ones = seed.join(t.task, on_task(seed)).join(t.inst, on_instance(seed))
        parts.append(sa.select(seed.c.iid).select_from(open_ones).where(has_task, *where))
    visits = sa.select(v.iid, v.closed).where(v.tenant == who.tenant)
    if only is not None:
        visits = visits.where(v.iid.in_(only))
    elif not where:
        # Who started something lately has closed what came of it lately, too.
        visits = visits.order_by(v.closed.desc()).limit(COUNTED_MAX + 1)
    # By each value of `human`, so that the index gives them in order.
    did = [*(sa.and_(v.actor == who.id, v.human == human) for human in (0, 1)), sa.and_(v.proxy == who.id, _PROXIED)]
    if only_open:
        # What was closed before the oldest of them began is of none of them.
        oldest = sa.select(sa.func.min(c.started)).where(c.tenant == who.tenant, *where).scalar_subquery()
        did = [sa.and_(one, when) for one in did for when in (v.closed == 0, v.closed >= oldest)]
    parts += [*(fitting(visits.where(one), where) for one in did), fitting(copied_to(who), where)]
    return sa.union(*(sa.select(part.subquery().c.iid) for part in parts)).subquery("seen")


def of_units(who: Principal, own: Keys, *, in_order: bool = True) -> list[Keys]:
    """Of some instances those of the units that a person manages, newest first unless that is of no use."""
    c = t.inst.c
    if not in_order:
        return [own.where(c.unit.in_(who.units), _IN_A_UNIT)] if who.units else []
    if len(who.units) <= _UNITS_EACH:
        return [newest(own.where(c.unit == unit, _IN_A_UNIT)) for unit in who.units]
    # Not by the index of units: with many of them the newest come at once in the order of time.
    return [newest(own.where(sa.func.coalesce(c.unit, "").in_(who.units)))]


def newest(query: Keys) -> Keys:
    """Of ids of `inst` the newest, as many as are counted."""
    return query.order_by(t.inst.c.started.desc()).limit(COUNTED_MAX + 1)


def fitting(ids: Keys, where: Sequence[Where]) -> Keys:
    """Of some ids those whose row of `inst` fits."""
    if not where:
        return ids
    found = ids.subquery()
    return sa.select(t.inst.c.iid).join(found, on_instance(found)).where(*where)
