"""Saved filters, and the fields that lists can be filtered by."""

from __future__ import annotations

from typing import Annotated

from litestar import delete, get, post, put
from litestar.params import Parameter

from noria.adapters.http.services import Services
from noria.operate.office import Caller
from noria.operate.saved_filters import FieldList, FilterList, FilterOrder, FilterView, ListName


@get("/filters", operation_id="listFilters", tags=["filters"])
async def list_filters(
    caller: Caller, services: Services, of: Annotated[ListName | None, Parameter(query="list")] = None
) -> FilterList:
    """The caller's saved filters, each with what is wrong with it by now."""
    return await services.filters.all(caller, of)


@get("/filters/fields", operation_id="listFilterFields", tags=["filters"])
async def list_fields(caller: Caller, services: Services, process: str = "") -> FieldList:
    """The form fields that the caller may look for: of one process, or of all of them."""
    return await services.filters.fields(caller, process)


@post("/filters", operation_id="addFilter", tags=["filters"], status_code=201)
async def add_filter(data: FilterOrder, caller: Caller, services: Services) -> FilterView:
    """Save a filter."""
    return await services.filters.add(caller, data)


@put("/filters/{filter_id:str}", operation_id="changeFilter", tags=["filters"])
async def change_filter(filter_id: str, data: FilterOrder, caller: Caller, services: Services) -> FilterView:
    """Rename a saved filter, or change what it looks for."""
    return await services.filters.change(caller, filter_id, data)


@delete("/filters/{filter_id:str}", operation_id="dropFilter", tags=["filters"], status_code=204)
async def drop_filter(filter_id: str, caller: Caller, services: Services) -> None:
    """Forget a saved filter."""
    await services.filters.drop(caller, filter_id)


HANDLERS = [list_filters, list_fields, add_filter, change_filter, drop_filter]
