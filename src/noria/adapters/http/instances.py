"""Instances, their timeline and audit, and uploaded files."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import quote

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body, Parameter

from noria.adapters.http.ids import instance_number
from noria.adapters.http.services import Services
from noria.adapters.http.tasks import Limit, Offset, Remark, Words
from noria.kernel.instants import parse_instant
from noria.operate.auditing import AuditFilter
from noria.operate.finding import Wanted
from noria.operate.office import Caller
from noria.operate.preview_views import Preview
from noria.operate.reading import InstanceBox, InstanceStatus
from noria.operate.reason_views import Why
from noria.operate.views import (
    Attachment,
    AuditEntry,
    AuditList,
    DecisionsMade,
    InstanceBrief,
    InstanceDetail,
    Page,
    PathView,
    StateAt,
    Timeline,
)
from noria.operate.wishes import Wish


class StartOrder(msgspec.Struct):
    """What to start, and its form's values."""

    process: str
    variables: dict[str, object] = {}
    business_key: str = ""


class Upload(msgspec.Struct):
    """One file, in the part named ``file``."""

    file: UploadFile


class CopyOrder(msgspec.Struct):
    """Who is let know, and what they are told."""

    people: list[str]
    text: str = ""


class OnePerson(msgspec.Struct):
    """A person."""

    person: str


class Reason(msgspec.Struct):
    """Why."""

    reason: str = ""


