"""Scripts in Groovy and JavaScript that only compute and set variables become FEEL; any other is refused.

A script is read as statements that run once, one after the other, with choices between them: no loops, no functions,
no side effects but ``execution.setVariable``. Each assignment is an entry of a context, so that later ones see earlier
ones.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from noria.design.importing.feel import Translation, Translator
from noria.design.importing.juel import (
    Access,
    Binary,
    Choice,
    Invoke,
    JuelError,
    Literal,
    Name,
    Tree,
    Unary,
    parse_expression,
)
from noria.design.importing.said import CHOICE, COMPARE, PATH, Feel, NotTranslatable

LANGUAGES = frozenset({"groovy", "javascript", "js", "ecmascript", "graal.js", "secure-javascript"})
_STRING = r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'"
_COMMENT = re.compile(rf"({_STRING})|//[^\n]*|/\*.*?\*/", re.DOTALL)
_STRICT = re.compile(rf"({_STRING})|([=!])==")
_TYPES = (
    "def|var|let|const|final|int|Integer|long|Long|double|Double|float|boolean|Boolean|String|Object|BigDecimal|Number"
)
_DECLARED = re.compile(rf"(?:(?:{_TYPES})\s+)+([^\W\d]\w*)(?:\s*=\s*(.+))?", re.DOTALL)
_ASSIGNED = re.compile(r"([^\W\d]\w*)\s*([-+*/]?)=(?!=)\s*(.+)", re.DOTALL)
_STEPPED = re.compile(r"([^\W\d]\w*)(\+\+|--)")
_ALIAS = re.compile(rf"(?:(?:{_TYPES})\s+)*([^\W\d]\w*)\s*=\s*execution\.getProcessInstance\(\)")
_PRINTS = re.compile(rf"(?:System\.out\.)?println?\s*\(?\s*(?:{_STRING})\s*\)?|console\.log\(\s*(?:{_STRING})\s*\)")
_IGNORED = re.compile(r"import\s+[\w.*]+")
_THROWS = re.compile(
    r"(?:import\s+[\w.]+;?\s*|var\s+BpmnError\s*=\s*[\w.]+;\s*)*"
    r"throw\s+new\s+(?:[\w.]+\.)?BpmnError\(\s*['\"]([^'\"]+)['\"]\s*\)\s*;?"
)
_CONTINUES = tuple("+-*/%&|?:,(=<>!")
_SIMPLE = re.compile(r"[\w.]+|\"[^\"\\]*\"")
_SCOPES = ("setVariable", "setVariableLocal")


class If(NamedTuple):
    """``if (test) yes else no``."""

    test: str
    yes: tuple[Statement, ...]
    no: tuple[Statement, ...]


Statement = str | If


class Script(NamedTuple):
    """What a script amounts to.

    Attributes:
        value: what it gives, None when it gives nothing.
        variables: what it sets, by name.
        entries: computed on the way, in order; value and variables refer to them.
        notes: codes of what differs.
    """

    value: Feel | None
    variables: dict[str, Feel]
    entries: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]

    def expression(self, *, condition: bool = False) -> Translation:
        """The value as one FEEL expression.

        Raises:
            NotTranslatable: the script sets variables, or gives nothing.
        """
        if self.variables or self.value is None:
            raise NotTranslatable("a script that sets variables")
        value = self.value
        if value.kind == "boolean" and not value.certain and not condition:
            value = Feel(f"{value.within(COMPARE)} = true", COMPARE)
        return self._within_entries(value.text)

    def context(self, variable: str) -> Translation:
        """A context of the variables that it sets; with the value under a name of its own.

        Raises:
            NotTranslatable: it does neither.
        """
        sets = dict(self.variables)
        if variable and self.value is not None:
            sets[variable] = self.value
        if not sets:
            raise NotTranslatable("a script without effect")
        return self._within_entries("{" + ", ".join(f"{name}: {feel.text}" for name, feel in sets.items()) + "}")

    def _within_entries(self, text: str) -> Translation:
        if self.entries:
            before = ", ".join(f"{name}: {feel}" for name, feel in self.entries)
            text = f"{{{before}, result: {text}}}.result"
        return Translator({}).finish(text)._replace(notes=self.notes)


def read_script(text: str, language: str) -> Script:
    """Read a script.

    Raises:
        NotTranslatable: it does more than compute and set variables.
    """
    if language.lower() not in LANGUAGES or "${" in text:
        raise NotTranslatable(language)
    text = _COMMENT.sub(lambda match: match[1] or " ", text)
    text = _STRICT.sub(lambda match: match[1] or f"{match[2]}=", text)
    for alias in {match[1] for match in _ALIAS.finditer(text)}:
        text = re.sub(rf"\b{alias}\b", "execution", text)
    statements, end = _statements(text, 0)
    if end < len(text):
        raise NotTranslatable(text[end : end + 20])
    reader = _Reader(groovy=language.lower() == "groovy")
    reader.run(statements)
    if reader.returned is None and statements and isinstance(statements[-1], str):
        reader.returned = reader.last
    return Script(
        reader.returned, reader.state.variables, tuple(reader.entries), tuple(sorted(reader.notes - {"method"}))
    )


# Statements


def _statements(text: str, position: int) -> tuple[tuple[Statement, ...], int]:
    """Statements up to the end or a closing brace."""
    found: list[Statement] = []
    while True:
        position = _skip(text, position, "; \t\r\n")
        if position >= len(text) or text[position] == "}":
            return tuple(found), position
        statement, position = _statement(text, position)
        found.append(statement)


def _statement(text: str, position: int) -> tuple[Statement, int]:
    match = re.compile(r"if\s*\(").match(text, position)
    if match is None:
        end = _end(text, position)
        return text[position:end].strip(), end
    close = _closing(text, match.end() - 1)
    yes, position = _body(text, close + 1)
    after = re.compile(r"[;\s]*else\b").match(text, position)
    no: tuple[Statement, ...] = ()
    if after is not None:
        no, position = _body(text, after.end())
    return If(text[match.end() : close], yes, no), position


def _body(text: str, position: int) -> tuple[tuple[Statement, ...], int]:
    position = _skip(text, position, " \t\r\n")
    if text[position : position + 1] == "{":
        inside, end = _statements(text, position + 1)
        if text[end : end + 1] != "}":
            raise NotTranslatable("a block without an end")
        return inside, end + 1
    statement, end = _statement(text, position)
    return (statement,), end


def _skip(text: str, position: int, signs: str) -> int:
    while position < len(text) and text[position] in signs:
        position += 1
    return position


def _closing(text: str, position: int) -> int:
    """Where the bracket that opens here is closed."""
    depth = 0
    while position < len(text):
        string = re.compile(_STRING).match(text, position)
        if string is not None:
            position = string.end()
            continue
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if not depth:
            return position
        position += 1
    raise NotTranslatable("a bracket without an end")


def _end(text: str, position: int) -> int:
    """Where the statement that begins here ends: at a semicolon, or at a line's end that nothing continues."""
    depth, start = 0, position
    while position < len(text):
        string = re.compile(_STRING).match(text, position)
        if string is not None:
            position = string.end()
            continue
        sign = text[position]
        depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(sign, 0)
        line_ends = sign == "\n" and not text[start:position].rstrip().endswith(_CONTINUES)
        if depth < 0 or (depth == 0 and (sign == ";" or line_ends)):
            return position
        position += 1
    return position


