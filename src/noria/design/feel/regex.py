"""Regular expressions of XPath 2.0, translated to Python's, which have no timeout: patterns and subjects are bounded.

Source: XPath and XQuery Functions and Operators, section 7.6; XML Schema part 2, appendix F.
"""

from __future__ import annotations

import functools
import re
import sys
import unicodedata
from collections.abc import Callable

PATTERN_CHARS_MAX = 1_000
SUBJECT_CHARS_MAX = 100_000
# A repeated group that itself repeats can take exponential time; such patterns see short subjects only.
NESTED_SUBJECT_CHARS_MAX = 30

_NAME_START = r":A-Z_a-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u1FFF\u2070-\u218F\u3001-\uD7FF"
_CLASSES = {
    "i": _NAME_START,
    "c": _NAME_START + r"\-.0-9\u00B7\u0300-\u036F\u203F-\u2040",
    "d": r"\d",
    "s": r" \t\n\r",
    "w": r"\w",
}
_LITERAL_ESCAPES = frozenset("\\|.-^?*+{}()[]$")
_NESTED_REPEAT = re.compile(r"[*+}]\??[^()]*\)[*+{]|\|[^()]*\)[*+{]")


def has_nested_repeats(pattern: str) -> bool:
    """Whether a repeated group itself repeats or branches, which can take time exponential in the subject."""
    return _NESTED_REPEAT.search(pattern) is not None


class PatternError(ValueError):
    """The pattern is not one of XPath, or larger than allowed."""


def pattern_of(pattern: str, flags: str, subject: str) -> re.Pattern[str]:
    """The compiled pattern, checked to be safe for this subject.

    Raises:
        PatternError: not a pattern or flag of XPath, or larger than the limits.
    """
    if len(subject) > SUBJECT_CHARS_MAX:
        raise PatternError(f"A text to match may have {SUBJECT_CHARS_MAX} characters.")
    if len(subject) > NESTED_SUBJECT_CHARS_MAX and "q" not in flags and has_nested_repeats(pattern):
        raise PatternError("A pattern with nested repetitions may take for ever; simplify it.")
    return _compiled(pattern, flags)


@functools.lru_cache(maxsize=512)
def _compiled(pattern: str, flags: str) -> re.Pattern[str]:
    if len(pattern) > PATTERN_CHARS_MAX:
        raise PatternError(f"A pattern may have {PATTERN_CHARS_MAX} characters.")
    if not set(flags) <= set("smixq"):
        raise PatternError(f"Flags are s, m, i, x and q, not {flags!r}.")
    options = re.IGNORECASE if "i" in flags else re.NOFLAG
    if "m" in flags:
        options |= re.MULTILINE
    text = re.escape(pattern) if "q" in flags else _Translator(pattern, flags).translate()
    try:
        return re.compile(text, options)
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternError(f"{pattern!r} is not a pattern: {error}.") from None


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


