"""Cron expressions as Quartz (Camunda 7, Flowable, Activiti) and Spring (Zeebe) read them, written as cron does."""

from __future__ import annotations

import re

from noria.kernel.cycles import parse_cycle

_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MACROS = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * SUN",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}
_RANGES = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12))
_PART = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\d{1,4}))?")
_WEEKDAYS_OF_MONTH = re.compile(r"(?P<day>\w+?)(?P<which>L|#[1-5])")


def from_quartz(text: str) -> str:
    """A Quartz expression (seconds first, a year perhaps last, Sunday is 1) as cron; "" where that has no word."""
    return _written(text, sunday=1)


def from_spring(text: str) -> str:
    """A Spring expression (seconds first, Sunday is 0 or 7) or macro as cron; "" where that has no word."""
    return _written(_MACROS.get(text.lower(), text), sunday=0)


def _written(text: str, sunday: int) -> str:
    fields = text.upper().replace("?", "*").split()
    if len(fields) == 7 and fields[6] == "*":
        del fields[6]
    if len(fields) == 5 and _is_cycle(text):
        return text
    # Quartz has one of the two days only; Spring wants both to hold, and cron one of them.
    if len(fields) != 6 or (fields[3] != "*" and fields[5] != "*"):
        return ""
    try:
        parts = [_field(field, *bounds) for field, bounds in zip(fields, _RANGES, strict=False)]
        parts.append(",".join(_weekdays(part, sunday) for part in fields[5].split(",")))
    except ValueError:
        return ""
    cron = " ".join(parts)
    return cron if _is_cycle(cron) else ""


def _is_cycle(text: str) -> bool:
    try:
        parse_cycle(text)
    except ValueError:
        return False
    return True


def _field(field: str, least: int, greatest: int) -> str:
    """A field with ranges that go over the end, as from November to February, in two."""
    return ",".join(_part(part, least, greatest) for part in field.split(","))


def _part(part: str, least: int, greatest: int) -> str:
    match = _PART.fullmatch(part)
    if match is None or match["last"] is None:
        return part
    first, last = (_MONTHS.index(end) + 1 if end in _MONTHS else int(end) for end in match.group("first", "last"))
    if first <= last:
        return part
    if match["step"] is not None:
        raise ValueError(part)
    return f"{first}-{greatest},{least}-{last}"


def _weekdays(part: str, sunday: int) -> str:
    """Days of the week by their names; the last or second one of a month by its number, from Sunday as 0."""
    if part == "*":
        return part
    if part == "L":
        return _DAYS[6]
    if match := _WEEKDAYS_OF_MONTH.fullmatch(part):
        return f"{_weekday(match['day'], sunday)}{match['which']}"
    match = _PART.fullmatch(part)
    if match is None:
        raise ValueError(part)
    step = int(match["step"] or 1)
    if match["first"] == "*":
        days = list(range(0, 7, step))
    else:
        first = _weekday(match["first"], sunday)
        last = _weekday(match["last"], sunday) if match["last"] else 6 if match["step"] else first
        days = list(range(first, last + (7 if last < first else 0) + 1, step))
        if step == 1 and last > first:
            return f"{_DAYS[first]}-{_DAYS[last]}"
    return ",".join(_DAYS[day % 7] for day in days)


def _weekday(text: str, sunday: int) -> int:
    if text in _DAYS:
        return _DAYS.index(text)
    if not sunday <= int(text) <= 7:
        raise ValueError(text)
    return (int(text) - sunday) % 7
