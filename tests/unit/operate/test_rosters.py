"""Import and export: files to tables, tables to people and units, what is wrong row by row, and hostile files."""

from __future__ import annotations

import contextlib
import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from noria.adapters import spreadsheets
from noria.adapters.spreadsheets import SpreadsheetFiles, guarded, plain
from noria.operate.rosters import RowError, Sheet, SheetsRefusedError, read_sheets, sheets_of
from noria.trust.history import History
from noria.trust.people import Line, Organisation, Person, Post, Unit

FILES = SpreadsheetFiles()
UNITS = (Unit("works", "澄海制造", "", "zhao"), Unit("buying", "采购部", "works", "wang"))
PEOPLE = (
    Person("zhao", "zhao", "赵总", "works", roles=("employee", "general_manager")),
    Person("wang", "wang", "王强", "buying", "wang@example.test", position="head", lines=(Line("project", "zhao"),)),
    Person("lin", "lin", "林晓", "buying", posts=(Post("works", "sampler"),)),
    Person("gone", "gone", "离职", "buying", active=False),
)
KNOWN = History({}, ()).with_members([*UNITS, *PEOPLE], 0, 0)


def csv_sheet(name: str, text: str) -> list[Sheet]:
    return FILES.read({f"{name}.csv": text.encode()})


def errors_of(*sheets: Sheet, deactivate: bool = False) -> list[tuple[str, int, str, str]]:
    reading, _ = read_sheets(sheets, KNOWN, 1, deactivate=deactivate)
    return [(error.sheet, error.row, error.column, error.code) for error in reading.errors]


def members_of(*sheets: Sheet, deactivate: bool = False) -> list[Person | Unit]:
    reading, members = read_sheets(sheets, KNOWN, 1, deactivate=deactivate)
    assert reading.errors == []
    return members


# Round trips


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
@pytest.mark.parametrize("chinese", [False, True])
def test_what_was_exported_changes_nothing_when_it_is_imported(kind: str, chinese: bool) -> None:
    content = FILES.write(sheets_of(KNOWN.at(1), chinese), kind)
    sheets = FILES.read({"people.xlsx" if kind == "xlsx" else "people.zip": content})
    assert members_of(*sheets, deactivate=True) == []


def test_what_was_exported_makes_the_same_company_elsewhere() -> None:
    sheets = FILES.read({"people.xlsx": FILES.write(sheets_of(KNOWN.at(1)), "xlsx")})
    reading, members = read_sheets(sheets, History({}, ()), 1)
    assert reading.errors == []
    made = History({}, ()).with_members(members, 1, 1).at(1)
    assert (made.people, made.units) == (KNOWN.at(1).people, KNOWN.at(1).units)


@given(st.text())
def test_a_guarded_text_is_no_formula_and_comes_back_as_it_was(text: str) -> None:
    assert guarded(text)[:1] not in ("=", "+", "-", "@", "\t", "\r") or not text
    assert plain(guarded(text)) == text


_CELLS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20).filter(
    lambda text: text == text.strip()
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(_CELLS, min_size=2, max_size=4), min_size=1, max_size=5), st.sampled_from(["xlsx", "csv"]))
def test_tables_are_read_as_they_were_written(rows: list[list[str]], kind: str) -> None:
    # A table without a heading of several columns leaves nothing to tell the delimiter by.
    rows = [["a", "b"], *rows]
    content = FILES.write([Sheet("people", rows)], kind)
    (sheet,) = FILES.read({"x.xlsx" if kind == "xlsx" else "x.zip": content})
    assert _trimmed(sheet.rows) == _trimmed(rows)


def _trimmed(rows: list[list[str]]) -> list[list[str]]:
    """Without empty cells and rows at the end, which files need not have."""
    found = [list(row) for row in rows]
    for row in found:
        while row and not row[-1]:
            row.pop()
    while found and not found[-1]:
        found.pop()
    return found


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_no_cell_of_an_export_is_a_formula(kind: str) -> None:
    evil = '=HYPERLINK("http://example.test","x")'
    company = Organisation({"x": Person("x", "x", evil, position="@SUM(1)", email="+1", unit="-1")}, {})
    content = FILES.write(sheets_of(company), kind)
    if kind == "xlsx":
        cells = [cell for page in load_workbook(io.BytesIO(content)) for row in page.iter_rows() for cell in row]
        assert {cell.data_type for cell in cells if cell.value is not None} == {"s"}
        texts = [str(cell.value) for cell in cells if cell.value is not None]
    else:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            texts = archive.read("people.csv").decode("utf-8-sig").replace("\r\n", ",").split(",")
    assert not [text for text in texts if text[:1] in ("=", "+", "-", "@")]


