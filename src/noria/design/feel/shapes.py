"""What is compiled, as nested tuples: the shape of a Python expression, in which no constant of a model stands.

Tuples are made faster than the nodes of a syntax tree, and can be compared. So expressions of one shape, such as the
cells of a table's column, share one code object, and `compile` is called once for all of them.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterable
from types import CodeType
from typing import Any, TypeAlias

Shape: TypeAlias = tuple[Any, ...]
"""A kind out of `_BUILDERS` and what belongs to it: identifiers, and shapes."""

NULL, TRUE, FALSE = (("constant", value) for value in (None, True, False))


def name(identifier: str) -> Shape:
    """A variable or a global."""
    return ("name", identifier)


def text(value: str) -> Shape:
    """A text that is part of the shape."""
    return ("constant", value)


def call(function: str, *arguments: Shape) -> Shape:
    """A call of a global function."""
    return ("call", function, arguments)


def get(mapping: str, key: Shape, otherwise: Shape) -> Shape:
    """``mapping.get(key, otherwise)``."""
    return ("get", mapping, key, otherwise)


def item(mapping: str, key: Shape) -> Shape:
    """``mapping[key]``."""
    return ("item", mapping, key)


def kept(identifier: str, value: Shape) -> Shape:
    """``(identifier := value)``."""
    return ("kept", identifier, value)


def compared(operator: str, left: Shape, right: Shape) -> Shape:
    """A comparison by Python itself: an operator of FEEL, ``is`` or ``is not``."""
    return ("compared", operator, left, right)


def when(condition: Shape, then: Shape, otherwise: Shape) -> Shape:
    """``then if condition else otherwise``."""
    return ("when", condition, then, otherwise)


def function(identifiers: Iterable[str], body: Shape, bound: Iterable[str] = ()) -> Shape:
    """``lambda identifiers, bound=bound: body``; what is bound, the function looks up faster than around itself."""
    return ("function", tuple(identifiers), body, tuple(bound))


def sequence(items: Iterable[Shape]) -> Shape:
    """A tuple."""
    return ("sequence", tuple(items))


def list_of(items: Iterable[Shape]) -> Shape:
    """A list."""
    return ("list", tuple(items))


def code_of(parameters: Iterable[str], body: Shape) -> CodeType:
    """The code object of the function with these parameters and this body."""
    module = compile(ast.Expression(_function(parameters, body, ())), "<feel>", "eval")
    return next(constant for constant in module.co_consts if isinstance(constant, CodeType))


# `compile` wants a place for every node. That of the class serves all.


class _Name(ast.Name):
    lineno = 1
    col_offset = 0


class _Constant(ast.Constant):
    lineno = 1
    col_offset = 0


class _Call(ast.Call):
    lineno = 1
    col_offset = 0


class _Attribute(ast.Attribute):
    lineno = 1
    col_offset = 0


class _IfExp(ast.IfExp):
    lineno = 1
    col_offset = 0


class _NamedExpr(ast.NamedExpr):
    lineno = 1
    col_offset = 0


class _Compare(ast.Compare):
    lineno = 1
    col_offset = 0


class _Lambda(ast.Lambda):
    lineno = 1
    col_offset = 0


class _Argument(ast.arg):
    lineno = 1
    col_offset = 0


class _Tuple(ast.Tuple):
    lineno = 1
    col_offset = 0


class _List(ast.List):
    lineno = 1
    col_offset = 0


class _Subscript(ast.Subscript):
    lineno = 1
    col_offset = 0


_NAMES_MAX = 1000
_LOAD, _STORE = ast.Load(), ast.Store()
_COMPARISONS: dict[str, ast.cmpop] = {
    "is": ast.Is(),
    "is not": ast.IsNot(),
    "=": ast.Eq(),
    "!=": ast.NotEq(),
    "<": ast.Lt(),
    "<=": ast.LtE(),
    ">": ast.Gt(),
    ">=": ast.GtE(),
}


def _tree(shape: Shape) -> ast.expr:
    return _BUILDERS[shape[0]](*shape[1:])


# A node may stand in many places.
@functools.lru_cache(maxsize=_NAMES_MAX)
def _name(identifier: str) -> ast.expr:
    return _Name(identifier, _LOAD)


@functools.lru_cache(maxsize=_NAMES_MAX)
def _argument(identifier: str) -> ast.arg:
    return _Argument(identifier)


def _call(called: str, arguments: tuple[Shape, ...]) -> ast.expr:
    return _Call(_name(called), [*map(_tree, arguments)], [])


def _get(mapping: str, key: Shape, otherwise: Shape) -> ast.expr:
    return _Call(_Attribute(_name(mapping), "get", _LOAD), [_tree(key), _tree(otherwise)], [])


def _item(mapping: str, key: Shape) -> ast.expr:
    return _Subscript(_name(mapping), _tree(key), _LOAD)


def _kept(identifier: str, value: Shape) -> ast.expr:
    return _NamedExpr(_Name(identifier, _STORE), _tree(value))


def _compared(operator: str, left: Shape, right: Shape) -> ast.expr:
    return _Compare(_tree(left), [_COMPARISONS[operator]], [_tree(right)])


def _when(condition: Shape, then: Shape, otherwise: Shape) -> ast.expr:
    return _IfExp(_tree(condition), _tree(then), _tree(otherwise))


def _function(identifiers: Iterable[str], body: Shape, bound: Iterable[str]) -> ast.expr:
    parameters = [*map(_argument, (*identifiers, *bound))]
    return _Lambda(ast.arguments([], parameters, None, [], [], None, [*map(_name, bound)]), _tree(body))


def _sequence(items: tuple[Shape, ...]) -> ast.expr:
    return _Tuple([*map(_tree, items)], _LOAD)


def _list_of(items: tuple[Shape, ...]) -> ast.expr:
    return _List([*map(_tree, items)], _LOAD)


_BUILDERS: dict[str, Callable[..., ast.expr]] = {
    "name": _name,
    "constant": _Constant,
    "call": _call,
    "get": _get,
    "item": _item,
    "kept": _kept,
    "compared": _compared,
    "when": _when,
    "function": _function,
    "sequence": _sequence,
    "list": _list_of,
}
