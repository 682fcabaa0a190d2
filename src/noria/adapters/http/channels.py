"""Channels, deliveries that failed, and what people prefer."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from litestar import delete, get, post, put
from litestar.params import Parameter

from noria.adapters.http.services import Services
from noria.adapters.http.tasks import Limit, Offset
from noria.operate.office import Caller
from noria.operate.preferences import Preference
from noria.operate.telling import ChannelOrder, ChannelView, DeliveryView, NoticeSettings, PreferenceView
from noria.operate.views import Page


class Resent(msgspec.Struct):
    """How many deliveries are tried anew."""

    count: int


@get("/admin/channels", operation_id="listChannels", tags=["channels"])
async def list_channels(caller: Caller, services: Services) -> Page[ChannelView]:
    """All channels, without their secrets."""
    return await services.telling.channels(caller)


@post("/admin/channels", operation_id="addChannel", tags=["channels"], status_code=201)
async def add_channel(data: ChannelOrder, caller: Caller, services: Services) -> ChannelView:
    """Add a channel."""
    return await services.telling.put_channel(caller, data, new=True)


@put("/admin/channels/{channel_id:str}", operation_id="changeChannel", tags=["channels"])
async def change_channel(channel_id: str, data: ChannelOrder, caller: Caller, services: Services) -> ChannelView:
    """Change a channel; a secret that is left out stays as it is."""
    return await services.telling.put_channel(caller, msgspec.structs.replace(data, id=channel_id), new=False)


@delete("/admin/channels/{channel_id:str}", operation_id="removeChannel", tags=["channels"], status_code=204)
async def remove_channel(channel_id: str, caller: Caller, services: Services) -> None:
    """Remove a channel; what waits for it is dropped."""
    await services.telling.drop_channel(caller, channel_id)


@post("/admin/channels/{channel_id:str}/test", operation_id="testChannel", tags=["channels"], status_code=204)
async def test_channel(channel_id: str, caller: Caller, services: Services) -> None:
    """Send a test message now: to the caller, or into the room."""
    await services.telling.test_channel(caller, channel_id)


@get("/admin/notice-settings", operation_id="getNoticeSettings", tags=["channels"])
async def get_settings(caller: Caller, services: Services) -> NoticeSettings:
    """Where people reach this Noria."""
    return await services.telling.settings(caller)


@put("/admin/notice-settings", operation_id="putNoticeSettings", tags=["channels"])
async def put_settings(data: NoticeSettings, caller: Caller, services: Services) -> NoticeSettings:
    """Say where people reach this Noria: messages lead there."""
    return await services.telling.put_settings(caller, data)


@get("/deliveries", operation_id="listDeliveries", tags=["channels"])
async def list_deliveries(
    caller: Caller,
    services: Services,
    outcome: Annotated[Literal["waiting", "sent", "dead", "dropped"], Parameter(query="state")] = "dead",
    channel: str = "",
    limit: Limit = 50,
    offset: Offset = 0,
) -> Page[DeliveryView]:
    """Deliveries in a state, newest first; those that were given up unless another state is asked for."""
    return await services.telling.deliveries(caller, outcome, channel, limit, offset)


@post("/deliveries/{delivery_id:str}/resend", operation_id="resendDelivery", tags=["channels"], status_code=202)
async def resend(delivery_id: str, caller: Caller, services: Services) -> None:
    """Have a delivery that was given up tried anew."""
    await services.telling.again(caller, delivery_id)


@post("/channels/{channel_id:str}/resend", operation_id="resendDeliveries", tags=["channels"], status_code=202)
async def resend_all(channel_id: str, caller: Caller, services: Services) -> Resent:
    """Have all deliveries of a channel that were given up tried anew."""
    return Resent(await services.telling.all_again(caller, channel_id))


@get("/notices/preference", operation_id="getPreference", tags=["notices"])
async def get_preference(caller: Caller, services: Services) -> PreferenceView:
    """How the caller wants to be told."""
    return await services.telling.preference(caller)


@put("/notices/preference", operation_id="putPreference", tags=["notices"])
async def put_preference(data: Preference, caller: Caller, services: Services) -> PreferenceView:
    """Choose how to be told."""
    return await services.telling.put_preference(caller, data)


HANDLERS = [
    list_channels,
    add_channel,
    change_channel,
    remove_channel,
    test_channel,
    get_settings,
    put_settings,
    list_deliveries,
    resend,
    resend_all,
    get_preference,
    put_preference,
]
