"""People and units for administrators."""

from __future__ import annotations

import msgspec
from litestar import get, post, put

from noria.adapters.http.services import Services
from noria.operate.office import Caller
from noria.operate.views import AdminPerson, Page
from noria.trust.people import Person, Unit


class PersonOrder(msgspec.Struct):
    """A person to add or change; the password is needed for a new one."""

    id: str
    username: str
    name: str
    unit: str = ""
    email: str = ""
    active: bool = True
    roles: list[str] = []
    password: str = ""


class NewPassword(msgspec.Struct):
    """A new password, to be changed at the next sign-in."""

    password: str


def _person(order: PersonOrder, key: str) -> Person:
    return Person(key, order.username, order.name, order.unit, order.email, order.active, tuple(order.roles))


@get("/admin/people", operation_id="listAllPeople", tags=["admin"])
async def list_people(caller: Caller, services: Services) -> Page[AdminPerson]:
    """Everybody."""
    return await services.staff.list_all(caller)


@post("/admin/people", operation_id="addPerson", tags=["admin"], status_code=201)
async def add_person(data: PersonOrder, caller: Caller, services: Services) -> AdminPerson:
    """Add a person."""
    return await services.staff.put_person(caller, _person(data, data.id), data.password)


@put("/admin/people/{person_id:str}", operation_id="changePerson", tags=["admin"])
async def change_person(person_id: str, data: PersonOrder, caller: Caller, services: Services) -> AdminPerson:
    """Change a person."""
    return await services.staff.put_person(caller, _person(data, person_id), data.password)


@post("/admin/people/{person_id:str}/password", operation_id="resetPassword", tags=["admin"], status_code=204)
async def reset_password(person_id: str, data: NewPassword, caller: Caller, services: Services) -> None:
    """Give somebody a new password."""
    await services.staff.set_password(caller, person_id, data.password)


@get("/admin/units", operation_id="listUnits", tags=["admin"])
async def list_units(caller: Caller, services: Services) -> Page[Unit]:
    """All units."""
    return await services.staff.units(caller)


@post("/admin/units", operation_id="putUnit", tags=["admin"], status_code=201)
async def put_unit(data: Unit, caller: Caller, services: Services) -> Unit:
    """Add or change a unit."""
    return await services.staff.put_unit(caller, data)


@get("/admin/roles", operation_id="listRoles", tags=["admin"])
async def list_roles(caller: Caller, services: Services) -> Page[str]:
    """Keys of the built-in roles."""
    return await services.staff.roles(caller)


HANDLERS = [list_people, add_person, change_person, reset_password, list_units, put_unit, list_roles]
