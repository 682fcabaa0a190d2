"""The SCIM service: what is asked of users and groups, answered by the use cases about people."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any, Generic, TypeVar

import msgspec
from pydantic import ValidationError
from scim2_models import (
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    Context,
    EnterpriseUser,
    Error,
    ETag,
    Filter,
    Group,
    InvalidValueException,
    ListResponse,
    NotFoundException,
    NotImplementedException,
    Patch,
    PatchOp,
    PreconditionFailedException,
    ResourceType,
    ResponseParameters,
    Schema,
    SCIMException,
    ScimPolicy,
    SearchRequest,
    ServiceProviderConfig,
    Sort,
    UniquenessException,
    User,
)
from scim2_models.path import CompareOperator, Comparison

from noria.adapters.scim.resources import Account, Sight, deleted, is_deleted, version_of
from noria.kernel.errors import NoriaError
from noria.operate.office import Caller, DeniedError, RefusedError
from noria.operate.provisioning import ProvisioningAnswer, ProvisioningQuestion
from noria.operate.staff import PeopleWriter, Staff
from noria.trust.people import Person, Unit

RESULTS_MAX = 200
POLICY = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
"""What identity systems send in practice, Microsoft Entra above all; attributes that are not kept are passed over."""
KEPT = {
    "User": {"userName", "name", "displayName", "title", "active", "emails", "groups", "roles"},
    "Group": {"displayName", "members"},
    "EnterpriseUser": {"department", "manager"},
}
"""The attributes that are kept; the others of the standard's schemas are not announced."""

M = TypeVar("M", Person, Unit)


class _Resource(Generic[M]):
    """One kind of resource: what it is called, and how it is found fast."""

    def __init__(self, model: type[Any], keys: Mapping[str, Callable[[M], str]]) -> None:
        self.model = model
        self.keys: Mapping[str, Callable[[M], str]] = keys
        self.search = SearchRequest[model]  # type: ignore[valid-type]
        self.patch = PatchOp[model]  # type: ignore[valid-type]
        self.listing = ListResponse[model]  # type: ignore[valid-type]
        self.shown = ResponseParameters[model]  # type: ignore[valid-type]


_USERS = _Resource[Person](
    Account, {"id": attrgetter("id"), "username": attrgetter("username"), "externalid": attrgetter("external_id")}
)
_GROUPS = _Resource[Unit](
    Group, {"id": attrgetter("id"), "displayname": attrgetter("name"), "externalid": attrgetter("external_id")}
)


class Directory:
    """Answers SCIM's questions for a caller who may manage people."""

    def __init__(self, staff: Staff, people: PeopleWriter) -> None:
        self._staff = staff
        self._people = people

    async def answer(self, caller: Caller, asked: ProvisioningQuestion) -> ProvisioningAnswer:
        """Do what is asked; errors are told in SCIM's own form (RFC 7644, 3.12)."""
        try:
            return await self._answer(caller, asked)
        except ValidationError as error:
            told = Error.from_validation_errors(error)[0]
        except SCIMException as error:
            told = error.to_error()
        except RefusedError as error:
            taken = error.rejected.code == "person.username_taken"
            refused = UniquenessException if taken else InvalidValueException
            told = refused(detail=error.message).to_error()
        except DeniedError as error:
            told = Error(status=403, detail=error.message)
        except NoriaError as error:
            told = Error(status=503, detail=error.message)
        return ProvisioningAnswer(told.status or 400, told.model_dump_json().encode())

    async def _answer(self, caller: Caller, asked: ProvisioningQuestion) -> ProvisioningAnswer:
        await self._staff.require(caller)
        kind, *rest = asked.path or ("",)
        if kind in ("Users", "Groups"):
            return await self._of_resources(caller, asked, kind, rest)
        if asked.method != "GET" or kind not in ("ServiceProviderConfig", "ResourceTypes", "Schemas"):
            if kind in ("Bulk", "Me", "", ".search"):
                raise NotImplementedException(detail=f"{kind or 'This'} is not supported; ask /Users or /Groups.")
            raise NotFoundException
        return _discovered(kind, rest)

    async def _of_resources(
        self, caller: Caller, asked: ProvisioningQuestion, kind: str, rest: list[str]
    ) -> ProvisioningAnswer:
        service = _Users(self, caller, asked) if kind == "Users" else _Groups(self, caller, asked)
        await service.look()
        match asked.method, rest:
            case "GET", []:
                return service.listed(asked.query)
            case "POST", [".search"]:
                return service.searched()
            case "POST", []:
                return await service.create()
            case "GET", [key]:
                return service.one(key)
            case "PUT", [key]:
                return await service.replace(key)
            case "PATCH", [key]:
                return await service.patch(key)
            case "DELETE", [key]:
                return await service.delete(key)
            case _:
                raise NotFoundException

    async def write(self, caller: Caller, people: Iterable[Person], units: Iterable[Unit]) -> None:
        """Write people and units."""
        await self._staff.provision(caller, list(people), list(units))

    async def sight(self, caller: Caller, base: str) -> Sight:
        """The organisation of now."""
        tenant = caller.principal.tenant
        return Sight(await self._people.organisation(tenant), await self._people.history(tenant), base)