@get("/instances", operation_id="listInstances", tags=["instances"])
async def list_instances(
    caller: Caller,
    services: Services,
    wanted: Wanted,
    box: InstanceBox = InstanceBox.ALL,
    process: str = "",
    status: InstanceStatus = InstanceStatus.ALL,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Page[InstanceBrief]:
    """Instances that the caller may see, newest first.

    `q` finds words; `starter`, `holder` and `actor` people by their ids; `field`, which may be given several times,
    values of form fields: a name, one of `=`, `>`, `>=`, `<`, `<=`, `~` (has the words), and a value.
    """
    return await services.cases.find(
        caller, box, process=process, status=status, wanted=wanted, limit=limit, offset=offset
    )


@post("/instances", operation_id="startInstance", tags=["instances"], status_code=201)
async def start_instance(data: StartOrder, caller: Caller, services: Services) -> InstanceBrief:
    """Start a process."""
    return await services.cases.start(caller, data.process, data.variables, data.business_key)


@get("/instances/{instance_id:str}", operation_id="getInstance", tags=["instances"])
async def get_instance(instance_id: str, caller: Caller, services: Services) -> InstanceDetail:
    """One instance."""
    return await services.cases.detail(caller, instance_number(instance_id))


@get("/instances/{instance_id:str}/path", operation_id="getPath", tags=["instances"])
async def get_path(instance_id: str, caller: Caller, services: Services) -> PathView:
    """Who will probably be asked, and when, if all decide as hoped."""
    return await services.paths.of_instance(caller, instance_number(instance_id))


@post("/instances/path", operation_id="foreseePath", tags=["instances"], status_code=200)
async def foresee_path(data: StartOrder, caller: Caller, services: Services) -> PathView:
    """Who would probably be asked, and when, were a process started like this. Nothing is started."""
    return await services.paths.of_start(caller, data.process, data.variables)


@get("/instances/{instance_id:str}/timeline", operation_id="getTimeline", tags=["instances"])
async def get_timeline(instance_id: str, caller: Caller, services: Services) -> Timeline:
    """What happened, oldest first."""
    return await services.cases.timeline(caller, instance_number(instance_id))


@get("/instances/{instance_id:str}/reasons", operation_id="getReasons", tags=["instances"])
async def get_reasons(instance_id: str, caller: Caller, services: Services) -> Page[Why]:
    """Why an instance went the way it went: which fork by which condition, which rows, which facts of the outside."""
    return await services.cases.reasons(caller, instance_number(instance_id))


@get("/instances/{instance_id:str}/decisions", operation_id="getDecisions", tags=["instances"])
async def get_decisions(instance_id: str, caller: Caller, services: Services) -> DecisionsMade:
    """The decisions of an instance, oldest first; why each came out so for who may read models."""
    return await services.cases.decisions(caller, instance_number(instance_id))


@get("/instances/{instance_id:str}/state", operation_id="getStateAt", tags=["instances"])
async def get_state(instance_id: str, at: str, caller: Caller, services: Services) -> StateAt:
    """The instance as it was at an instant."""
    return await services.cases.state_at(caller, instance_number(instance_id), at)


@get("/instances/{instance_id:str}/audit", operation_id="getInstanceAudit", tags=["audit"])
async def get_instance_audit(instance_id: str, caller: Caller, services: Services) -> AuditList:
    """Every command on the instance, with fields before and after."""
    return await services.auditing.of_instance(caller, instance_number(instance_id))


@post("/instances/{instance_id:str}/withdraw", operation_id="withdrawInstance", tags=["instances"], status_code=200)
async def withdraw(instance_id: str, data: Reason, caller: Caller, services: Services) -> InstanceBrief:
    """Take one's own request back."""
    return await services.verbs.on_instance(
        caller, instance_number(instance_id), Wish(verb="withdraw", reason=data.reason)
    )


@post("/instances/{instance_id:str}/take-back", operation_id="takeBack", tags=["instances"], status_code=200)
async def take_back(instance_id: str, caller: Caller, services: Services) -> InstanceBrief:
    """Take back what one has done to a request last, as long as it has had no effect."""
    return await services.verbs.on_instance(caller, instance_number(instance_id), Wish(verb="take_back"))


@post("/instances/{instance_id:str}/copies", operation_id="sendCopies", tags=["instances"], status_code=200)
async def send_copies(instance_id: str, data: CopyOrder, caller: Caller, services: Services) -> InstanceBrief:
    """Let people know of a request."""
    wish = Wish(verb="copy", people=tuple(data.people), text=data.text)
    return await services.verbs.on_instance(caller, instance_number(instance_id), wish)


@post(
    "/instances/{instance_id:str}/approvers/remove",
    operation_id="removeApprover",
    tags=["instances"],
    status_code=200,
)
async def remove_approver(instance_id: str, data: OnePerson, caller: Caller, services: Services) -> InstanceBrief:
    """Take back that a person is asked whom one had asked."""
    return await services.verbs.on_instance(caller, instance_number(instance_id), Wish(verb="remove", to=data.person))


@post("/instances/{instance_id:str}/preview", operation_id="previewInstance", tags=["instances"], status_code=200)
async def preview(instance_id: str, data: Wish, caller: Caller, services: Services) -> Preview:
    """What a verb would do: what it cancels, opens, passes, stops, undoes, and whom it tells. Nothing happens."""
    return await services.verbs.preview_instance(caller, instance_number(instance_id), data)


@post("/instances/{instance_id:str}/urge", operation_id="urgeInstance", tags=["instances"], status_code=200)
async def urge(instance_id: str, data: Words, caller: Caller, services: Services) -> InstanceBrief:
    """Ask all holders to hurry."""
    return await services.verbs.on_instance(caller, instance_number(instance_id), Wish(verb="urge", text=data.text))


@post("/instances/{instance_id:str}/cancel", operation_id="cancelInstance", tags=["instances"], status_code=200)
async def cancel(instance_id: str, data: Reason, caller: Caller, services: Services) -> InstanceBrief:
    """End an instance as an operator."""
    return await services.verbs.on_instance(
        caller, instance_number(instance_id), Wish(verb="cancel", reason=data.reason)
    )


@post("/instances/{instance_id:str}/void", operation_id="voidInstance", tags=["instances"], status_code=200)
async def void(instance_id: str, data: Reason, caller: Caller, services: Services) -> InstanceBrief:
    """Declare a completed request void."""
    return await services.verbs.on_instance(caller, instance_number(instance_id), Wish(verb="void", reason=data.reason))


@post("/instances/{instance_id:str}/restart", operation_id="restartInstance", tags=["instances"], status_code=200)
async def restart(instance_id: str, data: Reason, caller: Caller, services: Services) -> InstanceBrief:
    """Have a request that was refused, withdrawn, terminated or voided be as it was before."""
    return await services.verbs.on_instance(
        caller, instance_number(instance_id), Wish(verb="restart", reason=data.reason)
    )


@post("/instances/{instance_id:str}/comment", operation_id="commentInstance", tags=["instances"], status_code=200)
async def comment(instance_id: str, data: Remark, caller: Caller, services: Services) -> InstanceBrief:
    """Say something about an instance."""
    wish = Wish(verb="comment", text=data.text, mentions=data.mentions)
    return await services.verbs.on_instance(caller, instance_number(instance_id), wish)


@post(
    "/instances/{instance_id:str}/incidents/{incident_id:int}/retry",
    operation_id="retryIncident",
    tags=["instances"],
    status_code=200,
)
async def retry(instance_id: str, incident_id: int, caller: Caller, services: Services) -> InstanceBrief:
    """Try again what stands still."""
    return await services.verbs.on_instance(
        caller, instance_number(instance_id), Wish(verb="retry", incident=incident_id)
    )


@get("/instances/{instance_id:str}/pdf", operation_id="printInstance", tags=["instances"])
async def print_pdf(
    instance_id: str, caller: Caller, services: Services, language: Literal["zh-CN", "en"] = "zh-CN"
) -> Response[bytes]:
    """A request that has ended, as a PDF with its fields, decisions and a stamp."""
    number, content = await services.printing.pdf(caller, instance_number(instance_id), language)
    name = quote(f"{number or instance_id}.pdf")
    return Response(
        content,
        media_type="application/pdf",
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}", "Cache-Control": "no-store"},
    )


