"""People and units for administrators."""

from __future__ import annotations

from typing import Literal

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.datastructures import State

from noria.adapters.http.bodies import uploaded
from noria.adapters.http.services import Services
from noria.operate.office import Caller
from noria.operate.rosters import ImportView
from noria.operate.staff import PersonOrder, UnitOrder
from noria.operate.staffviews import AdminPerson, ChangeView, UnitView
from noria.operate.views import Page
from noria.trust.policy import Permission

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class NewPassword(msgspec.Struct):
    """A new password, to be changed at the next sign-in."""

    password: str


@get("/admin/people", operation_id="listAllPeople", tags=["admin"])
async def list_people(caller: Caller, services: Services, at: str = "") -> Page[AdminPerson]:
    """Everybody, now or at a date or instant."""
    return await services.staff.list_all(caller, at)


@post("/admin/people", operation_id="addPerson", tags=["admin"], status_code=201)
async def add_person(data: PersonOrder, caller: Caller, services: Services) -> AdminPerson:
    """Add a person, at once or from a date on."""
    return await services.staff.put_person(caller, data)


@put("/admin/people/{person_id:str}", operation_id="changePerson", tags=["admin"])
async def change_person(person_id: str, data: PersonOrder, caller: Caller, services: Services) -> AdminPerson:
    """Change a person, at once or from a date on."""
    return await services.staff.put_person(caller, msgspec.structs.replace(data, id=person_id))


@get("/admin/people/{person_id:str}/changes", operation_id="listPersonChanges", tags=["admin"])
async def list_person_changes(person_id: str, caller: Caller, services: Services) -> Page[ChangeView]:
    """The history of a person, what is entered ahead included."""
    return await services.staff.changes(caller, "person", person_id)


@delete(
    "/admin/people/{person_id:str}/changes/{valid_from:str}",
    operation_id="dropPersonChange",
    tags=["admin"],
    status_code=204,
)
async def drop_person_change(person_id: str, valid_from: str, caller: Caller, services: Services) -> None:
    """Take back a change of a person that was entered ahead."""
    await services.staff.drop_change(caller, "person", person_id, valid_from)


@post("/admin/people/{person_id:str}/password", operation_id="resetPassword", tags=["admin"], status_code=204)
async def reset_password(person_id: str, data: NewPassword, caller: Caller, services: Services) -> None:
    """Give somebody a new password."""
    await services.staff.set_password(caller, person_id, data.password)


@get("/admin/units", operation_id="listUnits", tags=["admin"])
async def list_units(caller: Caller, services: Services, at: str = "") -> Page[UnitView]:
    """All units, now or at a date or instant."""
    return await services.staff.units(caller, at)


@post("/admin/units", operation_id="putUnit", tags=["admin"], status_code=201)
async def put_unit(data: UnitOrder, caller: Caller, services: Services) -> UnitView:
    """Add or change a unit, at once or from a date on."""
    return await services.staff.put_unit(caller, data)


@get("/admin/units/{unit_id:str}/changes", operation_id="listUnitChanges", tags=["admin"])
async def list_unit_changes(unit_id: str, caller: Caller, services: Services) -> Page[ChangeView]:
    """The history of a unit, what is entered ahead included."""
    return await services.staff.changes(caller, "unit", unit_id)


@delete(
    "/admin/units/{unit_id:str}/changes/{valid_from:str}",
    operation_id="dropUnitChange",
    tags=["admin"],
    status_code=204,
)
async def drop_unit_change(unit_id: str, valid_from: str, caller: Caller, services: Services) -> None:
    """Take back a change of a unit that was entered ahead."""
    await services.staff.drop_change(caller, "unit", unit_id, valid_from)


@get("/admin/roles", operation_id="listRoles", tags=["admin"])
async def list_roles(caller: Caller, services: Services) -> Page[str]:
    """Keys of the built-in roles."""
    return await services.staff.roles(caller)


@get("/admin/people/export", operation_id="exportPeople", tags=["admin"])
async def export_people(
    caller: Caller,
    services: Services,
    kind: Literal["xlsx", "csv"] = "xlsx",
    language: Literal["en", "zh-CN"] = "en",
    at: str = "",
) -> Response[bytes]:
    """People, units and posts as a workbook, or as an archive of CSV files; now or at a date or instant."""
    content = await services.rosters.export(caller, kind, chinese=language == "zh-CN", at=at)
    ending, media_type = ("xlsx", WORKBOOK) if kind == "xlsx" else ("zip", "application/zip")
    headers = {"Content-Disposition": f'attachment; filename="people.{ending}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)


@post("/admin/people/import", operation_id="importPeople", tags=["admin"], status_code=200)
async def import_people(
    request: Request[object, object, State],
    caller: Caller,
    services: Services,
    apply: bool = False,
    absent: Literal["keep", "deactivate"] = "keep",
    valid_from: str = "",
) -> ImportView:
    """What files (multipart, any part names) would change; with `apply` it is written if nothing in it is wrong."""
    await services.office.require(caller, Permission.PEOPLE, "person")
    files = await uploaded(request)
    return await services.rosters.load(caller, files, apply=apply, absent=absent, valid_from=valid_from)


HANDLERS = [
    export_people,
    import_people,
    list_people,
    add_person,
    change_person,
    list_person_changes,
    drop_person_change,
    reset_password,
    list_units,
    put_unit,
    list_unit_changes,
    drop_unit_change,
    list_roles,
]