class _Service(ABC, Generic[M]):
    """What users and groups have in common."""

    kind: _Resource[M]
    sight: Sight

    def __init__(self, directory: Directory, caller: Caller, asked: ProvisioningQuestion) -> None:
        self.directory = directory
        self.caller = caller
        self.asked = asked

    async def look(self) -> None:
        """See the organisation as it is now."""
        self.sight = await self.directory.sight(self.caller, self.asked.base)

    @abstractmethod
    def members(self) -> list[M]:
        """All that there are."""

    @abstractmethod
    def shown(self, member: M) -> Any:
        """One as a resource."""

    @abstractmethod
    async def write(self, resource: Any, before: M | None, *, replaces: bool) -> str:
        """Write what a resource says; gives its id."""

    @abstractmethod
    async def remove(self, member: M) -> None:
        """Delete one."""

    def find(self, key: str) -> M:
        """By its id.

        Raises:
            NotFoundException: there is none.
        """
        found = next((member for member in self.members() if member.id == key), None)
        if found is None:
            raise NotFoundException(detail=f"There is no {key!r}.")
        return found

    # Looking

    def listed(self, query: Mapping[str, str]) -> ProvisioningAnswer:
        """A page of those that a query asks for."""
        return self._page(self.kind.search.model_validate(query, scim_policy=POLICY))

    def searched(self) -> ProvisioningAnswer:
        """The same, asked for in a body."""
        return self._page(
            self.kind.search.model_validate_json(self.asked.body, scim_ctx=Context.SEARCH_REQUEST, scim_policy=POLICY)
        )

    def _page(self, request: Any) -> ProvisioningAnswer:
        found = [self.shown(member) for member in self._candidates(request)]
        if request.filter is not None:
            found = [resource for resource in found if request.filter.match(resource)]
        found = request.sort(found)
        start = request.start_index or 1
        count = RESULTS_MAX if request.count is None else min(request.count, RESULTS_MAX)
        page = found[start - 1 : start - 1 + count]
        for resource in page:
            _stamp(resource)
        listing = self.kind.listing(
            total_results=len(found), start_index=start, items_per_page=len(page), resources=page
        )
        body = listing.model_dump_json(scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=request)
        return ProvisioningAnswer(200, body.encode())

    def _candidates(self, request: Any) -> list[M]:
        """All, or those that one comparison of a key leaves: what is asked for each of thousands must not make all."""
        asked = request.filter.ast if request.filter is not None else None
        if isinstance(asked, Comparison) and asked.op is CompareOperator.eq and asked.attr_path.sub_attr is None:
            key = self.kind.keys.get(asked.attr_path.attr.lower())
            if key is not None:
                value = str(asked.value).lower()
                return [member for member in self.members() if key(member).lower() == value]
        return self.members()

    def one(self, key: str) -> ProvisioningAnswer:
        """One of them."""
        return self._told(self.shown(self.find(key)), 200, Context.RESOURCE_QUERY_RESPONSE)

    def _told(self, resource: Any, status: int, context: Context) -> ProvisioningAnswer:
        version = _stamp(resource)
        names = {
            name: self.asked.query[name] for name in ("attributes", "excludedAttributes") if name in self.asked.query
        }
        parameters = self.kind.shown.model_validate(names)
        body = resource.model_dump_json(scim_ctx=context, response_parameters=parameters)
        headers = {"ETag": version, "Location": str(resource.meta.location)}
        return ProvisioningAnswer(status, body.encode(), headers)

    # Changing

    async def create(self) -> ProvisioningAnswer:
        """A new one."""
        context = Context.RESOURCE_CREATION_REQUEST
        resource = self.kind.model.model_validate_json(self.asked.body, scim_ctx=context, scim_policy=POLICY)
        key = await self.write(resource, None, replaces=True)
        await self.look()
        return self._told(self.shown(self.find(key)), 201, Context.RESOURCE_CREATION_RESPONSE)

    async def replace(self, key: str) -> ProvisioningAnswer:
        """One as a whole."""
        member = self.find(key)
        original = self._unchanged(member)
        context = Context.RESOURCE_REPLACEMENT_REQUEST
        resource = self.kind.model.model_validate_json(self.asked.body, scim_ctx=context, scim_policy=POLICY)
        resource.replace(original)
        await self.write(resource, member, replaces=True)
        await self.look()
        return self._told(self.shown(self.find(key)), 200, Context.RESOURCE_REPLACEMENT_RESPONSE)

    async def patch(self, key: str) -> ProvisioningAnswer:
        """Parts of one."""
        member = self.find(key)
        resource = self._unchanged(member)
        context = Context.RESOURCE_PATCH_REQUEST
        patch = self.kind.patch.model_validate_json(self.asked.body, scim_ctx=context, scim_policy=POLICY)
        if patch.patch(resource, scim_policy=POLICY):
            await self.write(resource, member, replaces=False)
            await self.look()
        return self._told(self.shown(self.find(key)), 200, Context.RESOURCE_PATCH_RESPONSE)

    async def delete(self, key: str) -> ProvisioningAnswer:
        """Have one no more."""
        member = self.find(key)
        self._unchanged(member)
        await self.remove(member)
        return ProvisioningAnswer(204)

    def _unchanged(self, member: M) -> Any:
        """The resource, if it is still as the caller has seen it.

        Raises:
            PreconditionFailedException: it is not.
        """
        resource = self.shown(member)
        if self.asked.if_match not in ("", "*", _stamp(resource)):
            raise PreconditionFailedException
        resource.meta.version = None
        return resource


