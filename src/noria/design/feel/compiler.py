"""Syntax tree to a Python code object, through `shapes` that we build ourselves and a whitelist of names.

No text is ever compiled: names of FEEL become generated identifiers or constants, operators calls of `runtime` (before
a comparison with a literal stands Python's own). What a finished code object can reach is looked at once more before it
is used.
The result is ``lambda v, c: ...`` with v the variables, c the evaluation context (and q the tested value of unary
tests), and behind them whatever constants the model writes, k0, k1 and so on, as their defaults.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any, ClassVar

from noria.design.feel import calls, iteration, runtime, shapes
from noria.design.feel import nodes as n
from noria.design.feel.builtins import LIBRARY
from noria.design.feel.evaluation import EvaluationContext
from noria.design.feel.externals import external_function
from noria.design.feel.shapes import Shape
from noria.design.feel.values import Function

_SHAPES_MAX = 1000
_BRANCHES_MAX = 16

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
_ORDERS = frozenset({"=", "!=", "<", "<=", ">", ">="})
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


_VARIABLES, _CONTEXT, _TESTED, _MISSING = "v", shapes.name("c"), shapes.name("q"), shapes.name("MISSING")


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


@functools.lru_cache(maxsize=_SHAPES_MAX)
def shared_code(parameters: str, constants: int, body: Shape) -> CodeType:
    """The code object of a shape. Cached: a table's cells, and most conditions, differ in constants only."""
    return _checked(shapes.code_of((*parameters, *(f"k{index}" for index in range(constants))), body))


