"""Syntax tree to a Python code object, through Python nodes that we build ourselves and a whitelist of names.

No text is ever compiled: names of FEEL become generated identifiers or constants, operators calls of `runtime` (before
a comparison with a literal stands Python's own). What a finished code object can reach is looked at once more before it
is used.
The result is ``lambda v, c: ...`` with v the variables, c the evaluation context (and q the tested value of unary
tests), and behind them what is no constant of Python, k0, k1 and so on, as their defaults.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from types import CodeType, FunctionType
from typing import Any, ClassVar

from noria.design.feel import calls, iteration, runtime
from noria.design.feel import nodes as n
from noria.design.feel.builtins import LIBRARY
from noria.design.feel.evaluation import EvaluationContext
from noria.design.feel.externals import external_function
from noria.design.feel.values import Function

_GLOBALS: dict[str, Any] = {
    "__builtins__": {},
    "int": int,
    "str": str,
    "type": type,
    "MISSING": runtime.MISSING,
    "missing": runtime.missing,
    "field": runtime.field,
    "path": runtime.path,
    "negate": runtime.negate,
    "both": runtime.both,
    "either": runtime.either,
    "invert": runtime.invert,
    "between": runtime.between,
    "member": runtime.member,
    "own_test": runtime.own_test,
    "instance": runtime.instance,
    "context": runtime.make_context,
    "range_": runtime.make_range,
    "filter_": iteration.filter_list,
    "loop": iteration.loop,
    "some": iteration.some,
    "every": iteration.every,
    "span": iteration.span,
    "invoke": calls.invoke,
    "invoke_named": calls.invoke_named,
    "Function": Function,
    "external": external_function,
}
_OPERATORS = {
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
    "**": "power",
    "=": "equal",
    "!=": "unequal",
    "<": "less",
    "<=": "less_or_equal",
    ">": "greater",
    ">=": "greater_or_equal",
}
_ORDERS: dict[str, ast.cmpop] = {
    "=": ast.Eq(),
    "!=": ast.NotEq(),
    "<": ast.Lt(),
    "<=": ast.LtE(),
    ">": ast.Gt(),
    ">=": ast.GtE(),
}
"""Operators by which Python compares two integers, or two texts, as FEEL does."""
_BUILTINS = {name: f"f{index}" for index, name in enumerate(LIBRARY)}
_GLOBALS.update({name: getattr(runtime, name) for name in _OPERATORS.values()})
_GLOBALS.update({identifier: LIBRARY[name] for name, identifier in _BUILTINS.items()})
_REACHABLE = frozenset(_GLOBALS) - {"__builtins__"} | {"get"}
"""Globals and attributes that compiled code may use."""


class _Locals:
    """Names bound to Python identifiers."""

    __slots__ = ("names",)

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names


class _Element:
    """The element of a filter: its fields are in scope, and which there are is known at run time only."""

    __slots__ = ("identifier",)

    def __init__(self, identifier: str) -> None:
        self.identifier = identifier


# `compile` wants a place for every node. That of the class serves all; and so one node may stand in many places.


class _Name(ast.Name):
    lineno = 1
    col_offset = 0


class _Constant(ast.Constant):
    lineno = 1
    col_offset = 0


class _Call(ast.Call):
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


_LOAD, _STORE = ast.Load(), ast.Store()
_IS: list[ast.cmpop] = [ast.Is()]
_IS_NOT: list[ast.cmpop] = [ast.IsNot()]
_NO_KEYWORDS: list[ast.keyword] = []
_GLOBAL_NAMES: dict[str, ast.expr] = {name: _Name(name, _LOAD) for name in _GLOBALS}
_VARIABLES, _CONTEXT, _TESTED = (_Name(name, _LOAD) for name in "vcq")
_MISSING = _GLOBAL_NAMES["MISSING"]
_NULL, _TRUE, _FALSE = (_Constant(value) for value in (None, True, False))
_GET = ast.Attribute(_VARIABLES, "get", _LOAD, lineno=1, col_offset=0)


def _name(identifier: str) -> ast.expr:
    return _Name(identifier, _LOAD)


def _call(function: str, *arguments: ast.expr) -> ast.expr:
    return _Call(_GLOBAL_NAMES[function], [*arguments], _NO_KEYWORDS)


def _arguments(identifiers: Iterable[str]) -> ast.arguments:
    return ast.arguments([], [_Argument(identifier) for identifier in identifiers], None, [], [], None, [])


def _lambda(identifiers: Iterable[str], body: ast.expr) -> ast.expr:
    return _Lambda(_arguments(identifiers), body)


def _tuple(items: Iterable[ast.expr]) -> ast.expr:
    return _Tuple([*items], _LOAD)


def _checked(code: CodeType) -> CodeType:
    """The code, after a look at every name by which it and the functions inside it reach out.

    Raises:
        AssertionError: there is a name that the compiler never writes.
    """
    waiting = [code]
    while waiting:
        one = waiting.pop()
        if not _REACHABLE.issuperset(one.co_names):
            raise AssertionError(f"{set(one.co_names) - _REACHABLE} is outside the whitelist.")
        waiting += [constant for constant in one.co_consts if type(constant) is CodeType]
    return code


_PARAMETERS = {params: _arguments(params) for params in ("vc", "vcq")}


class Compiler:
    """Compiles one tree. `free` holds the free names that were met.

    Attributes:
        free: names looked up among the variables.
    """

    def __init__(self, names: frozenset[str]) -> None:
        self.free: set[str] = set()
        self._known = names
        self._scopes: list[_Locals | _Element] = []
        self._constants: list[Any] = []
        self._count = 0
        self._partial_used = False
        self._in_function = False

    def expression(self, node: n.Node) -> Callable[..., Any]:
        """A function of variables and context."""
        return self._finish("vc", self._node(node))

    def unary_tests(self, tests: n.Tests) -> Callable[..., Any]:
        """A function of variables, context and the tested value."""
        self._scopes.append(_Locals({"?": "q"}))
        return self._finish("vcq", self._tests(tests, _TESTED, _TESTED))

    def _finish(self, params: str, body: ast.expr) -> Callable[..., Any]:
        names = _PARAMETERS[params]
        if self._constants:
            names = _arguments((*params, *(f"k{index}" for index in range(len(self._constants)))))
        code = compile(ast.Expression(_Lambda(names, body)), "<feel>", "eval")
        # The code object comes from the tree above, never from text.
        made: FunctionType = eval(_checked(code), _GLOBALS)  # noqa: S307
        if self._constants:
            made.__defaults__ = tuple(self._constants)
        return made

    def _fresh(self) -> str:
        self._count += 1
        return f"n{self._count}"

    def _constant(self, value: Any) -> ast.expr:
        if value is None or type(value) in {bool, int, str}:
            return _Constant(value)
        self._constants.append(value)
        return _name(f"k{len(self._constants) - 1}")

    def _node(self, node: n.Node) -> ast.expr:
        return self._emitters[type(node)](self, node)

    def _keep(self, value: ast.expr) -> tuple[ast.expr, ast.expr]:
        """An expression that also stores its value, and one that reads it again."""
        identifier = self._fresh()
        return _NamedExpr(_Name(identifier, _STORE), value), _Name(identifier, _LOAD)

    def _unless_missing(self, value: ast.expr, otherwise: ast.expr) -> ast.expr:
        kept, again = self._keep(value)
        return _IfExp(_Compare(kept, _IS_NOT, [_MISSING]), again, otherwise)

    # --- names

    def _lookup(self, name: str) -> ast.expr:
        elements: list[str] = []
        found: ast.expr | None = None
        for scope in reversed(self._scopes):
            if isinstance(scope, _Element):
                elements.append(scope.identifier)
                if name == "item":
                    found = _name(scope.identifier)
                    break
            elif name in scope.names:
                self._partial_used = self._partial_used or name == "partial"
                found = _name(scope.names[name])
                break
        result = self._variable(name) if found is None else found
        for identifier in reversed(elements):
            result = self._unless_missing(_call("field", _name(identifier), _Constant(name)), result)
        return result

    def _variable(self, name: str) -> ast.expr:
        builtin = _BUILTINS.get(name)
        if builtin is not None and name not in self._known:
            # A variable may be called like a function of the library ("count"); only a variable's name is free.
            return self._get(name, _GLOBAL_NAMES[builtin])
        self.free.add(name)
        if self._in_function:
            # A function is called when the expression that made it is long done.
            return self._unless_missing(self._get(name, _MISSING), _call("missing", _CONTEXT, _Constant(name)))
        # A variable is seldom missing; then the expression is evaluated once more with null for it (`expression`).
        return _Subscript(_VARIABLES, _Constant(name), _LOAD)

    def _get(self, name: str, otherwise: ast.expr) -> ast.expr:
        return _Call(_GET, [_Constant(name), otherwise], _NO_KEYWORDS)

    # --- nodes

    def _emit_literal(self, node: n.Literal) -> ast.expr:
        return self._constant(node.value)

    def _emit_name(self, node: n.Name) -> ast.expr:
        return self._lookup(node.name)

    def _emit_negation(self, node: n.Negation) -> ast.expr:
        if isinstance(node.operand, n.Literal) and type(node.operand.value) is int:
            return _Constant(-node.operand.value)
        return _call("negate", _CONTEXT, self._node(node.operand))

    def _emit_binary(self, node: n.Binary) -> ast.expr:
        left, right = self._node(node.left), self._node(node.right)
        function = _OPERATORS[node.operator]
        if (
            node.operator in _ORDERS
            and isinstance(right, ast.Constant)
            and type(right.value) in {int, str}
            and isinstance(node.left, n.Name | n.Path)
        ):
            # Most conditions: a variable beside a number or a text. A call costs more than comparing; where what is
            # compared takes longer by itself, compiling more for it does not pay.
            left, again = self._keep(left)
            alike = _Compare(_call("type", left), _IS, [_GLOBAL_NAMES[type(right.value).__name__]])
            compared = _Compare(again, [_ORDERS[node.operator]], [right])
            return _IfExp(alike, compared, _call(function, _CONTEXT, again, right))
        return _call(function, _CONTEXT, left, right)

    def _emit_logic(self, node: n.Logic) -> ast.expr:
        return self._logic(node.operator == "or", self._node(node.left), self._node(node.right))

    def _logic(self, decided_by: bool, left: ast.expr, right: ast.expr) -> ast.expr:
        """``or`` is decided by a true left side, ``and`` by a false one; the right side is then not evaluated."""
        kept, again = self._keep(left)
        function = "either" if decided_by else "both"
        decided = _TRUE if decided_by else _FALSE
        return _IfExp(_Compare(kept, _IS, [decided]), decided, _call(function, _CONTEXT, again, right))

    def _emit_conditional(self, node: n.Conditional) -> ast.expr:
        condition = _Compare(self._node(node.condition), _IS, [_TRUE])
        return _IfExp(condition, self._node(node.then), self._node(node.otherwise))

    def _emit_between(self, node: n.Between) -> ast.expr:
        return _call("between", _CONTEXT, self._node(node.value), self._node(node.low), self._node(node.high))

    def _emit_in(self, node: n.In) -> ast.expr:
        value = self._node(node.value)
        identifier = self._fresh()
        self._scopes.append(_Locals({"?": identifier}))
        # The first test begins with its tested value, so it is there for all.
        body = self._tests(node.tests, _NamedExpr(_Name(identifier, _STORE), value), _name(identifier))
        self._scopes.pop()
        return body

    def _tests(self, tests: n.Tests, first: ast.expr, further: ast.expr) -> ast.expr:
        """The tests; what the first of them looks at is given apart from what the others do."""
        emitted = [self._test(test, further if at else first) for at, test in enumerate(tests.tests)]
        # As a tree and not a chain: Python compiles hundreds of alternatives, but not hundreds of levels.
        while len(emitted) > 1:
            paired = [self._logic(True, *pair) for pair in zip(emitted[::2], emitted[1::2], strict=False)]
            emitted = [*paired, *emitted[len(paired) * 2 :]]
        return _call("invert", _CONTEXT, emitted[0]) if tests.negated else emitted[0]

    def _test(self, test: n.Test, tested: ast.expr) -> ast.expr:
        if test.operand is None:
            return _TRUE
        operand = self._node(test.operand)
        if test.operator:
            return _call(_OPERATORS[test.operator], _CONTEXT, tested, operand)
        if test.uses_input:
            return _call("own_test", _CONTEXT, tested, operand)
        if isinstance(test.operand, n.Literal) and type(test.operand.value) is str:
            return _call("equal", _CONTEXT, tested, operand)
        return _call("member", _CONTEXT, tested, operand)

    def _emit_instance_of(self, node: n.InstanceOf) -> ast.expr:
        return _call("instance", self._node(node.value), self._constant(node.type))

    def _emit_path(self, node: n.Path) -> ast.expr:
        return _call("path", _CONTEXT, self._node(node.source), _Constant(node.name))

    def _emit_filter(self, node: n.Filter) -> ast.expr:
        source = self._node(node.source)
        identifier = self._fresh()
        self._scopes.append(_Element(identifier))
        condition = self._node(node.condition)
        self._scopes.pop()
        return _call("filter_", _CONTEXT, source, _lambda([identifier], condition))

    def _emit_call(self, node: n.Call) -> ast.expr:
        function = self._callee(node.function)
        arguments = _tuple(self._node(argument) for argument in node.arguments)
        if node.names is None:
            return _call("invoke", _CONTEXT, function, arguments)
        return _call("invoke_named", _CONTEXT, function, self._constant(tuple(node.names)), arguments)

    def _callee(self, node: n.Node) -> ast.expr:
        if isinstance(node, n.Name) and node.name in _BUILTINS and node.name not in self._known:
            bound = any(isinstance(scope, _Locals) and node.name in scope.names for scope in self._scopes)
            if not bound:
                return _GLOBAL_NAMES[_BUILTINS[node.name]]
        return self._node(node)

    def _emit_list(self, node: n.ListNode) -> ast.expr:
        return _List([self._node(item) for item in node.items], _LOAD)

    def _emit_context(self, node: n.ContextNode) -> ast.expr:
        scope = _Locals({})
        self._scopes.append(scope)
        values: list[ast.expr] = []
        for key, value in node.entries:
            identifier = self._fresh()
            if isinstance(value, n.FunctionNode):
                scope.names[key] = identifier  # a function sees itself; any other entry sees the outer name
            emitted = self._node(value)
            scope.names[key] = identifier
            values.append(_NamedExpr(_Name(identifier, _STORE), emitted))
        self._scopes.pop()
        keys = self._constant(tuple(key for key, _ in node.entries))
        return _call("context", _CONTEXT, keys, _tuple(values))

    def _emit_range(self, node: n.RangeNode) -> ast.expr:
        flags = (node.start_included, node.end_included, node.operator)
        start, end = (bound.value if isinstance(bound, n.Literal) else bound for bound in (node.start, node.end))
        if not isinstance(start, n.Node) and not isinstance(end, n.Node):
            made = runtime.make_range(EvaluationContext(0), start, end, *flags)
            if made is not None:
                return self._constant(made)
        return _call(
            "range_",
            _CONTEXT,
            _NULL if node.start is None else self._node(node.start),
            _NULL if node.end is None else self._node(node.end),
            *(_Constant(flag) for flag in flags),
        )

    def _iterators(self, iterators: list[n.Iterator]) -> tuple[ast.expr, list[str]]:
        """The domains as functions of the iterators before them, and the iterators' identifiers."""
        domains: list[ast.expr] = []
        identifiers: list[str] = []
        for iterator in iterators:
            domain = self._node(iterator.domain)
            if iterator.end is not None:
                domain = _call("span", _CONTEXT, domain, self._node(iterator.end))
            domains.append(_lambda(list(identifiers), domain))
            identifier = self._fresh()
            identifiers.append(identifier)
            self._scopes.append(_Locals({iterator.name: identifier}))
        return _tuple(domains), identifiers

    def _emit_for(self, node: n.For) -> ast.expr:
        depth = len(self._scopes)
        domains, identifiers = self._iterators(node.iterators)
        outer_used, self._partial_used = self._partial_used, False
        partial = self._fresh()
        self._scopes.insert(depth, _Locals({"partial": partial}))
        body = self._node(node.body)
        used, self._partial_used = self._partial_used, outer_used
        del self._scopes[depth:]
        return _call("loop", _CONTEXT, domains, _lambda([partial, *identifiers], body), _Constant(used))

    def _emit_quantified(self, node: n.Quantified) -> ast.expr:
        depth = len(self._scopes)
        domains, identifiers = self._iterators(node.iterators)
        condition = self._node(node.condition)
        del self._scopes[depth:]
        return _call("every" if node.every else "some", _CONTEXT, domains, _lambda(identifiers, condition))

    def _emit_function(self, node: n.FunctionNode) -> ast.expr:
        params = [self._fresh() for _ in node.params]
        if node.body is None:
            mapping = self._node(node.external or n.Literal(None))
            names, types = self._constant(tuple(node.params)), self._constant(tuple(node.types))
            return _call("external", _CONTEXT, names, types, mapping)
        self._scopes.append(_Locals(dict(zip(node.params, params, strict=True))))
        outer, self._in_function = self._in_function, True
        body = self._node(node.body)
        self._in_function = outer
        self._scopes.pop()
        return _call(
            "Function",
            self._constant(tuple(node.params)),
            self._constant(tuple(node.types)),
            _lambda(params, body),
        )

    _emitters: ClassVar[dict[type[n.Node], Callable[[Any, Any], ast.expr]]] = {
        n.Literal: _emit_literal,
        n.Name: _emit_name,
        n.Negation: _emit_negation,
        n.Binary: _emit_binary,
        n.Logic: _emit_logic,
        n.Conditional: _emit_conditional,
        n.Between: _emit_between,
        n.In: _emit_in,
        n.InstanceOf: _emit_instance_of,
        n.Path: _emit_path,
        n.Filter: _emit_filter,
        n.Call: _emit_call,
        n.ListNode: _emit_list,
        n.ContextNode: _emit_context,
        n.RangeNode: _emit_range,
        n.For: _emit_for,
        n.Quantified: _emit_quantified,
        n.FunctionNode: _emit_function,
    }
