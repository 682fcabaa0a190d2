"""From syntax tree to a Python code object, through a whitelist: the only Python nodes made are calls of the runtime's
own functions, constants, local names, lambdas, tuples and conditional expressions. No text is ever compiled."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from noria.design.feel import runtime
from noria.design.feel import syntax as x
from noria.design.feel.builtins import BUILTINS, call_builtin
from noria.design.feel.context import EvaluationContext
from noria.design.feel.values import Function, Range

Code = Callable[[Mapping[str, object], EvaluationContext], object]

_OPERATORS = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "div",
    "**": "power",
    "=": "eq",
    "!=": "ne",
    "<": "lt",
    "<=": "le",
    ">": "gt",
    ">=": "ge",
}
_RUNTIME: dict[str, object] = {
    name: getattr(runtime, name)
    for name in (
        *_OPERATORS.values(),
        "any_of",
        "between",
        "both",
        "call",
        "context",
        "either",
        "field",
        "for_each",
        "instance_of",
        "meets",
        "member",
        "negate",
        "not_any",
        "quantified",
        "select",
        "steps",
        "var",
    )
} | {"call_builtin": call_builtin, "Function": Function, "Range": Range}

V, C = "V", "C"
"""Python names of the variables and of the evaluation context inside compiled code."""


class Compiler:
    """Compiles one tree. Afterwards `names` holds the free variables that it uses."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._globals: dict[str, object] = {"__builtins__": {}, **_RUNTIME}
        self._constants = 0
        self._locals = 0
        # Innermost last: local names by FEEL name, or the Python name of a filter's item.
        self._scopes: list[dict[str, str] | str] = []

    def compile(self, tree: x.Ast) -> Code:
        """The tree as a function of variables and context."""
        return self._finish(self._node(tree))

    def compile_tests(self, tests: tuple[x.Ast, ...]) -> Code:
        """Unary tests as a function that also takes the input value, under the name ``?``."""
        self._scopes.append({"?": "I"})
        body = self._call("any_of", self._list([self._test(test, _name("I")) for test in tests]))
        return self._finish(body, "I")

    def _finish(self, body: ast.expr, *more: str) -> Code:
        function = ast.Expression(_lambda([V, C, *more], body))
        ast.fix_missing_locations(function)
        code = compile(function, "<feel>", "eval")
        result: Code = eval(code, self._globals)  # noqa: S307 - a tree that only this class has built
        return result

    # Building blocks

    def _constant(self, value: object) -> ast.expr:
        if value is None or isinstance(value, bool | int | str):
            return ast.Constant(value)
        name = f"k{self._constants}"
        self._constants += 1
        self._globals[name] = value
        return _name(name)

    def _call(self, function: str, *arguments: ast.expr) -> ast.expr:
        return ast.Call(_name(function), list(arguments), [])

    def _list(self, items: list[ast.expr]) -> ast.expr:
        return ast.List(items, ast.Load())

    def _tuple(self, items: list[ast.expr]) -> ast.expr:
        return ast.Tuple(items, ast.Load())

    def _fresh(self) -> str:
        self._locals += 1
        return f"n{self._locals}"

    def _texts(self, texts: tuple[str, ...]) -> ast.expr:
        return self._tuple([ast.Constant(text) for text in texts])

    # Nodes

    def _node(self, node: x.Ast) -> ast.expr:
        method: Callable[[Any], ast.expr] = getattr(self, _METHODS[type(node)])
        return method(node)

    def _literal(self, node: x.Literal) -> ast.expr:
        return self._constant(node.value)

    def _variable(self, node: x.Name) -> ast.expr:
        return self._resolve(node.name, len(self._scopes))

    def _resolve(self, name: str, depth: int) -> ast.expr:
        for index in range(depth - 1, -1, -1):
            scope = self._scopes[index]
            if isinstance(scope, str):
                outside = self._resolve(name, index)
                return self._call("field", _name(scope), ast.Constant(name), _lambda([], outside))
            if name in scope:
                return _name(scope[name])
        if name in BUILTINS:
            return self._constant(BUILTINS[name].function)
        self.names.add(name)
        return self._call("var", _name(C), _name(V), ast.Constant(name))

    def _property(self, node: x.Property) -> ast.expr:
        return self._call("member", _name(C), self._node(node.base), ast.Constant(node.name))

    def _filter(self, node: x.Filter) -> ast.expr:
        base = self._node(node.base)
        constant = node.condition
        negative = isinstance(constant, x.Negate)
        literal = constant.operand if isinstance(constant, x.Negate) else constant
        index: ast.expr = ast.Constant(None)
        if isinstance(literal, x.Literal) and not isinstance(literal.value, bool | str | type(None)):
            index = self._node(x.Negate(literal) if negative else literal)
        item = self._fresh()
        self._scopes.append(item)
        condition = _lambda([item], self._node(node.condition))
        self._scopes.pop()
        return self._call("select", _name(C), base, condition, index)

    def _is_local(self, name: str) -> bool:
        return any(isinstance(scope, dict) and name in scope for scope in self._scopes)

    def _invocation(self, node: x.Call) -> ast.expr:
        function = node.function
        arguments = self._tuple([self._node(argument) for argument in node.arguments])
        if isinstance(function, x.Name) and function.name in BUILTINS and not self._is_local(function.name):
            builtin = self._constant(BUILTINS[function.name])
            return self._call("call_builtin", _name(C), builtin, arguments, self._texts(node.names))
        return self._call("call", _name(C), self._node(function), arguments, self._texts(node.names))

    def _negate(self, node: x.Negate) -> ast.expr:
        return self._call("negate", _name(C), self._node(node.operand))

    def _binary(self, node: x.Binary) -> ast.expr:
        left, right = self._node(node.left), self._node(node.right)
        if node.operator in ("and", "or"):
            return self._call("both" if node.operator == "and" else "either", left, _lambda([], right))
        return self._call(_OPERATORS[node.operator], _name(C), left, right)

    def _between(self, node: x.Between) -> ast.expr:
        return self._call("between", _name(C), self._node(node.value), self._node(node.low), self._node(node.high))

    def _in(self, node: x.In) -> ast.expr:
        value = self._fresh()
        tests = self._list([self._test(test, _name(value)) for test in node.tests])
        return ast.Call(_lambda([value], self._call("any_of", tests)), [self._node(node.value)], [])

    def _test(self, node: x.Ast, value: ast.expr) -> ast.expr:
        if isinstance(node, x.Test):
            return self._call(_OPERATORS[node.operator], _name(C), value, self._node(node.operand))
        if isinstance(node, x.NotTests):
            return self._call("not_any", self._list([self._test(test, value) for test in node.tests]))
        if isinstance(node, x.AnyTest):
            return self._call("meets", _name(C), value, self._node(node.expression))
        raise TypeError(node)

    def _instanceof(self, node: x.InstanceOf) -> ast.expr:
        return self._call("instance_of", self._node(node.value), ast.Constant(node.type))

    def _if(self, node: x.If) -> ast.expr:
        condition = ast.Compare(self._node(node.condition), [ast.Is()], [ast.Constant(True)])
        return ast.IfExp(condition, self._node(node.then), self._node(node.otherwise))

    def _iteration(
        self, names: tuple[str, ...], sources: tuple[x.Ast, ...], highs: tuple[x.Ast | None, ...]
    ) -> tuple[list[str], ast.expr]:
        """The Python names of the iteration's variables, and its sources, each seeing the variables before it."""
        scope: dict[str, str] = {}
        self._scopes.append(scope)
        parameters: list[str] = []
        compiled: list[ast.expr] = []
        for name, source, high in zip(names, sources, highs, strict=True):
            values = self._node(source)
            if high is not None:
                values = self._call("steps", _name(C), values, self._node(high))
            compiled.append(_lambda(list(parameters), values))
            scope[name] = self._fresh()
            parameters.append(scope[name])
        return parameters, self._tuple(compiled)

    def _for(self, node: x.For) -> ast.expr:
        parameters, sources = self._iteration(node.names, node.sources, node.highs)
        partial = self._fresh()
        self._scopes.append({"partial": partial})
        body = _lambda([*parameters, partial], self._node(node.body))
        self._scopes.pop()
        self._scopes.pop()
        return self._call("for_each", _name(C), sources, body)

    def _quantified(self, node: x.Quantified) -> ast.expr:
        parameters, sources = self._iteration(node.names, node.sources, (None,) * len(node.names))
        body = _lambda(parameters, self._node(node.body))
        self._scopes.pop()
        return self._call("quantified", _name(C), ast.Constant(node.every), sources, body)

    def _listof(self, node: x.ListOf) -> ast.expr:
        return self._list([self._node(item) for item in node.items])

    def _contextof(self, node: x.ContextOf) -> ast.expr:
        scope: dict[str, str] = {}
        self._scopes.append(scope)
        parameters: list[str] = []
        entries: list[ast.expr] = []
        for key, value in zip(node.keys, node.values, strict=True):
            entries.append(_lambda(list(parameters), self._node(value)))
            scope[key] = self._fresh()
            parameters.append(scope[key])
        self._scopes.pop()
        return self._call("context", self._texts(node.keys), self._tuple(entries))

    def _rangeof(self, node: x.RangeOf) -> ast.expr:
        low: ast.expr = ast.Constant(None) if node.low is None else self._node(node.low)
        high: ast.expr = ast.Constant(None) if node.high is None else self._node(node.high)
        return self._call("Range", low, high, ast.Constant(node.low_included), ast.Constant(node.high_included))

    def _function(self, node: x.Lambda) -> ast.expr:
        scope = {name: self._fresh() for name in node.parameters}
        self._scopes.append(scope)
        body = _lambda(list(scope.values()), self._node(node.body))
        self._scopes.pop()
        return self._call("Function", self._texts(node.parameters), body)


_METHODS: dict[type, str] = {
    x.Literal: "_literal",
    x.Name: "_variable",
    x.Property: "_property",
    x.Filter: "_filter",
    x.Call: "_invocation",
    x.Negate: "_negate",
    x.Binary: "_binary",
    x.Between: "_between",
    x.In: "_in",
    x.InstanceOf: "_instanceof",
    x.If: "_if",
    x.For: "_for",
    x.Quantified: "_quantified",
    x.ListOf: "_listof",
    x.ContextOf: "_contextof",
    x.RangeOf: "_rangeof",
    x.Lambda: "_function",
}


def _name(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _lambda(parameters: list[str], body: ast.expr) -> ast.expr:
    arguments = ast.arguments([], [ast.arg(name) for name in parameters], None, [], [], None, [])
    return ast.Lambda(arguments, body)
