"""The doors through which text of other people comes in. Each takes bytes and answers or refuses, in its own words.

What a door lets through is used once, too: a model is checked, an expression evaluated, a form given values.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import msgspec

from noria.adapters.http.bodies import DEPTH_MAX, depth_of
from noria.adapters.spreadsheets import SpreadsheetFiles
from noria.design.bpmn import compile_bpmn, read_bpmn
from noria.design.dmn import check_tables, explain, read_dmn
from noria.design.exporting import export_plain
from noria.design.feel import (
    EvaluationContext,
    FeelSyntaxError,
    compile_expression,
    compile_unary_tests,
    from_json,
    to_json,
)
from noria.design.feel.expression import FeelBudgetError
from noria.design.findings import has_errors
from noria.design.forms import read_form
from noria.design.importing import import_bpmn, import_dmn
from noria.design.importing.juel import JuelError, parse_template
from noria.design.xml import XmlRefusedError, read_xml, write_xml
from noria.operate.rosters import SheetsRefusedError, read_sheets
from noria.trust.history import History

STEPS_MAX = 20_000
"""Of an evaluation and of the analysis of tables."""
VARIABLES = {"amount": 7, "name": "Anhui", "items": [{"price": 3}, {"price": 5}], "nothing": None, "a b": True}


def context() -> EvaluationContext:
    """One with a small budget, so that a runaway ends soon."""
    return EvaluationContext(0, "Asia/Shanghai", STEPS_MAX, 5_000, 50_000, 50)


def xml(data: bytes) -> None:
    """Any XML: what is let through is written and read again without a change."""
    try:
        document = read_xml(data)
    except XmlRefusedError:
        return
    again = write_xml(document)
    assert write_xml(read_xml(again)) == again


def bpmn(data: bytes) -> None:
    """A process: refused by findings, or compiled."""
    read, findings = read_bpmn(data, "x.bpmn")
    assert read is not None or has_errors(findings)
    if read is not None and not has_errors(findings):
        compile_bpmn(read)


def dmn(data: bytes) -> None:
    """Decisions: refused by findings, or analysed and evaluated."""
    model, findings = read_dmn(data, "x.dmn")
    assert (model is None) == has_errors(findings)
    if model is not None:
        check_tables({"x.dmn": model}, STEPS_MAX)
        for decision in model.decisions.values():
            with contextlib.suppress(FeelBudgetError):
                value = to_json(decision.evaluate(VARIABLES, context()).value)
                msgspec.json.encode(value)
                explained, explanation = explain(decision, VARIABLES, context())
                assert to_json(explained.value) == value
                msgspec.json.encode(explanation)


def feel(data: bytes) -> None:
    """An expression: refused, stopped by its budget, or a value that JSON can hold."""
    with contextlib.suppress(FeelSyntaxError, FeelBudgetError):
        value = compile_expression(data.decode("utf-8", "replace"), VARIABLES).evaluate(VARIABLES, context())
        msgspec.json.encode(to_json(value))


def unary_tests(data: bytes) -> None:
    """Unary tests: refused, stopped by their budget, or three-valued."""
    with contextlib.suppress(FeelSyntaxError, FeelBudgetError):
        tests = compile_unary_tests(data.decode("utf-8", "replace"), VARIABLES)
        for value in (7, "Anhui", None, [1, 2], {"price": 3}):
            assert tests.matches(value, VARIABLES, context()) in (True, False, None)


def form(data: bytes) -> None:
    """A form: refused by findings, or read."""
    made, findings = read_form(data, "x.form")
    assert (made is None) == has_errors(findings)


def json(data: bytes) -> None:
    """Variables as they come in over REST: refused by the decoder, or FEEL values and back."""
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
        if depth_of(data) > DEPTH_MAX:
            return
        value = msgspec.json.decode(data)
        msgspec.json.encode(to_json(from_json(value)))


def imported(data: bytes) -> None:
    """Another engine's file, whatever it is: a report, or refused."""
    for read in (import_bpmn, import_dmn):
        with contextlib.suppress(XmlRefusedError):
            read(data, "x")


def exported(data: bytes) -> None:
    """A model for other tools: plain BPMN that can be read again, or refused."""
    plain = export_plain(data, "x").document
    if plain is not None:
        assert export_plain(plain, "x").document == plain


def juel(data: bytes) -> None:
    """Another engine's expression: refused, or a tree."""
    with contextlib.suppress(JuelError):
        parse_template(data.decode("utf-8", "replace"))


def tables(data: bytes) -> None:
    """A file of people, whatever it is called: read as tables of which each row is right or wrong, or refused."""
    for name in ("people.xlsx", "people.zip", "people.csv"):
        with contextlib.suppress(SheetsRefusedError):
            reading, members = read_sheets(SpreadsheetFiles().read({name: data}), History({}, ()), 1, deactivate=True)
            if not reading.errors:
                History({}, ()).with_members(members, 1, 1).at(1)


DOORS: dict[str, Callable[[bytes], None]] = {
    "xml": xml,
    "bpmn": bpmn,
    "dmn": dmn,
    "feel": feel,
    "unary": unary_tests,
    "form": form,
    "json": json,
    "import": imported,
    "export": exported,
    "juel": juel,
    "tables": tables,
}
