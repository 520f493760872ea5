"""Tokens and selectors of PromQL as a user wrote it, with their places, so that text can be spliced, not printed."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple


class TokenKind(Enum):
    """What a piece of text is."""

    SPACE = "space"
    COMMENT = "comment"
    STRING = "string"
    RANGE = "range"  # everything from [ to ]
    NUMBER = "number"  # a number or a duration
    WORD = "word"
    MARK = "mark"
    OTHER = "other"


class Token(NamedTuple):
    """A piece of text and where it starts, in characters."""

    kind: TokenKind
    text: str
    start: int

    @property
    def end(self) -> int:
        """One past its last character."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition of a selector; `value` is unquoted, `value_token` the string as written."""

    label: str
    operator: str
    operator_start: int
    value: str
    value_token: Token


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric selector. `first` and `last` are the indices of its tokens in the list it was found in.

    `name` is empty when it is given by a `__name__` matcher or not at all. `brace` is where its `{` stands.
    """

    name: str
    matchers: tuple[Matcher, ...]
    first: int
    last: int
    start: int
    brace: int | None = None


_TOKEN: Final = re.compile(
    r"""(?P<space>\s+)
    |(?P<comment>\#[^\n]*)
    |(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`)
    |(?P<range>\[[^\]]*\])
    |(?P<number>(?:\d[\w.]*|\.\d\w*)(?:(?<=[eE])[+-]\d+)?)
    |(?P<word>[a-zA-Z_:][a-zA-Z0-9_:]*)
    |(?P<mark>=~|!~|!=|==|>=|<=|[-+*/%^<>=(){},@:])
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_KINDS: Final = {kind.value: kind for kind in TokenKind}
_GROUPING: Final = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_KEYWORDS: Final = _GROUPING | {"and", "or", "unless", "bool", "offset", "atan2", "inf", "nan"}
_RANGE_APART: Final = re.compile(  # a range, or what may hold brackets that are none
    r"""\[[^\]]*\]|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`|\#[^\n]*""", re.DOTALL
)
_PLACEHOLDER: Final = re.compile(r"\{\{[^{}]*\}\}|\$\{\w+(?::\w+)?\}|\$\w+")
_ESCAPE: Final = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", re.DOTALL)
_NAMED: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def tokens(text: str) -> list[Token]:
    """Every token of `text`, spaces and comments included; joined they give the text again."""
    return [Token(_KINDS[match.lastgroup or "other"], match.group(), match.start()) for match in _TOKEN.finditer(text)]


def without_placeholders(text: str) -> str:
    """The text with `[{{.window}}]`, `[$__range]` and the like as `[5m]`, padded: every character keeps its place."""
    if "$" not in text and "{{" not in text:
        return text
    return _RANGE_APART.sub(_filled, text)


def _filled(part: "re.Match[str]") -> str:
    if not part.group().startswith("["):
        return part.group()
    return _PLACEHOLDER.sub(lambda match: "5m".ljust(len(match.group())), part.group())


def silent(token: Token) -> bool:
    """Whether it is a space or a comment."""
    return token.kind is TokenKind.SPACE or token.kind is TokenKind.COMMENT


def selectors(listed: Sequence[Token]) -> list[Selector]:
    """The selectors among the tokens of a well-formed expression, in order."""
    return list(_Scanner(listed).selectors())


def unquoted(text: str) -> str:
    """The value of a PromQL string literal."""
    if text[0] == "`":
        return text[1:-1]
    return _ESCAPE.sub(_escape, text[1:-1]) if "\\" in text else text[1:-1]


def _escape(match: "re.Match[str]") -> str:
    code = match.group(1)
    if code[0] in "xuU" and len(code) > 1:
        return chr(int(code[1:], 16))
    if len(code) == 3:  # octal digits
        return chr(int(code, 8))
    return _NAMED.get(code, code)


class _Scanner:
    """Walks over the tokens that speak."""

    def __init__(self, listed: Sequence[Token]) -> None:
        self._tokens = listed
        self._speaking = [index for index, token in enumerate(listed) if not silent(token)]

    def selectors(self) -> Iterator[Selector]:
        at = 0
        while at < len(self._speaking):
            token = self._token(at)
            following = self._text(at + 1)
            if token.text == "{":
                selector, at = self._selector(at, at)
                yield selector
            elif token.kind is not TokenKind.WORD:
                at += 1
            elif token.text.lower() in _GROUPING:
                at = self._after_parenthesis(at + 1) if following == "(" else at + 1
            elif token.text.lower() in _KEYWORDS or following == "(" or following.lower() in ("by", "without"):
                at += 1
            else:
                selector, at = self._selector(at, at + 1)
                yield selector

    def _selector(self, first: int, brace: int) -> tuple[Selector, int]:
        """The selector that begins at `first` and the place after it and its range."""
        name = self._text(first) if first != brace else ""
        matchers: tuple[Matcher, ...] = ()
        opening = None
        end = brace
        if self._text(brace) == "{":
            opening = self._token(brace).start
            end = brace
            while self._text(end) not in ("}", ""):
                end += 1
            matchers = self._matchers(brace + 1, end)
            end += 1
        ranged = end < len(self._speaking) and self._token(end).kind is TokenKind.RANGE
        last = self._speaking[end - 1]
        selector = Selector(name, matchers, self._speaking[first], last, self._token(first).start, opening)
        return selector, end + 1 if ranged else end

    def _matchers(self, first: int, end: int) -> tuple[Matcher, ...]:
        found = []
        for at in range(first + 1, end - 1):
            if self._text(at) in ("=", "!=", "=~", "!~"):
                value = self._token(at + 1)
                operator = self._token(at)
                found.append(Matcher(self._text(at - 1), operator.text, operator.start, unquoted(value.text), value))
        return tuple(found)

    def _after_parenthesis(self, at: int) -> int:
        while self._text(at) not in (")", ""):
            at += 1
        return at + 1

    def _token(self, at: int) -> Token:
        return self._tokens[self._speaking[at]]

    def _text(self, at: int) -> str:
        return self._token(at).text if at < len(self._speaking) else ""
