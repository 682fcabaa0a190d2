"""Text to tokens: strings with escapes, numbers as decimals, comments, and FEEL's name characters."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import ClassVar, NamedTuple

from noria.kernel.errors import NoriaError

SOURCE_CHARS_MAX = 100_000

_START = (
    r"?A-Za-z_\u00AA\u00B5\u00BA\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u167F\u1681-\u180D"
    r"\u180F-\u1FFF\u200C-\u200D\u2070-\u218F\u2190-\u2BFF\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFEFE"
    r"\uFF00-\uFFFD\U00010000-\U000EFFFF"
)
_TOKEN = re.compile(
    rf"""(?P<space>[\s\u0085\u180E\u200B\uFEFF]+|//[^\n\r]*|/\*.*?\*/)
    |(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
    |(?P<string>"(?:[^"\\\n\r]|\\.)*")
    |(?P<name>[{_START}][{_START}0-9\u00B7\u0300-\u036F\u203F-\u2040]*)
    |(?P<op>\.\.|\*\*|<=|>=|!=|->|[-+*/=<>()\[\]{{}},.:'’@])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{6})|(.))", re.DOTALL)
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_HALF = re.compile("[\ud800-\udfff]")
_SIMPLE_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "'": "'"}


class FeelSyntaxError(NoriaError):
    """The text is not FEEL.

    Attributes:
        line: 1-based line in the expression.
        column: 1-based column in code points.
    """

    code: ClassVar[str] = "feel.syntax"

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(
            f"Line {line}, column {column}: {message}", details={"line": line, "column": column, "reason": message}
        )
        self.line = line
        self.column = column


class Token(NamedTuple):
    """One token: kind is name, number, string, op or end; text as written; value of a string decoded."""

    kind: str
    text: str
    start: int
    end: int
    value: str = ""


def syntax_error(source: str, position: int, message: str) -> FeelSyntaxError:
    """The error that names line and column of a position in the source."""
    before = source[:position]
    return FeelSyntaxError(message, before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)


def scan(source: str) -> list[Token]:
    """All tokens of the source, comments and white space dropped, an "end" token last.

    Raises:
        FeelSyntaxError: a character that starts no token, an unknown escape, or a source that is too long.
    """
    if len(source) > SOURCE_CHARS_MAX:
        raise FeelSyntaxError(f"The expression is longer than {SOURCE_CHARS_MAX} characters.", 1, 1)
    tokens: list[Token] = []
    position = 0
    while position < len(source):
        match = _TOKEN.match(source, position)
        if match is None:
            raise syntax_error(source, position, f"{source[position]!r} is not expected here.")
        end = match.end()
        kind = match.lastgroup or ""
        if kind != "space":
            text = match.group()
            value = _decode(source, text, position) if kind == "string" else ""
            tokens.append(Token(kind, text, position, end, value))
        position = end
    tokens.append(Token("end", "", len(source), len(source)))
    return tokens


@lru_cache(maxsize=4_096)
def words(name: str) -> tuple[str, ...]:
    """The tokens of a name, so that ``Applicant's  age-group`` matches however it is spaced."""
    try:
        return tuple(token.text for token in scan(name)[:-1])
    except FeelSyntaxError:
        return ()


def _decode(source: str, text: str, position: int) -> str:
    if "\\" not in text:
        return text[1:-1]

    def replace(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        if match[2]:
            point = int(match[2], 16)
            if point > 0x10FFFF:
                raise syntax_error(source, position, f"{match[0]} is not a character.")
            return chr(point)
        if match[3] not in _SIMPLE_ESCAPES:
            # Patterns are written with single backslashes by many tools: keep what is no escape of FEEL.
            return match[0]
        return _SIMPLE_ESCAPES[match[3]]

    decoded = _ESCAPE.sub(replace, text[1:-1])
    whole = _SURROGATES.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), decoded)
    half = _HALF.search(whole)
    if half is not None:
        # Nothing could hold such a text: neither JSON nor a database.
        raise syntax_error(source, position, f"\\u{ord(half[0]):04X} is half of a character.")
    return whole