@get("/audit", operation_id="searchAudit", tags=["audit"])
async def search_audit(
    caller: Caller,
    services: Services,
    actor: str = "",
    action: str = "",
    subject: Annotated[str, Parameter(query="object")] = "",
    outcome: str = "",
    start: Annotated[str, Parameter(query="from")] = "",
    end: Annotated[str, Parameter(query="to")] = "",
    limit: Limit = 50,
    offset: Offset = 0,
) -> Page[AuditEntry]:
    """The audit trail, newest first."""
    wanted = AuditFilter(
        actor, action, subject, outcome, parse_instant(start) if start else 0, parse_instant(end) if end else 2**62
    )
    return await services.auditing.find(caller, wanted, limit, offset)


# Files


@post("/attachments", operation_id="uploadAttachment", tags=["attachments"], status_code=201)
async def upload(
    data: Annotated[Upload, Body(media_type=RequestEncodingType.MULTI_PART)],
    caller: Caller,
    services: Services,
) -> Attachment:
    """Upload a file; equal contents are stored once."""
    file = data.file
    # One byte more than is taken, so that what is too large is seen without reading all of it.
    content = await file.read(services.upload_bytes_max + 1)
    return await services.attachments.store(
        caller, file.filename or "", file.content_type or "", content, services.upload_bytes_max
    )


@get("/attachments/{hashed:str}", operation_id="downloadAttachment", tags=["attachments"])
async def download(hashed: str, caller: Caller, services: Services) -> Response[bytes]:
    """Download a file that one uploaded, or that an instance one may see names."""
    name, media_type, content = await services.cases.file(caller, hashed)
    return Response(
        content,
        media_type=media_type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cache-Control": "private, max-age=3600",
        },
    )


@get("/attachments/{hashed:str}/pages/{page:int}", operation_id="previewAttachment", tags=["attachments"])
async def preview_page(hashed: str, page: int, caller: Caller, services: Services) -> Response[bytes]:
    """A page of a PDF as a PNG; the header `X-Pages` says how many there are."""
    png, pages = await services.attachments.preview(caller, hashed, page)
    headers = {"Cache-Control": "private, max-age=3600", "X-Pages": str(pages)}
    return Response(png, media_type="image/png", headers=headers)


HANDLERS = [
    preview_page,
    list_instances,
    start_instance,
    get_instance,
    get_path,
    foresee_path,
    get_timeline,
    get_decisions,
    get_reasons,
    get_state,
    get_instance_audit,
    withdraw,
    take_back,
    print_pdf,
    send_copies,
    remove_approver,
    preview,
    urge,
    cancel,
    void,
    restart,
    comment,
    retry,
    search_audit,
    upload,
    download,
]
