"""What can be said of a decision table without running it: rules that never decide, overlaps, gaps.

The input space is cut into parts that the cells cannot tell apart (`spaces`), and every set of rules that match
together somewhere is found by going through the columns one by one with the rules that are still alive. That is the
method of Calvanese, Dumas, Laurson, Maggi, Montali and Teinemaa, "Semantics and Analysis of DMN Decision Tables"
(BPM 2016, algorithms 1 and 2). Two things differ: sets of rules are bit sets, and a set that was met before at the same
column is not followed again, since what comes after depends on nothing else.

A rule with a cell that is no test against constants is left out, and no gap is claimed for its table. Inputs count as
independent of each other, but columns with the same expression are one input. A missing input (null) is no gap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from noria.design.dmn.cells import constant_of, example_text, points_of
from noria.design.dmn.model import DecisionModel, Run
from noria.design.dmn.spaces import STEPS_MAX, Dimension, Part, Space, Steps, TooLargeError
from noria.design.dmn.tables import Table, WrittenTable
from noria.design.feel.comparison import equal
from noria.design.feel.evaluation import EvaluationContext
from noria.design.findings import Finding

GAPS_MAX = 5
"""Gaps of one table that are shown."""
PAIRS_MAX = 20
"""Overlaps of one table that are shown."""

Example = tuple[Any, ...]
"""One value for each input column."""


class Overlap(msgspec.Struct):
    """Two rules that match the same input, by index, and such an input."""

    first: int
    second: int
    example: Example


class Hidden(msgspec.Struct):
    """A rule that never decides, an input that it matches, and the rule that decides there."""

    rule: int
    by: int
    example: Example


class Analysis(msgspec.Struct):
    """What was found about one table. Rules are named by their index.

    Attributes:
        impossible: rules that match nothing, with the position of a column whose test nothing passes.
        hidden: rules that match but never decide, with the hit policies FIRST and PRIORITY.
        overlaps: of UNIQUE, and of ANY where the outputs differ; at most `PAIRS_MAX`.
        gaps: inputs for which no rule matches and no default stands; at most `GAPS_MAX`.
        shown: positions of the columns that cells or allowed values speak of.
        whole: False when the table is too large to say everything.
    """

    impossible: list[tuple[int, int]] = []
    hidden: list[Hidden] = []
    overlaps: list[Overlap] = []
    gaps: list[Example] = []
    shown: tuple[int, ...] = ()
    whole: bool = True


def analyse(written: WrittenTable, steps: Steps) -> Analysis:
    """Analyse one table.

    Args:
        written: the table.
        steps: what may be done, after which the rest is left open.
    """
    found = Analysis()
    table = written.table
    if any(tests is not None and points_of(tests) is None for tests in table.allowed):
        return found
    try:
        _Analyser(written, steps, found).analyse()
    except TooLargeError:
        found.whole = False
    return found


class _Analyser:
    def __init__(self, written: WrittenTable, steps: Steps, found: Analysis) -> None:
        self._table = written.table
        self._written = written
        self._steps = steps
        self._found = found
        self._run = Run(DecisionModel("", "", {}, {}), {}, EvaluationContext(0))
        rules = self._table.rules
        self._known = [
            index for index, rule in enumerate(rules) if all(points_of(tests) is not None for _, tests in rule.tests)
        ]
        self._outputs = {index: self._constants(index) for index in self._known}
        # Bits are given by importance, so that of the rules that match together the lowest bit decides.
        self._order = self._by_importance()
        self._space = Space(written, {rule: 1 << at for at, rule in enumerate(self._order)}, steps)
        self._dimensions = self._space.dimensions
        self._everything = (1 << len(self._order)) - 1

    def analyse(self) -> None:
        policy = self._table.policy
        self._found.shown = tuple(
            position for dimension in self._dimensions if dimension.shown for position in dimension.positions
        )
        self._find_impossible()
        if policy in {"U", "A"}:
            self._find_overlaps()
        defaults = any(output.default is not None for output in self._table.outputs)
        all_known = len(self._known) == len(self._table.rules)
        if policy in {"U", "A", "F", "P"} and not defaults and all_known and self._space.gaps_known:
            self._find_gaps()
        if policy in {"F", "P"}:
            self._find_hidden()

    # --- outputs

    def _constants(self, index: int) -> tuple[Any, ...] | None:
        """The outputs of a rule, None when one is no constant."""
        values: list[Any] = []
        for entry, output in zip(self._table.rules[index].outputs, self._table.outputs, strict=True):
            known, value = (True, None) if entry is None else constant_of(entry.source)
            if not known:
                return None
            values.append(self._run.typed(value, output.type, output.name))
        return tuple(values)

    def _by_importance(self) -> list[int]:
        if self._table.policy != "P":
            return self._known
        constant = {index: outputs for index in self._known if (outputs := self._outputs[index]) is not None}
        ranks = dict(zip(constant, self._table.ranks(list(constant.values()), {}, self._run), strict=True))
        # A rule with other outputs may be as important as any: it hides nothing, and nothing hides it.
        return [*sorted(constant, key=lambda index: (ranks[index], index)), *(self._known - constant.keys())]

    # --- findings

    def _find_impossible(self) -> None:
        for dimension in self._dimensions:
            possible = 0
            for part in dimension.parts:
                possible |= part.rules
            for at in _ones(self._everything & ~possible):
                self._found.impossible.append((self._order[at], dimension.positions[-1]))
            self._everything &= possible
        self._found.impossible.sort()

    def _find_overlaps(self) -> None:
        """Two boxes meet when they meet in every dimension."""
        meeting = [self._everything] * len(self._order)
        for dimension in self._dimensions:
            together = [0] * len(self._order)
            always = self._everything
            anywhere = 0
            for part in dimension.parts:
                always &= part.rules
                anywhere |= part.rules
            for part in dimension.parts:
                for at in _ones(part.rules & self._everything & ~always):
                    self._steps.spend()
                    together[at] |= part.rules
            for at in range(len(meeting)):
                meeting[at] &= anywhere if always >> at & 1 else together[at]
        for at in _ones(self._everything):
            for other in _ones(meeting[at] >> (at + 1) << (at + 1)):
                self._steps.spend()
                if self._table.policy == "A" and not self._differ(self._order[at], self._order[other]):
                    continue
                if len(self._found.overlaps) == PAIRS_MAX:
                    return
                example = self._example(self._parts_with(1 << at | 1 << other))
                self._found.overlaps.append(Overlap(self._order[at], self._order[other], example))

    def _differ(self, first: int, second: int) -> bool:
        one, other = self._outputs[first], self._outputs[second]
        return one is not None and other is not None and equal(self._run.context, list(one), list(other)) is not True

    def _find_hidden(self) -> None:
        claimed = self._everything
        if self._table.policy == "P":
            claimed &= (1 << sum(outputs is not None for outputs in self._outputs.values())) - 1
        winners = 0
        level = {self._everything}
        for dimension in self._widest_first():
            following: set[int] = set()
            for alive in level:
                if not alive & ~winners & claimed:
                    continue
                for part in dimension.parts:
                    self._steps.spend()
                    rules = alive & part.rules
                    if rules & (rules - 1):
                        following.add(rules)
                    else:
                        # Alone it decides, since no cell of it is impossible.
                        winners |= rules
            level = following
        for rules in level:
            winners |= rules & -rules
        for at in _ones(claimed & ~winners):
            parts = self._parts_with(1 << at)
            rules = self._everything
            for part in parts:
                rules &= part.rules
            by = (rules & -rules).bit_length() - 1
            self._found.hidden.append(Hidden(self._order[at], self._order[by], self._example(parts)))
        self._found.hidden.sort(key=lambda hidden: hidden.rule)

    def _find_gaps(self) -> None:
        widest = self._widest_first()
        level: dict[int, tuple[Any, ...]] = {self._everything: ()}
        for depth, dimension in enumerate(widest):
            following: dict[int, tuple[Any, ...]] = {}
            for alive, path in level.items():
                for part in dimension.parts:
                    self._steps.spend()
                    rules = alive & part.rules
                    if not part.expected or rules in following:
                        continue
                    if rules:
                        following[rules] = (path, part)
                    elif not self._gap(widest, (path, part), depth):
                        return
            level = following
        if not widest and not self._everything:
            self._found.gaps.append(())

    def _gap(self, widest: list[Dimension], path: tuple[Any, ...], depth: int) -> bool:
        """Note a gap; False when there are enough. What comes after `depth` may be anything that is expected."""
        chosen = [next((part for part in dimension.parts if part.expected), None) for dimension in widest]
        while path:
            path, chosen[depth] = path
            depth -= 1
        by_first = {dimension.positions: part for dimension, part in zip(widest, chosen, strict=True)}
        parts = [part for dimension in self._dimensions if (part := by_first[dimension.positions]) is not None]
        if len(parts) == len(widest):
            self._found.gaps.append(self._example(parts))
        return len(self._found.gaps) < GAPS_MAX

    # --- examples

    def _widest_first(self) -> list[Dimension]:
        """The dimension with the most parts leaves the fewest rules alive for the others."""
        return sorted(self._dimensions, key=lambda dimension: -len(dimension.parts))

    def _parts_with(self, rules: int) -> list[Part]:
        """In each dimension a part that these rules accept."""
        return [next(part for part in dimension.parts if part.rules & rules == rules) for dimension in self._dimensions]

    def _example(self, parts: list[Part]) -> Example:
        values: list[Any] = [None] * len(self._table.inputs)
        for dimension, part in zip(self._dimensions, parts, strict=True):
            for position in dimension.positions:
                values[position] = part.value
        return tuple(values)


def _ones(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


# --- sentences

_PARTNERS = {"U": "The hit policy UNIQUE allows one.", "A": "The hit policy ANY wants them to agree."}


def check_tables(models: Mapping[str, DecisionModel], steps_max: int = STEPS_MAX) -> list[Finding]:
    """What is wrong with the decision tables of files that are checked together; nothing of it refuses deployment.

    Args:
        models: by name of the file.
        steps_max: what may be done for all of them, see `Steps`.
    """
    steps = Steps(steps_max)
    return [
        finding
        for file, model in models.items()
        for written in model.tables
        for finding in _findings(written, analyse(written, steps), file)
    ]


def _findings(written: WrittenTable, found: Analysis, file: str) -> Iterator[Finding]:
    table = written.table

    def warn(code: str, message: str, index: int | None = None, **details: str) -> Finding:
        line = written.line if index is None else written.rule_lines[index]
        element = (table.rules[index].id if index is not None else "") or table.id
        return Finding("warning", code, message, file, line, element, {"table": table.id, **details})

    for rule, position in found.impossible:
        column = table.inputs[position].source
        yield warn(
            "dmn.rule_impossible",
            f"Table {table.id}: rule {rule + 1} never matches, because no value of {column} passes its test.",
            rule,
            rule=str(rule + 1),
            column=column,
        )
    for hidden in found.hidden:
        shown = _shown(table, found, hidden.example)
        yield warn(
            "dmn.rule_hidden",
            f"Table {table.id}: rule {hidden.rule + 1} never decides; for {shown} rule {hidden.by + 1} does, and "
            "others elsewhere. Remove or correct it.",
            hidden.rule,
            rule=str(hidden.rule + 1),
            by=str(hidden.by + 1),
            example=shown,
        )
    for overlap in found.overlaps:
        shown = _shown(table, found, overlap.example)
        yield warn(
            "dmn.rules_overlap",
            f"Table {table.id}: rules {overlap.first + 1} and {overlap.second + 1} both match {shown}. "
            f"{_PARTNERS[table.policy]}",
            overlap.second,
            rules=f"{overlap.first + 1}, {overlap.second + 1}",
            example=shown,
        )
    for gap in found.gaps:
        shown = _shown(table, found, gap)
        yield warn(
            "dmn.table_gap",
            f"Table {table.id}: no rule matches {shown}; add a rule or a default output.",
            example=shown,
        )
    if not found.whole:
        yield Finding(
            "info",
            "dmn.table_too_large",
            f"Table {table.id} is too large for a whole analysis; more may be wrong than is said here.",
            file,
            written.line,
            table.id,
            {"table": table.id},
        )


def _shown(table: Table, found: Analysis, example: Example) -> str:
    named = {table.inputs[position].source: example_text(example[position]) for position in found.shown}
    return ", ".join(f"{name} = {text}" for name, text in named.items()) or "any input"
