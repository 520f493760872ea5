"""A renamed SLO keeps its past: its rules read what was recorded under its earlier names, too.

Rolling and ledger series carry the SLO's name, and nothing can write the past of a series by rules. So every sum over
them reads all the names, as one series. Once the window has passed since the change, the annotation can go.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from controlplane import conventions as names
from controlplane.model.rule import Rule, RuleGroup
from controlplane.model.slo import SLO
from controlplane.problems import Problem
from slo.promql.promql_text import Token, TokenKind, selectors, silent, tokens

_HISTORY: Final = (
    names.ROLLING_EVENTS,
    names.LEDGER_EVENTS,
    names.PERIOD_EVENTS,
    names.PART_EVENTS,
    names.PART_LEDGER,
    names.EXCLUDED_ROLLING,
    names.EXCLUDED_LEDGER,
    names.EXCLUDED_PERIOD,
)
_SUMS: Final = ("sum_over_time", "count_over_time")  # those whose values over two series in turn add up


def bridged(group: RuleGroup, slo: SLO) -> RuleGroup:
    """The rules of an SLO, with its earlier names read beside its own."""
    if not slo.renamed_from:
        return group
    return replace(group, rules=tuple(_bridged_rule(rule, slo) for rule in group.rules))


def renaming_problems(slos: Sequence[SLO]) -> Iterator[Problem]:
    """Earlier names that are still in use, or that two SLOs claim: their events would count twice."""
    known = {slo.name for slo in slos}
    claimed: dict[str, SLO] = {}
    for slo in slos:
        for earlier in slo.renamed_from:
            if earlier in known:
                message, hint = f"`{earlier}` is still an SLO here", "name only what was renamed"
            elif earlier in claimed:
                message, hint = f"`{earlier}` cannot become two SLOs", f"{claimed[earlier].name} claims it, too"
            else:
                claimed[earlier] = slo
                continue
            place = f"metadata.annotations.{names.ANNOTATION_RENAMED_FROM}"
            yield Problem.at(slo.source, place, message, hint=hint, rule="renamed-from")


def _bridged_rule(rule: Rule, slo: SLO) -> Rule:
    return replace(rule, expr=bridged_expression(rule.expr, slo.name, slo.renamed_from))


def bridged_expression(expr: str, name: str, earlier: Sequence[str]) -> str:
    """The expression with every sum over the past of `name` taken over that of `earlier` as well."""
    listed = tokens(expr)
    speaking = [index for index, token in enumerate(listed) if not silent(token)]
    places = {index: place for place, index in enumerate(speaking)}
    texts = [token.text for token in listed]
    all_names = "|".join((name, *earlier))
    for selector in selectors(listed):
        call = _call_around(listed, speaking, places[selector.first], places[selector.last])
        matcher = next((each for each in selector.matchers if each.label == names.SLO), None)
        if call is None or matcher is None or matcher.operator != "=" or matcher.value != name:
            continue
        if selector.name not in _HISTORY:
            continue
        starts = _by_start(listed)
        texts[starts[matcher.operator_start]] = "=~"
        texts[starts[matcher.value_token.start]] = f'"{all_names}"'
        first, last = call
        texts[first] = f"label_replace(sum without ({names.SLO}) ({texts[first]}"
        texts[last] = f'{texts[last]}), "{names.SLO}", "{name}", "", "")'
    return "".join(texts)


def _call_around(listed: Sequence[Token], speaking: Sequence[int], first: int, last: int) -> tuple[int, int] | None:
    """The tokens at which the sum over a range around a selector begins and ends."""
    if first < 2 or listed[speaking[first - 1]].text != "(" or listed[speaking[first - 2]].text not in _SUMS:
        return None
    if last + 1 >= len(speaking) or listed[speaking[last + 1]].kind is not TokenKind.RANGE:
        return None
    depth = 1
    for place in range(last + 2, len(speaking)):
        depth += (listed[speaking[place]].text == "(") - (listed[speaking[place]].text == ")")
        if depth == 0:
            return speaking[first - 2], speaking[place]
    return None


def _by_start(listed: Sequence[Token]) -> Mapping[int, int]:
    return {token.start: index for index, token in enumerate(listed)}
