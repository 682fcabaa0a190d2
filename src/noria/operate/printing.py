"""A request on paper (打印): its fields, its decisions and a stamp, as the person who prints it may see them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from noria.design.forms import Field, Form
from noria.design.forms.values import signs
from noria.kernel.errors import Rejected
from noria.operate.cases import Cases
from noria.operate.changes import Held
from noria.operate.office import Caller, Office, RefusedError, iso, iso_or_none
from noria.operate.preferences import Language
from noria.operate.views import InstanceDetail, TimelineItem

DECIDED = frozenset({"task.approved", "task.refused", "task.abstained", "task.completed", "task.returned"})
"""What stands in the block of decisions."""
IMAGES_MAX = 20


class Line(msgspec.Struct, frozen=True):
    """A field with its value in words."""

    label: str
    text: str


class Rows(msgspec.Struct, frozen=True):
    """A list of the form: its columns' labels, and its rows in words."""

    label: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Image(msgspec.Struct, frozen=True):
    """A signature: a PNG."""

    label: str
    png: bytes


class Decision(msgspec.Struct, frozen=True):
    """Who decided what, where and when.

    Attributes:
        kind: one of `DECIDED`.
        owner: whom a substitute stood in for, "" for nobody.
        via: of a substitute's substitute, who is in between, from the owner's side.
    """

    element: str
    person: str
    kind: str
    at: str
    comment: str
    round: int
    owner: str = ""
    via: tuple[str, ...] = ()


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """What is printed.

    Attributes:
        language: of its own words.
        status: of the request, "completed", "refused", "withdrawn", "terminated", "failed" or
            "voided".
        company: name of the uppermost unit, for the stamp.
        instants: ISO 8601 in UTC; the printer shows them in `zone`.
    """

    language: Language
    zone: str
    title: str
    business_key: str
    process: str
    version: int
    starter: str
    started_at: str
    ended_at: str
    status: str
    company: str
    lines: tuple[Line, ...]
    tables: tuple[Rows, ...]
    images: tuple[Image, ...]
    decisions: tuple[Decision, ...]
    printed_by: str
    printed_at: str


class Printer(Protocol):
    """What makes a file of a sheet."""

    def pdf(self, sheet: Sheet) -> bytes:
        """A PDF; equal sheets give equal files."""
        ...


class Printing:
    """The use case."""

    def __init__(self, office: Office, cases: Cases, printer: Printer) -> None:
        self._office = office
        self._cases = cases
        self._printer = printer

    async def pdf(self, caller: Caller, iid: int, language: Language) -> tuple[str, bytes]:
        """A request that has ended, as a PDF; gives its business key too.

        Raises:
            NotFoundError: there is no such request.
            DeniedError: the caller has no part in it.
            RefusedError: it is still open.
        """
        held = await self._cases.seen(caller, iid)
        detail = await self._cases.detail(caller, iid)
        if detail.status == "open":
            raise RefusedError(Rejected("print.open", "The request is still open; it is printed when it has ended."))
        items = (await self._cases.timeline(caller, iid)).items
        sheet = await self._sheet(caller, held, detail, items, language)
        # A long list takes a while, and others must not wait for it.
        return detail.business_key, await asyncio.to_thread(self._printer.pdf, sheet)

    async def _sheet(
        self, caller: Caller, held: Held, detail: InstanceDetail, items: Sequence[TimelineItem], language: Language
    ) -> Sheet:
        organisation = await self._office.people.organisation(caller.principal.tenant)
        top = next((unit.name for unit in organisation.units.values() if not unit.parent), "")
        facts = self._office.facts(caller.principal.tenant)
        lines: list[Line] = []
        tables: list[Rows] = []
        images: list[Image] = []
        for field in _fields(held.definition.own_forms):
            name = field.parts[0]
            value = detail.variables.get(name)
            if value in (None, "", []):
                continue
            if field.type == "dynamiclist" and isinstance(value, list):
                tables.append(_rows(field, value, language))
            elif signs(field) and isinstance(value, list):
                images += await self._images(caller, field, value)
            else:
                lines.append(Line(_label(field), _words(field, value, language)))
        return Sheet(
            language=language,
            zone=facts.zone,
            title=detail.title,
            business_key=detail.business_key,
            process=detail.process.name,
            version=detail.process.version,
            starter=detail.starter.name,
            started_at=detail.started_at,
            ended_at=detail.ended_at or iso(0),
            status=detail.status,
            company=top,
            lines=tuple(lines),
            tables=tuple(tables),
            images=tuple(images),
            decisions=tuple(
                Decision(
                    item.element.name if item.element else "",
                    item.actor.name if item.actor else "",
                    item.kind,
                    item.at,
                    item.comment or "",
                    item.round,
                    item.on_behalf_of.name if item.on_behalf_of else "",
                    tuple(person.name for person in item.via),
                )
                for item in items
                if item.kind in DECIDED
            ),
            printed_by=caller.person.name,
            printed_at=iso_or_none(self._office.clock.now_ms()) or "",
        )

    async def _images(self, caller: Caller, field: Field, value: list[object]) -> list[Image]:
        found = []
        for one in value[:IMAGES_MAX]:
            if isinstance(one, dict):
                _, _, content = await self._cases.file(caller, str(one.get("hash", "")))
                found.append(Image(_label(field), content))
        return found


def _fields(forms: Mapping[str, Form]) -> list[Field]:
    """The fields of all forms that hold values, each variable once."""
    found: dict[str, Field] = {}

    def collect(fields: Sequence[Field]) -> None:
        for field in fields:
            if field.type == "group" and not field.path:
                collect(field.fields)
            elif field.parts:
                found.setdefault(field.parts[0], field)

    for form in forms.values():
        collect(form.fields)
    return list(found.values())


def _label(field: Field) -> str:
    settings = field.settings
    return field.label or str(settings.get("dateLabel") or settings.get("timeLabel") or field.key or field.path)


def _rows(field: Field, value: Sequence[object], language: Language) -> Rows:
    columns = [inner for inner in field.fields if inner.parts]
    rows = [
        tuple(_words(column, row.get(column.parts[0]), language) for column in columns)
        for row in value
        if isinstance(row, dict)
    ]
    return Rows(_label(field), tuple(_label(column) for column in columns), tuple(rows))


_YES_NO: dict[Language, tuple[str, str]] = {"zh-CN": ("是", "否"), "en": ("yes", "no")}


def _words(field: Field, value: object, language: Language) -> str:
    """A value as people read it: the labels of choices, the names of files."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _YES_NO[language][0 if value else 1]
    if isinstance(value, list):
        return ", ".join(_words(field, one, language) for one in value)
    if isinstance(value, dict):
        return str(value.get("name") or msgspec.json.encode(value).decode())
    options = field.settings.get("values")
    if isinstance(options, list):
        for option in options:
            if isinstance(option, dict) and option.get("value") == value:
                return str(option.get("label", value))
    if isinstance(value, float):
        return f"{value:,.10g}" if abs(value) < 1e15 else str(value)
    return f"{value:,}" if isinstance(value, int) else str(value)
