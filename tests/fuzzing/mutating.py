"""Inputs for the doors: good ones damaged, and the words of each language in no sensible order."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Literal

from noria.adapters.spreadsheets import SpreadsheetFiles
from noria.operate.rosters import Sheet
from tests.unit.design.dmn.test_decisions import NUMBERS, table

EXAMPLES = Path(__file__).parents[2] / "examples" / "purchase"
FOUND = Path(__file__).parent / "found"
ROUNDS_MAX = 6
WORDS_MAX = 30

FEEL_WORDS = (
    *("amount", "name", "items", "nothing", "price", "item", "partial", "?", "-", "+", "*", "/", "**", ".", ".."),
    *(",", ":", "(", ")", "[", "]", "{", "}", "=", "!=", "<", "<=", ">", ">=", "@", "'", "’", "∞", "é", "年"),
    *("if", "then", "else", "for", "in", "return", "some", "every", "satisfies", "between", "and", "or", "not"),
    *("instance", "of", "function", "external", "null", "true", "false", "0", "1", "7", "1e400", "0.1", "-1"),
    *('"a"', '"\\u0000"', '"\\uD83D"', '"(a+)+$"', '""', '@"2026-02-30"', '@"P1D"', '@"999999999-12-31"'),
    *('@"-999999999-01-01T00:00:00Z"', '@"10:00:00@Asia/Shanghai"', '"P999999999999999999Y"'),
    *('@"P99999999999999999D"', "1..5", "]1..5[", "[1..100000]", "(< 5)", "/* x */", "//", "\n", "count("),
    *("sum(", "sort(", "substring(", "split(", "matches(", "replace(", "date(", "time(", "duration(", "number("),
    *("date and time(", "string join(", "range(", "overlaps(", "context put(", "exp(", "10 ** 6144", "modulo("),
    *("floor(", "list replace(", "flatten(", "mode(", "stddev(", "string(", "now()", "today()", "day of week("),
    *("is(", "string length("),
    "9" * 40,
)
JUEL_WORDS = (
    *("${", "#{", "}", "${amount}", "empty", "and", "or", "not", "eq", "ne", "div", "mod", "instanceof"),
    *("null", "true", "amount", ".", "[", "]", "(", ")", "?", ":", "'a'", '"b"', "\\", "1", "1.5e3", "=="),
    *("!=", "<", ">=", "&&", "||", "!", "execution.getVariable('x')", "+", "-", "*", "/", "%", "=", ";", "年"),
    *(" "),
)
XML_WORDS = (
    *("<a>", "</a>", "<a/>", "<b x='1'>", "</b>", "<!--", "-->", "<![CDATA[", "]]>", "&amp;", "&#0;", "&lt;"),
    *("&x;", "<?p?>", "<!DOCTYPE a>", '<a xmlns="urn:a">', 'xmlns:p="urn:p"', "<p:a>", "\x00", "\ufffe"),
    *("<?xml version='1.0'?>", ">", '"'),
)
JSON_WORDS = (
    *("{", "}", "[", "]", ",", ":", '"', '"key"', '"components"', '"type"', '"textfield"', '"schemaVersion"'),
    *("19", "null", "true", "1e999", "-0", '"\\ud800"', "NaN", '"dynamiclist"', '"validate"', '"properties"'),
    *('"="', '"select"', '"values"', '"conditional"', '"hide"', '"number"', '"pattern"', '"(a+)+"'),
    *('"defaultValue"', "0.1"),
    "1" * 400,
    "9" * 30,
)
MODEL_WORDS = (
    *("id", "name", "sourceRef", "targetRef", "attachedToRef", "isExecutable", "hitPolicy", "typeRef"),
    *("href", "kind", "userTask", "startEvent", "subProcess", "adHocSubProcess", "transaction"),
    *("boundaryEvent", "decisionTable", "rule", "context", "invocation", "list", "relation", "conditional"),
    *("filter", "for", "every", "functionDefinition", "input", "outputEntry", "inputEntry", "itemDefinition"),
    *("multiInstanceLoopCharacteristics", "timerEventDefinition", "text", "noria:assignee", "noria:serial"),
    *("noria:dueIn", "noria:remindAt", "= ", "{", "}", "{year", "PT1H", "R/PT1S", "0 0 * *"),
)
WORDS: dict[str, tuple[str, ...]] = {
    "xml": XML_WORDS,
    "bpmn": (*XML_WORDS, *MODEL_WORDS, *FEEL_WORDS),
    "dmn": (*XML_WORDS, *MODEL_WORDS, *FEEL_WORDS),
    "feel": FEEL_WORDS,
    "unary": FEEL_WORDS,
    "form": (*JSON_WORDS, *FEEL_WORDS),
    "json": JSON_WORDS,
    "import": (*XML_WORDS, *MODEL_WORDS, *JUEL_WORDS),
    "export": (*XML_WORDS, *MODEL_WORDS, *FEEL_WORDS),
    "tables": (
        *("id", "姓名", "yes", "否", ",", ";", "\t", '"', "\r\n", "'", "=1+1", "lin", "works", "project=lin"),
        *(
            "xl/workbook.xml",
            "<c",
            "<row",
            'r="XFD1048576"',
            't="s"',
            't="inlineStr"',
            "<v>",
            "-1",
            "1e400",
            "PK\x03\x04",
        ),
    ),
    "juel": JUEL_WORDS,
}


def _texts(*texts: str) -> list[bytes]:
    return [text.encode() for text in texts]


def _example(name: str) -> bytes:
    return (EXAMPLES / name).read_bytes()


KINDS: tuple[Literal["xlsx", "csv"], ...] = ("xlsx", "csv")
TABLES = {
    "units": [["id", "name", "manager"], ["works", "澄海制造", "lin"]],
    "people": [
        ["id", "username", "name", "unit", "roles", "second_managers"],
        ["lin", "lin", "=1", "works", "a;b", ""],
    ],
    "posts": [["person", "unit", "position"], ["lin", "works", "buyer"]],
}
EXPORTED = b"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:noria="urn:noria:bpmn:1"
 xmlns:x="urn:x" targetNamespace="t"><process id="p" isExecutable="true" x:y="1">
 <startEvent id="s"/><sequenceFlow id="f" sourceRef="s"
 targetRef="u"/><userTask id="u" noria:approval="allOf" noria:approvers="= [a, {person: b}]" noria:dueIn="P1D">
 <extensionElements><noria:input source="= a" target="b"/><x:z/></extensionElements></userTask><serviceTask id="w"
 noria:topic="t"><multiInstanceLoopCharacteristics noria:collection="= items" noria:item="one"/></serviceTask>
 </process></definitions>"""
