"""Matchers of selectors, judged here as Prometheus would judge them."""

import re
from functools import lru_cache
from typing import Final

from slo.promql.promql_text import Matcher, Selector
from slo.templates.values import pattern_fault

_EQUAL: Final = "="


def accepts(matcher: Matcher, value: str) -> bool:
    """Whether the condition holds for a label's value (empty: the label is missing).

    A regular expression that Python might read otherwise, or too slowly, counts as one that holds.
    """
    if matcher.operator in (_EQUAL, "!="):
        return (value == matcher.value) == (matcher.operator == _EQUAL)
    pattern = _compiled(matcher.value)
    return pattern is None or (pattern.fullmatch(value) is not None) == (matcher.operator == "=~")


def is_certain(selector: Selector) -> bool:
    """Whether every one of its conditions can be judged here."""
    return all(each.operator in (_EQUAL, "!=") or _compiled(each.value) is not None for each in selector.matchers)


def without(selector: Selector, label: str) -> tuple[Matcher, ...]:
    """Its conditions on other labels."""
    return tuple(matcher for matcher in selector.matchers if matcher.label != label)


def written(selector: Selector) -> str:
    """The selector as PromQL."""
    conditions = ",".join(f"{each.label}{each.operator}{each.value_token.text}" for each in selector.matchers)
    return f"{selector.name}{{{conditions}}}"


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> "re.Pattern[str] | None":
    return None if pattern_fault(pattern) else re.compile(pattern, re.DOTALL)
