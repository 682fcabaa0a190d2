"""Tasks, notices and colleagues."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from litestar import get, post
from litestar.params import Parameter

from noria.adapters.http.services import Services
from noria.operate.bulk import BulkAnswer, SeenTask
from noria.operate.finding import Wanted
from noria.operate.office import Caller
from noria.operate.preview_views import Preview
from noria.operate.reading import TaskBox, TaskSort
from noria.operate.views import (
    Counts,
    InstanceAnswer,
    NoticeView,
    Page,
    PersonView,
    TaskDetail,
    TaskView,
)
from noria.operate.wishes import Wish

Limit = Annotated[int, Parameter(ge=1, le=200)]
Offset = Annotated[int, Parameter(ge=0)]


class Versioned(msgspec.Struct):
    """The version of the task that the caller saw; 0 for any."""

    version: int = 0


class Completion(msgspec.Struct):
    """A task's submission.

    Attributes:
        outcome: of an approval "approve", "refuse" or, in a vote, "abstain"; else "".
        resubmit: how a returned request goes on: "step" or "straight"; "" for as who returned it has said.
    """

    variables: dict[str, object] = {}
    comment: str = ""
    version: int = 0
    outcome: Literal["", "approve", "refuse", "abstain"] = ""
    resubmit: Literal["", "step", "straight"] = ""


class ReturnOrder(msgspec.Struct):
    """Where a request goes back to, why, and whether it comes back step by step or straight."""

    to: str
    reason: str
    mode: Literal["step", "straight"] = "step"
    version: int = 0


class TransferOrder(msgspec.Struct):
    """Who gets a task."""

    to: str
    reason: str = ""
    version: int = 0


class Question(msgspec.Struct):
    """Who is asked for an opinion, and what."""

    people: list[str]
    text: str
    version: int = 0


class ApproversOrder(msgspec.Struct):
    """Who is asked besides in an approval, and by which rule among them."""

    people: list[str]
    where: Literal["before", "after", "parallel"]
    mode: Literal["allOf", "anyOf", "inTurn"] = "allOf"
    reason: str = ""
    version: int = 0


class BulkOrder(msgspec.Struct):
    """Tasks in the versions that the caller saw, and the opinion on all of them; `dry_run` does nothing."""

    tasks: list[SeenTask]
    opinion: str = ""
    dry_run: bool = False


class Words(msgspec.Struct):
    """What somebody says."""

    text: str = ""


class Remark(msgspec.Struct):
    """What somebody says, and ids of the people whom it mentions (@)."""

    text: str = ""
    mentions: tuple[str, ...] = ()


@get("/tasks", operation_id="listTasks", tags=["tasks"])
async def list_tasks(
    caller: Caller,
    services: Services,
    wanted: Wanted,
    box: TaskBox = TaskBox.MINE,
    process: str = "",
    sort: TaskSort = TaskSort.DUE,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Page[TaskView]:
    """The caller's tasks; what is looked for as at `listInstances`."""
    return await services.inbox.find(caller, box, process=process, wanted=wanted, sort=sort, limit=limit, offset=offset)


@get("/tasks/counts", operation_id="countTasks", tags=["tasks"])
async def count_tasks(caller: Caller, services: Services) -> Counts:
    """The numbers beside the menu."""
    return await services.inbox.counts(caller)


@get("/tasks/{task_id:str}", operation_id="getTask", tags=["tasks"])
async def get_task(task_id: str, caller: Caller, services: Services) -> TaskDetail:
    """A task with its form and data."""
    return await services.inbox.detail(caller, task_id)


@post("/tasks/{task_id:str}/claim", operation_id="claimTask", tags=["tasks"], status_code=200)
async def claim_task(task_id: str, data: Versioned, caller: Caller, services: Services) -> TaskView:
    """Take a task from its candidates."""
    await services.verbs.on_task(caller, task_id, Wish(verb="claim", version=data.version))
    return await services.inbox.one(caller, task_id)


@post("/tasks/{task_id:str}/unclaim", operation_id="unclaimTask", tags=["tasks"], status_code=200)
async def unclaim_task(task_id: str, data: Versioned, caller: Caller, services: Services) -> TaskView:
    """Put a task back to its candidates."""
    await services.verbs.on_task(caller, task_id, Wish(verb="unclaim", version=data.version))
    return await services.inbox.one(caller, task_id)


@post("/tasks/{task_id:str}/complete", operation_id="completeTask", tags=["tasks"], status_code=200)
async def complete_task(task_id: str, data: Completion, caller: Caller, services: Services) -> InstanceAnswer:
    """Finish a task with its form's values."""
    wish = Wish(
        verb=data.outcome or "complete",
        variables=data.variables,
        reason=data.comment,
        resubmit=data.resubmit,
        version=data.version,
    )
    return InstanceAnswer(await services.verbs.on_task(caller, task_id, wish))


@post("/tasks/{task_id:str}/return", operation_id="returnTask", tags=["tasks"], status_code=200)
async def return_task(task_id: str, data: ReturnOrder, caller: Caller, services: Services) -> InstanceAnswer:
    """Send the request back to an earlier step."""
    wish = Wish(verb="return", to=data.to, reason=data.reason, mode=data.mode, version=data.version)
    return InstanceAnswer(await services.verbs.on_task(caller, task_id, wish))