class _Users(_Service[Person]):
    kind = _USERS

    def members(self) -> list[Person]:
        people = self.sight.organisation.people
        return [person for _, person in sorted(people.items()) if not is_deleted(person)]

    def shown(self, member: Person) -> Account:
        return self.sight.account(member)

    async def write(self, resource: Account, before: Person | None, *, replaces: bool) -> str:
        person = self.sight.person(resource, before, replaces=replaces)
        await self.directory.write(self.caller, [person], [])
        return person.id

    async def remove(self, member: Person) -> None:
        await self.directory.write(self.caller, [deleted(member)], [])


class _Groups(_Service[Unit]):
    kind = _GROUPS

    def members(self) -> list[Unit]:
        return [unit for _, unit in sorted(self.sight.organisation.units.items()) if unit.active]

    def shown(self, member: Unit) -> Group:
        return self.sight.group(member)

    async def write(self, resource: Group, before: Unit | None, *, replaces: bool) -> str:
        unit = self.sight.unit(resource, before, replaces=replaces)
        keeps = replaces and resource.members is None
        people, units = ([], []) if keeps else self.sight.with_members(unit, resource.members or [])
        await self.directory.write(self.caller, people, [unit, *units])
        return unit.id

    async def remove(self, member: Unit) -> None:
        people, units = self.sight.with_members(member, [])
        await self.directory.write(self.caller, people, [*units, msgspec.structs.replace(member, active=False)])


def _stamp(resource: Any) -> str:
    """Note a resource's version in it; gives the version."""
    resource.meta.version = None
    resource.meta.version = version_of(resource.model_dump_json())
    return str(resource.meta.version)


# What the service says of itself


def _discovered(kind: str, rest: list[str]) -> ProvisioningAnswer:
    if kind == "ServiceProviderConfig":
        if rest:
            raise NotFoundException
        return ProvisioningAnswer(200, _dump(_config()).encode())
    found: list[Any] = (
        _schemas() if kind == "Schemas" else [ResourceType.from_resource(one) for one in (Account, Group)]
    )
    if not rest:
        dumps = [msgspec.json.decode(_dump(item)) for item in found]
        listing = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": len(dumps),
            "startIndex": 1,
            "itemsPerPage": len(dumps),
            "Resources": dumps,
        }
        return ProvisioningAnswer(200, msgspec.json.encode(listing))
    one = next((item for item in found if [str(item.id)] == rest), None)
    if one is None:
        raise NotFoundException
    return ProvisioningAnswer(200, _dump(one).encode())


def _dump(resource: Any) -> str:
    return str(resource.model_dump_json(scim_ctx=Context.RESOURCE_QUERY_RESPONSE))


def _config() -> ServiceProviderConfig:
    return ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=RESULTS_MAX),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=True),
        etag=ETag(supported=True),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type("oauthbearertoken"),
                name="Access token",
                description="An access token of a person who may manage people.",
                primary=True,
            )
        ],
    )


def _schemas() -> list[Schema]:
    schemas = []
    for model in (User, Group, EnterpriseUser):
        schema = model.to_schema()
        kept = KEPT[model.__name__]
        schema.attributes = [attribute for attribute in schema.attributes or [] if attribute.name in kept]
        schemas.append(schema)
    return schemas
