"""Files of tables: CSV, archives of CSV files, and XLSX workbooks (openpyxl).

Everything of an archive is limited before it is unpacked, and every XML part of a workbook goes through the guarded
door before the library sees it. What a spreadsheet would take for a formula is written as a text.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Literal

from openpyxl import Workbook, load_workbook

from noria.design.xml import XmlLimits, XmlRefusedError, check_xml
from noria.operate.rosters import Sheet, SheetsRefusedError

BYTES_MAX = 10_000_000
"""Of a file as it comes, and of everything in it together once it is unpacked five times as much."""
UNPACKED_BYTES_MAX = 5 * BYTES_MAX
ENTRIES_MAX = 200
ROWS_MAX = 20_000
COLUMNS_MAX = 50
CELL_CHARS_MAX = 10_000
_LIMITS = XmlLimits(bytes_max=UNPACKED_BYTES_MAX, depth_max=50, nodes_max=1_500_000)
_FORMULA = re.compile(r"[=+\-@\t\r]")
_GUARDED = re.compile(r"'(?=[=+\-@\t\r'])")
_EPOCH = (1980, 1, 1, 0, 0, 0)


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula; `plain` gives it back.

    Source: OWASP, CSV Injection. A leading apostrophe is doubled, so that nothing is read as what it was not.
    """
    return f"'{text}" if _FORMULA.match(text) or _GUARDED.match(text) else text


def plain(text: str) -> str:
    """A text as it was before it was guarded."""
    return text[1:] if _GUARDED.match(text) else text


class SpreadsheetFiles:
    """`Spreadsheets`."""

    def read(self, files: Mapping[str, bytes]) -> list[Sheet]:
        """The tables of files, by their names: ``.xlsx``, ``.zip`` with CSV files in it, ``.csv``.

        Raises:
            SheetsRefusedError: one cannot be read.
        """
        sheets: list[Sheet] = []
        for name, content in files.items():
            if len(content) > BYTES_MAX:
                raise SheetsRefusedError(f"{name} is larger than {BYTES_MAX // 1_000_000} MB; split it.")
            ending = name.lower().rpartition(".")[2]
            if ending == "xlsx":
                sheets += _workbook(name, content)
            elif ending == "zip":
                for inner, part in _unpacked(name, content):
                    if inner.lower().endswith(".csv"):
                        sheets.append(_csv(inner, part))
            elif ending == "csv":
                sheets.append(_csv(name, content))
            else:
                raise SheetsRefusedError(f"{name} is neither .xlsx nor .csv nor .zip; save it as one of them.")
        return sheets

    def write(self, sheets: Sequence[Sheet], kind: Literal["xlsx", "csv"]) -> bytes:
        """A workbook, or an archive of one CSV file for each table; the same tables give the same CSV archive."""
        out = io.BytesIO()
        if kind == "xlsx":
            book = Workbook(write_only=True)
            for sheet in sheets:
                page = book.create_sheet(sheet.name)
                for row in sheet.rows:
                    page.append([guarded(cell) for cell in row])
            book.save(out)
            return out.getvalue()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for sheet in sheets:
                text = io.StringIO()
                csv.writer(text).writerows([guarded(cell) for cell in row] for row in sheet.rows)
                # The mark at the beginning has spreadsheet programs read it as UTF-8.
                entry = zipfile.ZipInfo(f"{sheet.name}.csv", _EPOCH)
                archive.writestr(entry, text.getvalue().encode("utf-8-sig"), zipfile.ZIP_DEFLATED)
        return out.getvalue()


def _unpacked(name: str, content: bytes) -> list[tuple[str, bytes]]:
    """The files of an archive with their names in it.

    Raises:
        SheetsRefusedError: it is no archive, or holds more than is read.
    """
    try:
        return list(_parts(name, content))
    except SheetsRefusedError:
        raise
    except Exception as error:  # noqa: BLE001 - each kind of compression has error classes of its own
        raise SheetsRefusedError(f"{name} is damaged or protected: {type(error).__name__}: {error}") from None


def _parts(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(entries) > ENTRIES_MAX:
            raise SheetsRefusedError(f"{name} holds {len(entries)} files; {ENTRIES_MAX} at most are read.")
        left = UNPACKED_BYTES_MAX
        for entry in entries:
            # What an archive says of its sizes may be a lie: no more is unpacked than is left.
            with archive.open(entry) as packed:
                part = packed.read(left + 1)
            left -= len(part)
            if left < 0:
                text = f"{name} unpacks to more than {UNPACKED_BYTES_MAX // 1_000_000} MB; nothing of it was read."
                raise SheetsRefusedError(text)
            yield entry.filename, part


def _workbook(name: str, content: bytes) -> list[Sheet]:
    for inner, part in _unpacked(name, content):
        if inner.endswith((".xml", ".rels", ".vml")):
            try:
                check_xml(part, _LIMITS)
            except XmlRefusedError as error:
                raise SheetsRefusedError(f"{name}: {inner}: {error.message}") from None
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        return [_sheet(name, page.title, page) for page in book.worksheets]
    except SheetsRefusedError:
        raise
    except Exception as error:  # noqa: BLE001 - the library lets whatever a damaged workbook causes come through
        raise SheetsRefusedError(f"{name} is no workbook that can be read: {type(error).__name__}: {error}") from None


def _sheet(name: str, title: str, page: object) -> Sheet:
    # What a page says of its size may be a lie as well.
    page.reset_dimensions()  # type: ignore[attr-defined]
    rows: list[list[str]] = []
    for values in page.iter_rows(values_only=True):  # type: ignore[attr-defined]
        if len(rows) > ROWS_MAX:
            raise SheetsRefusedError(f"{name}: {title} has more than {ROWS_MAX} rows; split it.")
        rows.append(_cut(name, title, [plain(_text(value)) for value in values[: COLUMNS_MAX + 1]]))
    while rows and not any(rows[-1]):
        rows.pop()
    return Sheet(title, rows)


def _text(value: object) -> str:
    """A cell as text: whole numbers without a fraction, dates as ISO 8601 writes them."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def _csv(name: str, content: bytes) -> Sheet:
    title = name.replace("\\", "/").rpartition("/")[2].removesuffix(".csv").removesuffix(".CSV")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            # What spreadsheet programs write on Windows in China when they are not asked for UTF-8.
            text = content.decode("gb18030")
        except UnicodeDecodeError:
            raise SheetsRefusedError(f"{name} is neither UTF-8 nor GB 18030; save it as UTF-8.") from None
    heading = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=heading.count)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            if len(rows) > ROWS_MAX:
                raise SheetsRefusedError(f"{name} has more than {ROWS_MAX} rows; split it.")
            rows.append(_cut(name, title, [plain(cell) for cell in row]))
    except csv.Error as error:
        raise SheetsRefusedError(f"{name}: row {len(rows) + 1}: {error}") from None
    return Sheet(title, rows)


def _cut(name: str, title: str, row: list[str]) -> list[str]:
    while row and not row[-1]:
        row.pop()
    if len(row) > COLUMNS_MAX:
        raise SheetsRefusedError(f"{name}: {title} has more than {COLUMNS_MAX} columns.")
    if any(len(cell) > CELL_CHARS_MAX for cell in row):
        raise SheetsRefusedError(f"{name}: {title} has a cell of more than {CELL_CHARS_MAX} characters.")
    return row
