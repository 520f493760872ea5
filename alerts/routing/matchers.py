"""Alertmanager's matchers: read, written, and applied to labels.

Read as Alertmanager 0.25 reads them (`pkg/labels/parse.go`): `name`, operator, and a value with or without quotes;
within quotes `\\\\`, `\\"` and `\\n` mean what they look like, any other backslash itself. Expressions are RE2 and
match the whole value; a missing label is the empty string.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, Protocol

from alerts.reporting import Report
from alerts.routing.model import Matcher, MatchOperator

_FORM: Final = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|!=|!~|=)\s*(.*?)\s*", re.DOTALL)
_NEGATIONS: Final = (MatchOperator.NOT_EQUAL, MatchOperator.DOES_NOT_MATCH)
_EXPRESSIONS: Final = (MatchOperator.MATCHES, MatchOperator.DOES_NOT_MATCH)
_MOST_MEMORY: Final = 8 * 1024 * 1024
_SUCH_AS: Final = 'such as severity="page" or service=~"api|web"'
Path = tuple[str | int, ...]


class BadMatcher(ValueError):
    """It is no matcher: why, and the way out."""

    def __init__(self, message: str, hint: str = _SUCH_AS) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class _Expression(Protocol):
    def fullmatch(self, text: str) -> Any: ...


def parse(text: str) -> Matcher:
    """A matcher that was written down. Raises `BadMatcher`."""
    form = _FORM.fullmatch(text)
    if form is None:
        raise BadMatcher(f"`{text[:80]}` is not a matcher")
    name, operator, written = form.groups()
    matcher = Matcher(name, MatchOperator(operator), _value(written))
    if matcher.operator in _EXPRESSIONS:
        _expression(matcher.value)
    return matcher


def as_text(matcher: Matcher) -> str:
    """The one way in which we write it, which Alertmanager's old and new parser read alike."""
    value = matcher.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{matcher.name}{matcher.operator.value}"{value}"'


def matches(matcher: Matcher, labels: Mapping[str, str]) -> bool:
    """Whether labels have what it asks for."""
    value = labels.get(matcher.name, "")
    found = _fits(matcher.value, value) if matcher.operator in _EXPRESSIONS else value == matcher.value
    return found != (matcher.operator in _NEGATIONS)


def all_match(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether all of them match; no matcher matches everything."""
    return all(matches(each, labels) for each in matchers)


def read(report: Report, texts: Iterable[str], path: Path) -> tuple[Matcher, ...]:
    """The matchers of a list in a document; a problem for each that is none."""
    found = []
    for number, text in enumerate(texts):
        try:
            found.append(parse(text))
        except BadMatcher as bad:
            report.error(*path, number, message=bad.message, hint=bad.hint)
    return tuple(found)


def read_groups(report: Report, groups: Iterable[Iterable[str]], path: Path) -> tuple[tuple[Matcher, ...], ...]:
    """Groups of matchers, of which any may match; a problem for one that would match every alert."""
    found = []
    for number, texts in enumerate(groups):
        matchers = read(report, texts, (*path, number))
        if matchers and all_match(matchers, {}):
            message = "matches alerts that have none of these labels, so nearly all"
            report.error(
                *path, number, message=message, hint='add a matcher that asks for a label, such as service!=""'
            )
        found.append(matchers)
    return tuple(found)


def _value(written: str) -> str:
    if not written.startswith('"'):
        if '"' in written:
            raise BadMatcher(f"a quote within `{written[:80]}`", "put the whole value in quotes")
        return _unescaped(written)
    if len(written) < 2 or not written.endswith('"') or _ends_escaped(written[1:-1]):
        raise BadMatcher(f"the quote in `{written[:80]}` is not closed")
    inner = written[1:-1]
    if re.search(r'(?<!\\)(?:\\\\)*"', inner):
        raise BadMatcher(f'a quote within `{written[:80]}` that is not written \\"')
    return _unescaped(inner)


def _ends_escaped(text: str) -> bool:
    return (len(text) - len(text.rstrip("\\"))) % 2 == 1


def _unescaped(text: str) -> str:
    return re.sub(r'\\([\\"n])', lambda found: "\n" if found[1] == "n" else found[1], text)


@lru_cache(maxsize=4096)  # a storm asks the same of the same few services
def _fits(pattern: str, value: str) -> bool:
    return _expression(pattern).fullmatch(value) is not None


@lru_cache(maxsize=2000)
def _expression(pattern: str) -> _Expression:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MOST_MEMORY
    try:
        made: _Expression = re2.compile(pattern, options=options)
    except re2.error as error:
        said = error.args[0] if error.args else "it cannot be read"
        why = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        hint = "Alertmanager's are RE2: no look-around and no back-references"
        raise BadMatcher(f"`{pattern[:80]}` is not a regular expression: {why}", hint) from None
    return made
