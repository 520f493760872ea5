"""Static rules about what queries select: conditions that match nothing, or that do not fit together."""

import re
from collections.abc import Iterator
from typing import Final

from controlplane.model.slo import SLO
from slo.lint import rules
from slo.lint.queries import Asked, Purpose, queries_of
from slo.lint.rule import Finding
from slo.promql.promql_text import Selector

# What texts hardly ever hold. Brackets alone do not tell: routes are written `/users/[id]`.
_PATTERN: Final = re.compile(r"\.[*+]|\||\[[^\]]-[^\]]\]|^\^|\\[dws.]|^\d\.\.$|^\d\d\.$")
_PARTS: Final = ("_bucket", "_count", "_sum")  # of one histogram


def selecting_findings(slo: SLO) -> Iterator[Finding]:
    """What these rules find in the queries of an SLO."""
    queries = list(queries_of(slo.indicator))
    for asked in queries:
        yield from _patterns(asked)
    totals = {_metric(each): each for asked in queries if asked.purpose is Purpose.TOTAL for each in asked.selectors}
    for asked in queries:
        if asked.purpose in (Purpose.BAD, Purpose.GOOD, Purpose.WITHIN) and len(asked.selectors) == 1:
            (selector,) = asked.selectors
            if len(totals) == 1 and _metric(selector) in totals:
                yield from _differing(asked, selector, totals[_metric(selector)])


def _patterns(asked: Asked) -> Iterator[Finding]:
    for selector in asked.selectors:
        for matcher in selector.matchers:
            if matcher.operator == "=" and _PATTERN.search(matcher.value):
                message = f"`{matcher.label}={matcher.value_token.text}` looks like a regular expression, and is a text"
                hint = f"write {matcher.label}=~{matcher.value_token.text}"
                yield Finding(rules.PATTERN_AS_TEXT, asked.query.position, message, hint)


def _differing(asked: Asked, selector: Selector, total: Selector) -> Iterator[Finding]:
    everywhere = {each.label: each for each in total.matchers if each.operator == "=" and each.label != "le"}
    for matcher in selector.matchers:
        other = everywhere.get(matcher.label)
        if other is not None and matcher.operator == "=" and matcher.value != other.value:
            written = f"{matcher.label}={matcher.value_token.text}"
            message = f"`{written}` is not among all events, which have {other.label}={other.value_token.text}"
            yield Finding(rules.NOT_AMONG_TOTAL, asked.query.position, message, "select the same in both queries")


def _metric(selector: Selector) -> str:
    return next((selector.name.removesuffix(part) for part in _PARTS if selector.name.endswith(part)), selector.name)