class _Translator:
    """Reads a pattern from left to right and writes Python's."""

    def __init__(self, pattern: str, flags: str) -> None:
        self._text = _without_spaces(pattern) if "x" in flags else pattern
        self._at = 0
        self._dot_all = "s" in flags
        self._multiline = "m" in flags

    def translate(self) -> str:
        parts: list[str] = []
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == "[":
                parts.append(self._class())
            elif char == "\\":
                parts.append(self._escape())
            else:
                parts.append(self._plain(char))
        return "".join(parts)

    def _plain(self, char: str) -> str:
        self._at += 1
        if char == ".":
            return r"[\s\S]" if self._dot_all else r"[^\n\r]"
        if char == "$" and not self._multiline:
            return r"\Z"
        if char == "(" and self._text.startswith("?", self._at):
            if not self._text.startswith("?:", self._at):
                raise PatternError("Groups are (...) or (?:...).")
            self._at += 2
            return "(?:"
        if char == "{" and not re.match(r"\d+(,\d*)?\}", self._text[self._at :], re.ASCII):
            raise PatternError("A { stands before a number of repetitions.")
        if char in "*+?}" and self._text.startswith("+", self._at):
            raise PatternError("A + cannot follow a repetition.")
        if char in "}]" and char == "]":
            raise PatternError("A ] stands at the end of a class.")
        return char if char in "|^$?*+{}()," or char.isalnum() else re.escape(char)

    def _escape(self) -> str:
        char = self._text[self._at + 1 : self._at + 2]
        self._at += 2
        if char.isdigit():
            return f"(?:\\{char})"
        inside = self._escaped_class(char)
        if inside is None:
            return re.escape(_literal(char))
        negated, members = inside
        return f"[^{members}]" if negated else f"[{members}]"

    def _escaped_class(self, char: str) -> tuple[bool, str] | None:
        """Whether the class is negated and its members in Python's writing; None for a single character."""
        if char in {"p", "P"}:
            end = self._text.find("}", self._at)
            if not self._text.startswith("{", self._at) or end < 0:
                raise PatternError("A \\p stands before a category in braces.")
            name = self._text[self._at + 1 : end]
            self._at = end + 1
            return char == "P", _category(name)
        if char and char.lower() in _CLASSES:
            return char.isupper(), _CLASSES[char.lower()]
        return None

    def _class(self) -> str:
        """One class expression; a subtraction becomes a negative look-ahead."""
        self._at += 1
        negated = self._text.startswith("^", self._at)
        if negated:
            self._at += 1
        members: list[str] = []
        excluded: list[str] = []
        subtracted = ""
        while not self._text.startswith("]", self._at):
            if self._at >= len(self._text):
                raise PatternError("A class is not closed.")
            if self._text.startswith("-[", self._at) and (members or excluded):
                self._at += 1
                subtracted = f"(?!{self._class()})"
                continue
            char = self._text[self._at]
            if char == "\\":
                escaped = self._text[self._at + 1 : self._at + 2]
                self._at += 2
                inside = self._escaped_class(escaped)
                if inside is None:
                    members.append(re.escape(_literal(escaped)))
                elif inside[0]:
                    excluded.append(f"[^{inside[1]}]")
                else:
                    members.append(inside[1])
            elif char == "[":
                raise PatternError("A [ inside a class needs a backslash.")
            else:
                self._at += 1
                members.append("-" if char == "-" else re.escape(char))
        self._at += 1
        if not members and not excluded:
            raise PatternError("A class is empty.")
        # A dash at an edge is itself; between two members it is a range.
        for edge in (0, -1):
            if members and members[edge] == "-":
                members[edge] = "\\-"
        alternatives = [f"[{''.join(members)}]"] if members else []
        alternatives += excluded
        either = alternatives[0] if len(alternatives) == 1 else f"(?:{'|'.join(alternatives)})"
        return f"(?:{subtracted}(?!{either})[\\s\\S])" if negated else f"(?:{subtracted}{either})"


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


_BLOCKS = {
    "IsBasicLatin": (0x0000, 0x007F),
    "IsLatin-1Supplement": (0x0080, 0x00FF),
    "IsLatinExtended-A": (0x0100, 0x017F),
    "IsLatinExtended-B": (0x0180, 0x024F),
    "IsGreek": (0x0370, 0x03FF),
    "IsGreekandCoptic": (0x0370, 0x03FF),
    "IsCyrillic": (0x0400, 0x04FF),
    "IsHebrew": (0x0590, 0x05FF),
    "IsArabic": (0x0600, 0x06FF),
    "IsHiragana": (0x3040, 0x309F),
    "IsKatakana": (0x30A0, 0x30FF),
    "IsCJKUnifiedIdeographs": (0x4E00, 0x9FFF),
    "IsHangulSyllables": (0xAC00, 0xD7AF),
}


@functools.lru_cache(maxsize=64)
def _category(name: str) -> str:
    """The members of a Unicode category or block as ranges."""
    if name in _BLOCKS:
        low, high = _BLOCKS[name]
        return f"\\U{low:08x}-\\U{high:08x}"
    if not re.fullmatch(r"[LMNPZSC][a-z]?", name):
        raise PatternError(f"{name!r} is not a category of characters.")
    ranges: list[str] = []
    start = -1
    for point in range(sys.maxunicode + 2):
        inside = point <= sys.maxunicode and unicodedata.category(chr(point)).startswith(name)
        if inside and start < 0:
            start = point
        elif not inside and start >= 0:
            ranges.append(f"\\U{start:08x}-\\U{point - 1:08x}")
            start = -1
    if not ranges:
        raise PatternError(f"{name!r} is not a category of characters.")
    return "".join(ranges)
