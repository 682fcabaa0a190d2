"""Tokens to a syntax tree: a Pratt parser that knows the names in scope, because FEEL names may hold spaces.

Precedence, low to high: or; and; comparison, between, in, instance of; + -; * /; ** (to the left); unary minus;
path, filter and call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from noria.design.feel import nodes as n
from noria.design.feel.scanner import FeelSyntaxError, scan, syntax_error, text_value, words
from noria.design.feel.temporal import parse_temporal
from noria.design.feel.types import SIMPLE, FeelType
from noria.design.feel.values import DECIMAL

_DEPTH_MAX = 100
_NAME_LOOKAHEAD = 24
_KEYWORDS = frozenset({"and", "or", "between", "in", "instance", "then", "else", "return", "satisfies", "of"})
_NAME_SYMBOLS = frozenset({"-", "+", "*", "/", ".", "'", "’"})
_NAME_KINDS = frozenset({"name", "number"})
_COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">="})
_BINARY = _COMPARISONS | {"+", "-", "*", "/", "**"}
_WORDS = frozenset({"if", "for", "some", "every", "function", "null", "true", "false", "?"})
_INFIX = {
    "or": 10,
    "and": 20,
    "between": 30,
    "in": 30,
    "instance": 30,
    **dict.fromkeys(_COMPARISONS, 30),
    "+": 40,
    "-": 40,
    "*": 50,
    "/": 50,
    "**": 60,
    ".": 80,
    "[": 80,
    "(": 80,
}
_UNARY_POWER = 70
_OPERAND_POWER = 30
_PROPERTIES = ("time offset", "start included", "end included")

_Index = dict[str, list[tuple[tuple[str, ...], str]]]


def _index(names: Iterable[str]) -> _Index:
    """Names of more than one token by their first token, longest first; single-token names need no help."""
    index: _Index = {}
    for name in names:
        parts = words(name)
        if len(parts) > 1:
            index.setdefault(parts[0], []).append((parts, name))
    for entries in index.values():
        entries.sort(key=lambda entry: -len(entry[0]))
    return index


@lru_cache(maxsize=256)
def _given_index(names: frozenset[str]) -> _Index:
    # The expressions of one model know the same names.
    return _index(names)


_PROPERTY_INDEX = _index(_PROPERTIES)


class Parser:
    """Parses one text. Use `expression` or `unary_tests` once."""

    def __init__(
        self,
        source: str,
        names: Iterable[str],
        library: _Index,
        types: Mapping[str, FeelType] | None = None,
        *,
        in_filter: bool = False,
    ) -> None:
        self._source = source
        self._kinds, self._texts, self._starts = scan(source)
        self._at = 0
        self._library = library
        self._scopes: list[_Index] = [_given_index(frozenset(names))]
        self._fields = _PROPERTY_INDEX
        self._types = types or {}
        self._depth = 0
        self._input_uses = 0
        self._endpoint = False
        self._filters = int(in_filter)

    # --- entry points

    def expression(self) -> n.Node:
        """The whole text as one expression."""
        node = self._parse(0)
        self._end()
        return node

    def unary_tests(self) -> n.Tests:
        """The whole text as unary tests, as in an input entry of a decision table."""
        if self._peek("-") and self._kinds[self._at + 1] == "end":
            self._at += 1
            tests = n.Tests([n.Test("-", None)])
            self._end()
            return tests
        negated = self._negated_tests() if self._peek("not") else None
        if isinstance(negated, n.Tests):
            return negated
        try:
            tests = n.Tests(self._tests())
            self._end()
        except FeelSyntaxError as error:
            further = negated is not None and (negated.line, negated.column) > (error.line, error.column)
            raise negated if negated is not None and further else error from None
        return tests

    def _negated_tests(self) -> n.Tests | FeelSyntaxError:
        """``not(...)`` around all tests; else the error that shows it is none, and nothing is consumed.

        Brackets cannot be counted to find its end, since those of a range need not match.
        """
        before = self._at, self._depth, self._input_uses
        try:
            self._at += 1
            self._expect("(")
            tests = n.Tests(self._tests(), negated=True)
            self._expect(")")
            self._end()
        except FeelSyntaxError as error:
            self._at, self._depth, self._input_uses = before
            del self._scopes[1:]
            self._endpoint = False
            return error
        return tests

    # --- tokens

    def _end(self) -> None:
        if self._kinds[self._at] != "end":
            raise self._unexpected(self._at)

    def _error(self, at: int, message: str) -> FeelSyntaxError:
        return syntax_error(self._source, self._starts[at], message)

    def _unexpected(self, at: int) -> FeelSyntaxError:
        if self._kinds[at] == "end":
            return self._error(at, "The expression ends too early.")
        return self._error(at, f"{self._texts[at]!r} is not expected here.")

    def _peek(self, text: str) -> bool:
        return self._texts[self._at] == text

    def _accept(self, text: str) -> bool:
        if self._texts[self._at] == text:
            self._at += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if self._texts[self._at] != text:
            found = "the end" if self._kinds[self._at] == "end" else repr(self._texts[self._at])
            raise self._error(self._at, f"{text!r} is expected here, not {found}.")
        self._at += 1

    def _string(self) -> str:
        """The value of the string token that is next; consumed."""
        at = self._at
        self._at += 1
        return text_value(self._source, self._texts[at], self._starts[at])

    # --- names

    def _known_name(self) -> str | None:
        """The longest known name of several tokens that starts here; consumed when found."""
        first = self._texts[self._at]
        best: tuple[tuple[str, ...], str] | None = None
        for index in (*self._scopes, self._fields, self._library):
            for entry in index.get(first, ()):
                if (best is None or len(entry[0]) > len(best[0])) and self._matches(entry[0]):
                    if index is self._library and "and" in entry[0] and not self._called_after(len(entry[0])):
                        continue
                    best = entry
                    break
        if best is None:
            return None
        self._at += len(best[0])
        return best[1]

    def _matches(self, parts: tuple[str, ...]) -> bool:
        end = self._at + len(parts)
        return tuple(self._texts[self._at : end]) == parts and "string" not in self._kinds[self._at : end]

    def _called_after(self, count: int) -> bool:
        return self._texts[self._at + count] == "("

    def _name_until(self, stop: str) -> str | None:
        """A name that is being declared: all tokens up to `stop`, or None when what follows is no name."""
        kinds, texts, first = self._kinds, self._texts, self._at
        for at in range(first, first + _NAME_LOOKAHEAD):
            text = texts[at]
            if text == stop and at > first:
                last = at - 1
                written = self._source[self._starts[first] : self._starts[last] + len(texts[last])]
                self._at = at
                return " ".join(written.split())
            if kinds[at] not in _NAME_KINDS and not (text in _NAME_SYMBOLS and at > first):
                return None
        return None

    def _declared_name(self, stop: str) -> str:
        name = self._name_until(stop) if self._kinds[self._at] == "name" else None
        if name is None:
            raise self._error(self._at, f"a name and then {stop!r} are expected here.")
        return name

    # --- expressions

    def _parse(self, power: int) -> n.Node:
        self._depth += 1
        if self._depth > _DEPTH_MAX:
            raise self._error(self._at, f"the expression is nested deeper than {_DEPTH_MAX}.")
        node = self._prefix()
        while True:
            operator = self._texts[self._at]
            binding = _INFIX.get(operator, 0)
            if binding <= power or (operator == "[" and self._closes_range()):
                break
            self._at += 1
            if operator in _BINARY:
                node = n.Binary(operator, node, self._parse(binding))
            else:
                node = self._infix(node, operator, binding)
        self._depth -= 1
        return node

    def _closes_range(self) -> bool:
        """Whether this ``[`` is the open end of ``]a..b[`` and not the start of a filter."""
        if not self._endpoint:
            return False
        kind, text = self._kinds[self._at + 1], self._texts[self._at + 1]
        if kind in {"number", "string"}:
            return False
        return not (kind == "name" and text not in _KEYWORDS) and text not in {"(", "{", "@", "-"}

    def _infix(self, left: n.Node, operator: str, binding: int) -> n.Node:
        if operator in {"and", "or"}:
            return n.Logic(operator, left, self._parse(binding))
        if operator == ".":
            return n.Path(left, self._path_name())
        if operator == "[":
            self._filters += 1
            condition = self._inside(0)
            self._filters -= 1
            self._expect("]")
            return n.Filter(left, condition)
        if operator == "(":
            return self._call(left)
        if operator == "between":
            low = self._parse(_OPERAND_POWER)
            self._expect("and")
            return n.Between(left, low, self._parse(_OPERAND_POWER))
        if operator == "in":
            return n.In(left, self._in_tests())
        self._expect("of")
        return n.InstanceOf(left, self._type())

    def _inside(self, power: int) -> n.Node:
        """An expression inside brackets: the range rule for ``[`` does not reach into it."""
        endpoint, self._endpoint = self._endpoint, False
        node = self._parse(power)
        self._endpoint = endpoint
        return node

    def _path_name(self) -> str:
        at = self._at
        if self._kinds[at] != "name":
            raise self._unexpected(at)
        return self._known_name() or self._words_of_name()

    def _words_of_name(self) -> str:
        """An unknown name where a field's name stands: two words beside each other can be nothing else."""
        first = self._at
        self._at += 1
        while self._kinds[self._at] == "name" and self._texts[self._at] not in _KEYWORDS:
            self._at += 1
        return " ".join(self._texts[first : self._at])

    def _prefix(self) -> n.Node:
        at = self._at
        kind = self._kinds[at]
        if kind == "name":
            known = self._known_name()
            if known is not None:
                return n.Name(known)
            word = self._texts[at]
            if word in _KEYWORDS:
                raise self._unexpected(at)
            if self._filters and word not in _WORDS:
                return n.Name(self._words_of_name())
            self._at += 1
            return self._word(word) if word in _WORDS else n.Name(word)
        if kind == "number":
            self._at += 1
            return _number(self._texts[at])
        if kind == "string":
            return n.Literal(self._string())
        if kind == "op":
            self._at += 1
            return self._symbol(at)
        raise self._unexpected(at)

    def _word(self, word: str) -> n.Node:
        if word == "if":
            return self._conditional()
        if word == "for":
            return self._loop()
        if word in {"some", "every"}:
            return self._quantified(word == "every")
        if word == "function" and self._peek("("):
            return self._function()
        if word == "null":
            return n.Literal(None)
        if word in {"true", "false"}:
            return n.Literal(word == "true")
        if word == "?":
            self._input_uses += 1
        return n.Name(word)

    def _symbol(self, at: int) -> n.Node:
        symbol = self._texts[at]
        if symbol == "-":
            return n.Negation(self._parse(_UNARY_POWER))
        if symbol == "(":
            return self._parenthesis()
        if symbol == "[":
            return self._bracket()
        if symbol == "]":
            start = self._inside(0)
            self._expect("..")
            return self._range_end(start, start_included=False)
        if symbol == "{":
            return self._context()
        if symbol == "@":
            return self._at_literal()
        raise self._unexpected(at)

    def _at_literal(self) -> n.Node:
        if self._kinds[self._at] != "string":
            raise self._unexpected(self._at)
        text = self._string()
        value = parse_temporal(text)
        # The standard wants null for a text that is no date, time or duration: the function behind @ says why.
        return n.Call(n.Name("@"), [n.Literal(text)], None) if value is None else n.Literal(value)

    def _conditional(self) -> n.Node:
        branches: list[tuple[n.Node, n.Node]] = []
        # A chain is no nesting: what follows an `else if` ends where the whole does.
        while not branches or self._another_if():
            condition = self._inside(0)
            self._expect("then")
            branches.append((condition, self._inside(0)))
            self._expect("else")
        return n.Conditional(branches, self._parse(0))

    def _another_if(self) -> bool:
        """Whether ``if`` is next, and not a name that begins with it; consumed when it is."""
        at = self._at
        if self._peek("if") and self._known_name() is None:
            self._at += 1
            return True
        self._at = at
        return False

    def _loop(self) -> n.Node:
        iterators = self._iterators()
        self._expect("return")
        body = self._parse(0)
        del self._scopes[len(self._scopes) - len(iterators) :]
        return n.For(iterators, body)

    def _quantified(self, every: bool) -> n.Node:
        iterators = self._iterators()
        self._expect("satisfies")
        condition = self._parse(0)
        del self._scopes[len(self._scopes) - len(iterators) :]
        return n.Quantified(every, iterators, condition)

    def _iterators(self) -> list[n.Iterator]:
        iterators: list[n.Iterator] = []
        while True:
            name = self._declared_name("in")
            self._at += 1
            domain = self._inside(0)
            end = self._inside(0) if self._accept("..") else None
            iterators.append(n.Iterator(name, domain, end))
            self._scopes.append(_index([name]))
            if not self._accept(","):
                return iterators

    def _function(self) -> n.Node:
        self._expect("(")
        params: list[str] = []
        types: list[FeelType | None] = []
        while not self._accept(")"):
            if params:
                self._expect(",")
            params.append(self._parameter())
            types.append(self._type() if self._accept(":") else None)
        if self._accept("external"):
            return n.FunctionNode(params, types, None, self._inside(0))
        self._scopes.append(_index(params))
        body = self._inside(0)
        self._scopes.pop()
        return n.FunctionNode(params, types, body)

    def _parameter(self) -> str:
        for stop in (",", ":", ")"):
            at = self._at
            name = self._name_until(stop)
            if name is not None:
                return name
            self._at = at
        raise self._unexpected(self._at)

    def _call(self, function: n.Node) -> n.Node:
        arguments: list[n.Node] = []
        names: list[str] = []
        while not self._accept(")"):
            if arguments:
                self._expect(",")
            at = self._at
            name = self._name_until(":") if self._kinds[at] == "name" else None
            if name is not None:
                self._at += 1
                names.append(name)
            arguments.append(self._inside(0))
            if names and len(names) != len(arguments):
                raise self._error(at, "arguments are either all named or all in order.")
        return n.Call(function, arguments, names or None)

    def _parenthesis(self) -> n.Node:
        operator = self._texts[self._at]
        if operator in _COMPARISONS:
            self._at += 1
            bound = self._inside(_OPERAND_POWER)
            self._expect(")")
            return _one_sided(operator, bound)
        node = self._inside(0)
        if self._accept(".."):
            return self._range_end(node, start_included=False)
        self._expect(")")
        return node

    def _range_end(self, start: n.Node, start_included: bool) -> n.Node:
        endpoint, self._endpoint = self._endpoint, True
        end = self._parse(_OPERAND_POWER)
        self._endpoint = endpoint
        closing = self._texts[self._at]
        if closing not in {"]", "[", ")"}:
            raise self._unexpected(self._at)
        self._at += 1
        return n.RangeNode(start, end, start_included, closing == "]")

    def _bracket(self) -> n.Node:
        items: list[n.Node] = []
        while not self._accept("]"):
            if items:
                self._expect(",")
            items.append(self._inside(0))
            if len(items) == 1 and self._accept(".."):
                return self._range_end(items[0], start_included=True)
        return n.ListNode(items)

    def _context(self) -> n.Node:
        entries: list[tuple[str, n.Node]] = []
        depth = len(self._scopes)
        while not self._accept("}"):
            if entries:
                self._expect(",")
            key = self._string() if self._kinds[self._at] == "string" else self._declared_name(":")
            self._expect(":")
            own = _index([key])
            self._declare_fields(own)
            # A function may call itself by the name of its entry.
            self._scopes.append(own)
            entries.append((key, self._inside(0)))
        del self._scopes[depth:]
        return n.ContextNode(entries)

    def _declare_fields(self, own: _Index) -> None:
        for first, names in own.items():
            longest_first = sorted([*self._fields.get(first, ()), *names], key=lambda entry: -len(entry[0]))
            self._fields = {**self._fields, first: longest_first}

    # --- tests and types

    def _in_tests(self) -> n.Tests:
        if self._accept("("):
            if self._peek(")"):
                raise self._unexpected(self._at)
            tests = self._tests()
            if len(tests) == 1 and tests[0].operator == "" and tests[0].operand and self._accept(".."):
                return n.Tests([n.Test("", self._range_end(tests[0].operand, start_included=False))])
            self._expect(")")
            return n.Tests(tests)
        return n.Tests([self._test(_OPERAND_POWER)])

    def _tests(self) -> list[n.Test]:
        tests = [self._test(0)]
        while self._accept(","):
            tests.append(self._test(0))
        return tests

    def _test(self, power: int) -> n.Test:
        operator = self._texts[self._at]
        if operator in _COMPARISONS:
            self._at += 1
            return n.Test(operator, self._parse(_OPERAND_POWER))
        uses = self._input_uses
        node = self._parse(power)
        return n.Test("", node, uses_input=self._input_uses > uses)

    def _type(self) -> FeelType:
        for name in sorted({*SIMPLE, *self._types}, key=lambda text: -len(words(text))):
            parts = words(name)
            if parts and self._matches(parts):
                self._at += len(parts)
                break
        else:
            raise self._error(self._at, f"{self._texts[self._at]!r} is not a known type.")
        if name not in SIMPLE:
            return self._types[name]
        simple = SIMPLE[name]
        if simple in {"list", "range"} and self._accept("<"):
            item = self._type()
            self._expect(">")
            return FeelType(simple, item)
        if simple == "context" and self._accept("<"):
            fields: dict[str, FeelType] = {}
            while not self._accept(">"):
                if fields:
                    self._expect(",")
                key = self._declared_name(":")
                self._at += 1
                fields[key] = self._type()
            return FeelType(simple, fields=fields)
        if simple == "function" and self._accept("<"):
            params: list[FeelType] = []
            while not self._accept(">"):
                if params:
                    self._expect(",")
                params.append(self._type())
            self._expect("->")
            return FeelType(simple, self._type(), params=tuple(params))
        return FeelType(simple)


def _one_sided(operator: str, bound: n.Node) -> n.Node:
    start = bound if operator in {">", ">=", "=", "!="} else None
    end = bound if operator in {"<", "<=", "=", "!="} else None
    return n.RangeNode(start, end, operator in {">=", "=", "!="}, operator in {"<=", "=", "!="}, operator)


def _number(text: str) -> n.Node:
    if text.isdigit() and len(text) <= 34:
        return n.Literal(int(text))
    value = DECIMAL.create_decimal(text)
    # As with @: the function says why a number that is too large is null.
    return n.Literal(value) if value.is_finite() else n.Call(n.Name("number"), [n.Literal(text)], None)


def name_index(names: Iterable[str]) -> _Index:
    """The index of library names that `Parser` takes."""
    return _index(names)
