"""JUEL to FEEL: what means the same, what means nearly the same (a note says how it differs), and what has no FEEL.

JUEL converts: null counts as 0 and as false, a text of digits as a number. FEEL does not, and gives null instead. Where
that can matter the translation says it in FEEL, or leaves a note.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from noria.design.feel import FeelSyntaxError, compile_expression
from noria.design.feel.builtins import LIBRARY_NAMES
from noria.design.importing.juel import (
    Access,
    Binary,
    Call,
    Choice,
    Invoke,
    JuelError,
    Literal,
    Name,
    Tree,
    Unary,
    has_expression,
    parse_expression,
    parse_template,
)
from noria.design.importing.methods import METHODS, contains
from noria.design.importing.said import (
    ADD,
    AND,
    CHOICE,
    COMPARE,
    MULTIPLY,
    NAME,
    OR,
    PATH,
    UNARY,
    Feel,
    NotTranslatable,
    empty,
    quoted,
)

_LEVEL = {"or": OR, "and": AND, "+": ADD, "-": ADD, "*": MULTIPLY, "/": MULTIPLY}
_NUMERIC = re.compile(r"[+-]?\d+(\.\d+)?")
_RESERVED = frozenset(
    [
        "and",
        "between",
        "every",
        "external",
        "false",
        "for",
        "function",
        "if",
        "in",
        "instance",
        "not",
        "null",
        "or",
        "return",
        "satisfies",
        "some",
        "then",
        "else",
        "true",
    ]
)
COUNTERS = {
    "nrOfInstances": "numberOfInstances",
    "nrOfActiveInstances": "numberOfActiveInstances",
    "nrOfCompletedInstances": "numberOfCompletedInstances",
    "nrOfTerminatedInstances": "numberOfTerminatedInstances",
}
"""Names that the engines give to counters of a multi-instance activity, and BPMN's own."""
_EXECUTION = frozenset({"execution", "delegateExecution", "task", "delegateTask", "caseExecution"})
_BUSINESS_KEY = frozenset({"processBusinessKey", "processInstanceBusinessKey", "businessKey"})
_VARIABLE_PREFIXES = frozenset({"var", "vars", "variables"})
_DATES = {"fn_date": "toDate", "fn_now": "now", "fn_addDate": "addDate", "fn_subtractDate": "subtractDate"}
_DATE_PARTS = ("P{}Y", "P{}M", "P{}D")
_PERIODS = {
    "Years": "P{}Y",
    "Months": "P{}M",
    "Weeks": "P{}D",
    "Days": "P{}D",
    "Hours": "PT{}H",
    "Minutes": "PT{}M",
    "Seconds": "PT{}S",
}


class Translation(NamedTuple):
    """A translated text.

    Attributes:
        text: FEEL, without a leading ``=``; for a constant the constant itself.
        constant: there was no expression in it.
        notes: codes of what differs, sorted.
    """

    text: str
    constant: bool
    notes: tuple[str, ...]


def translate(text: str, *, condition: bool = False, renamed: Mapping[str, str] | None = None) -> Translation:
    """Translate a text that may hold ``${…}``.

    Args:
        text: as in the file.
        condition: null is as good as false where it is used.
        renamed: variables that have another name in the target.

    Raises:
        NotTranslatable: it has no FEEL.
    """
    text = text.strip()
    if not has_expression(text):
        return Translation(text, constant=True, notes=())
    try:
        parts = parse_template(text)
    except JuelError as error:
        raise NotTranslatable(str(error)) from None
    translator = Translator(renamed or {})
    if len(parts) == 1 and not isinstance(parts[0], str):
        return translator.finish(translator.value(parts[0], condition=condition).text)
    pieces = [quoted(part) if isinstance(part, str) else translator.as_text(part) for part in parts]
    return translator.finish(f"string join([{', '.join(pieces)}])")


