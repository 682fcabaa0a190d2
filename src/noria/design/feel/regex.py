"""Regular expressions of XPath 2.0, translated to those of RE2, whose time is linear in the text for any pattern.

RE2 has no back references; the few patterns with one are Python's, for short texts.

Source: XPath and XQuery Functions and Operators, section 7.6; XML Schema part 2, appendix F.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import NamedTuple, cast

import re2

from noria.design.feel.characters import Characters, block, category, escape, joined, others, without

PATTERN_CHARS_MAX = 1_000
SUBJECT_CHARS_MAX = 100_000
BACKTRACKING_SUBJECT_CHARS_MAX = 30
"""Python goes back and tries again: for longer texts that may take for ever."""
_MEMORY_MAX = 1 << 26

_LITERAL_ESCAPES = frozenset("\\|.-^?*+{}()[]$")
_REPETITION = re.compile(r"\d+(,\d*)?\}", re.ASCII)


def has_nested_repeats(pattern: str) -> bool:
    """Whether a repeated group itself repeats or branches, which can take time exponential in the subject.

    Classes and escapes are read as in all dialects; what is no pattern has none or some.
    """
    # For each open group whether it repeats or branches inside.
    groups = [False]
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "\\":
            at += 1
        elif char == "[":
            end = pattern.find("]", at + 1)
            at = len(pattern) if end < 0 else end + 1
        elif char == "(":
            groups.append(False)
            if pattern.startswith("?", at):
                at += 2
        elif char == ")" and len(groups) > 1:
            inside = groups.pop()
            if inside and pattern[at : at + 1] in {"*", "+", "{"}:
                return True
            groups[-1] |= inside
        elif char in "*+{|":
            groups[-1] = True
    return False


class PatternError(ValueError):
    """The pattern is not one of XPath, or larger than allowed."""


def pattern_of(pattern: str, flags: str, subject: str) -> re.Pattern[str]:
    """The compiled pattern, checked to be safe for this subject.

    Raises:
        PatternError: not a pattern or flag of XPath, or larger than the limits.
    """
    if len(subject) > SUBJECT_CHARS_MAX:
        raise PatternError(f"A text to match may have {SUBJECT_CHARS_MAX} characters.")
    compiled = _compiled(pattern, flags)
    if isinstance(compiled, re.Pattern) and len(subject) > BACKTRACKING_SUBJECT_CHARS_MAX:
        raise PatternError(
            f"A pattern with a back reference is for texts of at most {BACKTRACKING_SUBJECT_CHARS_MAX} characters."
        )
    return compiled


@functools.lru_cache(maxsize=512)
def _compiled(pattern: str, flags: str) -> re.Pattern[str]:
    if len(pattern) > PATTERN_CHARS_MAX:
        raise PatternError(f"A pattern may have {PATTERN_CHARS_MAX} characters.")
    if not set(flags) <= set("smixq"):
        raise PatternError(f"Flags are s, m, i, x and q, not {flags!r}.")
    options = "".join(flag for flag in "im" if flag in flags)
    before = f"(?{options})" if options else ""
    if "q" in flags:
        return _by_re2(pattern, before + "".join(_RE2.character(ord(char)) for char in pattern))
    translator = _Translator(pattern, flags, _RE2)
    text = translator.translate()
    if not translator.refers_back:
        return _by_re2(pattern, before + text)
    if has_nested_repeats(pattern):
        raise PatternError("A pattern with a back reference and nested repetitions may take for ever; simplify it.")
    try:
        return re.compile(before + _Translator(pattern, flags, _PYTHON).translate())
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternError(f"{pattern!r} is not a pattern: {error}.") from None


def _by_re2(pattern: str, text: str) -> re.Pattern[str]:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY_MAX
    try:
        return cast("re.Pattern[str]", re2.compile(text, options))
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0].decode() if isinstance(error, re2.error) else str(error)
        raise PatternError(f"{pattern!r} is not a pattern: {reason}.") from None


def replacement_of(text: str, pattern: re.Pattern[str], flags: str) -> Callable[[re.Match[str]], str]:
    r"""The function that builds the replacement: ``$1`` is a group, ``\$`` and ``\\`` are themselves.

    Raises:
        PatternError: a ``$`` without a digit, or a backslash before anything else.
    """
    if "q" in flags:
        return lambda _match: text
    parts: list[str | int] = []
    at = 0
    while at < len(text):
        char = text[at]
        following = text[at + 1 : at + 2]
        if char == "\\":
            if following not in {"\\", "$"}:
                raise PatternError("In a replacement a backslash stands before $ or a backslash.")
            parts.append(following)
            at += 2
        elif char == "$":
            if not following.isdigit() or not following.isascii():
                raise PatternError("In a replacement a $ stands before a digit.")
            end = at + 2
            while end < len(text) and text[end] in "0123456789" and int(text[at + 1 : end + 1]) <= pattern.groups:
                end += 1
            parts.append(int(text[at + 1 : end]))
            at = end
        else:
            parts.append(char)
            at += 1

    def build(match: re.Match[str]) -> str:
        return "".join(
            part if isinstance(part, str) else (match[part] or "" if part <= pattern.groups else "") for part in parts
        )

    return build


class _Dialect(NamedTuple):
    """How an engine writes what differs."""

    code: str
    end: str

    def character(self, point: int) -> str:
        """One character, which means itself."""
        return chr(point) if chr(point).isalnum() and point < 0x80 else self.code.format(point)

    def members(self, characters: Characters) -> str:
        """The ranges of a set, as they stand between brackets."""
        return "".join(
            self.character(low) if low == high else f"{self.character(low)}-{self.character(high)}"
            for low, high in characters
        )


_RE2 = _Dialect(r"\x{{{:X}}}", r"\z")
_PYTHON = _Dialect(r"\U{:08x}", r"\Z")


class _Translator:
    """Reads a pattern from left to right and writes that of a dialect.

    Attributes:
        refers_back: whether a back reference was read.
    """

    def __init__(self, pattern: str, flags: str, dialect: _Dialect) -> None:
        self.refers_back = False
        self._text = _without_spaces(pattern) if "x" in flags else pattern
        self._at = 0
        self._dialect = dialect
        self._dot_all = "s" in flags
        self._multiline = "m" in flags
        self._any_case = "i" in flags

    def translate(self) -> str:
        parts: list[str] = []
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == "[":
                parts.append(self._bracketed())
            elif char == "\\":
                parts.append(self._escape())
            else:
                parts.append(self._plain(char))
        return "".join(parts)

    def _plain(self, char: str) -> str:
        self._at += 1
        if char == ".":
            return self._set(False, others(())) if self._dot_all else self._set(True, ((0xA, 0xA), (0xD, 0xD)))
        if char == "$" and not self._multiline:
            return self._dialect.end
        if char == "(" and self._text.startswith("?", self._at):
            if not self._text.startswith("?:", self._at):
                raise PatternError("Groups are (...) or (?:...).")
            self._at += 2
            return "(?:"
        if char == "{" and not _REPETITION.match(self._text, self._at):
            raise PatternError("A { stands before a number of repetitions.")
        if char in "*+?}" and self._text[self._at : self._at + 1] in {"+", "*", "{"}:
            raise PatternError("A repetition is not repeated.")
        if char == "]":
            raise PatternError("A ] stands at the end of a class.")
        return char if char in "|^$?*+{}()," else self._dialect.character(ord(char))

    def _escape(self) -> str:
        char = self._text[self._at + 1 : self._at + 2]
        if char.isdigit() and char.isascii() and char != "0":
            self._at += 2
            self.refers_back = True
            return f"(?:\\{char})"
        found = self._member()
        if isinstance(found, int):
            return self._dialect.character(found)
        written = self._set(False, found)
        # 7.6.1.1: what an escape stands for does not depend on case.
        return f"(?-i:{written})" if self._any_case else written

    def _set(self, negated: bool, characters: Characters) -> str:
        """One character of a set that is not empty, or one of all others."""
        return f"[{'^' if negated else ''}{self._dialect.members(characters)}]"

    def _bracketed(self) -> str:
        """One class expression."""
        negated, characters = self._class()
        return self._set(negated, characters) if characters else self._set(True, others(()))

    def _class(self) -> tuple[bool, Characters]:
        """A class expression: whether its characters are those that it does not match, and these."""
        self._at += 1
        negated = self._text.startswith("^", self._at)
        self._at += negated
        found: list[tuple[int, int]] = []
        taken: Characters = ()
        while not self._text.startswith("]", self._at):
            if self._text.startswith("-[", self._at) and found:
                self._at += 1
                inner_negated, inner = self._class()
                taken = others(inner) if inner_negated else inner
                if not self._text.startswith("]", self._at):
                    raise PatternError("A subtraction stands at the end of a class.")
            else:
                found += self._part(first=not found)
        self._at += 1
        if not found:
            raise PatternError("A class is empty.")
        if negated:
            return True, joined([*found, *taken])
        return False, without(joined(found), taken) if taken else joined(found)

    def _part(self, *, first: bool) -> Characters:
        """The next part of a class: an escape for many characters, a range, or one character."""
        dash = self._text.startswith("-", self._at)
        low = self._member()
        if not isinstance(low, int):
            if self._text.startswith("-", self._at) and not self._text.startswith(("-]", "-["), self._at):
                raise PatternError("A range goes from one character to another.")
            return low
        if self._text.startswith("-", self._at) and not self._text.startswith(("-]", "-["), self._at):
            self._at += 1
            high = self._member()
            if not isinstance(high, int) or high < low:
                raise PatternError("A range goes from one character to another.")
            return ((low, high),)
        if dash and not first and not self._text.startswith("]", self._at):
            raise PatternError("A - that means itself stands at an edge of a class.")
        return ((low, low),)

    def _member(self) -> int | Characters:
        """The next character, or the characters of the next escape; consumed."""
        char = self._text[self._at : self._at + 1]
        self._at += 1
        if not char:
            raise PatternError("A class is not closed.")
        if char == "[":
            raise PatternError("A [ inside a class needs a backslash.")
        if char != "\\":
            return ord(char)
        char = self._text[self._at : self._at + 1]
        self._at += 1
        if char in {"p", "P"}:
            end = self._text.find("}", self._at)
            if not self._text.startswith("{", self._at) or end < 0:
                raise PatternError("A \\p stands before a category in braces.")
            name = self._text[self._at + 1 : end]
            self._at = end + 1
            named = block(name[2:]) if name.startswith("Is") else category(name)
            if named is None:
                raise PatternError(f"{name!r} is not a category of characters.")
            return others(named) if char == "P" else named
        named = escape(char.lower()) if char.isalpha() else None
        if named is not None:
            return others(named) if char.isupper() else named
        return ord(_literal(char))


def _without_spaces(pattern: str) -> str:
    result: list[str] = []
    depth = 0
    escaped = False
    for char in pattern:
        if not escaped:
            depth += (char == "[") - (char == "]")
        if not (char in " \t\n\r" and depth == 0):
            result.append(char)
        escaped = char == "\\" and not escaped
    return "".join(result)


def _literal(char: str) -> str:
    if char in _LITERAL_ESCAPES:
        return char
    if char in {"n", "r", "t"}:
        return {"n": "\n", "r": "\r", "t": "\t"}[char]
    raise PatternError(f"\\{char} means nothing in a pattern.")
