"""Who may do what: one typed function, deny by default, one table of roles."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Permission(StrEnum):
    """An operation that a role can allow."""

    START = "instances.start"
    WORK = "tasks.work"
    READ_ALL = "instances.read_all"
    OPERATE = "instances.operate"
    MODELS_READ = "models.read"
    DEPLOY = "models.deploy"
    BOARD = "board.read"
    AUDIT = "audit.read"
    PEOPLE = "people.manage"
    JOBS = "jobs.work"
    MESSAGES = "messages.publish"
    CALENDARS = "calendars.manage"
    FACTS = "facts.post"


ROLES: dict[str, frozenset[Permission]] = {
    "employee": frozenset({Permission.START, Permission.WORK}),
    "manager": frozenset({Permission.BOARD, Permission.MODELS_READ}),
    "process_owner": frozenset(
        {
            Permission.READ_ALL,
            Permission.OPERATE,
            Permission.MODELS_READ,
            Permission.DEPLOY,
            Permission.BOARD,
            Permission.CALENDARS,
            Permission.FACTS,
        }
    ),
    "executive": frozenset({Permission.READ_ALL, Permission.BOARD, Permission.MODELS_READ}),
    "auditor": frozenset({Permission.AUDIT, Permission.READ_ALL, Permission.MODELS_READ, Permission.BOARD}),
    "sysadmin": frozenset({Permission.PEOPLE, Permission.MODELS_READ, Permission.CALENDARS}),
    "worker": frozenset({Permission.JOBS, Permission.MESSAGES, Permission.FACTS}),
}
"""What each built-in role allows. Any other role is a candidate group and allows nothing by itself."""

EXCLUSIVE = (frozenset({"sysadmin", "auditor"}), frozenset({"process_owner", "auditor"}))
"""Roles that one person must not hold together (三权分立)."""


class Principal(msgspec.Struct, frozen=True):
    """Who asks.

    Attributes:
        id: person id.
        tenant: whose data they may touch at all.
        permissions: what their roles allow.
        groups: keys under which they are a candidate.
        units: units they manage, those below included.
    """

    id: str
    tenant: int
    permissions: frozenset[Permission]
    groups: tuple[str, ...] = ()
    units: tuple[str, ...] = ()


class TaskFacts(msgspec.Struct, frozen=True):
    """What counts about an open task."""

    assignee: str
    groups: tuple[str, ...]
    users: tuple[str, ...]


class InstanceFacts(msgspec.Struct, frozen=True):
    """What counts about an instance.

    Attributes:
        tenant: whose it is.
        starter: who started it.
        unit: the starter's unit then.
        tasks: its open tasks.
        actors: people who worked on it.
        copied: people who were let know of it.
    """

    tenant: int
    starter: str
    unit: str
    tasks: tuple[TaskFacts, ...] = ()
    actors: frozenset[str] = frozenset()
    copied: frozenset[str] = frozenset()


class Verdict(msgspec.Struct, frozen=True):
    """Whether something is allowed, and the rule that says so."""

    allowed: bool
    reason: str


def permissions_of(roles: tuple[str, ...]) -> frozenset[Permission]:
    """What a set of roles allows together."""
    return frozenset(permission for role in roles for permission in ROLES.get(role, ()))


def exclusive_roles(roles: tuple[str, ...]) -> frozenset[str] | None:
    """A pair of roles that must not meet in one person, None when there is none."""
    return next((pair for pair in EXCLUSIVE if pair <= set(roles)), None)


def may(principal: Principal, permission: Permission) -> Verdict:
    """Whether a role allows an operation."""
    if permission in principal.permissions:
        return Verdict(True, f"role:{permission}")
    return Verdict(False, f"The permission {permission} is missing; ask your administrator.")


def is_candidate(principal: Principal, task: TaskFacts) -> bool:
    """Whether a person may claim a task."""
    return principal.id in task.users or any(group in task.groups for group in principal.groups)


def may_work_on(principal: Principal, task: TaskFacts) -> Verdict:
    """Whether a person may act on an open task: its assignee, or a candidate while nobody holds it."""
    if Permission.WORK not in principal.permissions:
        return may(principal, Permission.WORK)
    if task.assignee == principal.id:
        return Verdict(True, "assignee")
    if task.assignee:
        return Verdict(False, "Somebody else holds this task.")
    if is_candidate(principal, task):
        return Verdict(True, "candidate")
    return Verdict(False, "This task is for others.")


def may_see(principal: Principal, instance: InstanceFacts) -> Verdict:
    """Whether a person may look at an instance."""
    if principal.tenant != instance.tenant:
        return Verdict(False, "There is no such instance.")
    if Permission.READ_ALL in principal.permissions:
        return Verdict(True, f"role:{Permission.READ_ALL}")
    if principal.id == instance.starter:
        return Verdict(True, "starter")
    if instance.unit and instance.unit in principal.units:
        return Verdict(True, "manager of the starter's unit")
    if principal.id in instance.actors:
        return Verdict(True, "worked on it")
    if principal.id in instance.copied:
        return Verdict(True, "has a copy")
    if any(task.assignee == principal.id or is_candidate(principal, task) for task in instance.tasks):
        return Verdict(True, "has a task in it")
    return Verdict(False, "You have no part in this request.")


def may_start(principal: Principal, starter_groups: tuple[str, ...]) -> Verdict:
    """Whether a person may start a process."""
    if Permission.START not in principal.permissions:
        return may(principal, Permission.START)
    if not starter_groups or any(group in starter_groups for group in principal.groups):
        return Verdict(True, "starter group")
    return Verdict(False, "This process is started by others.")
