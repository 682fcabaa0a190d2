"""Import and export of people, units and posts as tables (人员与部门的导入导出).

A table is a heading and rows of texts. What a file holds is read whole, checked whole, and shown as what would change;
it is written only when nothing in it is wrong, and then at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Literal, Protocol

import msgspec

from noria.kernel.errors import NoriaError, Rejected
from noria.operate.office import Caller, Office, iso, origin_json
from noria.operate.staff import PeopleWriter, Staff
from noria.trust.audit import AuditRecord
from noria.trust.history import ChangedKind, History, fields_of, kind_of
from noria.trust.people import Line, Organisation, Person, Post, Unit
from noria.trust.policy import Permission

ERRORS_MAX = 200
"""Shown of one file; whoever has more has another problem than the rows."""
_YES = frozenset({"yes", "true", "1", "是", "启用", "在职"})
_NO = frozenset({"no", "false", "0", "否", "停用", "离职"})
SheetName = Literal["units", "people", "posts"]
COLUMNS: dict[SheetName, dict[str, str]] = {
    "units": {"id": "部门标识", "name": "部门名称", "parent": "上级部门", "manager": "负责人", "active": "启用"},
    "people": {
        "id": "人员标识",
        "username": "用户名",
        "name": "姓名",
        "email": "邮箱",
        "unit": "部门",
        "position": "岗位",
        "roles": "角色",
        "second_managers": "矩阵汇报",
        "active": "启用",
    },
    "posts": {"person": "人员标识", "unit": "部门", "position": "岗位"},
}
"""Table → its columns, each with its heading in Chinese; either is read."""
SHEETS: dict[SheetName, str] = {"units": "部门", "people": "人员", "posts": "兼岗"}
"""Table → its name in Chinese."""
_NEEDED: dict[SheetName, tuple[str, ...]] = {"units": ("id",), "people": ("id",), "posts": ("person", "unit")}


class Sheet(msgspec.Struct, frozen=True):
    """A table of a file.

    Attributes:
        name: of the table, as the file has it.
        rows: the first is the heading; texts only.
    """

    name: str
    rows: list[list[str]]


class SheetsRefusedError(NoriaError):
    """A file cannot be read as tables: not the format its name says, damaged, or too large."""

    code = "import.unreadable"


class Spreadsheets(Protocol):
    """Reads and writes files of tables."""

    def read(self, files: Mapping[str, bytes]) -> list[Sheet]:
        """The tables of files, by their names.

        Raises:
            SheetsRefusedError: one cannot be read.
        """
        ...

    def write(self, sheets: Sequence[Sheet], kind: Literal["xlsx", "csv"]) -> bytes:
        """A workbook, or an archive of one CSV file for each table."""
        ...


class RowError(msgspec.Struct, frozen=True):
    """What is wrong in a row, and what to do about it.

    Attributes:
        sheet: the table, "" when it is about the whole file.
        row: its number in the file, the heading being 1; 0 when it is about the whole table.
        column: "" when it is about the whole row.
        code: stable code.
        message: one English sentence.
        value: what stands there.
    """

    sheet: str
    row: int
    column: str
    code: str
    message: str
    value: str = ""


class Changed(msgspec.Struct, frozen=True):
    """A person or unit that would change; field → value before and after."""

    kind: ChangedKind
    id: str
    name: str
    before: dict[str, object]
    after: dict[str, object]


class ImportView(msgspec.Struct):
    """What an import would do, or has done when it was `applied`."""

    applied: bool
    valid_from: str
    errors: list[RowError]
    errors_total: int
    added: list[Changed]
    changed: list[Changed]
    deactivated: list[Changed]
    unchanged: int


class _Row(msgspec.Struct):
    sheet: SheetName
    number: int
    cells: dict[str, str]


class _Reading:
    """One file set on its way from texts to people and units."""

    def __init__(self, organisation: Organisation, usernames: Mapping[str, str]) -> None:
        self.organisation = organisation
        self.usernames = usernames
        self.errors: list[RowError] = []
        self.places: dict[tuple[ChangedKind, str], _Row] = {}
        self.units: dict[str, Unit] = {}
        self.people: dict[str, Person] = {}

    def complain(self, row: _Row, column: str, code: str, message: str) -> None:
        value = row.cells.get(column, "")
        self.errors.append(RowError(row.sheet, row.number, column, code, message, value[:100]))

    def rows(self, sheets: Iterable[Sheet]) -> dict[SheetName, list[_Row]]:
        """The rows of the tables that are known, by table."""
        found: dict[SheetName, list[_Row]] = {}
        for sheet in sheets:
            name = next((key for key, title in SHEETS.items() if sheet.name.strip().lower() in (key, title)), None)
            if name is None:
                message = f"There is no table {sheet.name!r}; tables are called {', '.join(SHEETS)}."
                self.errors.append(RowError(sheet.name[:100], 0, "", "import.sheet", message))
            elif name in found:
                message = "The table is there twice; leave one of them out."
                self.errors.append(RowError(name, 0, "", "import.sheet_twice", message))
            else:
                found[name] = list(self._rows(name, sheet.rows))
        if not found and not self.errors:
            self.errors.append(RowError("", 0, "", "import.empty", "There is no table in the file."))
        return found

    def _rows(self, name: SheetName, rows: list[list[str]]) -> Iterator[_Row]:
        heading: list[str] = []
        for cell in rows[0] if rows else ():
            text = cell.strip()
            column = next((key for key, title in COLUMNS[name].items() if text.lower() in (key, title)), "")
            if text and not column:
                message = f"There is no column {text!r}; columns are called {', '.join(COLUMNS[name])}."
                self.errors.append(RowError(name, 1, text[:100], "import.column", message))
            elif column and column in heading:
                message = "The column is there twice; leave one of them out."
                self.errors.append(RowError(name, 1, column, "import.column_twice", message))
            heading.append(column)
        missing = [column for column in _NEEDED[name] if column not in heading]
        if missing:
            message = f"The column {missing[0]!r} is missing."
            self.errors.append(RowError(name, 1, missing[0], "import.column_missing", message))
            return
        for number, cells in enumerate(rows[1:], 2):
            if any(cell.strip() for cell in cells):
                named = {column: cell.strip() for column, cell in zip(heading, cells, strict=False) if column}
                yield _Row(name, number, {**dict.fromkeys(filter(None, heading), ""), **named})

    def read_units(self, rows: Iterable[_Row]) -> None:
        """Units as their rows say; what a row has no column for stays as it is."""
        for row in rows:
            key = self._key(row, "unit")
            if key:
                known = self.organisation.units.get(key, Unit(key, ""))
                given = {name: row.cells[name] for name in ("name", "parent", "manager") if name in row.cells}
                self.units[key] = msgspec.structs.replace(known, **given, active=self._active(row, known.active))

    def read_people(self, rows: Iterable[_Row]) -> None:
        """People as their rows say; what a row has no column for stays as it is."""
        taken = {username: key for key, username in self.usernames.items()}
        for row in rows:
            key = self._key(row, "person")
            if not key:
                continue
            known = self.organisation.people.get(key, Person(key, self.usernames.get(key, ""), ""))
            names = ("username", "name", "email", "unit", "position")
            given: dict[str, object] = {name: row.cells[name] for name in names if name in row.cells}
            if "roles" in row.cells:
                given["roles"] = tuple(dict.fromkeys(_listed(row.cells["roles"])))
            if "second_managers" in row.cells:
                given["lines"] = self._lines(row)
            person = msgspec.structs.replace(known, **given, active=self._active(row, known.active))
            if taken.setdefault(person.username, key) != key and person.username:
                text = f"The user name {person.username!r} is that of {taken[person.username]!r}; choose another one."
                self.complain(row, "username", "person.username_taken", text)
            self.people[key] = person

    def read_posts(self, rows: list[_Row], *, of_listed: bool) -> None:
        """Further posts: all of everybody who is named there, and of those who are in the table of people."""
        posts: dict[str, list[Post]] = {key: [] for key in (self.people if of_listed else ())}
        for row in rows:
            key, unit = row.cells["person"], row.cells["unit"]
            if key not in self.people and key not in self.organisation.people:
                self.complain(row, "person", "person.not_found", f"There is no person {key!r}; add a row for them.")
            elif not unit:
                self.complain(row, "unit", "import.needed", "A post needs a unit; give its key.")
            else:
                post = Post(unit, row.cells.get("position", ""))
                if post in posts.setdefault(key, []):
                    self.complain(row, "", "import.twice", "The same post is there twice; leave one of them out.")
                posts[key].append(post)
                self.places.setdefault(("person", key), row)
        for key, listed in posts.items():
            person = self.people.get(key) or self.organisation.people.get(key)
            if person is not None:
                self.people[key] = msgspec.structs.replace(person, posts=tuple(listed))

    def _key(self, row: _Row, kind: ChangedKind) -> str:
        key = row.cells["id"]
        if not key:
            self.complain(row, "id", "import.needed", "The id is missing; give it.")
        elif (kind, key) in self.places:
            other = self.places[kind, key].number
            self.complain(row, "id", "import.twice", f"{key!r} is in row {other} already; leave one of them out.")
        else:
            self.places[kind, key] = row
            return key
        return ""

    def _active(self, row: _Row, known: bool) -> bool:
        text = row.cells.get("active", "").lower()
        if text and text not in _YES | _NO:
            self.complain(row, "active", "import.yes_or_no", "Write yes or no (是 or 否).")
        return text in _YES if text else known

    def _lines(self, row: _Row) -> tuple[Line, ...]:
        lines = []
        for part in _listed(row.cells["second_managers"]):
            purpose, equals, manager = (text.strip() for text in part.partition("="))
            if not (purpose and equals and manager):
                text = "Write purpose=person id, several with ; between them."
                self.complain(row, "second_managers", "import.second_managers", text)
            else:
                lines.append(Line(purpose, manager))
        return tuple(lines)

    def complain_of(self, kind: ChangedKind, key: str, wrong: Rejected) -> None:
        """Say what makes a person or unit unsound, at its row."""
        fields = wrong.details.get("fields")
        field = next(iter(fields), "") if isinstance(fields, dict) else ""
        row = self.places.get((kind, key), _Row("people" if kind == "person" else "units", 0, {}))
        column = {"lines": "second_managers", "posts": "unit"}.get(field, field)
        self.complain(row, column, wrong.code, wrong.message)


def _listed(text: str) -> list[str]:
    """Texts with ``;`` between them, also in its Chinese form."""
    return [part.strip() for part in text.replace("；", ";").split(";") if part.strip()]


class Rosters:
    """The use cases of import and export."""

    def __init__(self, office: Office, people: PeopleWriter, staff: Staff, spreadsheets: Spreadsheets) -> None:
        self._office = office
        self._people = people
        self._staff = staff
        self._spreadsheets = spreadsheets

    async def export(
        self, caller: Caller, kind: Literal["xlsx", "csv"], *, chinese: bool = False, at: str = ""
    ) -> bytes:
        """People, units and posts, now or at an instant, as a workbook or as an archive of CSV files.

        Raises:
            DeniedError: the caller may not.
            ValueError: `at` is no date or instant.
        """
        await self._office.require(caller, Permission.PEOPLE, "person")
        tenant = caller.principal.tenant
        instant = self._staff.instant(tenant, at) if at else None
        sheets = sheets_of(await self._people.organisation(tenant, instant), chinese)
        return await asyncio.to_thread(self._spreadsheets.write, sheets, kind)

    async def load(
        self,
        caller: Caller,
        files: Mapping[str, bytes],
        *,
        apply: bool = False,
        absent: Literal["keep", "deactivate"] = "keep",
        valid_from: str = "",
    ) -> ImportView:
        """What an import would do; with `apply` it is done, if nothing is wrong in it.

        Args:
            caller: an administrator of people.
            files: a workbook, an archive of CSV files, or CSV files called after their tables.
            apply: write it.
            absent: whether people and units that are not in a table of theirs stay, or are deactivated.
            valid_from: from when on it holds, a date or an instant; "" for at once.

        Raises:
            DeniedError: the caller may not.
            SheetsRefusedError: a file cannot be read.
            ValueError: `valid_from` is no date or instant.
        """
        await self._office.require(caller, Permission.PEOPLE, "person")
        tenant, now_ms = caller.principal.tenant, self._office.clock.now_ms()
        since = self._staff.instant(tenant, valid_from) if valid_from else now_ms
        # A large file takes its time, and nobody else is to wait for it.
        sheets = await asyncio.to_thread(self._spreadsheets.read, files)
        history = await self._people.history(tenant)
        reading, members = read_sheets(sheets, history, since, deactivate=absent == "deactivate", dated=since > now_ms)
        view = _view(reading, members, since)
        if apply and not reading.errors:
            people = [member for member in members if isinstance(member, Person)]
            units = [member for member in members if isinstance(member, Unit)]
            await self._people.put(tenant, people, units, now_ms, valid_from=since, by=caller.principal.id)
            view.applied = True
            await self._record(caller, files, view)
            if since <= now_ms:
                await self._staff.welcome(caller, history.at(now_ms), people)
        return view

    async def _record(self, caller: Caller, files: Mapping[str, bytes], view: ImportView) -> None:
        after = {
            "files": {name: sha256(content).hexdigest() for name, content in sorted(files.items())},
            "valid_from": view.valid_from,
            **{
                name: [f"{item.kind}:{item.id}" for item in getattr(view, name)]
                for name in ("added", "changed", "deactivated")
            },
        }
        await self._office.trail.record(
            AuditRecord(
                caller.principal.tenant,
                self._office.clock.now_ms(),
                caller.principal.id,
                "people.imported",
                "person",
                "",
                after=msgspec.json.encode(after).decode(),
                origin=origin_json(caller.origin),
            )
        )


def read_sheets(
    sheets: Iterable[Sheet], history: History, since: int, *, deactivate: bool = False, dated: bool = False
) -> tuple[_Reading, list[Person | Unit]]:
    """People and units as tables say, those that differ only, and all that is wrong with them.

    Args:
        sheets: the tables.
        history: what is known.
        since: from when on they are to hold, ms.
        deactivate: whether those who are not in a table of theirs are to be inactive.
        dated: whether that instant is to come.
    """
    organisation = history.at(since)
    reading = _Reading(organisation, history.usernames)
    rows = reading.rows(sheets)
    reading.read_units(rows.get("units", ()))
    reading.read_people(rows.get("people", ()))
    if "posts" in rows:
        reading.read_posts(rows["posts"], of_listed="people" in rows)
    if deactivate:
        _deactivate(reading, rows)
    before: dict[ChangedKind, Mapping[str, Person | Unit]] = {
        "person": organisation.people,
        "unit": organisation.units,
    }
    listed: list[Person | Unit] = [*reading.units.values(), *reading.people.values()]
    members = [member for member in listed if before[kind_of(member)].get(member.id) != member]
    after = history.with_members(members, since, since)
    for (kind, key), wrong in after.wrong_with(since, [(kind_of(member), member.id) for member in members]).items():
        reading.complain_of(kind, key, wrong)
    for key, person in reading.people.items():
        if dated and history.usernames.get(key, person.username) != person.username:
            text = "A user name changes at once, not from a date on; leave it as it is."
            details: dict[str, object] = {"fields": {"username": "person.username_undated"}}
            reading.complain_of("person", key, Rejected("person.username_undated", text, details))
    return reading, members


def _deactivate(reading: _Reading, rows: Mapping[SheetName, object]) -> None:
    known = reading.organisation
    if "people" in rows:
        for key, person in known.people.items():
            if person.active and key not in reading.people:
                reading.people[key] = msgspec.structs.replace(person, active=False)
    if "units" in rows:
        for key, unit in known.units.items():
            if unit.active and key not in reading.units:
                reading.units[key] = msgspec.structs.replace(unit, active=False)


def _view(reading: _Reading, members: list[Person | Unit], since: int) -> ImportView:
    view = ImportView(False, iso(since), reading.errors[:ERRORS_MAX], len(reading.errors), [], [], [], 0)
    for member in members:
        kind = kind_of(member)
        known = (reading.organisation.people if kind == "person" else reading.organisation.units).get(member.id)
        now = fields_of(member) | ({"username": member.username} if isinstance(member, Person) else {})
        then: dict[str, object] = {}
        if known is not None:
            then = fields_of(known) | ({"username": known.username} if isinstance(known, Person) else {})
        differing = [name for name, value in now.items() if name not in then or then[name] != value]
        changed = Changed(
            kind,
            member.id,
            member.name,
            {name: then[name] for name in differing if name in then},
            {name: now[name] for name in differing},
        )
        if known is None:
            view.added.append(changed)
        elif known.active and not member.active:
            view.deactivated.append(changed)
        else:
            view.changed.append(changed)
    view.unchanged = len(reading.units) + len(reading.people) - len(members)
    return view


def sheets_of(organisation: Organisation, chinese: bool = False) -> list[Sheet]:
    """The tables of an organisation, which read in again change nothing."""
    yes, no = ("是", "否") if chinese else ("yes", "no")
    units = [
        [unit.id, unit.name, unit.parent, unit.manager, yes if unit.active else no]
        for _, unit in sorted(organisation.units.items())
    ]
    people = [
        [
            person.id,
            person.username,
            person.name,
            person.email,
            person.unit,
            person.position,
            ";".join(person.roles),
            ";".join(f"{line.purpose}={line.manager}" for line in person.lines),
            yes if person.active else no,
        ]
        for _, person in sorted(organisation.people.items())
    ]
    posts = [
        [person.id, post.unit, post.position]
        for _, person in sorted(organisation.people.items())
        for post in person.posts
    ]
    rows: dict[SheetName, list[list[str]]] = {"units": units, "people": people, "posts": posts}
    return [
        Sheet(SHEETS[name] if chinese else name, [list(columns.values() if chinese else columns), *rows[name]])
        for name, columns in COLUMNS.items()
    ]
