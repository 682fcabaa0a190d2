"""Compiled expressions and unary tests, as the rest of Noria uses them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from noria.design.feel.builtins import BUILTINS
from noria.design.feel.compiler import Code, Compiler
from noria.design.feel.context import EvaluationContext, FeelBudgetError
from noria.design.feel.parser import Parser
from noria.design.feel.scanner import FeelSyntaxError
from noria.design.feel.values import from_json

__all__ = [
    "EvaluationContext",
    "Expression",
    "FeelBudgetError",
    "FeelSyntaxError",
    "UnaryTests",
    "compile_expression",
    "compile_unary_tests",
    "literal_expression",
]


class Expression:
    """A compiled expression.

    Attributes:
        source: its text.
        names: the variables it uses.
    """

    __slots__ = ("_code", "names", "source")

    def __init__(self, source: str, names: frozenset[str], code: Code) -> None:
        self.source = source
        self.names = names
        self._code = code

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and other.source == self.source

    def __hash__(self) -> int:
        return hash(self.source)

    def evaluate(self, variables: Mapping[str, object], context: EvaluationContext) -> object:
        """The FEEL value.

        Args:
            variables: JSON or FEEL values by name.
            context: the present, the budget, and where reasons for null go.

        Raises:
            FeelBudgetError: it takes more than it may.
        """
        try:
            return self._code(variables, context)
        except RecursionError:
            raise FeelBudgetError("The expression is nested too deep.") from None

    def test(self, variables: Mapping[str, object], context: EvaluationContext) -> bool:
        """Whether the value is true; null and all else are not."""
        return self.evaluate(variables, context) is True


class UnaryTests:
    """Compiled unary tests: the cell of a decision table.

    Attributes:
        source: their text.
    """

    __slots__ = ("_code", "names", "source")

    def __init__(self, source: str, names: frozenset[str], code: Code | None) -> None:
        self.source = source
        self.names = names
        self._code = code

    def matches(self, value: object, variables: Mapping[str, object], context: EvaluationContext) -> bool | None:
        """Whether the value passes one of the tests; null when that cannot be said.

        Raises:
            FeelBudgetError: they take more than they may.
        """
        if self._code is None:
            return True
        result = self._code(variables, context, from_json(value))  # type: ignore[call-arg]
        return result if isinstance(result, bool) else None


@lru_cache(maxsize=20_000)
def _compiled(source: str, names: tuple[str, ...]) -> Expression:
    compiler = Compiler()
    code = compiler.compile(Parser(source, (*BUILTINS, *names)).expression())
    return Expression(source, frozenset(compiler.names), code)


def compile_expression(source: str, names: Iterable[str] = ()) -> Expression:
    """Compile an expression; the same text and names give the same object.

    Args:
        source: FEEL text.
        names: variables in scope; only needed for names with spaces or operators.

    Raises:
        FeelSyntaxError: it is not FEEL.
    """
    return _compiled(source, tuple(sorted(set(names))))


@lru_cache(maxsize=20_000)
def _compiled_tests(source: str, names: tuple[str, ...]) -> UnaryTests:
    tests = Parser(source, (*BUILTINS, "?", *names)).unary_tests()
    if not tests:
        return UnaryTests(source, frozenset(), None)
    compiler = Compiler()
    code = compiler.compile_tests(tests)
    return UnaryTests(source, frozenset(compiler.names), code)


def compile_unary_tests(source: str, names: Iterable[str] = ()) -> UnaryTests:
    """Compile unary tests such as ``> 5, [1..3], not("a")`` or ``-``.

    Raises:
        FeelSyntaxError: they are not FEEL.
    """
    return _compiled_tests(source.strip() or "-", tuple(sorted(set(names))))


def literal_expression(text: str) -> Expression:
    """A constant text as an expression."""
    return Expression(f'"{text}"', frozenset(), lambda _variables, _context: text)
