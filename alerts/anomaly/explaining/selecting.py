"""Series chosen by their labels: `{service="checkout",region=~"eu-.*"}`, or `service=checkout`."""

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Final

import re2

from controlplane.model.matcher import Matcher, MatchOperator

_PART: Final = re.compile(
    r"\s*(?P<name>[a-zA-Z_][a-zA-Z0-9_.]*)\s*(?P<operator>=~|!~|!=|=)\s*"
    r"(?:\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|(?P<bare>[^,{}=\"\s][^,{}=\"]*))\s*(?:,|$)"
)
_ESCAPES: Final = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}
_FURTHER: Final = {"a": "\a", "b": "\b", "f": "\f", "r": "\r", "v": "\v"}  # which mean something else in expressions
_ESCAPE: Final = re.compile(r"\\(?:(?P<code>x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})|(?P<other>.))", re.DOTALL)
_ESCAPE_IN_EXPRESSION: Final = re.compile(r"\\(?P<other>.)", re.DOTALL)
_LONGEST: Final = 10_000


def selector(text: str) -> tuple[Matcher, ...]:
    """The matchers. Raises ValueError for what is none. Empty or `{}`: every series."""
    inner = text.strip()
    if len(inner) > _LONGEST:
        raise ValueError("is too long")
    if inner.startswith("{") and inner.endswith("}"):
        inner = inner[1:-1]
    found: list[Matcher] = []
    at = 0
    while at < len(inner) and inner[at:].strip():
        match = _PART.match(inner, at)
        if match is None:
            raise ValueError(f'`{text[:80]}` does not choose series: write {{service="checkout"}}')
        found.append(_matcher(match))
        at = match.end()
    return tuple(found)


def _matcher(match: "re.Match[str]") -> Matcher:
    quoted = match["quoted"]
    operator = MatchOperator(match["operator"])
    is_expression = operator in (MatchOperator.MATCHES, MatchOperator.DOES_NOT_MATCH)
    escaped = _ESCAPE_IN_EXPRESSION if is_expression else _ESCAPE
    value = match["bare"].strip() if quoted is None else escaped.sub(_unescaped, quoted)
    if is_expression:
        try:
            re2.compile(value)
        except re2.error:
            raise ValueError(f"`{value[:80]}` is no regular expression (RE2)") from None
    return Matcher(match["name"], operator, value)


def _unescaped(match: "re.Match[str]") -> str:
    """As Go's `%q` writes it, which alerts' texts are made with."""
    kept = match[0]
    if match.re is _ESCAPE and match["code"]:
        code = int(match["code"][1:], 16)
        return kept if code > sys.maxunicode or 0xD800 <= code < 0xE000 else chr(code)
    known = {**_FURTHER, **_ESCAPES} if match.re is _ESCAPE else _ESCAPES
    return known.get(match["other"], kept)


def fits(matchers: Sequence[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether all matchers hold; a missing label is empty."""
    return all(_holds(each, labels.get(each.name, "")) for each in matchers)


def _holds(matcher: Matcher, value: str) -> bool:
    if matcher.operator is MatchOperator.EQUAL:
        return value == matcher.value
    if matcher.operator is MatchOperator.NOT_EQUAL:
        return value != matcher.value
    matches = re2.fullmatch(matcher.value, value) is not None
    return matches is (matcher.operator is MatchOperator.MATCHES)