# What a table says


def test_a_column_that_is_missing_leaves_its_field_and_an_empty_cell_empties_it() -> None:
    (sheet,) = csv_sheet("people", "id,email\nwang,\nlin,lin@example.test\n")
    assert members_of(sheet) == [
        Person("wang", "wang", "王强", "buying", position="head", lines=(Line("project", "zhao"),)),
        Person("lin", "lin", "林晓", "buying", "lin@example.test", posts=(Post("works", "sampler"),)),
    ]


def test_units_and_people_of_one_file_may_need_each_other() -> None:
    sheets = [
        *csv_sheet("units", "id,name,parent,manager\nit,信息部,works,he\n"),
        *csv_sheet("人员", "人员标识,用户名,姓名,部门,角色\nhe,he,何静,it,employee；sysadmin\n"),
    ]
    assert members_of(*sheets) == [
        Unit("it", "信息部", "works", "he"),
        Person("he", "he", "何静", "it", roles=("employee", "sysadmin")),
    ]


def test_posts_are_all_of_everybody_who_is_named() -> None:
    (sheet,) = csv_sheet("posts", "person,unit,position\nwang,works,auditor\nwang,works,\n")
    (wang,) = members_of(sheet)
    assert isinstance(wang, Person)
    assert wang.posts == (Post("works", "auditor"), Post("works"))


def test_a_table_of_people_with_one_of_posts_takes_posts_away() -> None:
    sheets = [*csv_sheet("people", "id,name\nlin,林晓\n"), *csv_sheet("posts", "person,unit\n")]
    (lin,) = members_of(*sheets)
    assert isinstance(lin, Person)
    assert lin.posts == ()


def test_who_is_not_in_the_table_is_deactivated_only_if_that_is_wanted() -> None:
    (sheet,) = csv_sheet("people", "id,name\nzhao,赵总\nwang,王强\n")
    assert members_of(sheet) == []
    assert [(member.id, member.active) for member in members_of(sheet, deactivate=True)] == [("lin", False)]


def test_a_file_of_gb18030_or_with_semicolons_is_read_as_what_it_is() -> None:
    (sheet,) = FILES.read({"people.csv": "id;姓名\nlin;林小小\n".encode("gb18030")})
    assert sheet.rows == [["id", "姓名"], ["lin", "林小小"]]


def test_numbers_dates_and_truth_in_a_workbook_are_read_as_texts() -> None:
    book = Workbook()
    page = book.active
    page.title = "people"
    for row in (["id", "name", "active"], [1001, "七", True], ["lin", 2.5, False]):
        page.append(row)
    out = io.BytesIO()
    book.save(out)
    (sheet,) = FILES.read({"p.xlsx": out.getvalue()})
    assert sheet.rows == [["id", "name", "active"], ["1001", "七", "yes"], ["lin", "2.5", "no"]]


# What is wrong


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("clients", "id\nx\n", ("clients", 0, "", "import.sheet")),
        ("people", "name\nx\n", ("people", 1, "id", "import.column_missing")),
        ("people", "id,salary\nlin,1\n", ("people", 1, "salary", "import.column")),
        ("people", "id,姓名,name\nlin,a,b\n", ("people", 1, "name", "import.column_twice")),
        ("people", "id,name\n,林\n", ("people", 2, "id", "import.needed")),
        ("people", "id,name\nlin,林\nlin,林\n", ("people", 3, "id", "import.twice")),
        ("people", "id,active\nlin,maybe\n", ("people", 2, "active", "import.yes_or_no")),
        ("people", "id,second_managers\nlin,zhao\n", ("people", 2, "second_managers", "import.second_managers")),
        ("people", "id,second_managers\nlin,project=nobody\n", ("people", 2, "second_managers", "person.not_found")),
        ("people", "id,unit\nlin,nowhere\n", ("people", 2, "unit", "unit.not_found")),
        ("people", "id,username,name\nneu,wang,新\n", ("people", 2, "username", "person.username_taken")),
        ("people", "id,username,name\nneu,,新\n", ("people", 2, "name", "person.incomplete")),
        ("people", "id,roles\nlin,auditor;sysadmin\n", ("people", 2, "roles", "roles.exclusive")),
        ("units", "id,name,parent\nx,X,nowhere\n", ("units", 2, "parent", "unit.not_found")),
        ("units", "id,parent\nworks,buying\n", ("units", 2, "parent", "unit.cycle")),
        ("units", "id,active\nbuying,no\n", ("units", 2, "active", "unit.in_use")),
        ("posts", "person,unit\nnobody,works\n", ("posts", 2, "person", "person.not_found")),
        ("posts", "person,unit\nlin,\n", ("posts", 2, "unit", "import.needed")),
        ("posts", "person,unit\nlin,nowhere\n", ("posts", 2, "unit", "unit.not_found")),
        ("posts", "person,unit\nlin,works\nlin,works\n", ("posts", 3, "", "import.twice")),
    ],
)
def test_what_is_wrong_is_named_by_table_row_and_column(name: str, text: str, wrong: tuple[str, int, str, str]) -> None:
    assert wrong in errors_of(*csv_sheet(name, text))


