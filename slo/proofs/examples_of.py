"""A string that a regular expression matches, and labels that satisfy a selector."""

import re
import re._constants as code  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice, product
from typing import Any, Final

from slo.promql.promql_text import Matcher

_MOST: Final = 40  # tries, before it is called impossible
_FILLER: Final = "abcxyz0159_-"


def labels_for(matchers: Sequence[Matcher]) -> dict[str, str] | None:
    """Labels that every matcher accepts, with as few of them as possible; None when none were found."""
    by_label: dict[str, list[Matcher]] = {}
    for matcher in matchers:
        by_label.setdefault(matcher.label, []).append(matcher)
    found: dict[str, str] = {}
    for label, conditions in by_label.items():
        value = next((value for value in _candidates(conditions) if accepts(conditions, {label: value})), None)
        if value is None:
            return None
        if value:
            found[label] = value
    return found


def accepts(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether a series with these labels is selected; a label that is missing is an empty one."""
    return all(_accepts(matcher, labels.get(matcher.label, "")) for matcher in matchers)


def _accepts(matcher: Matcher, value: str) -> bool:
    if matcher.operator in ("=", "!="):
        return (value == matcher.value) == (matcher.operator == "=")
    try:
        matches = re.fullmatch(matcher.value, value, re.DOTALL) is not None
    except re.error:
        return False
    return matches == (matcher.operator == "=~")


def _candidates(conditions: Sequence[Matcher]) -> Iterator[str]:
    """Values worth trying: nothing, what is asked for, and something that nobody asks for."""
    yield ""
    for condition in conditions:
        if condition.operator == "=":
            yield condition.value
        elif condition.operator == "=~":
            yield from examples(condition.value)
    yield "other"


@lru_cache(maxsize=1024)
def examples(pattern: str) -> tuple[str, ...]:
    """Some strings that the pattern matches as a whole; none when it is beyond us."""
    try:
        tree = parser.parse(pattern)
    except (re.error, RecursionError, OverflowError):
        return ()
    found = ("".join(parts) for parts in islice(_sequence(tree), _MOST))
    return tuple(text for text in found if re.fullmatch(pattern, text, re.DOTALL))


def _sequence(items: Any) -> Iterator[tuple[str, ...]]:
    return product(*[tuple(islice(_item(operation, argument), 6)) for operation, argument in items])


def _item(operation: Any, argument: Any) -> Iterator[str]:
    """Strings for one part of a parsed pattern (the parts are those of Python's own parser)."""
    if operation in (code.LITERAL, code.ANY, code.NOT_LITERAL, code.IN):
        yield from _characters(operation, argument)
    elif operation is code.BRANCH:
        for branch in argument[1]:
            yield from ("".join(parts) for parts in islice(_sequence(branch), 6))
    elif operation is code.SUBPATTERN:
        yield from ("".join(parts) for parts in _sequence(argument[3]))
    elif operation in (code.MAX_REPEAT, code.MIN_REPEAT):
        least, most, inner = argument
        for times in dict.fromkeys((least, min(least + 1, int(most)))):
            for parts in islice(_sequence(inner), 3):
                yield "".join(parts) * times
    elif operation is code.AT:
        yield ""


def _characters(operation: Any, argument: Any) -> Iterator[str]:
    if operation is code.LITERAL:
        yield chr(argument)
    elif operation is code.IN:
        yield from (each for each in _FILLER + "A/. " if _in_set(argument, each))
        yield from (chr(value) for kind, value in argument if kind is code.LITERAL)
        yield from (chr(value[0]) for kind, value in argument if kind is code.RANGE)
    else:
        yield from (each for each in _FILLER if operation is code.ANY or ord(each) != argument)


def _in_set(members: Any, character: str) -> bool:
    negated = bool(members) and members[0][0] is code.NEGATE
    return any(_is_member(kind, value, character) for kind, value in members) != negated


def _is_member(kind: Any, value: Any, character: str) -> bool:
    if kind is code.LITERAL:
        return ord(character) == int(value)
    if kind is code.RANGE:
        return int(value[0]) <= ord(character) <= int(value[1])
    kinds = {code.CATEGORY_DIGIT: r"\d", code.CATEGORY_WORD: r"\w", code.CATEGORY_SPACE: r"\s"}
    return kind is code.CATEGORY and re.fullmatch(kinds.get(value, "(?!)"), character) is not None
