"""Whether the traffic of the last week is enough to measure an objective with."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from statistics import fmean
from typing import Final

from controlplane.burn_rate import duration, number, seconds, threshold, tiers_within
from controlplane.model.alerting import AlertMethod, Urgency
from controlplane.model.slo import SLO, CompositeIndicator, LatencyIndicator, RatioIndicator
from controlplane.ports import MetricsBackend, Permanent
from controlplane.wording import exact_percent, percent
from slo.lint import rules
from slo.lint.live.combinations import Combinations
from slo.lint.live.patterns import is_certain
from slo.lint.rule import About, Finding
from slo.promql.event_query import QueryFault, event_query
from slo.promql.promql_text import Matcher, Selector, Token, TokenKind, selectors, silent, tokens, without_placeholders

# 25 looks at one hour each, 7 hours apart: a week, every hour of the day about once, a seventh of its samples.
_STEP, _LOOKS, _LOOK = timedelta(hours=7), 25, timedelta(hours=1)
_MOST_METRICS: Final = 200
_MOST_QUERIES: Final = 50


@dataclass(frozen=True, slots=True)
class Traffic:
    """Events an hour, by SLO; of an SLO with groups, those of its quietest group."""

    per_hour: Mapping[str, float]
    notes: tuple[str, ...]


def measured(
    slos: Sequence[SLO], interest: Mapping[str, frozenset[str]], backend: MetricsBackend, now: datetime,
    asked: Callable[[int, int], None],
) -> Traffic:  # fmt: skip
    """The traffic of the last week. A metric is asked for once, however many SLOs count it."""
    plain: dict[str, list[tuple[SLO, Selector]]] = defaultdict(list)
    special: list[tuple[SLO, str]] = []
    for slo in slos:
        text = _total(slo)
        if text is None:
            continue
        selector = _alone(text)
        if selector is None or not is_certain(selector):
            special.append((slo, text))
        else:
            plain[selector.name].append((slo, selector))
    found: dict[str, float] = {}
    notes = []
    metrics = sorted(plain)[:_MOST_METRICS]
    for done, metric in enumerate(metrics, 1):
        wanted = interest.get(metric, frozenset())
        try:
            found.update(_of_metric(metric, wanted, plain[metric], _Asking(backend, now)))
        except Permanent as error:
            notes.append(f"traffic of {metric}: {error}")
        asked(done, len(metrics))
    for slo, text in special[:_MOST_QUERIES]:
        found.update(_of_query(slo, text, _Asking(backend, now)))
    left = max(0, len(plain) - _MOST_METRICS) + max(0, len(special) - _MOST_QUERIES)
    if left:
        notes.append(f"the traffic of {left} more metrics and queries was not measured")
    return Traffic(found, tuple(notes))


@dataclass(frozen=True, slots=True)
class _Asking:
    backend: MetricsBackend
    now: datetime

    def series(self, expr: str) -> Iterator[tuple[Mapping[str, str], list[float]]]:
        start = self.now - (_LOOKS - 1) * _STEP
        for series in self.backend.query_range(expr, start, self.now, _STEP):
            yield series.labels, [value for _, value in series.points if value == value]


def _total(slo: SLO) -> str | None:
    match slo.indicator:
        case RatioIndicator(gauges=True):
            return None
        case RatioIndicator(total=total) | LatencyIndicator(total=total):
            return total.text
        case CompositeIndicator():
            return None
    return None


def _alone(text: str) -> Selector | None:
    """The selector, when the query is nothing but a count of its series: `x`, `sum(x)`, `sum(rate(x[5m]))`."""
    listed = tokens(without_placeholders(text))
    found = selectors(listed)
    if len(found) != 1 or not found[0].name:
        return None
    outside = [each for index, each in enumerate(listed) if not found[0].first <= index <= found[0].last]
    return found[0] if all(silent(each) or _only_counts(each) for each in outside) else None


def _only_counts(token: Token) -> bool:
    return token.kind is TokenKind.RANGE or token.text in ("(", ")", "sum", "rate", "increase")


def _of_metric(
    metric: str, wanted: frozenset[str], counting: Iterable[tuple[SLO, Selector]], asking: _Asking
) -> Iterator[tuple[str, float]]:
    by = f"by ({', '.join(sorted(wanted))}) " if wanted else ""
    rows = [
        ({**labels}, values)
        for labels, values in asking.series(f"sum {by}(rate({metric}[{duration(_LOOK)}])) * {_LOOK.seconds}")
    ]
    per_hour = {index: fmean(values) for index, (_, values) in enumerate(rows) if values}
    live = Combinations(tuple({**labels, _ROW: str(index)} for index, (labels, _) in enumerate(rows)))
    for slo, selector in counting:
        conditions: Sequence[Matcher] = selector.matchers
        matched = live.matching(conditions)
        groups: dict[tuple[str, ...], float] = defaultdict(float)
        for labels in matched:
            groups[tuple(labels.get(name, "") for name in slo.groups)] += per_hour.get(int(labels[_ROW]), 0)
        if groups:
            yield slo.name, min(groups.values())


_ROW: Final = "\x00row"  # no label is called so


def _of_query(slo: SLO, text: str, asking: _Asking) -> Iterator[tuple[str, float]]:
    try:
        expr = event_query(text).events(_LOOK)
        values = [value for _, several in asking.series(expr) for value in several]
    except (QueryFault, Permanent):
        return
    if values:
        yield slo.name, fmean(values)


def too_fine(slo: SLO, per_hour: float) -> Finding | None:
    """Whether so few events can hold the objective, or page somebody for a single one."""
    if per_hour <= 0:
        return None
    traffic = Decimal(per_hour)
    events = traffic * seconds(slo.window.length) / 3600
    budget = events * slo.budget_ratio
    rate = f"at {_rounded(traffic)} events an hour"
    fewest, share = _fewest_to_page(slo, traffic, budget), _share_that_pages(slo)
    if budget < 1:
        message = f"{rate} one bad event spends more than the whole budget of {duration(slo.window.length)}"
    elif fewest is not None and fewest <= 1:
        message = f"{rate} one bad event pages you"
    elif slo.alerting.method is AlertMethod.BUDGET and budget < slo.alerting.fewest_bad_events:
        message = (
            f"{rate} the budget of {duration(slo.window.length)} is {_rounded(budget)} bad events:"
            f" spent before the {number(slo.alerting.fewest_bad_events)} that an alert waits for"
        )
    elif slo.alerting.method is AlertMethod.BUDGET and share is not None and share * budget < 1:
        message = (
            f"{rate} one bad event is {percent(float(1 / budget))} of the budget of {duration(slo.window.length)}:"
            f" only the floor of {number(slo.alerting.fewest_bad_events)} bad events keeps one error from paging you"
        )
    else:
        return None
    return Finding(rules.OBJECTIVE_TOO_FINE, slo.source, message, _measurable(slo, events), About.OBJECTIVE)


def _fewest_to_page(slo: SLO, per_hour: Decimal, budget: Decimal) -> Decimal | None:
    """How many bad events at once page, at even traffic; None when nothing pages."""
    length = slo.window.length
    needed = []
    for tier in tiers_within(length, slo.alerting.tiers):
        if tier.urgency is not Urgency.PAGE:
            continue
        in_long = per_hour * seconds(tier.long) / 3600
        burning = threshold(tier, length) * slo.budget_ratio * in_long
        if slo.alerting.method is AlertMethod.BUDGET:
            burning = max(slo.alerting.fewest_bad_events, tier.budget_share * budget)
        needed.append(max(Decimal(1), burning.to_integral_value(ROUND_CEILING)))
    return min(needed, default=None)


def _share_that_pages(slo: SLO) -> Decimal | None:
    """The smallest share of the budget that a page waits for; None when nothing pages."""
    tiers = tiers_within(slo.window.length, slo.alerting.tiers)
    return min((tier.budget_share for tier in tiers if tier.urgency is Urgency.PAGE), default=None)


def _measurable(slo: SLO, events: Decimal) -> str:
    """The finest objective, in the usual steps, with a budget of ten bad events, each less than what pages."""
    wanted = max(Decimal(10), 1 / (_share_that_pages(slo) or 1))
    steps = ("0.9999", "0.9995", "0.999", "0.998", "0.995", "0.99", "0.98", "0.95", "0.9")
    for step in map(Decimal, steps):
        if step < slo.objective and events * (1 - step) >= wanted:
            return f"{exact_percent(step)} would leave a budget of {_rounded(events * (1 - step))} bad events"
    return "choose a lower objective or a longer window, or add synthetic traffic"


def _rounded(value: Decimal) -> str:
    digits = Decimal(1) if value >= 10 else Decimal("0.1")
    return f"{value.quantize(digits, ROUND_FLOOR if value >= 1 else None):,}"
