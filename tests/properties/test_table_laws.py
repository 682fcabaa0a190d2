"""Laws of the analysis of decision tables: it says what trying every input of a fine grid says."""

from __future__ import annotations

import itertools
from xml.sax.saxutils import escape

from hypothesis import given, settings
from hypothesis import strategies as st

from noria.design.dmn import read_dmn
from noria.design.dmn.analysis import GAPS_MAX, PAIRS_MAX, analyse
from noria.design.dmn.spaces import STEPS_MAX, Steps
from noria.design.feel import EvaluationContext, compile_expression

POLICIES = {"U": "UNIQUE", "A": "ANY", "F": "FIRST", "P": "PRIORITY", "C": "COLLECT", "R": "RULE ORDER"}


def value(text):
    return compile_expression(text).evaluate({}, EvaluationContext(0))


# Constants lie at whole places, and the grid also has what is between, below and above them.
SECONDS = ["00.5", "01", "01.5", "02", "02.5"]
MOMENTS = ["00", "00.2", "00.5", "00.7", "01", "01.2", "01.5", "01.7", "02", "02.2", "02.5", "02.7", "03", "03.5"]
GRIDS = {
    "number": (["0", "1", "2"], ["-1", "-0.5", "0", "0.5", "1", "1.5", "2", "2.5", "3"]),
    "string": (['"a"', '"b"', '"c"'], ['""', '"a"', '"aa"', '"b"', '"bb"', '"c"', '"other"']),
    "boolean": (["true", "false"], ["true", "false"]),
    "date": (
        [f'date("2026-01-0{day}")' for day in (2, 4, 5)],
        [f'@"2026-01-0{day}"' for day in range(1, 7)],
    ),
    "time": ([f'@"10:00:{at}"' for at in SECONDS], ['@"09:59:59"', *(f'@"10:00:{at}"' for at in MOMENTS)]),
    "dateTime": (
        [f'@"2026-01-01T10:00:{at}Z"' for at in SECONDS[::2]],
        ['@"2026-01-01T09:59:59Z"', *(f'@"2026-01-01T10:00:{at}Z"' for at in MOMENTS)],
    ),
    "dayTimeDuration": (['duration("P1D")', '@"P2D"'], ['@"PT1H"', '@"P1D"', '@"P1DT1H"', '@"P2D"', '@"P3D"']),
    "yearMonthDuration": (['@"P1Y"', '@"P14M"'], [f'@"P{at}M"' for at in (11, 12, 13, 14, 15)]),
}
ANYTHING = ["null", '"other"', "17", "{a: 1}", "[1]", '@"10:00:01"', '@"10:00:01Z"', '@"P1D"', '@"P20M"', "true"]
"""Inputs of other kinds than the declared one, which the evaluation does not refuse."""


@st.composite
def cells(draw, constants, ordered):
    one, other = draw(st.sampled_from(constants)), draw(st.sampled_from(constants))
    alike = [one, one, f"{one}, {other}", f"not({one})", f"not({one}, {other})", f"[{one}, {other}]", f"!= {one}"]
    ranged = [
        f"< {one}",
        f">= {one}",
        f"[{one}..{other}]",
        f"({one}..{other}]",
        f"]{one}..{other}[",
        f"<= {one}, > {other}",
        f"not([{one}..{other}))",
        f"? > {one} and ? <= {other}",
        f"? between {one} and {other}",
        f"? in ({one}..{other}), {one}",
    ]
    return draw(st.sampled_from(["-", "-", "null", "not(null)", *alike, *(ranged if ordered else [])]))


@st.composite
def tables(draw):
    kinds = draw(st.lists(st.sampled_from(sorted(GRIDS)), min_size=1, max_size=2))
    rules = [
        ([draw(cells(GRIDS[kind][0], kind != "boolean")) for kind in kinds], draw(st.sampled_from("123")))
        for _ in range(draw(st.integers(0, 5)))
    ]
    policy = draw(st.sampled_from(sorted(POLICIES)))
    limits = [draw(st.sampled_from(["", "", ", ".join(GRIDS[kind][0])])) for kind in kinds]
    return kinds, rules, policy, limits, draw(st.sampled_from(["", "", "9"]))


