"""Expressions and decision tables: FEEL compiled once, beside SpiffWorkflow's evaluation of Python text.

The peer has no FEEL (its Python text works in binary floating point and fails on null), so each expression is written
twice; both give the same value.
"""

from __future__ import annotations

import math
import statistics
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from typing import Any

from SpiffWorkflow.bpmn.script_engine.python_environment import TaskDataEnvironment
from tests.shared import SHARED

from bench.telling import Asked, Figures, compared, skipped
from noria.adapters.system import settle_memory
from noria.design.dmn import read_dmn
from noria.design.feel import EvaluationContext, FeelSyntaxError, compile_expression, to_json
from noria.design.feel.compiler import shared_code

VARIABLES: dict[str, object] = {
    "amount": 68400,
    "category": "equipment",
    "name": "Anhui bridge crane",
    "items": [{"price": 90 + 10 * at, "quantity": at} for at in range(10)],
}
PAIRS = (
    ('amount > 50000 and category = "equipment"', 'amount > 50000 and category == "equipment"'),
    (
        'if amount > 100000 then "board" else if amount > 10000 then "director" else "manager"',
        '"board" if amount > 100000 else "director" if amount > 10000 else "manager"',
    ),
    ("amount * 3 + 200", "amount * 3 + 200"),
    ("amount in [1000..100000]", "1000 <= amount <= 100000"),
    ("upper case(substring(name, 1, 5))", "name[0:5].upper()"),
    ('contains(name, "bridge") or starts with(name, "B")', '"bridge" in name or name.startswith("B")'),
    ("sum(items.price)", 'sum(item["price"] for item in items)'),
    ("count(items[price > 100])", 'len([item for item in items if item["price"] > 100])'),
    ("some item in items satisfies item.price > 170", 'any(item["price"] > 170 for item in items)'),
    ("for item in items return item.price * item.quantity", '[item["price"] * item["quantity"] for item in items]'),
)
"""FEEL, and Python that gives the same."""

RULES = 1_000
FLOOR = 6.0
"""Of the ratio."""


def _seconds(work: Callable[[], object], times: int) -> float:
    begun = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - begun) / times


def evaluated(times: int) -> tuple[Figures, Figures]:
    """One paired round: evaluations per CPU-second, geometric mean over the expressions, of both."""
    spiff = TaskDataEnvironment()
    logs = {"noria": 0.0, "spiff": 0.0}
    for feel, python in PAIRS:
        expression = compile_expression(feel, VARIABLES)
        ours, theirs = to_json(expression.evaluate(VARIABLES, EvaluationContext(0))), spiff.evaluate(python, VARIABLES)
        assert ours == theirs, (feel, ours, theirs)
        # A process makes one context for all expressions of a command; here each evaluation gets its own.
        logs["noria"] += math.log(_seconds(lambda e=expression: e.evaluate(VARIABLES, EvaluationContext(0)), times))
        logs["spiff"] += math.log(_seconds(lambda p=python: spiff.evaluate(p, VARIABLES), times))
    noria, spiff = ({"cpu": math.exp(-total / len(PAIRS))} for total in logs.values())
    return noria, spiff


Text = tuple[str, tuple[str, ...]]
"""An expression, and the names that it may know."""


def numbered(count: int) -> list[Text]:
    """The ten expressions over and over, each a text of its own with a number in it."""
    return [(f"{PAIRS[at % len(PAIRS)][0]} = {at}", tuple(VARIABLES)) for at in range(count)]


def of_the_tck() -> list[Text]:
    """The literal expressions of all decisions of the DMN TCK that are FEEL; none where the suite is not here."""
    found: dict[Text, None] = {}
    for path in sorted((SHARED / "conformance" / "dmn-tck").rglob("*.dmn")):
        root = ET.parse(path).getroot()  # noqa: S314 - the suite's own files
        dmn = root.tag.removesuffix("definitions")
        names = tuple(data.get("name", "") for data in root.iter(f"{dmn}inputData"))
        found |= dict.fromkeys(
            (decision.findtext(f"{dmn}literalExpression/{dmn}text", ""), names)
            for decision in root.iter(f"{dmn}decision")
        )
    return list(filter(_is_feel, found))


