"""FEEL's syntax tree, between parser and compiler."""

from __future__ import annotations

import msgspec


class Ast(msgspec.Struct, frozen=True, kw_only=False):
    """Base of all nodes."""


class Literal(Ast, frozen=True):
    """A constant FEEL value."""

    value: object


class Name(Ast, frozen=True):
    """A variable or built-in function."""

    name: str


class Property(Ast, frozen=True):
    """``base.name``."""

    base: Ast
    name: str


class Filter(Ast, frozen=True):
    """``base[condition]``."""

    base: Ast
    condition: Ast


class Call(Ast, frozen=True):
    """``function(arguments)``; names are given for all arguments or for none."""

    function: Ast
    arguments: tuple[Ast, ...]
    names: tuple[str, ...] = ()


class Negate(Ast, frozen=True):
    """``-operand``."""

    operand: Ast


class Binary(Ast, frozen=True):
    """An operator with two operands: + - * / ** = != < <= > >= and or."""

    operator: str
    left: Ast
    right: Ast


class Between(Ast, frozen=True):
    """``value between low and high``."""

    value: Ast
    low: Ast
    high: Ast


class In(Ast, frozen=True):
    """``value in tests``: true when one of the tests holds for the value."""

    value: Ast
    tests: tuple[Ast, ...]


class InstanceOf(Ast, frozen=True):
    """``value instance of type``."""

    value: Ast
    type: str


class If(Ast, frozen=True):
    """``if condition then … else …``."""

    condition: Ast
    then: Ast
    otherwise: Ast


class For(Ast, frozen=True):
    """``for name in … return …``; `high` is set for ``low..high``."""

    names: tuple[str, ...]
    sources: tuple[Ast, ...]
    highs: tuple[Ast | None, ...]
    body: Ast


class Quantified(Ast, frozen=True):
    """``some|every name in … satisfies …``."""

    every: bool
    names: tuple[str, ...]
    sources: tuple[Ast, ...]
    body: Ast


class ListOf(Ast, frozen=True):
    """``[a, b]``."""

    items: tuple[Ast, ...]


class ContextOf(Ast, frozen=True):
    """``{key: value}``; later entries see earlier ones."""

    keys: tuple[str, ...]
    values: tuple[Ast, ...]


class RangeOf(Ast, frozen=True):
    """``[low..high]`` and its open forms; None for an end that is not bounded, as in ``(> 5)``."""

    low: Ast | None
    high: Ast | None
    low_included: bool
    high_included: bool


class Lambda(Ast, frozen=True):
    """``function(parameters) body``."""

    parameters: tuple[str, ...]
    body: Ast


class Test(Ast, frozen=True):
    """A unary test against ``?``: an operator with its operand."""

    operator: str
    operand: Ast


class AnyTest(Ast, frozen=True):
    """A unary test that is an expression: true, or equal to / containing ``?``."""

    expression: Ast


class NotTests(Ast, frozen=True):
    """``not(tests)``."""

    tests: tuple[Ast, ...]
