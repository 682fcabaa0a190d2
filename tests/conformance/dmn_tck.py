"""Runs the DMN TCK (dmn-tck/tck) as its official runners do and counts what passes."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from noria.design.dmn import read_dmn
from noria.design.feel import EvaluationContext, from_json
from noria.design.feel.temporal import Date, DateTime, DaysDuration, MonthsDuration, Time, parse_temporal
from noria.design.feel.values import decimal_of, kind
from noria.kernel.errors import NoriaError

TCK = "{http://www.omg.org/spec/DMN/20160719/testcase}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
TEMPORAL = (Date, Time, DateTime, DaysDuration, MonthsDuration)
NOW_MS = 1_782_864_000_000


@dataclass(frozen=True)
class CaseResult:
    folder: str
    file: str
    case: str
    passed: bool
    has_value: bool
    comment: str


def value_of(node: ET.Element) -> Any:
    """The FEEL value that an input or an expectation writes down."""
    listed = node.find(f"{TCK}list")
    if listed is not None:
        if listed.get(f"{XSI}nil") == "true":
            return None
        return [value_of(item) for item in listed.findall(f"{TCK}item")]
    components = node.findall(f"{TCK}component")
    if components:
        return {part.get("name", ""): value_of(part) for part in components}
    value = node.find(f"{TCK}value")
    if value is None or value.get(f"{XSI}nil") == "true":
        return None
    text = value.text or ""
    declared = (value.get(f"{XSI}type") or "xsd:string").rpartition(":")[2]
    if declared == "boolean":
        return text.strip() in {"true", "1"}
    if declared in {"decimal", "double", "integer", "int", "long", "float"}:
        return from_json(float(text)) if text.strip() in {"NaN", "INF", "-INF"} else Decimal(text.strip())
    if declared in {"date", "time", "dateTime", "duration", "dayTimeDuration", "yearMonthDuration"}:
        parsed = parse_temporal(text.strip())
        return text.strip() if parsed is None else parsed
    return text


def same(expected: Any, actual: Any) -> bool:
    """Equality as the official runners define it: numbers within 1e-8."""
    if kind(expected) == "number" and kind(actual) == "number":
        return abs(decimal_of(expected) - decimal_of(actual)) < Decimal("1e-8")
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(same, expected, actual))
    if isinstance(expected, dict) and isinstance(actual, dict):
        return expected.keys() == actual.keys() and all(same(expected[key], actual[key]) for key in expected)
    if isinstance(expected, TEMPORAL) or isinstance(actual, TEMPORAL):
        return type(expected) is type(actual) and (expected == actual or _same_moment(expected, actual))
    return kind(expected) == kind(actual) and expected == actual


def _same_moment(expected: Any, actual: Any) -> bool:
    if not isinstance(expected, (Time, DateTime)):
        return False
    return (expected.zone is None) == (actual.zone is None) and expected.key() == actual.key()


def run_folder(folder: Path) -> Iterator[CaseResult]:
    for path in sorted(folder.glob("*.xml")):
        root = ET.parse(path).getroot()  # noqa: S314 - the suite's own files
        if root.tag != f"{TCK}testCases":
            continue
        model_name = root.findtext(f"{TCK}modelName", "").strip()
        beside = {other.name: other.read_bytes() for other in folder.glob("*.dmn")}
        model, findings = read_dmn(beside[model_name], model_name, beside)
        for case in root.findall(f"{TCK}testCase"):
            inputs = {node.get("name", ""): value_of(node) for node in case.findall(f"{TCK}inputNode")}
            comments: list[str] = []
            has_value = False
            for result in case.findall(f"{TCK}resultNode"):
                expected_node = result.find(f"{TCK}expected")
                expected = None if expected_node is None else value_of(expected_node)
                has_value = has_value or expected is not None
                name = result.get("name", "")
                if model is None:
                    comments.append(str(findings[0]))
                    continue
                context = EvaluationContext(NOW_MS)
                try:
                    if case.get("type") in {"decisionService", "bkm"}:
                        actual = model.call(case.get("invocableName", ""), inputs, context).value
                        outputs = isinstance(actual, dict) and len(case.findall(f"{TCK}resultNode")) > 1
                        actual = actual.get(name) if outputs else actual
                    else:
                        actual = model.find(name).evaluate(inputs, context).value
                except NoriaError as error:
                    actual = None
                    comments.extend([error.message] * (expected is not None))
                except Exception as error:  # noqa: BLE001 - a defect fails its case, not the run
                    actual = None
                    comments.append(f"{type(error).__name__}: {error}")
                if not same(expected, actual):
                    notes = "; ".join(note.message for note in context.diagnostics[:2])
                    comments.append(f"{name}: expected {expected!r}, got {actual!r} ({notes})")
            yield CaseResult(folder.name, path.name, case.get("id", ""), not comments, has_value, " | ".join(comments))


def run_level(level: Path) -> list[CaseResult]:
    folders = sorted(path for path in level.iterdir() if path.is_dir())
    return [result for folder in folders for result in run_folder(folder)]


def rates(results: list[CaseResult]) -> tuple[float, float]:
    """Share of all cases passed, and of those that expect a value."""
    valued = [result for result in results if result.has_value]
    return (
        sum(result.passed for result in results) / max(len(results), 1),
        sum(result.passed for result in valued) / max(len(valued), 1),
    )


def csv_line(level: str, one: CaseResult) -> str:
    """A result as the suite publishes it: folder, file, case, SUCCESS or ERROR, comment."""
    comment = one.comment.replace('"', "'").replace("\n", " ")[:300]
    return f'{level}/{one.folder},{one.file},{one.case},{"SUCCESS" if one.passed else "ERROR"},"{comment}"'
