"""FEEL's tokens. Names are cut into words here; the parser joins them, because only its scope knows names with spaces."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

import msgspec

from noria.kernel.errors import NoriaError

Sort = Literal["number", "string", "name", "keyword", "symbol", "at", "end"]

KEYWORDS = frozenset(
    "and or not if then else for in return some every satisfies between instance of function external "
    "true false null".split()
)
# `not` is a function and `of` a word of names; they are keywords only where the grammar expects them.
RESERVED = KEYWORDS - {"not", "of", "external"}

EXPRESSION_CHARS_MAX = 50_000

_TOKEN = re.compile(
    r"""
      (?P<space>(?:\s|//[^\n]*|/\*.*?\*/)+)
    | (?P<number>(?:\d+(?:\.(?!\.)\d+)?|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<string>"(?:[^"\\]|\\.)*")
    | (?P<at>@\s*"(?:[^"\\]|\\.)*")
    | (?P<name>[^\W\d](?:\w|['’](?=\w))*|\?(?:\w)*)
    | (?P<symbol>\.\.|\*\*|->|<=|>=|!=|[-+*/=<>()\[\]{},:.])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\", "/": "/", "b": "\b", "f": "\f"}
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{6})|(.))", re.DOTALL)


class FeelSyntaxError(NoriaError):
    """The text is not FEEL.

    Attributes:
        line: 1-based.
        column: 1-based.
    """

    code: ClassVar[str] = "feel.syntax"

    def __init__(self, reason: str, source: str, offset: int) -> None:
        self.line = source.count("\n", 0, offset) + 1
        self.column = offset - (source.rfind("\n", 0, offset) + 1) + 1
        super().__init__(
            f"Line {self.line}, column {self.column} of {source[:200]!r}: {reason}.",
            details={"line": self.line, "column": self.column},
        )


class FeelToken(msgspec.Struct, frozen=True):
    """One token.

    Attributes:
        sort: what it is.
        text: as written; the decoded text for strings and @-literals.
        offset: 0-based position of its first character.
        end: position behind it; two tokens touch when one's end is the other's offset.
    """

    sort: Sort
    text: str
    offset: int
    end: int


def scan(source: str) -> list[FeelToken]:
    """All tokens, closed by one of sort "end".

    Raises:
        FeelSyntaxError: a character fits nowhere, or the text is too long.
    """
    if len(source) > EXPRESSION_CHARS_MAX:
        raise FeelSyntaxError(f"the expression is longer than {EXPRESSION_CHARS_MAX} characters", source, 0)
    tokens: list[FeelToken] = []
    offset = 0
    while offset < len(source):
        match = _TOKEN.match(source, offset)
        if match is None:
            raise FeelSyntaxError(f"{source[offset]!r} is not expected here", source, offset)
        sort, text, end = match.lastgroup, match.group(), match.end()
        if sort == "string":
            tokens.append(FeelToken("string", _decoded(text[1:-1], source, offset), offset, end))
        elif sort == "at":
            tokens.append(FeelToken("at", _decoded(text[text.index('"') + 1 : -1], source, offset), offset, end))
        elif sort == "name":
            tokens.append(FeelToken("keyword" if text in RESERVED else "name", text, offset, end))
        elif sort == "number":
            tokens.append(FeelToken("number", text, offset, end))
        elif sort == "symbol":
            tokens.append(FeelToken("symbol", text, offset, end))
        offset = end
    tokens.append(FeelToken("end", "", len(source), len(source)))
    return tokens


def _decoded(text: str, source: str, offset: int) -> str:
    def replace(match: re.Match[str]) -> str:
        code = match[1] or match[2]
        if code:
            return chr(int(code, 16))
        if match[3] not in _ESCAPES:
            raise FeelSyntaxError(f"\\{match[3]} is not an escape", source, offset)
        return _ESCAPES[match[3]]

    decoded = _ESCAPE.sub(replace, text)
    # \\uD83D\\uDE00 is one character written as a surrogate pair.
    return decoded.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
