"""PromQL cut into tokens with their places; enough to find brackets, names and texts, whether or not all is right."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

CLOSERS: Final = {"(": ")", "[": "]", "{": "}"}

_TOKEN: Final = re.compile(
    r"""
    (?P<blank>\s+|\#[^\n]*)
  | (?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`)
  | (?P<unterminated>["'`].*)
  | (?P<word>[a-zA-Z_:][a-zA-Z0-9_:]*)
  | (?P<number>(?:\d|\.\d)[\w.]*)
  | (?P<operator>==|!=|<=|>=|=~|!~|.)
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """A token: [start, end) of the expression; `kind` is string, unterminated, word, number or operator."""

    kind: str
    start: int
    end: int
    text: str


def tokens_of(text: str) -> list[Token]:
    """All tokens but blanks and comments. Never raises: an unknown character is an operator."""
    tokens = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind != "blank":
            tokens.append(Token(kind, match.start(), match.end(), match.group()))
    return tokens


def open_brackets(tokens: Sequence[Token]) -> list[Token]:
    """Brackets that are still open at the end, outermost first."""
    stack: list[Token] = []
    for token in tokens:
        if token.kind != "operator":
            continue
        if token.text in CLOSERS:
            stack.append(token)
        elif stack and token.text == CLOSERS[stack[-1].text]:
            stack.pop()
    return stack
