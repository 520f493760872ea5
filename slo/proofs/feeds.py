"""Series that make an SLO measure exactly what a course says: the user's own where that is possible.

A feed is one series whose value per minute is `healthy + bad × share`, where `share` is the share of bad events and 1
stands for all events of a minute. Counters add it up, gauges show it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from controlplane import conventions as names
from controlplane.model.slo import SLO, BoolIndicator, LatencyIndicator, NoTraffic, Query, RatioIndicator
from slo.promql.event_query import event_query
from slo.promql.promql_text import Matcher, Selector, TokenKind, selectors, tokens, without_placeholders
from slo.proofs.examples_of import accepts, labels_for

ROLLED_MINUTES: Final = 5
_GROUP_VALUE: Final = "proof"
_NAME: Final = "__name__"


@dataclass(frozen=True, slots=True)
class Feed:
    """One series. `rolled` ones show the sum of the last 5 minutes instead of counting up."""

    series: str
    healthy: float
    bad: float
    is_counter: bool = True
    rolled: bool = False


Labels = Mapping[str, str]


def raw_feeds(slo: SLO) -> tuple[Feed, ...] | None:
    """Feeds of the user's own series; None where the queries say too much to be sure what to feed them."""
    grouped = dict.fromkeys(slo.groups, _GROUP_VALUE)
    match slo.indicator:
        case RatioIndicator(total=total, bad=bad, good=None) if bad is not None and not slo.indicator.gauges:
            return _apart(bad, total, grouped, part_is_bad=True)
        case RatioIndicator(total=total, bad=None, good=good) if good is not None and not slo.indicator.gauges:
            return _apart(good, total, grouped, part_is_bad=False)
        case LatencyIndicator(within=within, total=total):
            return _beside(_only_series(within, grouped), _only_series(total, grouped), part_is_bad=False)
        case BoolIndicator(gauge=gauge):
            labels = _only_series(gauge, grouped)
            return (Feed(_text(labels), 1, -1, is_counter=False),) if labels else None
    return None


def pair_feeds(slo: SLO) -> tuple[Feed, ...]:
    """Feeds of the pair of all and bad events itself, for rules without those that record it."""
    labels = {names.SLO: slo.name, **dict.fromkeys(slo.groups, _GROUP_VALUE)}
    return tuple(
        Feed(_text({_NAME: pair_name(slo), **labels, names.EVENT: event}), *weights, False, True)
        for event, weights in ((names.EVENT_ALL, (1, 0)), (names.EVENT_BAD, (0, 1)))
    )


def pair_name(slo: SLO) -> str:
    """The series that hold the pair as it was measured."""
    return names.ROLLING_EVENTS if slo.policy.no_traffic is NoTraffic.EXCLUDED else names.MEASURED_EVENTS


def up_feed(slo: SLO) -> Feed | None:
    """The series that says that the service is there; None where there is none, or its query says too much."""
    labels = _only_series(Query(slo.policy.up, slo.source), {}) if slo.policy.up else None
    return Feed(_text(labels), 1, 0, is_counter=False) if labels else None


def _apart(part: Query, total: Query, grouped: Labels, *, part_is_bad: bool) -> tuple[Feed, ...] | None:
    """Feeds for good or bad events among all: two series where one query selects from the other's metric."""
    chosen, every = _only_selector(part), _only_selector(total)
    if chosen is None or every is None:
        return None
    mine, all_ = _series(chosen, grouped), _series(every, grouped)
    if mine is None or all_ is None:
        return None
    if not accepts(_matchers(every), mine):
        return _beside(mine, all_, part_is_bad=part_is_bad)
    rest = next((each for each in _varied(all_, chosen) if _is_rest(each, chosen, every)), None)
    if rest is None:
        return None
    good, bad = (rest, mine) if part_is_bad else (mine, rest)
    return Feed(_text(good), 1, -1), Feed(_text(bad), 0, 1)


def _beside(part: Labels | None, every: Labels | None, *, part_is_bad: bool) -> tuple[Feed, ...] | None:
    """Feeds for two series that do not count each other."""
    if part is None or every is None or part == every:
        return None
    return Feed(_text(every), 1, 0), Feed(_text(part), 0, 1) if part_is_bad else Feed(_text(part), 1, -1)


def _is_rest(labels: Labels, chosen: Selector, every: Selector) -> bool:
    return accepts(_matchers(every), labels) and not accepts(_matchers(chosen), labels)


def _varied(labels: Labels, chosen: Selector) -> Iterator[dict[str, str]]:
    """The series, and the same with another value of a label that tells the chosen ones apart."""
    yield dict(labels)
    for matcher in chosen.matchers:
        yield {label: value for label, value in labels.items() if label != matcher.label}
        yield {**labels, matcher.label: "other"}


def _only_series(query: Query, grouped: Labels) -> dict[str, str] | None:
    selector = _only_selector(query)
    return _series(selector, grouped) if selector else None


def _only_selector(query: Query) -> Selector | None:
    """The selector of a query that has one, at the present, with nothing but counting around it."""
    text = without_placeholders(query.text)
    listed = tokens(text)
    found = selectors(listed)
    words = {token.text.lower() for token in listed if token.kind is TokenKind.WORD}
    if len(found) != 1 or words & {"offset", "clamp", "clamp_max", "clamp_min", "label_replace", "unless", "and"}:
        return None
    if any(token.kind is TokenKind.NUMBER for token in listed):
        return None
    return found[0]


def _series(selector: Selector, grouped: Labels) -> dict[str, str] | None:
    labels = labels_for(_matchers(selector))
    if labels is None or not labels.get(_NAME):
        return None
    return {**labels, **{label: value for label, value in grouped.items() if label not in labels}}


def _matchers(selector: Selector) -> Sequence[Matcher]:
    """The selector's conditions, its metric's name among them."""
    if not selector.name:
        return selector.matchers
    listed = tokens(f'{{{_NAME}="{selector.name}"}}')
    return (*selectors(listed)[0].matchers, *selector.matchers)


def _text(labels: Labels) -> str:
    """A series as promtool reads it."""
    inner = ",".join(f"{label}={json.dumps(value)}" for label, value in sorted(labels.items()) if label != _NAME)
    return f"{labels[_NAME]}{{{inner}}}"


def counts_scaled(slo: SLO) -> bool:
    """Whether a query multiplies what it counts, so that a feed would not come out as it went in."""
    match slo.indicator:
        case RatioIndicator(total=total, bad=bad, good=good):
            return any(event_query(query.text).scaled for query in (total, bad, good) if query is not None)
    return False
