"""Devices that the caller is told by."""

from __future__ import annotations

from litestar import delete, get, post

from noria.adapters.http.services import Services
from noria.operate.devices import DeviceOrder, DevicesView, DeviceView
from noria.operate.office import Caller
from noria.trust.signing_in import Session


@get("/notices/devices", operation_id="listDevices", tags=["notices"])
async def list_devices(caller: Caller, services: Services) -> DevicesView:
    """The caller's devices, and the key that a browser subscribes with ("" while Web Push is not set up)."""
    return await services.devices.list_mine(caller)


@post("/notices/devices", operation_id="addDevice", tags=["notices"], status_code=201)
async def add_device(session: Session, data: DeviceOrder, caller: Caller, services: Services) -> DeviceView:  # noqa: ARG001 - a browser has a session
    """Have the caller told by a browser: its push subscription."""
    return await services.devices.add(caller, data)


@delete("/notices/devices/{device_id:str}", operation_id="removeDevice", tags=["notices"], status_code=204)
async def remove_device(device_id: str, caller: Caller, services: Services) -> None:
    """Have the caller told by a device no more."""
    await services.devices.remove(caller, device_id)


HANDLERS = [list_devices, add_device, remove_device]