# What they do


class _State(NamedTuple):
    """Local names and the variables that were set, each with its value so far."""

    names: dict[str, Feel]
    variables: dict[str, Feel]

    def copy(self) -> _State:
        return _State(dict(self.names), dict(self.variables))


class _Reader(Translator):
    """Runs statements symbolically."""

    converts = False

    def __init__(self, *, groovy: bool) -> None:
        super().__init__({"undefined": "null"})
        self._groovy = groovy
        self._falsy = '[null, false, 0, "", [], {}]' if groovy else '[null, false, 0, ""]'
        self.state = _State({}, {})
        self.entries: list[tuple[str, str]] = []
        self.returned: Feel | None = None
        self.last: Feel | None = None

    @property
    def notes(self) -> set[str]:
        """Codes of what differs."""
        return self._notes

    def run(self, statements: tuple[Statement, ...]) -> None:
        """Run statements one after the other.

        Raises:
            NotTranslatable: one is something else than an assignment, a choice or an expression.
        """
        for statement in statements:
            if self.returned is not None:
                raise NotTranslatable("something behind a return")
            self.last = None
            if isinstance(statement, If):
                self._if(statement)
            else:
                self._do(statement)

    def _do(self, text: str) -> None:
        if _IGNORED.fullmatch(text) or _PRINTS.fullmatch(text):
            return
        if match := _DECLARED.fullmatch(text):
            if match[2] != "execution.getProcessInstance()":
                self._assign(match[1], self._read(match[2]) if match[2] else Feel("null", PATH))
        elif match := _STEPPED.fullmatch(text):
            self._assign(match[1], self._read(f"{match[1]} {match[2][0]} 1"))
        elif match := _ASSIGNED.fullmatch(text):
            right = f"{match[1]} {match[2]} ({match[3]})" if match[2] else match[3]
            self._assign(match[1], self._read(right))
        elif match := re.fullmatch(r"return\b(.*)", text, re.DOTALL):
            self.returned = self._read(match[1]) if match[1].strip() else Feel("null", PATH)
        else:
            self._expression(self._tree(text))

    def _expression(self, tree: Tree) -> None:
        sets = isinstance(tree, Invoke) and tree.base == Name("execution") and tree.method in _SCOPES
        if not sets or not isinstance(tree, Invoke):
            self.last = self.feel(tree)
            return
        name = tree.arguments[0] if len(tree.arguments) == 2 else None
        if not isinstance(name, Literal) or not isinstance(name.value, str):
            raise NotTranslatable("a variable whose name is computed")
        self.state.variables[self._checked(name.value)] = self._kept(name.value, self.feel(tree.arguments[1]))

    def _tree(self, text: str) -> Tree:
        try:
            return parse_expression(text)
        except JuelError as error:
            raise NotTranslatable(str(error)) from None

    def _read(self, text: str) -> Feel:
        return self.feel(self._tree(text))

    def _assign(self, name: str, feel: Feel) -> None:
        self.state.names[name] = self._kept(name, feel)

    def _kept(self, name: str, feel: Feel) -> Feel:
        """A value by a name: its own text when that is short, an entry otherwise."""
        if _SIMPLE.fullmatch(feel.text):
            return feel
        entry = f"{name}_{len(self.entries) + 1}"
        self.entries.append((entry, feel.text))
        return Feel(entry, PATH, feel.kind, feel.certain)

    def _if(self, statement: If) -> None:
        test = self._kept("test", Feel(self.truth(self._read(statement.test)), CHOICE, "boolean", certain=True)).text
        before = self.state
        branches = []
        for statements in (statement.yes, statement.no):
            self.state = before.copy()
            self.run(statements)
            branches.append(self.state)
        if self.returned is not None:
            raise NotTranslatable("a return inside a choice")
        self.last = None
        self.state = before
        for place, kept in (("names", before.names), ("variables", before.variables)):
            yes, no = (getattr(branch, place) for branch in branches)
            for name in [*yes, *(name for name in no if name not in yes)]:
                # What one side leaves alone stays what it was; a variable may have a value from before the script.
                absent = Feel(name if place == "variables" else "null", PATH)
                first, second = yes.get(name, absent), no.get(name, absent)
                if first != second:
                    kind = first.kind if first.kind == second.kind else ""
                    merged = Feel(f"if {test} then {first.text} else {second.text}", CHOICE, kind)
                    kept[name] = self._kept(name, merged)
                else:
                    kept[name] = first

    # Where scripts differ from JUEL

    def truth(self, feel: Feel) -> str:
        """Whether a value counts as true."""
        if feel.kind == "boolean":
            return feel.text if feel.certain else f"{feel.within(COMPARE)} = true"
        return f"not(list contains({self._falsy}, {feel.text}))"

    def name(self, tree: Name) -> Feel:
        """A local name before a variable."""
        return self.state.names.get(tree.name) or super().name(tree)

    def variable(self, name: str) -> Feel:
        """A variable, as the script may have set it."""
        return self.state.variables.get(name) or Feel(self._checked(name), PATH)

    def unary(self, tree: Unary) -> Feel:
        """``!x`` is true for null, 0 and an empty text as well."""
        if tree.op != "not":
            return super().unary(tree)
        operand = self.feel(tree.operand)
        if operand.kind == "boolean":
            return super().unary(tree)
        return Feel(f"list contains({self._falsy}, {operand.text})", PATH, "boolean", certain=True)

    def binary(self, tree: Binary) -> Feel:
        """``a || b`` gives a value in JavaScript; ``+`` joins texts."""
        left, right = self.feel(tree.left), self.feel(tree.right)
        if tree.op in ("and", "or") and not left.kind == right.kind == "boolean":
            test = self.truth(left)
            if self._groovy:
                return Feel(f"({test}) {tree.op} ({self.truth(right)})", CHOICE, "boolean", certain=True)
            first, second = (right, left) if tree.op == "and" else (left, right)
            return Feel(f"if {test} then {first.text} else {second.text}", CHOICE)
        if tree.op == "+" and "text" in (left.kind, right.kind):
            pieces = [_joined(left), _joined(right)]
            return Feel(f"string join([{', '.join(pieces)}])", PATH, "text", certain=True)
        feel = super().binary(tree)
        if "null_arithmetic" in self._notes:
            self._notes.remove("null_arithmetic")
            self._notes.add("script_arithmetic")
        return feel

    def choice(self, tree: Choice) -> Feel:
        """The test may be any value."""
        test = self.truth(self.feel(tree.test))
        yes, no = self.feel(tree.yes), self.feel(tree.no)
        return Feel(f"if {test} then {yes.text} else {no.text}", CHOICE, yes.kind if yes.kind == no.kind else "")

    def access(self, tree: Access) -> Feel:
        """A property of a list or text is none of FEEL's."""
        if isinstance(tree.key, Literal) and tree.key.value in ("length", "size"):
            raise NotTranslatable(str(tree.key.value))
        return super().access(tree)


def _joined(feel: Feel) -> str:
    """A part of a text that is joined."""
    return feel.text if feel.kind == "text" else f"string({feel.text})"


def throws(text: str) -> str:
    """The code of the business error that a script throws, when it does nothing else; "" otherwise."""
    text = _COMMENT.sub(lambda match: match[1] or " ", text)
    match = _THROWS.fullmatch(text.strip())
    return match[1] if match else ""


def prints(text: str) -> bool:
    """Whether a script only prints a constant line."""
    return bool(_PRINTS.fullmatch(text.strip().rstrip(";").rstrip()))
