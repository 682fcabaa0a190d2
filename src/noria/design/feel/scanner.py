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
# White space and comments, then one token. There is always a match, so no character is ever skipped; a comment without
# an end is no token, or each one would be looked for up to the end of the text.
_TOKEN = re.compile(
    rf"""(?:[\s\u0085\u180E\u200B\uFEFF]+|//[^\n\r]*|/\*.*?\*/)*
    (?:(?P<open>/\*)
    |(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
    |(?P<string>"(?:[^"\\\n\r]|\\.)*")
    |(?P<name>[{_START}][{_START}0-9\u00B7\u0300-\u036F\u203F-\u2040]*)
    |(?P<op>\.\.|\*\*|<=|>=|!=|->|[-+*/=<>()\[\]{{}},.:'’@])
    |(?P<end>\Z)
    |(?P<other>.))""",
    re.VERBOSE | re.DOTALL,
)
_NO_TOKENS = frozenset({"open", "other"})
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


class Tokens(NamedTuple):
    """The tokens of a text, an "end" last, as columns of one length: a parser asks for one column at a time.

    No operator and no name is written like a string or a number, so the text alone says which operator a token is.

    Attributes:
        kinds: name, number, string, op or end.
        texts: as written; empty for the end.
        starts: offsets in the source, in code points.
    """

    kinds: list[str]
    texts: list[str]
    starts: list[int]


def syntax_error(source: str, position: int, message: str) -> FeelSyntaxError:
    """The error that names line and column of a position in the source."""
    before = source[:position]
    return FeelSyntaxError(message, before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1)


def scan(source: str) -> Tokens:
    """All tokens of the source, comments and white space dropped.

    Raises:
        FeelSyntaxError: a character that starts no token, or a source that is too long.
    """
    if len(source) > SOURCE_CHARS_MAX:
        raise FeelSyntaxError(f"The expression is longer than {SOURCE_CHARS_MAX} characters.", 1, 1)
    kinds: list[str] = []
    texts: list[str] = []
    starts: list[int] = []
    for match in _TOKEN.finditer(source):
        kind = match.lastgroup or ""
        if kind in _NO_TOKENS:
            raise syntax_error(source, match.start(kind), f"{match[kind]!r} is not expected here.")
        kinds.append(kind)
        texts.append(match[kind])
        starts.append(match.start(kind))
        if kind == "end":
            break
    return Tokens(kinds, texts, starts)


@lru_cache(maxsize=4_096)
def words(name: str) -> tuple[str, ...]:
    """The tokens of a name, so that ``Applicant's  age-group`` matches however it is spaced."""
    try:
        return tuple(scan(name).texts[:-1])
    except FeelSyntaxError:
        return ()


def text_value(source: str, text: str, start: int) -> str:
    """The value of a string token that is written like this at this place of the source.

    Raises:
        FeelSyntaxError: an escape that stands for no character, or for half of one.
    """
    if "\\" not in text:
        return text[1:-1]

    def replace(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        if match[2]:
            point = int(match[2], 16)
            if point > 0x10FFFF:
                raise syntax_error(source, start, f"{match[0]} is not a character.")
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
        raise syntax_error(source, start, f"\\u{ord(half[0]):04X} is half of a character.")
    return whole