@post("/tasks/{task_id:str}/transfer", operation_id="transferTask", tags=["tasks"], status_code=200)
async def transfer_task(task_id: str, data: TransferOrder, caller: Caller, services: Services) -> InstanceAnswer:
    """Hand a task over."""
    wish = Wish(verb="transfer", to=data.to, reason=data.reason, version=data.version)
    return InstanceAnswer(await services.verbs.on_task(caller, task_id, wish))


@post("/tasks/{task_id:str}/delegate", operation_id="delegateTask", tags=["tasks"], status_code=200)
async def delegate_task(task_id: str, data: TransferOrder, caller: Caller, services: Services) -> InstanceAnswer:
    """Have somebody deal with a task and give it back."""
    wish = Wish(verb="delegate", to=data.to, reason=data.reason, version=data.version)
    return InstanceAnswer(await services.verbs.on_task(caller, task_id, wish))


@post("/tasks/{task_id:str}/approvers", operation_id="addApprovers", tags=["tasks"], status_code=200)
async def add_approvers(task_id: str, data: ApproversOrder, caller: Caller, services: Services) -> InstanceAnswer:
    """Have more people asked in an approval."""
    wish = Wish(
        verb="add",
        people=tuple(data.people),
        where=data.where,
        mode=data.mode,
        reason=data.reason,
        version=data.version,
    )
    return InstanceAnswer(await services.verbs.on_task(caller, task_id, wish))


@post("/tasks/{task_id:str}/consult", operation_id="consult", tags=["tasks"], status_code=200)
async def consult(task_id: str, data: Question, caller: Caller, services: Services) -> InstanceAnswer:
    """Ask people for their opinion; the task stays with who asks."""
    wish = Wish(verb="consult", people=tuple(data.people), text=data.text, version=data.version)
    return InstanceAnswer(await services.verbs.on_task(caller, task_id, wish))


@post("/tasks/{task_id:str}/answer", operation_id="answerConsultation", tags=["tasks"], status_code=200)
async def answer(task_id: str, data: Words, caller: Caller, services: Services) -> InstanceAnswer:
    """Give the opinion that one was asked for."""
    return InstanceAnswer(await services.verbs.on_task(caller, task_id, Wish(verb="answer", text=data.text)))


@post("/tasks/{task_id:str}/preview", operation_id="previewTask", tags=["tasks"], status_code=200)
async def preview_task(task_id: str, data: Wish, caller: Caller, services: Services) -> Preview:
    """What a verb would do: what it cancels, opens, passes, stops, undoes, and whom it tells. Nothing happens."""
    return await services.verbs.preview_task(caller, task_id, data)


@post("/tasks/{task_id:str}/comment", operation_id="commentTask", tags=["tasks"], status_code=200)
async def comment_task(task_id: str, data: Remark, caller: Caller, services: Services) -> InstanceAnswer:
    """Say something at a task; people who are mentioned are told of it."""
    wish = Wish(verb="comment", text=data.text, mentions=data.mentions)
    return InstanceAnswer(await services.verbs.on_task(caller, task_id, wish))


@post("/tasks/{task_id:str}/urge", operation_id="urgeTask", tags=["tasks"], status_code=200)
async def urge_task(task_id: str, data: Words, caller: Caller, services: Services) -> InstanceAnswer:
    """Ask the holder to hurry."""
    return InstanceAnswer(await services.verbs.on_task(caller, task_id, Wish(verb="urge", text=data.text)))


@post("/tasks/bulk-approve", operation_id="bulkApprove", tags=["tasks"], status_code=200)
async def bulk_approve(data: BulkOrder, caller: Caller, services: Services) -> BulkAnswer:
    """Agree to several tasks at once, where their process allows it; those left out are named with the reason."""
    return await services.bulk.approve(caller, data.tasks, data.opinion, dry_run=data.dry_run)


@get("/people", operation_id="searchPeople", tags=["people"])
async def search_people(caller: Caller, services: Services, q: str = "", limit: Limit = 20) -> Page[PersonView]:
    """Active colleagues by name."""
    return await services.staff.search(caller, q, limit)


@get("/notices", operation_id="listNotices", tags=["notices"])
async def list_notices(
    caller: Caller, services: Services, unread: bool = False, limit: Limit = 50, offset: Offset = 0
) -> Page[NoticeView]:
    """The caller's notices, newest first."""
    return await services.inbox.notices(caller, unread=unread, limit=limit, offset=offset)


@post("/notices/{notice_id:str}/read", operation_id="readNotice", tags=["notices"], status_code=204)
async def read_notice(notice_id: str, caller: Caller, services: Services) -> None:
    """Mark a notice as read."""
    await services.inbox.read_notices(caller, notice_id)


@post("/notices/read-all", operation_id="readAllNotices", tags=["notices"], status_code=204)
async def read_all_notices(caller: Caller, services: Services) -> None:
    """Mark all notices as read."""
    await services.inbox.read_notices(caller)


HANDLERS = [
    list_tasks,
    count_tasks,
    get_task,
    claim_task,
    unclaim_task,
    complete_task,
    return_task,
    transfer_task,
    delegate_task,
    add_approvers,
    preview_task,
    consult,
    answer,
    comment_task,
    urge_task,
    bulk_approve,
    search_people,
    list_notices,
    read_notice,
    read_all_notices,
]