def document(kinds, rules, policy, limits, default):
    inputs = "".join(
        f'<input><inputExpression typeRef="{kind}"><text>x{at}</text></inputExpression>'
        + (f"<inputValues><text>{escape(limit)}</text></inputValues></input>" if limit else "</input>")
        for at, (kind, limit) in enumerate(zip(kinds, limits, strict=True))
    )
    data = "".join(f'<inputData id="x{at}" name="x{at}"/>' for at in range(len(kinds)))
    needs = "".join(
        f'<informationRequirement><requiredInput href="#x{at}"/></informationRequirement>' for at in range(len(kinds))
    )
    rows = "".join(
        "<rule>"
        + "".join(f"<inputEntry><text>{escape(cell)}</text></inputEntry>" for cell in row)
        + f"<outputEntry><text>{output}</text></outputEntry></rule>"
        for row, output in rules
    )
    otherwise = f"<defaultOutputEntry><text>{default}</text></defaultOutputEntry>" if default else ""
    return (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="d" name="d" namespace="urn:d">'
        f'{data}<decision id="x" name="x"><variable name="x"/>{needs}<decisionTable id="t" '
        f'hitPolicy="{POLICIES[policy]}">{inputs}<output><outputValues><text>2, 1, 3</text></outputValues>{otherwise}'
        f"</output>{rows}</decisionTable></decision></definitions>"
    ).encode()


def read(*parts):
    model, findings = read_dmn(document(*parts), "x.dmn")
    assert model is not None, findings
    return model


class Tried:
    """What the evaluation itself says of a table."""

    def __init__(self, kinds, rules, policy, limits, default):
        self.every = read(kinds, rules, "R", limits, default).decisions["x"]
        self.real = read(kinds, rules, policy, limits, default).decisions["x"]
        self.kinds = kinds
        self.lists = [
            {row[at] for row, _ in rules if row[at].startswith("[") and ", " in row[at]} for at in range(len(kinds))
        ]

    def hits(self, inputs):
        """Rules that match, and whether the inputs are allowed at all."""
        context = EvaluationContext(0)
        found = self.every.evaluate({f"x{at}": one for at, one in enumerate(inputs)}, context)
        return [hit.rule_index for hit in found.matched], all(
            note.code != "dmn.input_not_allowed" for note in context.diagnostics
        )

    def result(self, inputs):
        return self.real.evaluate({f"x{at}": one for at, one in enumerate(inputs)}, EvaluationContext(0)).value

    def grid(self, *, expected):
        texts = [
            [*GRIDS[kind][1], *([] if expected else [*ANYTHING, *lists])]
            for kind, lists in zip(self.kinds, self.lists, strict=True)
        ]
        return itertools.product(*([value(text) for text in column] for column in texts))


def analysed(parts):
    (written,) = read(*parts).tables
    found = analyse(written, Steps(STEPS_MAX))
    assert found.whole
    return found


@settings(max_examples=150)
@given(tables())
def test_an_example_shows_what_is_claimed(parts):
    rules, policy = parts[1:3]
    found, tried = analysed(parts), Tried(*parts)
    for gap in found.gaps:
        assert tried.hits(gap) == ([], True)
        assert tried.result(gap) is None
    for overlap in found.overlaps:
        assert {overlap.first, overlap.second} <= set(tried.hits(overlap.example)[0])
        assert policy == "U" or rules[overlap.first][1] != rules[overlap.second][1]
        assert tried.result(overlap.example) is None
    for hidden in found.hidden:
        assert {hidden.rule, hidden.by} <= set(tried.hits(hidden.example)[0])
        assert tried.result(hidden.example) == int(rules[hidden.by][1])


@settings(max_examples=150)
@given(tables())
def test_what_trying_every_input_shows_is_found_and_nothing_else(parts):
    _, rules, policy, _, default = parts
    found, tried = analysed(parts), Tried(*parts)
    matched = [hits for inputs in tried.grid(expected=False) if (hits := tried.hits(inputs)[0])]
    ever = {rule for hits in matched for rule in hits}
    assert {rule for rule, _ in found.impossible} == set(range(len(rules))) - ever
    pairs = {pair for hits in matched for pair in itertools.combinations(hits, 2)} if policy in "UA" else set()
    if policy == "A":
        pairs = {(one, other) for one, other in pairs if rules[one][1] != rules[other][1]}
    reported = {(overlap.first, overlap.second) for overlap in found.overlaps}
    assert reported == pairs or len(reported) == PAIRS_MAX
    if policy in "FP":
        importance = {"F": lambda rule: rule, "P": lambda rule: ("213".index(rules[rule][1]), rule)}[policy]
        assert {hidden.rule for hidden in found.hidden} == ever - {min(hits, key=importance) for hits in matched}
    open_ends = policy in "UAFP" and not default
    gaps = [inputs for inputs in tried.grid(expected=True) if open_ends and tried.hits(inputs) == ([], True)]
    assert bool(found.gaps) == bool(gaps)
    assert len(found.gaps) <= GAPS_MAX