def translate_expression(
    text: str, *, condition: bool = False, renamed: Mapping[str, str] | None = None
) -> Translation:
    """Translate an expression that has no ``${ }`` around it: a script of one expression.

    Raises:
        NotTranslatable: it has no FEEL.
    """
    translator = Translator(renamed or {})
    try:
        tree = parse_expression(text)
    except JuelError as error:
        raise NotTranslatable(str(error)) from None
    return translator.finish(translator.value(tree, condition=condition).text)


class Translator:
    """Translates one expression and collects notes.

    Attributes:
        converts: a text that is compared with something is made what that is, as JUEL does it.
    """

    converts = True

    def __init__(self, renamed: Mapping[str, str]) -> None:
        self._renamed = renamed
        self._notes: set[str] = set()

    def finish(self, text: str) -> Translation:
        """The translation, after FEEL's own parser has had a look at it."""
        try:
            compile_expression(text)
        except FeelSyntaxError as error:
            raise NotTranslatable(error.message) from None
        return Translation(text, constant=False, notes=tuple(sorted(self._notes)))

    def value(self, tree: Tree, *, condition: bool) -> Feel:
        """The whole expression; a value is true or false where JUEL's would be."""
        feel = self.feel(tree)
        if condition or feel.kind != "boolean" or feel.certain:
            return feel
        return Feel(f"{feel.within(COMPARE)} = true", COMPARE, "boolean", certain=True)

    def as_text(self, tree: Tree) -> str:
        """An expression inside a text; null leaves nothing."""
        feel = self.feel(tree)
        return feel.text if feel.kind == "text" else f"string({feel.text})"

    def feel(self, tree: Tree) -> Feel:
        """Any tree."""
        rule: Callable[[Any], Feel] = getattr(self, _RULES[type(tree)])
        return rule(tree)

    # Constants and names

    def literal(self, tree: Literal) -> Feel:
        """A constant."""
        if tree.number:
            text = tree.number + "0" if tree.number.endswith(".") else tree.number
            return Feel(text, PATH, "number", certain=True)
        if isinstance(tree.value, str):
            return Feel(quoted(tree.value), PATH, "text", certain=True)
        if tree.value is None:
            return Feel("null", PATH)
        return Feel("true" if tree.value else "false", PATH, "boolean", certain=True)

    def name(self, tree: Name) -> Feel:
        """A variable, a counter, or its other name."""
        name = tree.name
        if name in self._renamed:
            return Feel(self._renamed[name], PATH)
        if name in COUNTERS:
            return Feel(COUNTERS[name], PATH, "number", certain=True)
        if name == "loopCounter":
            return Feel("loopCounter - 1", ADD, "number", certain=True)
        if name in _EXECUTION or name == "authenticatedUserId":
            raise NotTranslatable(name)
        return Feel(self._checked(name), PATH)

    def variable(self, name: str) -> Feel:
        """A variable of the instance, asked for by its name."""
        return self.name(Name(name))

    def _checked(self, name: str) -> str:
        if name in _RESERVED or not NAME.fullmatch(name):
            raise NotTranslatable(f"{name} is no name in FEEL")
        if name in LIBRARY_NAMES:
            self._notes.add("function_name")
        return name

    # Operators

    def unary(self, tree: Unary) -> Feel:
        """``not``, ``-`` or ``empty``."""
        if tree.op == "empty":
            return empty(self.feel(tree.operand))
        if tree.op == "-":
            operand = self._number(tree.operand)
            return Feel(f"-{operand.within(UNARY)}", UNARY, "number", operand.certain)
        inner = tree.operand
        if isinstance(inner, Binary) and inner.op in ("=", "!="):
            return self.binary(Binary("!=" if inner.op == "=" else "=", inner.left, inner.right))
        if isinstance(inner, Unary) and inner.op == "not":
            return Feel(f"{self.feel(inner.operand).within(COMPARE)} = true", COMPARE, "boolean", certain=True)
        operand = self.feel(inner)
        if operand.kind == "boolean" and operand.certain:
            return Feel(f"not({operand.text})", PATH, "boolean", certain=True)
        # not(null) is null in FEEL; JUEL's !null is true.
        return Feel(f"{operand.within(COMPARE)} != true", COMPARE, "boolean", certain=True)

    def binary(self, tree: Binary) -> Feel:
        """Two operands."""
        if tree.op in ("and", "or"):
            level = _LEVEL[tree.op]
            left, right = self.feel(tree.left), self.feel(tree.right)
            # The same operator needs no brackets around its right side.
            text = f"{left.within(level - 1)} {tree.op} {right.within(level - 1)}"
            return Feel(text, level, "boolean", left.certain and right.certain and left.kind == right.kind == "boolean")
        if tree.op in ("=", "!="):
            return self._equality(tree)
        if tree.op in ("<", ">", "<=", ">="):
            left, right = self.feel(tree.left), self.feel(tree.right)
            both = left.certain and right.certain and left.kind == right.kind
            return Feel(f"{left.within(COMPARE)} {tree.op} {right.within(COMPARE)}", COMPARE, "boolean", both)
        return self._arithmetic(tree)

    def _equality(self, tree: Binary) -> Feel:
        left, right = self.feel(tree.left), self.feel(tree.right)
        for literal, other in ((tree.left, right), (tree.right, left)):
            if self.converts and isinstance(literal, Literal) and not other.kind and _converted(literal):
                # JUEL turns the text into what the variable holds: 'true' equals true, '3' equals 3.
                wrapped = f"string({other.text})"
                texts = (
                    (quoted(str(literal.value)), wrapped) if other is right else (wrapped, quoted(str(literal.value)))
                )
                return Feel(f"{texts[0]} {tree.op} {texts[1]}", COMPARE, "boolean", certain=True)
        known = {left.kind, right.kind} - {""}
        if len(known) > 1:
            raise NotTranslatable(f"a {left.kind} compared with a {right.kind}")
        certain = left.kind == right.kind != "" or "null" in (left.text, right.text)
        return Feel(f"{left.within(COMPARE)} {tree.op} {right.within(COMPARE)}", COMPARE, "boolean", certain)

    def _number(self, tree: Tree) -> Feel:
        if isinstance(tree, Literal) and isinstance(tree.value, str) and _NUMERIC.fullmatch(tree.value):
            return Feel(tree.value.removeprefix("+"), UNARY, "number", certain=True)
        feel = self.feel(tree)
        if feel.kind not in ("", "number"):
            raise NotTranslatable(f"arithmetic with a {feel.kind}")
        if not feel.certain:
            self._notes.add("null_arithmetic")
        return feel

    def _arithmetic(self, tree: Binary) -> Feel:
        left, right = self._number(tree.left), self._number(tree.right)
        certain = left.certain and right.certain
        if tree.op == "%":
            if not (isinstance(tree.right, Literal) and tree.right.number and tree.left == Name("loopCounter")):
                self._notes.add("modulo_sign")
            return Feel(f"modulo({left.text}, {right.text})", PATH, "number")
        divides = tree.op == "/"
        if divides:
            certain = certain and (isinstance(tree.right, Literal) or right.text in COUNTERS.values())
            if isinstance(tree.right, Literal) and not float(right.text):
                certain = False
                self._notes.add("division_by_zero")
        level = _LEVEL[tree.op]
        text = f"{left.within(level - 1)} {tree.op} {right.within(level)}"
        return Feel(text, level, "number", certain)

    def choice(self, tree: Choice) -> Feel:
        """``test ? yes : no``."""
        test, yes, no = self.feel(tree.test), self.feel(tree.yes), self.feel(tree.no)
        kind = yes.kind if yes.kind == no.kind else ""
        return Feel(
            f"if {test.text} then {yes.text} else {no.text}", CHOICE, kind, bool(kind) and yes.certain and no.certain
        )

    # Properties, methods, functions

    def access(self, tree: Access) -> Feel:
        """A property, an item of a list, or an entry of a map."""
        key = tree.key
        if tree.base in _EXECUTIONS:
            if isinstance(key, Literal) and key.value in _BUSINESS_KEY:
                return Feel("business_key", PATH)
            raise NotTranslatable(f"{_source(tree)}")
        base = self.feel(tree.base)
        if isinstance(key, Literal) and isinstance(key.value, str):
            if NAME.fullmatch(key.value) and key.value not in _RESERVED:
                return Feel(f"{base.within(UNARY)}.{key.value}", PATH)
            return Feel(f"get value({base.text}, {quoted(key.value)})", PATH)
        if isinstance(key, Literal) and key.number.isdecimal():
            return Feel(f"{base.within(UNARY)}[{int(key.number) + 1}]", PATH)
        if key == Name("loopCounter"):
            return Feel(f"{base.within(UNARY)}[loopCounter]", PATH)
        raise NotTranslatable(f"{_source(tree)}, which may be a list or a map")

    def invoke(self, tree: Invoke) -> Feel:
        """A method of a text, a list, a map, a date, or of the execution."""
        if tree.base in _EXECUTIONS:
            return self._of_execution(tree)
        rule = METHODS.get((tree.method, len(tree.arguments)))
        if rule is not None and not _is_bean(tree.base):
            if tree.method not in ("toDate", "toDateTime"):
                self._notes.add("method")
            return rule(self.feel, self.feel(tree.base), tree.arguments)
        moved = re.fullmatch(r"(plus|minus)(\w+)", tree.method)
        if moved is not None and moved[2] in _PERIODS and len(tree.arguments) == 1:
            return self._moved(tree, moved[1], moved[2])
        raise NotTranslatable(_source(tree))

    def _of_execution(self, tree: Invoke) -> Feel:
        method, arguments = tree.method, tree.arguments
        first = arguments[0] if arguments else None
        if not arguments and method.startswith("get") and method[3:4].lower() + method[4:] in _BUSINESS_KEY:
            return Feel("business_key", PATH)
        if isinstance(first, Literal) and isinstance(first.value, str) and len(arguments) == 1:
            variable = self.variable(first.value)
            if method in ("getVariable", "getVariableLocal"):
                return variable
            if method in ("hasVariable", "hasVariableLocal"):
                self._notes.add("has_variable")
                return Feel(f"{variable.within(COMPARE)} != null", COMPARE, "boolean", certain=True)
        raise NotTranslatable(_source(tree))

    def _moved(self, tree: Invoke, direction: str, period: str) -> Feel:
        amount = tree.arguments[0]
        base = self.feel(tree.base)
        if not isinstance(amount, Literal) or not amount.number.isdecimal():
            raise NotTranslatable(_source(tree))
        count = int(amount.number) * (7 if period == "Weeks" else 1)
        sign = "+" if direction == "plus" else "-"
        return Feel(f"{base.within(ADD - 1)} {sign} duration({quoted(_PERIODS[period].format(count))})", ADD)

    def call(self, tree: Call) -> Feel:
        """A function."""
        if not tree.prefix and tree.function in ("now", "dateTime") and not tree.arguments:
            return Feel("now()", PATH, certain=True)
        if tree.prefix in _VARIABLE_PREFIXES and tree.arguments:
            return self._of_variable(tree)
        if tree.prefix == "date" or (not tree.prefix and tree.function.startswith("fn_")):
            return self._of_date(tree)
        # Camunda Spin: JSON(x) and S(x) make an object of a text; variables are JSON already.
        if not tree.prefix and tree.function in ("S", "JSON") and len(tree.arguments) == 1:
            self._notes.add("method")
            return self.feel(tree.arguments[0])
        raise NotTranslatable(_source(tree))

    def _of_date(self, tree: Call) -> Feel:
        """Flowable's functions in decision tables."""
        function, arguments = _DATES.get(tree.function, tree.function), tree.arguments
        if function == "now" and not arguments:
            return Feel("today()", PATH, certain=True)
        if function == "toDate" and len(arguments) == 1:
            return Feel(f"date({self.feel(arguments[0]).text})", PATH)
        counts = [item.number for item in arguments[1:] if isinstance(item, Literal) and item.number.isdecimal()]
        if function in ("addDate", "subtractDate") and len(counts) == len(_DATE_PARTS) == len(arguments) - 1:
            base = self.feel(arguments[0])
            text = f"date({base.text})" if base.kind == "text" else base.within(ADD - 1)
            for part, count in zip(_DATE_PARTS, counts, strict=True):
                if int(count):
                    text += f" {'+' if function == 'addDate' else '-'} duration({quoted(part.format(int(count)))})"
            return Feel(text, ADD)
        raise NotTranslatable(_source(tree))

    def _of_variable(self, tree: Call) -> Feel:
        first, rest = tree.arguments[0], tree.arguments[1:]
        named = first.value if isinstance(first, Literal) else first.name if isinstance(first, Name) else None
        if not isinstance(named, str):
            raise NotTranslatable(_source(tree))
        function = tree.function
        variable = Name(named)
        if len(rest) == 1 and function in _COMPARISONS:
            return self.binary(Binary(_COMPARISONS[function], variable, rest[0]))
        if function == "get" and not rest:
            return self.name(variable)
        if function == "getOrDefault" and len(rest) == 1:
            name = self.name(variable)
            return Feel(f"if {name.text} != null then {name.text} else {self.feel(rest[0]).text}", CHOICE)
        if not rest and function in ("exists", "empty", "isEmpty", "notEmpty", "isNotEmpty"):
            if function == "exists":
                return Feel(f"{self.name(variable).text} != null", COMPARE, "boolean", certain=True)
            empty = Unary("empty", variable)
            return self.unary(
                empty if "mpty" in function and not function.lower().count("not") else Unary("not", empty)
            )
        if rest and function in ("contains", "containsAny"):
            word = " and " if function == "contains" else " or "
            base = self.name(variable)
            tests = [f"({contains(self.feel, base, (value,)).text})" for value in rest]
            return Feel(word.join(tests), AND if function == "contains" else OR, "boolean")
        raise NotTranslatable(_source(tree))


