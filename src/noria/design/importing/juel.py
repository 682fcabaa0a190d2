"""JUEL, the expression language of Camunda 7, Operaton, Flowable and Activiti: text to a tree.

Source: Unified Expression Language, JSR-245 (Expression Language Specification 2.1), section 1.19 (its grammar), with
method calls and function prefixes as JUEL 2.2 reads them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

NESTING_MAX = 60
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<number>\d+\.\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+(?:[eE][+-]?\d+)?)
    |(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |(?P<name>[^\W\d][\w$]*|\$[\w$]*)
    |(?P<op>&&|\|\||==|!=|<=|>=|[-+*/%!<>?:.,()\[\]{}])""",
    re.VERBOSE | re.DOTALL,
)
_WORDS = {
    "and": "and",
    "or": "or",
    "not": "not",
    "eq": "=",
    "ne": "!=",
    "lt": "<",
    "gt": ">",
    "le": "<=",
    "ge": ">=",
    "div": "/",
    "mod": "%",
    "empty": "empty",
}
_SIGNS = {"&&": "and", "||": "or", "!": "not", "==": "="}
_LEVELS: tuple[frozenset[str], ...] = (
    frozenset({"or"}),
    frozenset({"and"}),
    frozenset({"=", "!="}),
    frozenset({"<", ">", "<=", ">="}),
    frozenset({"+", "-"}),
    frozenset({"*", "/", "%"}),
)
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_STARTS = ("${", "#{")
_DIGITS_MAX = 34


class JuelError(Exception):
    """The text is no JUEL; the message says what was met."""


class Literal(msgspec.Struct, frozen=True):
    """A constant: None, a boolean, a text, or a number as written."""

    value: bool | str | None
    number: str = ""


class Name(msgspec.Struct, frozen=True):
    """A variable or a bean."""

    name: str


class Unary(msgspec.Struct, frozen=True):
    """``not``, ``-`` or ``empty`` before an operand."""

    op: str
    operand: Tree


class Binary(msgspec.Struct, frozen=True):
    """Two operands; `op` is and, or, =, !=, <, >, <=, >=, +, -, *, / or %."""

    op: str
    left: Tree
    right: Tree


class Choice(msgspec.Struct, frozen=True):
    """``test ? yes : no``."""

    test: Tree
    yes: Tree
    no: Tree


class Access(msgspec.Struct, frozen=True):
    """``base.key`` (the key is a literal text) or ``base[key]``."""

    base: Tree
    key: Tree


class Invoke(msgspec.Struct, frozen=True):
    """``base.method(arguments)``."""

    base: Tree
    method: str
    arguments: tuple[Tree, ...]


class Call(msgspec.Struct, frozen=True):
    """``prefix:function(arguments)`` or ``function(arguments)``."""

    prefix: str
    function: str
    arguments: tuple[Tree, ...]


Tree = Literal | Name | Unary | Binary | Choice | Access | Invoke | Call
Parts = tuple[str | Tree, ...]


class _Token(NamedTuple):
    kind: str
    text: str
    end: int


def has_expression(text: str) -> bool:
    """Whether a text holds ``${`` or ``#{``."""
    return any(start in text for start in _STARTS)


def parse_template(text: str) -> Parts:
    r"""A text with expressions in it: texts and trees in order; ``\${`` is a plain ``${``.

    Raises:
        JuelError: an expression does not end or is none.
    """
    parts: list[str | Tree] = []
    plain = ""
    position = 0
    while position < len(text):
        if text[position] == "\\" and text[position + 1 : position + 3] in _STARTS:
            plain += text[position + 1 : position + 3]
            position += 3
        elif text[position : position + 2] in _STARTS:
            if plain:
                parts.append(plain)
                plain = ""
            parser = _Parser(text, position + 2)
            parts.append(parser.expression())
            parser.expect("}")
            position = parser.position
        else:
            plain += text[position]
            position += 1
    return (*parts, plain) if plain else tuple(parts)


def parse_expression(text: str) -> Tree:
    """An expression without ``${ }`` around it, as scripts hold it.

    Raises:
        JuelError: it is none.
    """
    parser = _Parser(text, 0)
    tree = parser.expression()
    parser.expect("")
    return tree


