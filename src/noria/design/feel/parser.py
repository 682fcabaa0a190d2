"""FEEL's parser: precedence climbing over the tokens, with a scope of known names for names with spaces.

Source: DMN 1.5, section 10.3.1 (grammar). Unary minus binds tighter than ``**``, and ``**`` is left-associative, as the
specification's precedence table and test cases have it.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from noria.design.feel import syntax as x
from noria.design.feel.scanner import FeelSyntaxError, FeelToken, scan
from noria.design.feel.temporal import parse_temporal

DEPTH_MAX = 100

_COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
_JOINERS = ("-", "+", "*", "/", ".", "'")


class Parser:
    """Parses one text. `names` are the variables in scope; a name with spaces or operators is found by longest match."""

    def __init__(self, source: str, names: Iterable[str] = ()) -> None:
        self._source = source
        self._tokens = scan(source)
        self._at = 0
        self._depth = 0
        self._by_first: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        self._scopes: list[list[str]] = []
        for name in names:
            self._declare(name)

    # Scope

    def _declare(self, name: str) -> None:
        words = tuple(token.text for token in scan(name)[:-1])
        if words:
            known = self._by_first.setdefault(words[0], [])
            known.append((name, words))
            known.sort(key=lambda item: -len(item[1]))

    def _open(self, names: Iterable[str]) -> dict[str, list[tuple[str, tuple[str, ...]]]]:
        before = {first: list(known) for first, known in self._by_first.items()}
        for name in names:
            self._declare(name)
        return before

    # Tokens

    @property
    def _token(self) -> FeelToken:
        return self._tokens[self._at]

    def _next(self) -> FeelToken:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _is(self, text: str, ahead: int = 0) -> bool:
        token = self._tokens[min(self._at + ahead, len(self._tokens) - 1)]
        return token.text == text and token.sort in ("symbol", "keyword", "name")

    def _accept(self, text: str) -> bool:
        if self._is(text):
            self._at += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise self._wrong(f"{text!r} is expected")

    def _wrong(self, reason: str) -> FeelSyntaxError:
        token = self._token
        found = "the end" if token.sort == "end" else repr(token.text)
        return FeelSyntaxError(f"{reason}, but {found} stands here", self._source, token.offset)

    # Entry points

    def expression(self) -> x.Ast:
        """The whole text as one expression.

        Raises:
            FeelSyntaxError: it is not.
        """
        node = self._expression()
        if self._token.sort != "end":
            raise self._wrong("nothing more is expected")
        return node

    def unary_tests(self) -> tuple[x.Ast, ...]:
        """The whole text as unary tests; ``-`` gives none, which means any value.

        Raises:
            FeelSyntaxError: it is not.
        """
        if self._is("-") and self._tokens[self._at + 1].sort == "end":
            return ()
        if self._is("not") and self._is("(", 1):
            mark = self._at
            self._at += 2
            tests = self._tests()
            self._expect(")")
            if self._token.sort == "end":
                return (x.NotTests(tests),)
            self._at = mark
        tests = self._tests()
        if self._token.sort != "end":
            raise self._wrong("nothing more is expected")
        return tests

    def _tests(self) -> tuple[x.Ast, ...]:
        tests = [self._test()]
        while self._accept(","):
            tests.append(self._test())
        return tuple(tests)

    def _test(self) -> x.Ast:
        if self._token.sort == "symbol" and self._token.text in _COMPARISONS:
            operator = self._next().text
            return x.Test(operator, self._additive())
        return x.AnyTest(self._expression())

    # Expressions, from the loosest binding to the tightest

    def _expression(self) -> x.Ast:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise FeelSyntaxError(f"the expression is nested deeper than {DEPTH_MAX}", self._source, self._token.offset)
        try:
            return self._or()
        finally:
            self._depth -= 1

    def _or(self) -> x.Ast:
        node = self._and()
        while self._accept("or"):
            node = x.Binary("or", node, self._and())
        return node

    def _and(self) -> x.Ast:
        node = self._comparison()
        while self._accept("and"):
            node = x.Binary("and", node, self._comparison())
        return node

    def _comparison(self) -> x.Ast:
        node = self._additive()
        while True:
            if self._token.sort == "symbol" and self._token.text in _COMPARISONS:
                operator = self._next().text
                node = x.Binary(operator, node, self._additive())
            elif self._accept("between"):
                low = self._additive()
                self._expect("and")
                node = x.Between(node, low, self._additive())
            elif self._accept("in"):
                node = x.In(node, self._in_tests())
            elif self._is("instance"):
                self._next()
                self._expect("of")
                node = x.InstanceOf(node, self._type())
            else:
                return node

    def _in_tests(self) -> tuple[x.Ast, ...]:
        if self._is("("):
            mark = self._at
            self._next()
            try:
                tests = self._tests()
                self._expect(")")
            except FeelSyntaxError:
                # Not a list of tests but a range such as (1..5].
                self._at = mark
                return (x.AnyTest(self._additive()),)
            return tests
        if self._token.sort == "symbol" and self._token.text in _COMPARISONS:
            return (self._test(),)
        return (x.AnyTest(self._additive()),)

    def _type(self) -> str:
        words = []
        while self._token.sort in ("name", "keyword") and not (words and self._token.text in ("and", "or", "then", "else")):
            words.append(self._next().text)
        if not words:
            raise self._wrong("a type is expected")
        if self._accept("<"):
            inside = self._type()
            while self._accept(",") or self._accept(":"):
                inside += "," + self._type()
            self._expect(">")
            if self._accept("->"):
                self._type()
            return f"{' '.join(words)}<{inside}>"
        return " ".join(words)

    def _additive(self) -> x.Ast:
        node = self._multiplicative()
        while self._token.sort == "symbol" and self._token.text in ("+", "-"):
            operator = self._next().text
            node = x.Binary(operator, node, self._multiplicative())
        return node

    def _multiplicative(self) -> x.Ast:
        node = self._power()
        while self._token.sort == "symbol" and self._token.text in ("*", "/"):
            operator = self._next().text
            node = x.Binary(operator, node, self._power())
        return node

    def _power(self) -> x.Ast:
        node = self._unary()
        while self._accept("**"):
            node = x.Binary("**", node, self._unary())
        return node

    def _unary(self) -> x.Ast:
        minuses = 0
        while self._accept("-"):
            minuses += 1
        node = self._postfix()
        for _ in range(minuses):
            node = x.Negate(node)
        return node

    def _postfix(self) -> x.Ast:
        node = self._primary()
        while True:
            if self._is(".") and self._tokens[self._at + 1].sort in ("name", "keyword"):
                self._next()
                node = x.Property(node, self._member())
            elif self._is("["):
                self._next()
                before = self._open(("item",))
                condition = self._expression()
                self._by_first = before
                self._expect("]")
                node = x.Filter(node, condition)
            elif self._is("("):
                node = self._call(node)
            else:
                return node

    def _member(self) -> str:
        """A property's name: a known name by longest match, else all words up to the next operator."""
        known = self._known_name()
        if known is not None:
            return known
        words = [self._next().text]
        while self._token.sort == "name" and not (self._token.text == "of" or self._is("(", 1)):
            words.append(self._next().text)
        return " ".join(words)

    def _call(self, function: x.Ast) -> x.Ast:
        self._expect("(")
        arguments: list[x.Ast] = []
        names: list[str] = []
        while not self._accept(")"):
            if arguments:
                self._expect(",")
            name = self._argument_name()
            if name:
                names.append(name)
            arguments.append(self._expression())
        if names and len(names) != len(arguments):
            raise self._wrong("either all arguments are named or none")
        return x.Call(function, tuple(arguments), tuple(names))

    def _argument_name(self) -> str:
        mark = self._at
        words = []
        while self._token.sort in ("name", "keyword"):
            words.append(self._next().text)
        if words and self._accept(":"):
            return " ".join(words)
        self._at = mark
        return ""

    def _primary(self) -> x.Ast:
        token = self._token
        if token.sort == "number":
            self._next()
            return x.Literal(int(token.text) if token.text.isdigit() else Decimal(token.text))
        if token.sort == "string":
            self._next()
            return x.Literal(token.text)
        if token.sort == "at":
            self._next()
            return x.Literal(parse_temporal(token.text))
        if token.sort == "symbol":
            return self._bracketed()
        if token.sort == "keyword":
            return self._by_keyword()
        if token.sort == "name":
            if token.text == "function" and self._is("(", 1):
                return self._lambda()
            return x.Name(self._known_name() or self._unknown_name())
        raise self._wrong("an expression is expected")

    def _known_name(self) -> str | None:
        token = self._token
        for name, words in self._by_first.get(token.text, ()):
            following = self._tokens[self._at : self._at + len(words)]
            if tuple(item.text for item in following) == words and all(item.sort != "string" for item in following):
                self._at += len(words)
                return name
        return None

    def _unknown_name(self) -> str:
        # Two words side by side can only be one name.
        words = [self._next().text]
        while self._token.sort == "name":
            words.append(self._next().text)
        return " ".join(words)

    def _by_keyword(self) -> x.Ast:
        word = self._token.text
        if word in ("true", "false", "null"):
            self._next()
            return x.Literal({"true": True, "false": False, "null": None}[word])
        if word == "if":
            self._next()
            condition = self._expression()
            self._expect("then")
            then = self._expression()
            self._expect("else")
            return x.If(condition, then, self._expression())
        if word == "for":
            self._next()
            return self._for()
        if word in ("some", "every"):
            self._next()
            return self._quantified(word == "every")
        if word == "function":
            return self._lambda()
        # A keyword may begin a known name such as "in stock".
        known = self._known_name()
        if known is not None:
            return x.Name(known)
        raise self._wrong("an expression is expected")

    def _iterations(self, stop: str) -> tuple[list[str], list[x.Ast], list[x.Ast | None]]:
        names: list[str] = []
        sources: list[x.Ast] = []
        highs: list[x.Ast | None] = []
        while True:
            words = []
            while self._token.sort == "name":
                words.append(self._next().text)
            if not words:
                raise self._wrong("a name is expected")
            self._expect("in")
            source = self._expression()
            high = self._expression() if self._accept("..") else None
            name = " ".join(words)
            names.append(name)
            sources.append(source)
            highs.append(high)
            self._declare(name)
            if self._accept(stop):
                return names, sources, highs
            self._expect(",")

    def _for(self) -> x.Ast:
        before = self._open(("partial",))
        names, sources, highs = self._iterations("return")
        body = self._expression()
        self._by_first = before
        return x.For(tuple(names), tuple(sources), tuple(highs), body)

    def _quantified(self, every: bool) -> x.Ast:
        before = self._open(())
        names, sources, highs = self._iterations("satisfies")
        if any(high is not None for high in highs):
            raise self._wrong("a list is expected instead of a range")
        body = self._expression()
        self._by_first = before
        return x.Quantified(every, tuple(names), tuple(sources), body)

    def _lambda(self) -> x.Ast:
        self._next()
        self._expect("(")
        parameters: list[str] = []
        while not self._accept(")"):
            if parameters:
                self._expect(",")
            words = []
            while self._token.sort == "name":
                words.append(self._next().text)
            if not words:
                raise self._wrong("a parameter's name is expected")
            parameters.append(" ".join(words))
            if self._accept(":"):
                self._type()
        if self._is("external"):
            raise self._wrong("external functions are not available; a body in FEEL is expected")
        before = self._open(parameters)
        body = self._expression()
        self._by_first = before
        return x.Lambda(tuple(parameters), body)

    def _bracketed(self) -> x.Ast:
        if self._is("{"):
            return self._context()
        if self._is("("):
            return self._parenthesis()
        if self._is("["):
            return self._list_or_range()
        if self._is("]"):
            self._next()
            return self._range_rest(self._expression(), low_included=False)
        raise self._wrong("an expression is expected")

    def _parenthesis(self) -> x.Ast:
        self._expect("(")
        if self._token.sort == "symbol" and self._token.text in _COMPARISONS:
            operator = self._next().text
            bound = self._additive()
            self._expect(")")
            if operator in ("=", "!="):
                return x.RangeOf(bound, bound, True, True)
            if operator.startswith("<"):
                return x.RangeOf(None, bound, False, operator == "<=")
            return x.RangeOf(bound, None, operator == ">=", False)
        node = self._expression()
        if self._is(".."):
            return self._range_rest(node, low_included=False)
        self._expect(")")
        return node

    def _range_rest(self, low: x.Ast, *, low_included: bool) -> x.Ast:
        self._expect("..")
        high = self._expression()
        if self._accept("]"):
            return x.RangeOf(low, high, low_included, True)
        if self._accept(")") or self._accept("["):
            return x.RangeOf(low, high, low_included, False)
        raise self._wrong("the end of a range is expected")

    def _list_or_range(self) -> x.Ast:
        self._expect("[")
        if self._accept("]"):
            return x.ListOf(())
        first = self._expression()
        if self._is(".."):
            return self._range_rest(first, low_included=True)
        items = [first]
        while self._accept(","):
            items.append(self._expression())
        self._expect("]")
        return x.ListOf(tuple(items))

    def _context(self) -> x.Ast:
        self._expect("{")
        keys: list[str] = []
        values: list[x.Ast] = []
        before = self._open(())
        while not self._accept("}"):
            if keys:
                self._expect(",")
            keys.append(self._key())
            self._expect(":")
            values.append(self._expression())
            self._declare(keys[-1])
        self._by_first = before
        return x.ContextOf(tuple(keys), tuple(values))

    def _key(self) -> str:
        if self._token.sort == "string":
            return self._next().text
        start = self._token.offset
        last = None
        while self._token.sort in ("name", "keyword", "number") or (
            last is not None and self._token.sort == "symbol" and self._token.text in _JOINERS
        ):
            last = self._next()
        if last is None:
            raise self._wrong("a key is expected")
        return " ".join(self._source[start : last.end].split())