SEEDS: dict[str, list[bytes]] = {
    "xml": [
        _example("purchase.bpmn"),
        b'<a xmlns="urn:a" xmlns:p="urn:p" p:x="1"><!-- c --><p:b>t&amp;</p:b><?i j?></a>',
    ],
    "bpmn": [_example("purchase.bpmn")],
    "dmn": [
        _example("approval.dmn"),
        table("PRIORITY", NUMBERS, values="3, 2, 1"),
        table("UNIQUE", [("not([1..3))", "1")]),
    ],
    "feel": _texts(
        "for i in 1..3, j in items return if j.price > i then {a: i, b: a + 1} else null",
        'some x in [1, 2, 3] satisfies x in (1..amount], "b", < 5',
        "function(a: number, b) external {java: {class: name, method signature: name}}",
        'date and time("2026-01-01T00:00:00@Asia/Shanghai") + duration("P1DT2H") - @"2026-01-01T00:00:00Z"',
        "sort(items, function(x, y) x.price < y.price)[item.price > 3][1].price between 1 and 2 ** 10",
    ),
    "unary": _texts('not([1..3), "a")', "? > 5 and ? < 9, 17", '< date("2026-01-01"), @"P1D"', "-", "[1, 2], ]3..4["),
    "form": [_example("purchase.form"), _example("review.form")],
    "json": [b'{"a": [1, 2.5, "\\u5e74", null, true, {"b": {}}], "c": -1e-7}', _example("review.form")],
    "import": [_example("purchase.bpmn"), _example("approval.dmn")],
    "export": [_example("purchase.bpmn"), EXPORTED],
    "tables": [
        *(SpreadsheetFiles().write([Sheet(name, rows) for name, rows in TABLES.items()], kind) for kind in KINDS),
        "id,username,name,unit,active\nlin,lin,林晓,,是\n".encode(),
    ],
    "juel": _texts("${amount > 1000 && empty name ? 'a' : order.lines[0].price * 2}", "text ${a} more #{b.c}"),
}
"""Good inputs by door."""


def drawn(random: Random, door: str) -> bytes:
    """An input for a door.

    Args:
        random: Hypothesis's or a seeded one.
        door: its name.
    """
    words = [word.encode("utf-8", "surrogatepass") for word in WORDS[door]]
    if random.randrange(3) == 0:
        space = random.choice([b" ", b" ", b""])
        return space.join(random.choice(words) for _ in range(random.randint(0, WORDS_MAX)))
    data = random.choice(SEEDS[door])
    for _ in range(random.randint(1, ROUNDS_MAX)):
        data = _damaged(random, data, words)
    return data


def _damaged(random: Random, data: bytes, words: list[bytes]) -> bytes:
    start = random.randint(0, len(data))
    end = min(len(data), start + random.choice([0, 1, 1, 2, 5, 20, 100]))
    how = random.randrange(6)
    if how == 0:
        return data[:start] + data[end:]
    if how == 1:
        return data[:start] + bytes(random.randrange(256) for _ in range(end - start)) + data[end:]
    if how == 2:
        return data[:start] + data[start:end] * random.choice([2, 3, 50, 300]) + data[end:]
    if how == 3:
        # A whole word goes in place of another, so that what comes out is often still well-formed.
        old, new = random.choice(words), random.choice(words)
        return data.replace(old, new, random.choice([1, 1, 100]))
    if how == 4:
        other = random.randint(0, len(data))
        return data[:start] + data[other : other + end - start] + data[end:]
    return data[:start] + random.choice(words) + data[end:]