class _Parser:
    """Recursive descent, a table of levels for the binary operators."""

    def __init__(self, text: str, position: int) -> None:
        self._text = text
        self._depth = 0
        self._next = self._scan(position)
        self.position = position

    def _scan(self, position: int) -> _Token:
        while position < len(self._text):
            match = _TOKEN.match(self._text, position)
            if match is None:
                raise JuelError(f"{self._text[position]!r} is not expected")
            position = match.end()
            if match.lastgroup != "space":
                return _Token(match.lastgroup or "", match.group(), position)
        return _Token("end", "", position)

    def _take(self) -> _Token:
        token = self._next
        self.position = token.end
        # What stands behind the closing brace is text, not tokens.
        self._next = _Token("end", "", token.end) if token.text == "}" and not self._depth else self._scan(token.end)
        return token

    def expect(self, text: str) -> None:
        """Take this operator, or the end of the text for "".

        Raises:
            JuelError: something else stands here.
        """
        if self._next.text != text or self._next.kind == "string":
            raise JuelError(f"{self._next.text or 'the end'!r} stands where {text or 'the end'!r} is expected")
        self._take()

    def _operator(self) -> str:
        if self._next.kind == "op":
            return _SIGNS.get(self._next.text, self._next.text)
        return _WORDS.get(self._next.text, "") if self._next.kind == "name" else ""

    def expression(self) -> Tree:
        """The lowest level: a choice."""
        self._depth += 1
        if self._depth > NESTING_MAX:
            raise JuelError("the expression is nested too deeply")
        tree = self._binary(0)
        if self._operator() == "?":
            self._take()
            yes = self.expression()
            self.expect(":")
            tree = Choice(tree, yes, self.expression())
        self._depth -= 1
        return tree

    def _binary(self, level: int) -> Tree:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while (op := self._operator()) in _LEVELS[level]:
            self._take()
            left = Binary(op, left, self._binary(level + 1))
        return left

    def _unary(self) -> Tree:
        ops = []
        while (op := self._operator()) in ("not", "-", "empty"):
            self._take()
            ops.append(op)
        tree = self._postfix(self._primary())
        for op in reversed(ops):
            tree = Unary(op, tree)
        return tree

    def _primary(self) -> Tree:
        token = self._next
        if token.kind == "number":
            if len(token.text) > _DIGITS_MAX:
                raise JuelError(f"a number has {_DIGITS_MAX} digits at most")
            self._take()
            return Literal(None, token.text)
        if token.kind == "string":
            self._take()
            return Literal(re.sub(r"\\(.)", r"\1", token.text[1:-1], flags=re.DOTALL))
        if token.text == "(":
            self._take()
            tree = self.expression()
            self.expect(")")
            return tree
        if token.kind != "name" or token.text in _WORDS:
            raise JuelError(f"{token.text or 'the end'!r} is not expected")
        self._take()
        if token.text in _CONSTANTS:
            return Literal(_CONSTANTS[token.text])
        if self._next.text == "(":
            return Call("", token.text, self._arguments())
        return self._prefixed(token) or Name(token.text)

    def _prefixed(self, prefix: _Token) -> Tree | None:
        """``prefix:function(…)``; in a choice the colon means something else, so look ahead without taking."""
        match = re.compile(r":([^\W\d]\w*)\s*\(").match(self._text, prefix.end)
        if match is None:
            return None
        self._take()
        function = self._take()
        return Call(prefix.text, function.text, self._arguments())

    def _arguments(self) -> tuple[Tree, ...]:
        self.expect("(")
        found: list[Tree] = []
        while self._next.text != ")":
            if found:
                self.expect(",")
            found.append(self.expression())
        self.expect(")")
        return tuple(found)

    def _postfix(self, tree: Tree) -> Tree:
        while self._next.text in (".", "[") and self._next.kind == "op":
            if self._take().text == "[":
                key = self.expression()
                self.expect("]")
                tree = Access(tree, key)
                continue
            token = self._take()
            if token.kind != "name":
                raise JuelError(f"{token.text or 'the end'!r} is no name of a property")
            if self._next.text == "(" and self._next.kind == "op":
                tree = Invoke(tree, token.text, self._arguments())
            else:
                tree = Access(tree, Literal(token.text))
        return tree