def test_every_wrong_row_is_named_at_once() -> None:
    (sheet,) = csv_sheet("people", "id,unit,roles\nlin,nowhere,\nwang,,auditor;sysadmin\n")
    assert [error[1] for error in errors_of(sheet)] == [2, 3]


def test_an_error_says_what_stands_there_and_what_to_do() -> None:
    (sheet,) = csv_sheet("people", "id,active\nlin,maybe\n")
    reading, _ = read_sheets([sheet], KNOWN, 1)
    assert reading.errors == [
        RowError("people", 2, "active", "import.yes_or_no", "Write yes or no (是 or 否).", "maybe")
    ]


# Hostile files


def archive(**entries: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in entries.items():
            packed.writestr(name.replace("__", "."), content)
    return out.getvalue()


def workbook() -> dict[str, bytes]:
    content = FILES.write([Sheet("people", [["id"], ["lin"]])], "xlsx")
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def packed_again(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return out.getvalue()


def test_a_zip_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheets, "UNPACKED_BYTES_MAX", 1_000_000)
    bomb = archive(people__csv=b"0" * 2_000_000)
    assert len(bomb) < 10_000
    with pytest.raises(SheetsRefusedError, match="unpacks to more"):
        FILES.read({"people.zip": bomb})
    parts = workbook()
    parts["xl/media/image.png"] = b"0" * 2_000_000
    with pytest.raises(SheetsRefusedError, match="unpacks to more"):
        FILES.read({"people.xlsx": packed_again(parts)})


def test_an_archive_of_many_files_is_refused() -> None:
    with pytest.raises(SheetsRefusedError, match="files"):
        FILES.read({"people.zip": archive(**{f"f{n}__csv": b"" for n in range(201)})})


def test_a_workbook_with_a_doctype_is_refused() -> None:
    parts = workbook()
    name = next(name for name in parts if "sheet1" in name)
    entity = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>'
    parts[name] = entity + parts[name].split(b"?>", 1)[-1]
    with pytest.raises(SheetsRefusedError, match="DOCTYPE"):
        FILES.read({"people.xlsx": packed_again(parts)})


def test_a_page_that_claims_to_be_huge_is_read_by_what_it_has() -> None:
    parts = workbook()
    name = next(name for name in parts if "sheet1" in name)
    parts[name] = parts[name].replace(b"<sheetData>", b'<dimension ref="A1:XFD1048576"/><sheetData>', 1)
    (sheet,) = FILES.read({"people.xlsx": packed_again(parts)})
    assert sheet.rows == [["id"], ["lin"]]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("people.xlsx", b"no workbook"),
        ("people.zip", b"PK\x03\x04 broken"),
        ("people.xls", b"old"),
        ("people", b""),
        ("people.csv", b"\xff\xff\xff\x80"),
        ("people.csv", b'id\n"open\n'),
        ("people.csv", ("id\n" + "x\n" * 20_002).encode()),
        ("people.csv", (",".join(f"c{n}" for n in range(60)) + "\n").encode()),
        ("people.csv", ("id\n" + "x" * 10_001 + "\n").encode()),
    ],
)
def test_what_cannot_be_read_is_refused_as_a_whole(name: str, content: bytes) -> None:
    with pytest.raises(SheetsRefusedError):
        FILES.read({name: content})


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 5_000), st.binary(min_size=1, max_size=3))
def test_a_damaged_workbook_is_read_or_refused_and_nothing_else(at: int, with_bytes: bytes) -> None:
    content = bytearray(FILES.write(sheets_of(KNOWN.at(1)), "xlsx"))
    at %= len(content)
    content[at : at + len(with_bytes)] = with_bytes
    with contextlib.suppress(SheetsRefusedError):
        FILES.read({"people.xlsx": bytes(content)})
