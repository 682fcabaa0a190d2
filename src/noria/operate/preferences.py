"""How a person wants to be told: which kinds of notices by which channels, when, in which language."""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from noria.kernel.errors import Rejected
from noria.kernel.instants import InstantMs, from_datetime, to_datetime
from noria.operate.notices import KINDS

Language = Literal["zh-CN", "en"]

IN_APP = "in_app"
"""The channel that is always there: the list behind the bell."""

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_HANDLE = re.compile(r"[A-Za-z0-9_@.+-]{1,64}")
PER_HOUR = 20


class Preference(msgspec.Struct, frozen=True):
    """What a person has chosen (通知偏好).

    Attributes:
        language: of the messages' sentences.
        zone: IANA name of the zone that quiet hours are meant in.
        quiet_from, quiet_to: local clock times ``HH:MM`` between which only urgent kinds are sent; "" for none.
        per_hour_max: messages by one channel in an hour; what comes above goes as one digest. Urgent ones always go.
        choices: kind → channel id → whether; what is not said is as `wants` says.
        handles: kind of channel → what the person is called by there (a mobile number, a user id).
    """

    language: Language = "zh-CN"
    zone: str = "Asia/Shanghai"
    quiet_from: str = ""
    quiet_to: str = ""
    per_hour_max: int = PER_HOUR
    choices: dict[str, dict[str, bool]] = {}
    handles: dict[str, str] = {}


DEFAULT = Preference()


def wants(preference: Preference, kind: str, channel: str) -> bool:
    """Whether a person wants one kind by one channel.

    Without a choice everything, but for new tasks behind the bell: they stand in the inbox already.
    """
    chosen = preference.choices.get(kind, {}).get(channel)
    if chosen is not None:
        return chosen
    return channel != IN_APP or kind not in ("task", "offered")


def quiet_until(preference: Preference, now_ms: int) -> int | None:
    """The end of the quiet hours that an instant lies in, None outside of them.

    Quiet hours are clock times in the person's zone and may go over midnight.
    """
    if not preference.quiet_from or preference.quiet_from == preference.quiet_to:
        return None
    zone = ZoneInfo(preference.zone)
    begin, end = time.fromisoformat(preference.quiet_from), time.fromisoformat(preference.quiet_to)
    local = to_datetime(InstantMs(now_ms), zone)
    clock = local.time()
    inside = begin <= clock < end if begin < end else clock >= begin or clock < end
    if not inside:
        return None
    day = local.date() if clock < end else local.date() + timedelta(days=1)
    until = local.replace(year=day.year, month=day.month, day=day.day, hour=end.hour, minute=end.minute, fold=0)
    # An end that the clocks skip, or that lies behind us in the hour that they repeat, must not be in the past.
    return max(int(from_datetime(until.replace(second=0, microsecond=0))), now_ms + 1)


def check(preference: Preference, channels: frozenset[str]) -> Rejected | None:
    """What is wrong with a preference, None when nothing is.

    Args:
        preference: as a person sent it.
        channels: ids that choices may name.
    """

    def refuse(field: str, message: str) -> Rejected:
        return Rejected("preference.invalid", message, {"fields": {field: "preference.invalid"}})

    try:
        ZoneInfo(preference.zone)
    except (KeyError, ValueError, OSError):
        return refuse("zone", f"There is no time zone {preference.zone!r}; give a name such as Asia/Shanghai.")
    clocks = {"quiet_from": preference.quiet_from, "quiet_to": preference.quiet_to}
    for field, clock in clocks.items():
        if clock and not _CLOCK.fullmatch(clock):
            return refuse(field, "Quiet hours are clock times such as 22:00.")
    if bool(preference.quiet_from) != bool(preference.quiet_to):
        return refuse("quiet_to", "Quiet hours need a beginning and an end, or neither.")
    if not 1 <= preference.per_hour_max <= 1_000:
        return refuse("per_hour_max", "From 1 to 1000 messages an hour are possible.")
    unknown = next((kind for kind in preference.choices if kind not in KINDS), None)
    if unknown is not None:
        return refuse("choices", f"There is no kind of notices {unknown!r}.")
    stray = next((name for by in preference.choices.values() for name in by if name not in channels), None)
    if stray is not None:
        return refuse("choices", f"There is no channel {stray!r}.")
    for kind, handle in preference.handles.items():
        if kind not in ("wecom", "dingtalk", "feishu") or (handle and not _HANDLE.fullmatch(handle)):
            return refuse(
                "handles", "A handle has up to 64 letters, digits and @ . + - _, for wecom, dingtalk or feishu."
            )
    return None
