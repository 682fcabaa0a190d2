"""The syntax tree of FEEL."""

from __future__ import annotations

from typing import Any

import msgspec

from noria.design.feel.types import FeelType


class Node(msgspec.Struct):
    """Base of all nodes."""


class Literal(Node):
    """A constant."""

    value: Any


class Name(Node):
    """A name in scope, or unknown until run time."""

    name: str


class Negation(Node):
    """Unary minus."""

    operand: Node


class Binary(Node):
    """Arithmetic or comparison: + - * / ** = != < <= > >=."""

    operator: str
    left: Node
    right: Node


class Logic(Node):
    """Operators ``and`` and ``or`` with three values."""

    operator: str
    left: Node
    right: Node


class Conditional(Node):
    """A chain ``if .. then .. else if .. then .. else ..``.

    Attributes:
        branches: conditions, each with what is given when it is the first that is true.
        otherwise: what is given when none is.
    """

    branches: list[tuple[Node, Node]]
    otherwise: Node


class Between(Node):
    """``value between low and high``."""

    value: Node
    low: Node
    high: Node


class Test(Node):
    """One unary test.

    Attributes:
        operator: "-" for anything, a comparison operator, or "" for an expression.
        operand: None for "-".
        uses_input: the expression mentions ``?``.
    """

    operator: str
    operand: Node | None
    uses_input: bool = False


class Tests(Node):
    """Alternatives of unary tests, possibly negated as a whole."""

    tests: list[Test]
    negated: bool = False


class In(Node):
    """``value in tests``."""

    value: Node
    tests: Tests


class InstanceOf(Node):
    """``value instance of type``."""

    value: Node
    type: FeelType


class Path(Node):
    """``source.name``."""

    source: Node
    name: str


class Filter(Node):
    """``source[condition]``."""

    source: Node
    condition: Node


class Call(Node):
    """A call; `names` is None for positional arguments."""

    function: Node
    arguments: list[Node]
    names: list[str] | None


class ListNode(Node):
    """A list literal."""

    items: list[Node]


class ContextNode(Node):
    """A context literal; later entries see earlier ones."""

    entries: list[tuple[str, Node]]


class RangeNode(Node):
    """A range; `operator` is set for the form with one bound, e.g. ``(< 10)``."""

    start: Node | None
    end: Node | None
    start_included: bool
    end_included: bool
    operator: str = ""


class Iterator(Node):
    """``name in domain`` or ``name in domain..end`` of a loop."""

    name: str
    domain: Node
    end: Node | None


class For(Node):
    """``for ... return body``."""

    iterators: list[Iterator]
    body: Node


class Quantified(Node):
    """Quantifier ``some`` or ``every`` with ``satisfies``."""

    every: bool
    iterators: list[Iterator]
    condition: Node


class FunctionNode(Node):
    """A function literal; an external one has no body but an expression that says what to run."""

    params: list[str]
    types: list[FeelType | None]
    body: Node | None
    external: Node | None = None
