"""Who may do what: one typed function, deny by default, one table of roles."""

from __future__ import annotations

from enum import StrEnum

import msgspec

DENIED = "permission.denied"
SEPARATED = "task.separated"
"""Code of what somebody may not do because of what they, or who acts with them, did earlier in the same request."""


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
    CHANNELS = "channels.manage"
    DELIVERIES = "deliveries.operate"
    PHRASES = "phrases.manage"
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
            Permission.DELIVERIES,
            Permission.PHRASES,
            Permission.CALENDARS,
            Permission.FACTS,
        }
    ),
    "executive": frozenset({Permission.READ_ALL, Permission.BOARD, Permission.MODELS_READ}),
    "auditor": frozenset({Permission.AUDIT, Permission.READ_ALL, Permission.MODELS_READ, Permission.BOARD}),
    "sysadmin": frozenset(
        {
            Permission.PEOPLE,
            Permission.MODELS_READ,
            Permission.CHANNELS,
            Permission.DELIVERIES,
            Permission.PHRASES,
            Permission.CALENDARS,
        }
    ),
    "worker": frozenset({Permission.JOBS, Permission.MESSAGES, Permission.FACTS}),
}
"""What each built-in role allows. Any other role is a candidate group and allows nothing by itself."""

EXCLUSIVE = (frozenset({"sysadmin", "auditor"}), frozenset({"process_owner", "auditor"}))
"""Roles that one person must not hold together (三权分立)."""


class StandsFor(msgspec.Struct, frozen=True):
    """Somebody for whom the one who asks may act, and how far (代理).

    Attributes:
        principal: person id of whom.
        groups: keys under which that one is a candidate.
        definitions: ids of the definitions that it is about, None for all.
        amount_max: the highest amount, None for any.
        tasks: (instance, token) of the only tasks that it is about still, None for all.
        via: person ids of substitutes between that one and the one who asks, from that one's side.
    """

    principal: str
    groups: tuple[str, ...] = ()
    definitions: frozenset[int] | None = None
    amount_max: float | None = None
    tasks: frozenset[tuple[int, int]] | None = None
    via: tuple[str, ...] = ()

    def about(self, task: TaskFacts) -> bool:
        """Whether a task is that one's, in a process that it is about; whatever the amount."""
        held = task.assignee == self.principal or (
            not task.assignee and (self.principal in task.users or any(group in task.groups for group in self.groups))
        )
        within = self.definitions is None or task.definition in self.definitions
        return held and within and (self.tasks is None or task.place in self.tasks)

    def allows(self, amount: float | None) -> bool:
        """Whether an amount, None for one that is not known, is not too high."""
        return self.amount_max is None or (amount is not None and amount <= self.amount_max)


class Principal(msgspec.Struct, frozen=True):
    """Who asks.

    Attributes:
        id: person id.
        tenant: whose data they may touch at all.
        permissions: what their roles allow.
        groups: keys under which they are a candidate.
        units: units they manage, those below included.
        stands_for: whose substitute they are now.
        limited: for those who administer: the substitutions of all that have a highest amount.
    """

    id: str
    tenant: int
    permissions: frozenset[Permission]
    groups: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    stands_for: tuple[StandsFor, ...] = ()
    limited: tuple[StandsFor, ...] = ()


class TaskFacts(msgspec.Struct, frozen=True):
    """What counts about an open task.

    Attributes:
        assignee: who has it, "" for nobody.
        groups, users: who may claim it.
        excluded: who may not do it, because they did something earlier.
        starter: who started its instance.
        definition: id of the definition.
        amount: of the request, None for none that is known.
        place: (instance, token).
    """

    assignee: str
    groups: tuple[str, ...]
    users: tuple[str, ...]
    excluded: tuple[str, ...] = ()
    starter: str = ""
    definition: int = 0
    amount: float | None = None
    place: tuple[int, int] = (0, 0)


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
    """Whether something is allowed, and the rule that says so.

    Attributes:
        allowed: whether it is.
        reason: the rule, or a sentence for who is denied.
        code: stable code of a denial.
        owner: person id of whom a task is done for, "" where there is none.
        via: of a substitute of a substitute, who is in between, from the owner's side.
    """

    allowed: bool
    reason: str
    code: str = DENIED
    owner: str = ""
    via: tuple[str, ...] = ()


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
    """Whether a person may act on an open task: its assignee, a candidate while nobody holds it, or a substitute.

    Whoever did something earlier that excludes them may not, whether they act for themselves or for somebody; nor may
    a substitute act for somebody who is excluded, or by way of such a one. Nobody acts as a substitute in a request of
    their own, nor has somebody act in it by way of themselves.
    """
    if Permission.WORK not in principal.permissions:
        return may(principal, Permission.WORK)
    if task.assignee == principal.id:
        # Excluded or not: what they may not do they may still hand on; the engine refuses the rest.
        return Verdict(True, "assignee", owner=principal.id)
    own = not task.assignee and is_candidate(principal, task)
    if own and principal.id not in task.excluded:
        return Verdict(True, "candidate", owner=principal.id)
    for stands in principal.stands_for:
        if stands.about(task) and _hindrance(principal, stands, task) is None:
            return Verdict(True, "substitute", owner=stands.principal, via=stands.via)
    if own:
        return Verdict(False, "You did an earlier step of this request that excludes you here.", SEPARATED)
    for stands in principal.stands_for:
        hindrance = _hindrance(principal, stands, task) if stands.about(task) else None
        if hindrance is not None:
            return hindrance
    if task.assignee:
        return Verdict(False, "Somebody else holds this task.")
    return Verdict(False, "This task is for others.")


def _hindrance(principal: Principal, stands: StandsFor, task: TaskFacts) -> Verdict | None:
    """Why a substitute may not act on a task of the one they stand in for, None when they may."""
    if task.starter in (principal.id, *stands.via):
        return Verdict(False, "Nobody decides a request of their own for somebody else.", "substitute.own_request")
    if not {principal.id, *stands.via, stands.principal}.isdisjoint(task.excluded):
        text = "You, or the one you stand in for, did an earlier step of this request that excludes you here."
        return Verdict(False, text, SEPARATED)
    if not stands.allows(task.amount):
        text = "The amount is higher than you may decide as a substitute; an administrator hands the task on."
        return Verdict(False, text, "substitute.beyond_limit")
    return None


def may_reassign(principal: Principal, task: TaskFacts) -> Verdict:
    """Whether an administrator may hand a task on: one that is too much for the substitute of whose it is."""
    for stands in principal.limited:
        if stands.about(task) and not stands.allows(task.amount):
            return Verdict(True, "beyond the limit of a substitute", owner=stands.principal)
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
    if any(may_work_on(principal, task).allowed for task in instance.tasks):
        return Verdict(True, "has a task in it as a substitute")
    return Verdict(False, "You have no part in this request.")


def may_start(principal: Principal, starter_groups: tuple[str, ...]) -> Verdict:
    """Whether a person may start a process."""
    if Permission.START not in principal.permissions:
        return may(principal, Permission.START)
    if not starter_groups or any(group in starter_groups for group in principal.groups):
        return Verdict(True, "starter group")
    return Verdict(False, "This process is started by others.")