def _is_feel(text: Text) -> bool:
    try:
        compile_expression(*text)
    except FeelSyntaxError:
        return False
    return True


def compiled(texts: Sequence[Text], turn: str, *, new_shapes: bool) -> float:
    """Expressions compiled per CPU-second, none of which has been compiled before.

    Args:
        texts: what is compiled.
        turn: something of its own for each measurement, or the cache of texts would answer.
        new_shapes: whether each is the first of its shape, so that no other shares its code object; else they are as
            they come, in a process that has compiled nothing yet.
    """
    shared_code.cache_clear()
    begun = time.process_time()
    for text, names in texts:
        if new_shapes:
            shared_code.cache_clear()
        compile_expression(text, (*names, turn))
    return len(texts) / (time.process_time() - begun)


def table_milliseconds(times: int) -> float:
    """CPU milliseconds for a decision of a UNIQUE table with a thousand rules on five inputs; the last rule matches."""
    names = ("amount", "category", "region", "priority", "age")
    inputs = "".join(f"<input><inputExpression><text>{name}</text></inputExpression></input>" for name in names)
    rules = "".join(
        "<rule>"
        + "".join(
            f"<inputEntry><text>{test}</text></inputEntry>"
            for test in (f"[{at}..{at + 1})", f'"c{at % 7}"', f'"r{at % 11}", "all"', f"&lt;= {at % 5 + 5}", "-")
        )
        + f"<outputEntry><text>{at}</text></outputEntry></rule>"
        for at in range(RULES)
    )
    data = "".join(f'<inputData id="{name}" name="{name}"/>' for name in names)
    needs = "".join(
        f'<informationRequirement id="q_{name}"><requiredInput href="#{name}"/></informationRequirement>'
        for name in names
    )
    model, findings = read_dmn(
        (
            '<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="d" name="d" namespace="urn:d">'
            f'{data}<decision id="x" name="x"><variable name="x"/>{needs}<decisionTable id="t">{inputs}<output/>{rules}'
            "</decisionTable></decision></definitions>"
        ).encode(),
        "bench.dmn",
    )
    assert model is not None, findings
    last = RULES - 1
    variables = {
        "amount": last,
        "category": f"c{last % 7}",
        "region": f"r{last % 11}",
        "priority": 1,
        "age": 30,
    }
    decision = model.decisions["x"]
    assert decision.evaluate(variables, EvaluationContext(0)).value == last
    return _seconds(lambda: decision.evaluate(variables, EvaluationContext(0)), times) * 1000


def ask(asked: Asked) -> list[dict[str, Any]]:
    """Paired rounds of expressions, and what compiling one and deciding by a large table cost."""
    settle_memory()
    pairs = [evaluated(int(3_000 * asked.share)) for _ in range(asked.rounds)]
    result = compared("FEEL, compiled once", "evaluations/CPU-s", pairs, FLOOR, figure="cpu")
    corpora = {"FEEL, compiling": numbered(int(3_000 * asked.share)), "FEEL, compiling the TCK's": of_the_tck()}
    rates: dict[str, list[float]] = {}
    for turn in range(asked.rounds):
        for title, texts in corpora.items():
            for said, new_shapes in (("", False), (", new shapes", True)):
                if texts:
                    rate = compiled(texts, f"turn {turn} {new_shapes}", new_shapes=new_shapes)
                    rates.setdefault(title + said, []).append(rate)
                elif not (turn or new_shapes):
                    skipped(title, "the suite is not here (set NORIA_SHARED)")
    for title, measured in rates.items():
        print(
            f"{title:38} {statistics.median(measured):>10,.0f} expressions/CPU-s "
            f"({min(measured):,.0f}-{max(measured):,.0f})"
        )
    decision = table_milliseconds(int(300 * asked.share))
    print(f"{'DMN, 1,000 rules on 5 inputs':34} {decision:>10.2f} ms a decision")
    return [{**result, "compiled": rates, "table_ms": decision}]