_EXECUTIONS = frozenset(Name(name) for name in _EXECUTION)
_COMPARISONS = {
    "eq": "=",
    "equals": "=",
    "ne": "!=",
    "notEquals": "!=",
    "lt": "<",
    "lowerThan": "<",
    "lessThan": "<",
    "lte": "<=",
    "lowerThanOrEquals": "<=",
    "lessThanOrEquals": "<=",
    "gt": ">",
    "greaterThan": ">",
    "gte": ">=",
    "greaterThanOrEquals": ">=",
}
_RULES: dict[type, str] = {
    Literal: "literal",
    Name: "name",
    Unary: "unary",
    Binary: "binary",
    Choice: "choice",
    Access: "access",
    Invoke: "invoke",
    Call: "call",
}
"""Kind of tree → the method that says it."""


def _converted(literal: Tree) -> bool:
    """Whether JUEL could take a text for a boolean or a number."""
    text = literal.value if isinstance(literal, Literal) else None
    return isinstance(text, str) and (text.lower() in ("true", "false") or bool(_NUMERIC.fullmatch(text)))


def _is_bean(tree: Tree) -> bool:
    """Whether a method's base can be nothing but a bean: a helper's result is no variable."""
    return isinstance(tree, Call) and not tree.prefix and tree.function not in ("S", "JSON", "now", "dateTime")


def _source(tree: Tree) -> str:
    """A tree as JUEL again, shortened, for messages."""
    if isinstance(tree, Literal):
        return tree.number or (f"'{tree.value}'" if isinstance(tree.value, str) else str(tree.value).lower())
    if isinstance(tree, Name):
        return tree.name
    if isinstance(tree, Access):
        key = tree.key
        dotted = isinstance(key, Literal) and isinstance(key.value, str)
        return f"{_source(tree.base)}.{key.value}" if dotted else f"{_source(tree.base)}[{_source(key)}]"  # type: ignore[union-attr]
    if isinstance(tree, Invoke):
        return f"{_source(tree.base)}.{tree.method}({', '.join(_source(item) for item in tree.arguments)})"
    if isinstance(tree, Call):
        prefix = f"{tree.prefix}:" if tree.prefix else ""
        return f"{prefix}{tree.function}({', '.join(_source(item) for item in tree.arguments)})"
    return "an expression"