def _literal(node: n.Node) -> Any:
    """The number or text that a node writes down; None for anything else."""
    if isinstance(node, n.Literal):
        return node.value
    if isinstance(node, n.Negation) and isinstance(node.operand, n.Literal) and type(node.operand.value) is int:
        return -node.operand.value
    return None


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

    def _finish(self, params: str, body: Shape) -> Callable[..., Any]:
        code = shared_code(params, len(self._constants), body)
        return FunctionType(code, _GLOBALS, "feel", tuple(self._constants))

    def _fresh(self) -> str:
        self._count += 1
        return f"n{self._count}"

    def _constant(self, value: Any) -> Shape:
        """A value of the model: a parameter with a default, so that it is no part of the shape."""
        self._constants.append(value)
        return shapes.name(f"k{len(self._constants) - 1}")

    def _node(self, node: n.Node) -> Shape:
        return self._emitters[type(node)](self, node)

    def _function(self, identifiers: list[str], body: n.Node) -> Shape:
        """A function inside the expression."""
        first = len(self._constants)
        emitted = self._node(body)
        # Constants of the body stand in it alone.
        return shapes.function(identifiers, emitted, (f"k{index}" for index in range(first, len(self._constants))))

    def _keep(self, value: Shape) -> tuple[Shape, Shape]:
        """An expression that also stores its value, and one that reads it again."""
        identifier = self._fresh()
        return shapes.kept(identifier, value), shapes.name(identifier)

    def _unless_missing(self, value: Shape, otherwise: Shape) -> Shape:
        kept, again = self._keep(value)
        return shapes.when(shapes.compared("is not", kept, _MISSING), again, otherwise)

    # --- names

    def _lookup(self, name: str) -> Shape:
        elements: list[str] = []
        found: Shape | None = None
        for scope in reversed(self._scopes):
            if isinstance(scope, _Element):
                elements.append(scope.identifier)
                if name == "item":
                    found = shapes.name(scope.identifier)
                    break
            elif name in scope.names:
                self._partial_used = self._partial_used or name == "partial"
                found = shapes.name(scope.names[name])
                break
        if found is not None and not elements:
            return found
        key = shapes.text(name)
        result = self._variable(name, key) if found is None else found
        for identifier in reversed(elements):
            result = self._unless_missing(shapes.call("field", shapes.name(identifier), key), result)
        return result

    def _variable(self, name: str, key: Shape) -> Shape:
        builtin = _BUILTINS.get(name)
        if builtin is not None and name not in self._known:
            # A variable may be called like a function of the library ("count"); only a variable's name is free.
            return shapes.get(_VARIABLES, key, shapes.name(builtin))
        self.free.add(name)
        if self._in_function:
            # A function is called when the expression that made it is long done.
            found = shapes.get(_VARIABLES, key, _MISSING)
            return self._unless_missing(found, shapes.call("missing", _CONTEXT, key))
        # A variable is seldom missing; then the expression is evaluated once more with null for it (`expression`).
        return shapes.item(_VARIABLES, key)

    # --- nodes

    def _emit_literal(self, node: n.Literal) -> Shape:
        return self._constant(node.value)

    def _emit_name(self, node: n.Name) -> Shape:
        return self._lookup(node.name)

    def _emit_negation(self, node: n.Negation) -> Shape:
        number = _literal(node)
        return shapes.call("negate", _CONTEXT, self._node(node.operand)) if number is None else self._constant(number)

    def _emit_binary(self, node: n.Binary) -> Shape:
        left, right = self._node(node.left), self._node(node.right)
        function = _OPERATORS[node.operator]
        beside = type(_literal(node.right))
        if node.operator in _ORDERS and beside in {int, str} and isinstance(node.left, n.Name | n.Path):
            # Most conditions: a variable beside a number or a text. A call costs more than comparing; where what is
            # compared takes longer by itself, compiling more for it does not pay.
            left, again = self._keep(left)
            alike = shapes.compared("is", shapes.call("type", left), shapes.name(beside.__name__))
            compared = shapes.compared(node.operator, again, right)
            return shapes.when(alike, compared, shapes.call(function, _CONTEXT, again, right))
        return shapes.call(function, _CONTEXT, left, right)

    def _emit_logic(self, node: n.Logic) -> Shape:
        operands: list[n.Node] = [node.right]
        left = node.left
        while isinstance(left, n.Logic) and left.operator == node.operator:
            operands.append(left.right)
            left = left.left
        operands.append(left)
        return self._decided(node.operator == "or", [self._node(operand) for operand in reversed(operands)])

    def _decided(self, decided_by: bool, emitted: list[Shape]) -> Shape:
        """A chain of ``or`` or ``and``, as a tree: Python compiles hundreds of operands, but not hundreds of levels."""
        while len(emitted) > 1:
            paired = [self._logic(decided_by, *pair) for pair in zip(emitted[::2], emitted[1::2], strict=False)]
            emitted = [*paired, *emitted[len(paired) * 2 :]]
        return emitted[0]

    def _logic(self, decided_by: bool, left: Shape, right: Shape) -> Shape:
        """``or`` is decided by a true left side, ``and`` by a false one; the right side is then not evaluated."""
        kept, again = self._keep(left)
        function = "either" if decided_by else "both"
        decided = shapes.TRUE if decided_by else shapes.FALSE
        return shapes.when(shapes.compared("is", kept, decided), decided, shapes.call(function, _CONTEXT, again, right))

    def _emit_conditional(self, node: n.Conditional) -> Shape:
        branches = [(self._node(condition), self._node(then)) for condition, then in node.branches]
        return self._chosen(branches, self._node(node.otherwise))

    def _chosen(self, branches: list[tuple[Shape, Shape]], otherwise: Shape) -> Shape:
        """What the first branch gives whose condition is true; a long chain as a tree, as in `_decided`."""
        if len(branches) > _BRANCHES_MAX:
            half = len(branches) // 2
            first = self._chosen(branches[:half], _MISSING)
            return self._unless_missing(first, self._chosen(branches[half:], otherwise))
        for condition, then in reversed(branches):
            otherwise = shapes.when(shapes.compared("is", condition, shapes.TRUE), then, otherwise)
        return otherwise

    def _emit_between(self, node: n.Between) -> Shape:
        return shapes.call("between", _CONTEXT, self._node(node.value), self._node(node.low), self._node(node.high))

    def _emit_in(self, node: n.In) -> Shape:
        value = self._node(node.value)
        identifier = self._fresh()
        self._scopes.append(_Locals({"?": identifier}))
        # The first test begins with its tested value, so it is there for all.
        body = self._tests(node.tests, shapes.kept(identifier, value), shapes.name(identifier))
        self._scopes.pop()
        return body

    def _tests(self, tests: n.Tests, first: Shape, further: Shape) -> Shape:
        """The tests; what the first of them looks at is given apart from what the others do."""
        emitted = [self._test(test, further if at else first) for at, test in enumerate(tests.tests)]
        whether = self._decided(True, emitted)
        return shapes.call("invert", _CONTEXT, whether) if tests.negated else whether

    def _test(self, test: n.Test, tested: Shape) -> Shape:
        if test.operand is None:
            return shapes.TRUE
        operand = self._node(test.operand)
        if test.operator:
            return shapes.call(_OPERATORS[test.operator], _CONTEXT, tested, operand)
        if test.uses_input:
            return shapes.call("own_test", _CONTEXT, tested, operand)
        if isinstance(test.operand, n.Literal) and type(test.operand.value) is str:
            return shapes.call("equal", _CONTEXT, tested, operand)
        return shapes.call("member", _CONTEXT, tested, operand)

    def _emit_instance_of(self, node: n.InstanceOf) -> Shape:
        return shapes.call("instance", self._node(node.value), self._constant(node.type))

    def _emit_path(self, node: n.Path) -> Shape:
        return shapes.call("path", _CONTEXT, self._node(node.source), shapes.text(node.name))

    def _emit_filter(self, node: n.Filter) -> Shape:
        source = self._node(node.source)
        identifier = self._fresh()
        self._scopes.append(_Element(identifier))
        condition = self._function([identifier], node.condition)
        self._scopes.pop()
        return shapes.call("filter_", _CONTEXT, source, condition)

    def _emit_call(self, node: n.Call) -> Shape:
        function = self._callee(node.function)
        arguments = shapes.sequence(self._node(argument) for argument in node.arguments)
        if node.names is None:
            return shapes.call("invoke", _CONTEXT, function, arguments)
        return shapes.call("invoke_named", _CONTEXT, function, self._constant(tuple(node.names)), arguments)

    def _callee(self, node: n.Node) -> Shape:
        if isinstance(node, n.Name) and node.name in _BUILTINS and node.name not in self._known:
            bound = any(isinstance(scope, _Locals) and node.name in scope.names for scope in self._scopes)
            if not bound:
                return shapes.name(_BUILTINS[node.name])
        return self._node(node)

    def _emit_list(self, node: n.ListNode) -> Shape:
        return shapes.list_of(self._node(item) for item in node.items)

    def _emit_context(self, node: n.ContextNode) -> Shape:
        scope = _Locals({})
        self._scopes.append(scope)
        values: list[Shape] = []
        for key, value in node.entries:
            identifier = self._fresh()
            if isinstance(value, n.FunctionNode):
                scope.names[key] = identifier  # a function sees itself; any other entry sees the outer name
            emitted = self._node(value)
            scope.names[key] = identifier
            values.append(shapes.kept(identifier, emitted))
        self._scopes.pop()
        keys = self._constant(tuple(key for key, _ in node.entries))
        return shapes.call("context", _CONTEXT, keys, shapes.sequence(values))

    def _emit_range(self, node: n.RangeNode) -> Shape:
        flags = (node.start_included, node.end_included, node.operator)
        start, end = (bound.value if isinstance(bound, n.Literal) else bound for bound in (node.start, node.end))
        if not isinstance(start, n.Node) and not isinstance(end, n.Node):
            made = runtime.make_range(EvaluationContext(0), start, end, *flags)
            if made is not None:
                return self._constant(made)
        return shapes.call(
            "range_",
            _CONTEXT,
            shapes.NULL if node.start is None else self._node(node.start),
            shapes.NULL if node.end is None else self._node(node.end),
            *(self._constant(flag) for flag in flags),
        )

    def _iterators(self, iterators: list[n.Iterator]) -> tuple[Shape, Shape, list[str]]:
        """The first domain, the others as functions of the iterators before them, and the iterators' identifiers."""
        domains: list[Shape] = []
        identifiers: list[str] = []
        for iterator in iterators:
            domain = self._node(iterator.domain)
            if iterator.end is not None:
                domain = shapes.call("span", _CONTEXT, domain, self._node(iterator.end))
            domains.append(shapes.function(identifiers, domain) if identifiers else domain)
            identifier = self._fresh()
            identifiers.append(identifier)
            self._scopes.append(_Locals({iterator.name: identifier}))
        return domains[0], shapes.sequence(domains[1:]), identifiers

    def _emit_for(self, node: n.For) -> Shape:
        depth = len(self._scopes)
        domain, further, identifiers = self._iterators(node.iterators)
        outer_used, self._partial_used = self._partial_used, False
        partial = self._fresh()
        self._scopes.insert(depth, _Locals({"partial": partial}))
        body = self._function([partial, *identifiers], node.body)
        used, self._partial_used = self._partial_used, outer_used
        del self._scopes[depth:]
        return shapes.call(
            "loop",
            _CONTEXT,
            domain,
            further,
            body,
            shapes.TRUE if used else shapes.FALSE,
        )

    def _emit_quantified(self, node: n.Quantified) -> Shape:
        depth = len(self._scopes)
        domain, further, identifiers = self._iterators(node.iterators)
        condition = self._function(identifiers, node.condition)
        del self._scopes[depth:]
        return shapes.call("every" if node.every else "some", _CONTEXT, domain, further, condition)

    def _emit_function(self, node: n.FunctionNode) -> Shape:
        params = [self._fresh() for _ in node.params]
        if node.body is None:
            mapping = self._node(node.external or n.Literal(None))
            names, types = self._constant(tuple(node.params)), self._constant(tuple(node.types))
            return shapes.call("external", _CONTEXT, names, types, mapping)
        self._scopes.append(_Locals(dict(zip(node.params, params, strict=True))))
        outer, self._in_function = self._in_function, True
        body = self._function(params, node.body)
        self._in_function = outer
        self._scopes.pop()
        return shapes.call(
            "Function",
            self._constant(tuple(node.params)),
            self._constant(tuple(node.types)),
            body,
        )

    _emitters: ClassVar[dict[type[n.Node], Callable[[Any, Any], Shape]]] = {
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
