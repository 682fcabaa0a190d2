"""Compiled expressions and unary tests: what the rest of Noria holds and evaluates."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from noria.design.feel import nodes as n
from noria.design.feel.builtins import LIBRARY_NAMES
from noria.design.feel.compiler import Compiler
from noria.design.feel.evaluation import Diagnostic, EvaluationContext, FeelBudgetError
from noria.design.feel.parser import Parser, name_index
from noria.design.feel.runtime import missing
from noria.design.feel.scanner import FeelSyntaxError
from noria.design.feel.types import FeelType

__all__ = [
    "Diagnostic",
    "EvaluationContext",
    "Expression",
    "FeelBudgetError",
    "FeelSyntaxError",
    "UnaryTests",
    "compile_expression",
    "compile_unary_tests",
    "evaluate_node",
    "literal_expression",
    "parse_expression",
    "parse_unary_tests",
]

_CACHE_MAX = 8_192
_LIBRARY_INDEX = name_index(LIBRARY_NAMES)
_TOO_DEEP = "The expression recurses too deeply; simplify it."


class _Lenient(dict[str, Any]):
    """Variables with what stands behind them; what is asked for and not there either is noted."""

    __slots__ = ("_context",)

    def __init__(self, variables: Mapping[str, object], context: EvaluationContext) -> None:
        super().__init__(variables)
        self._context = context

    def __missing__(self, name: str) -> Any:
        outside = self._context.outside
        return outside[name] if name in outside else missing(self._context, name)


def _again(
    function: Callable[..., Any],
    variables: Mapping[str, object],
    context: EvaluationContext,
    spent: int,
    noted: int,
    *tested: object,
) -> Any:
    """Evaluate once more, as if for the first time, with null for variables that are not there.

    Compiled code takes each variable for present, as nearly always it is: evaluating has no effects, so it can begin
    anew when one is not.
    """
    context.steps_left = spent
    del context.diagnostics[noted:]
    try:
        return function(_Lenient(variables, context), context, *tested)
    except RecursionError:
        raise FeelBudgetError(_TOO_DEEP) from None


class Expression:
    """A compiled FEEL expression. Equal when source and free names are.

    Attributes:
        source: the text it was compiled from.
        names: free names it looks up among the variables.
        constant: the text that it always gives, None when it is anything but a plain text.
    """

    __slots__ = ("_function", "constant", "names", "source")

    def __init__(
        self, source: str, names: frozenset[str], function: Callable[..., Any], constant: str | None = None
    ) -> None:
        self.source = source
        self.names = names
        self.constant = constant
        self._function = function

    def evaluate(self, variables: Mapping[str, object], context: EvaluationContext) -> Any:
        """The value, None for null; `context.diagnostics` says why parts became null.

        Raises:
            FeelBudgetError: a budget of the context is used up.
        """
        # Called as an attribute, what is in a slot would be looked for as a method first.
        function, spent, noted = self._function, context.steps_left, len(context.diagnostics)
        try:
            return function(variables, context)
        except KeyError:
            return _again(function, variables, context, spent, noted)
        except RecursionError:
            raise FeelBudgetError(_TOO_DEEP) from None

    def test(self, variables: Mapping[str, object], context: EvaluationContext) -> bool:
        """Whether the value is FEEL's true; null and any other value are not.

        Raises:
            FeelBudgetError: a budget of the context is used up.
        """
        return self.evaluate(variables, context) is True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and self.source == other.source and self.names == other.names

    def __hash__(self) -> int:
        return hash((self.source, self.names))

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"


class UnaryTests:
    """Compiled unary tests, e.g. the input entry ``> 100, "none"`` of a decision table.

    Attributes:
        source: the text they were compiled from.
        names: free names they look up among the variables.
    """

    __slots__ = ("_function", "names", "source")

    def __init__(self, source: str, names: frozenset[str], function: Callable[..., Any]) -> None:
        self.source = source
        self.names = names
        self._function = function

    def matches(self, value: object, variables: Mapping[str, object], context: EvaluationContext) -> bool | None:
        """Whether the value passes one of the tests; None when that cannot be said (null).

        Raises:
            FeelBudgetError: a budget of the context is used up.
        """
        function, spent, noted = self._function, context.steps_left, len(context.diagnostics)
        try:
            result = function(variables, context, value)
        except KeyError:
            result = _again(function, variables, context, spent, noted, value)
        except RecursionError:
            raise FeelBudgetError(_TOO_DEEP) from None
        return result if type(result) is bool else None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UnaryTests) and self.source == other.source and self.names == other.names

    def __hash__(self) -> int:
        return hash((self.source, self.names))

    def __repr__(self) -> str:
        return f"UnaryTests({self.source!r})"


def compile_expression(
    source: str, names: Iterable[str] = (), types: Mapping[str, FeelType] | None = None, *, in_filter: bool = False
) -> Expression:
    """Compile one expression. Cached by text and names unless types are given.

    Args:
        source: FEEL text.
        names: known variable names (and field names with spaces); a simple name that is not known is looked up when
            it is evaluated and gives null with a diagnostic when it is absent.
        types: item definitions by name, for ``instance of``.
        in_filter: it stands in a filter, so that words beside each other are the name of a field.

    Raises:
        FeelSyntaxError: the text is not FEEL; with line and column.
    """
    known = frozenset(names)
    if types is None and not in_filter:
        return _expression(source, known)
    return _compile_expression(source, known, types, in_filter=in_filter)


def compile_unary_tests(
    source: str, names: Iterable[str] = (), types: Mapping[str, FeelType] | None = None, *, in_filter: bool = False
) -> UnaryTests:
    """Compile unary tests. Arguments and errors as for `compile_expression`."""
    known = frozenset(names)
    if types is None and not in_filter:
        return _unary_tests(source, known)
    return _compile_unary_tests(source, known, types, in_filter=in_filter)


def literal_expression(text: str) -> Expression:
    """An expression whose value is this text."""
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return Expression(quoted, frozenset(), Compiler(frozenset()).expression(n.Literal(text)), text)


def parse_expression(source: str) -> n.Node:
    """The syntax tree of an expression that knows no names of its own.

    Raises:
        FeelSyntaxError: the text is not FEEL; with line and column.
    """
    return Parser(source, (), _LIBRARY_INDEX).expression()


def parse_unary_tests(source: str) -> n.Tests:
    """The syntax tree of unary tests that know no names of their own. Errors as for `parse_expression`."""
    return Parser(source, (), _LIBRARY_INDEX).unary_tests()


def evaluate_node(node: n.Node, context: EvaluationContext) -> Any:
    """The value of a syntax tree without variables.

    Raises:
        FeelBudgetError: a budget of the context is used up.
    """
    return Compiler(frozenset()).expression(node)({}, context)


def _compile_expression(
    source: str, names: frozenset[str], types: Mapping[str, FeelType] | None = None, *, in_filter: bool = False
) -> Expression:
    compiler = Compiler(names)
    try:
        parser = Parser(source, names, _LIBRARY_INDEX, types, in_filter=in_filter)
        function = compiler.expression(parser.expression())
    except RecursionError:
        raise FeelSyntaxError("The expression is nested too deeply.", 1, 1) from None
    return Expression(source, frozenset(compiler.free), function)


def _compile_unary_tests(
    source: str, names: frozenset[str], types: Mapping[str, FeelType] | None = None, *, in_filter: bool = False
) -> UnaryTests:
    compiler = Compiler(names)
    try:
        parser = Parser(source, names, _LIBRARY_INDEX, types, in_filter=in_filter)
        function = compiler.unary_tests(parser.unary_tests())
    except RecursionError:
        raise FeelSyntaxError("The tests are nested too deeply.", 1, 1) from None
    return UnaryTests(source, frozenset(compiler.free), function)


@functools.lru_cache(maxsize=_CACHE_MAX)
def _expression(source: str, names: frozenset[str]) -> Expression:
    return _compile_expression(source, names)


@functools.lru_cache(maxsize=_CACHE_MAX)
def _unary_tests(source: str, names: frozenset[str]) -> UnaryTests:
    return _compile_unary_tests(source, names)
