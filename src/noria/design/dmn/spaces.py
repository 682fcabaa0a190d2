"""The input space of a decision table, cut into as few parts as its cells can tell apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from noria.design.dmn.cells import AXES, TYPICAL, Axis, Points, axis_of, points_of
from noria.design.dmn.tables import WrittenTable
from noria.design.feel.evaluation import EvaluationContext
from noria.design.feel.expression import UnaryTests, compile_unary_tests
from noria.design.feel.scanner import FeelSyntaxError
from noria.design.feel.types import FeelType
from noria.design.feel.values import kind, text_of

STEPS_MAX = 2_000_000
"""Of all tables that are analysed together: cells evaluated and parts visited. One or two seconds."""


class TooLargeError(Exception):
    """The analysis would take too long."""


class Steps:
    """What may still be done: cells evaluated and parts visited."""

    def __init__(self, most: int) -> None:
        self._left = most

    def spend(self, count: int = 1) -> None:
        """Take steps.

        Raises:
            TooLargeError: there are none left.
        """
        self._left -= count
        if self._left < 0:
            raise TooLargeError


class Part(NamedTuple):
    """Values of one input that no cell tells apart.

    Attributes:
        value: one of them.
        expected: of the type that the input has; null and values of other kinds are not.
        rules: bit set of the rules that accept them.
    """

    value: Any
    expected: bool
    rules: int


class Dimension(msgspec.Struct):
    """One input and the parts of its values.

    Attributes:
        positions: of the columns that test this input, most often one.
        parts: those with expected values first.
        shown: a cell or an allowed value speaks of it.
    """

    positions: tuple[int, ...]
    parts: list[Part]
    shown: bool


class Cells(msgspec.Struct):
    """The cells of one column: each different test with its constants and the bit set of its rules."""

    open: int
    tests: list[tuple[UnaryTests, Points, int]]


def passes(tests: UnaryTests, value: Any) -> bool:
    """Whether a constant test holds for a value."""
    return tests.matches(value, {}, EvaluationContext(0)) is True


class Space:
    """The input space of one table.

    Attributes:
        dimensions: the inputs; columns with the same expression are one.
        gaps_known: whether it can be said which values are expected.
    """

    def __init__(self, written: WrittenTable, bits: Mapping[int, int], steps: Steps) -> None:
        """Cut the space.

        Args:
            written: the table.
            bits: bit (1, 2, 4 ...) of each rule that counts, by its index; all its cells are constant tests.
            steps: what may be done.

        Raises:
            TooLargeError: it has too many parts.
        """
        self._written = written
        self._bits = bits
        self._steps = steps
        self.gaps_known = True
        table = written.table
        by_source: dict[str, list[int]] = {}
        for position, expression in enumerate(table.inputs):
            by_source.setdefault(expression.source, []).append(position)
        self.dimensions = [self._dimension(tuple(positions)) for positions in by_source.values()]

    def _cells(self, position: int) -> Cells:
        rules: dict[UnaryTests, int] = {}
        closed = 0
        for index, rule in enumerate(self._written.table.rules):
            if index not in self._bits:
                continue
            for column, tests in rule.tests:
                if column == position:
                    rules[tests] = rules.get(tests, 0) | self._bits[index]
                    closed |= self._bits[index]
        everything = sum(self._bits.values())
        return Cells(everything & ~closed, [(tests, points_of(tests) or Points(), bit) for tests, bit in rules.items()])

    def _dimension(self, positions: tuple[int, ...]) -> Dimension:
        columns = [self._cells(position) for position in positions]
        limits = [tests for position in positions if (tests := self._written.table.allowed[position]) is not None]
        wanted = next((found for position in positions if (found := self._written.types[position]) is not None), None)
        named = [points for column in columns for _, points, _ in column.tests]
        named += [points for tests in limits if (points := points_of(tests)) is not None]
        named += self._limits_of_type(wanted)
        parts = self._parts(columns, limits, wanted, named)
        return Dimension(positions, parts, any(column.tests for column in columns) or bool(limits))

    def _limits_of_type(self, wanted: FeelType | None) -> list[Points]:
        found: list[Points] = []
        for limit in () if wanted is None else wanted.limits:
            try:
                points = points_of(compile_unary_tests(limit.text))
            except FeelSyntaxError:  # it speaks of other types, which are not known here
                points = None
            self.gaps_known = self.gaps_known and points is not None
            found += [] if points is None else [points]
        return found

    def _parts(
        self, columns: list[Cells], limits: list[UnaryTests], wanted: FeelType | None, named: list[Points]
    ) -> list[Part]:
        mentioned = {axis_of(value) for points in named for value in points.values} - {"null"}
        mentioned |= {kind(value) for points in named for value in points.groups}
        expected = self._expected(wanted, mentioned)
        found: dict[tuple[bool, int], Any] = {}
        for strip in _strips(named, mentioned, expected):
            accepted = [strip.rules(column, self._steps) for column in columns]
            for at, value in enumerate(strip.values):
                if value is _NOTHING or not all(passes(tests, value) for tests in limits):
                    continue
                plain = self._is_expected(value, expected, wanted)
                rules = accepted[0][at]
                for others in accepted[1:]:
                    rules &= others[at]
                found.setdefault((plain, rules), value)
        parts = [Part(value, expected, rules) for (expected, rules), value in found.items()]
        known = {part.rules for part in parts if part.expected}
        return sorted(
            (part for part in parts if part.expected or part.rules not in known), key=lambda part: not part.expected
        )

    def _expected(self, wanted: FeelType | None, mentioned: set[str]) -> set[str]:
        """The axes of the values that people give here."""
        named = "Any" if wanted is None else wanted.kind
        if named == "Any":
            return mentioned & TYPICAL.keys() or {_alien(mentioned, set())}
        kinds = {"days and time duration", "years and months duration"} if named == "duration" else {named}
        axes = {axis for axis in TYPICAL if axis.removeprefix("zoned ") in kinds}
        self.gaps_known = self.gaps_known and bool(axes)
        return axes & mentioned or {axis for axis in axes if not axis.startswith("zoned ")}

    @staticmethod
    def _is_expected(value: Any, expected: set[str], wanted: FeelType | None) -> bool:
        axis = axis_of(value)
        if axis not in expected or (axis == "zoned time" and value.zone.offset_s):
            return False
        return wanted is None or wanted.allows(value)


_NOTHING = object()
"""Where there is no value between two neighbours."""


class _Single:
    """Values that are each asked for by themselves."""

    def __init__(self, values: list[Any]) -> None:
        self.values = values

    def rules(self, column: Cells, steps: Steps) -> list[int]:
        """For each value the bit set of the rules that accept it."""
        found: list[int] = []
        for value in self.values:
            rules = column.open
            for tests, _, bits in column.tests:
                steps.spend()
                rules |= bits if passes(tests, value) else 0
            found.append(rules)
        return found


class _Unordered:
    """Values that are only compared for being equal, and last one that is equal to none."""

    def __init__(self, values: list[Any], other: Any) -> None:
        self.values = [*values, other]
        self._place = {text_of(value): at for at, value in enumerate(values)}

    def rules(self, column: Cells, steps: Steps) -> list[int]:
        """For each value the bit set of the rules that accept it. A cell says of what it does not name the same."""
        other, changed = column.open, [0] * len(self.values)
        for tests, points, bits in column.tests:
            steps.spend()
            by_default = passes(tests, self.values[-1])
            other |= bits if by_default else 0
            own = {self._place.get(text_of(value)) for value in (*points.values, *points.groups)} - {None}
            for at in own:
                steps.spend()
                if at is not None and passes(tests, self.values[at]) is not by_default:
                    changed[at] |= bits
        return [other ^ bits for bits in changed]


class _Ordered:
    """Values along an axis: what a cell says changes at its own constants only, so rules begin and end along a line.

    The sweep of Calvanese et al. (see `noria.design.dmn.analysis`).
    """

    def __init__(self, name: str, axis: Axis, values: Iterable[Any]) -> None:
        keys = axis.keys(values)
        self._name = name
        self._axis = axis
        self._place = {key: 2 * at + 1 for at, key in enumerate(keys)}
        self.values = [_NOTHING if value is None else value for value in axis.line(keys)]

    def rules(self, column: Cells, steps: Steps) -> list[int]:
        """For each value the bit set of the rules that accept it."""
        length = len(self.values)
        turns = [0] * (length + 1)
        for tests, points, bits in column.tests:
            own = self._axis.keys(value for value in points.values if axis_of(value) == self._name)
            start = 0
            for end in [*(place for key in own for place in (self._place[key], self._place[key] + 1)), length]:
                steps.spend()
                shown = next((value for value in self.values[start:end] if value is not _NOTHING), _NOTHING)
                if shown is not _NOTHING and passes(tests, shown):
                    turns[start] ^= bits
                    turns[end] ^= bits
                start = end
        found: list[int] = []
        rules = column.open
        for at in range(length):
            rules ^= turns[at]
            found.append(rules)
        return found


def _alien(mentioned: set[str], expected: set[str]) -> str:
    """An axis that no cell speaks of; an expected one if there is."""
    unmentioned = [axis for axis in TYPICAL if axis not in mentioned]
    return next((axis for axis in unmentioned if axis in expected), unmentioned[0] if unmentioned else "context")


def _strips(named: list[Points], mentioned: set[str], expected: set[str]) -> Iterator[_Single | _Unordered | _Ordered]:
    """Values that together show everything that these constants can tell apart."""
    by_axis: dict[str, list[Any]] = {}
    for points in named:
        for value in points.values:
            by_axis.setdefault(axis_of(value), []).append(value)
    text_ordered = any(points.text_ordered for points in named)
    for name, values in by_axis.items():
        if name == "string" and not text_ordered:
            texts = list(dict.fromkeys(values))
            other = next(text for at in range(len(texts) + 1) if (text := f"other{at or ''}") not in texts)
            yield _Unordered(texts, other)
        elif name in AXES:
            yield _Ordered(name, AXES[name], values)
    alien = TYPICAL[_alien(mentioned, expected)]
    singles: list[Any] = [alien, None, *((True, False) if "boolean" in mentioned else ())]
    for name in ("time", "date and time"):
        zoned = f"zoned {name}"
        if (name in mentioned) != (zoned in mentioned):
            singles.append(TYPICAL[zoned if name in mentioned else name])
    yield _Single(singles)
    groups = {text_of(value): value for points in named for value in points.groups}
    if groups:
        yield _Unordered(list(groups.values()), alien)
