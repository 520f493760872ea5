"""When somebody is told about a budget, and with which labels.

One incident, one notification: a page mutes the tickets about the same money for a day, and a threshold mutes those
below it.
"""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import number, seconds, threshold, tier_name
from controlplane.model.alerting import Tier, Urgency
from controlplane.model.rule import AlertingRule, Labels, RecordingRule, Rule
from controlplane.wording import exact_percent
from finops.budgets import texts
from finops.budgets.subject import Subject
from finops.pricing.selectors import quoted

FORECAST_FRESH_FOR: Final = timedelta(hours=6)  # `finops.forecast.daemon` keeps it as long
STRAIGHT_FROM: Final = Decimal("0.1")  # of a window: before that, straight pacing says nothing
STRAIGHT_COVERAGE: Final = Decimal("0.5")  # of the time so far: with less of it measured it says nothing either
_ALL: Final = Decimal(1)
_HOUR: Final = timedelta(hours=1)
_MUTED_BY_PAGE: Final = "1d"


def pages(subject: Subject) -> Iterator[Rule]:
    """Wakes somebody: much of the budget is gone and money still goes fast."""
    yield from _burning(subject, Urgency.PAGE)


def tickets(subject: Subject) -> Iterator[Rule]:
    """For the working day: money goes slowly but surely. Muted for a day by a page of the same budget."""
    yield from _burning(subject, Urgency.TICKET)


def spent(subject: Subject) -> Iterator[Rule]:
    """A share of the amount is gone: each threshold and, in any case, all of it."""
    ratio = subject.series(names.BUDGET_SPENT_RATIO)
    for share, above in _bands((*subject.budget.actual, _ALL)):
        expr = f"{ratio} >= {number(share)}" + (f" < {number(above)}" if above is not None else "")
        yield _ticket(subject, names.ALERT_BUDGET_SPENT, expr, texts.spent_annotations(subject, share), share=share)


def forecast_ratio(subject: Subject) -> Iterator[Rule]:
    """The middle of a fresh forecast, else straight pacing: spent ÷ what should have been, once that says anything."""
    if not subject.budget.forecast:
        return
    amount = number(subject.budget.amount)
    middle = f'{names.BUDGET_FORECAST}{{{subject.matcher},{names.FORECAST_BOUND}="middle"}}'
    made = f"{names.BUDGET_FORECAST_AT}{{{names.BUDGET}={quoted(subject.budget.name)}}}"
    # One of the window before may still be there in the first hours of the next.
    of_window = f"{made} >= scalar({subject.series(names.BUDGET_START)})"
    fresh = f"time() - max ({of_window}) < {number(seconds(FORECAST_FRESH_FOR))}"
    straight = (
        f"{subject.series(names.BUDGET_SPENT_RATIO)}"
        f"\n  / ({subject.series(names.BUDGET_PACE_RATIO)} >= {number(STRAIGHT_FROM)})"
        f"\n  and {subject.series(names.BUDGET_COVERAGE)} >= {number(STRAIGHT_COVERAGE)}"
    )
    forecast = f"max ({middle}) / {amount}\n  and on () {fresh}"
    expr = (
        f'label_replace(\n  {forecast},\n"{names.BASIS}", "forecast", "", "")\n'
        f'or on ()\nlabel_replace(\n  {straight},\n"{names.BASIS}", "pace", "", "")'
    )
    yield RecordingRule(names.BUDGET_FORECAST_RATIO, expr, subject.labels)


def forecasts(subject: Subject) -> Iterator[Rule]:
    """A share of the amount will have been spent when the window ends, and is not yet."""
    ratio = subject.series(names.BUDGET_FORECAST_RATIO)
    for share, above in _bands(subject.budget.forecast):
        limit = number(share)
        below = f" < {number(above)}" if above is not None else ""
        expr = f"{ratio} >= {limit}{below}\nunless on ()\n{subject.series(names.BUDGET_SPENT_RATIO)} >= {limit}"
        yield _ticket(
            subject, names.ALERT_BUDGET_FORECAST, expr, texts.forecast_annotations(subject, share), share=share
        )
    if subject.budget.forecast:
        made = f"{names.BUDGET_FORECAST_AT}{{{names.BUDGET}={quoted(subject.budget.name)}}}"
        expr = f"time() - max ({made}) > {number(seconds(FORECAST_FRESH_FOR))}"
        yield _ticket(subject, names.ALERT_FORECAST_STALE, expr, texts.stale_forecast_annotations(subject))


def spike(subject: Subject) -> Iterator[Rule]:
    """The last hour cost more than `factor` × such an hour's usual money, and more than the floor.

    Usual is the higher of the medians of the same hour on earlier weeks and on earlier days, so that what has become
    usual is told for two days at most; without history it is what the pace expects.
    """
    if subject.budget.spike is None:
        return
    spend, usual = subject.spent_in(_HOUR), f"max (last_over_time({subject.series(names.BUDGET_USUAL_HOUR)}[15m]))"
    known = f"{usual}\n    or\n    max ({subject.expected_in(_HOUR)})"
    expr = (
        f"(\n  ({spend} > {number(subject.budget.spike.floor_per_hour)})\n  / on () (\n    {known}\n  )\n)"
        f" > {number(subject.budget.spike.factor)}"
    )
    muted = f"{expr}\nunless on ()\ncount_over_time({_paging(subject)}[{_MUTED_BY_PAGE}])"
    yield _ticket(subject, names.ALERT_SPEND_SPIKE, muted, texts.spike_annotations(subject))


def stale(subject: Subject) -> Iterator[Rule]:
    """Missing is not zero: spend is absent, so the budget stands still."""
    expr = f"absent({subject.series(names.BUDGET_ROLLING)})"
    yield _ticket(
        subject, names.ALERT_COST_STALE, expr, texts.stale_annotations(subject), hold=subject.budget.stale_after
    )


def other_currency(subject: Subject) -> Iterator[Rule]:
    """Spend that fits the scope in another currency, which no other budget counts: nobody should believe that it is."""
    matchers = [f"{names.BUDGET}={quoted(subject.budget.name)}"]
    matchers += [f"{names.CURRENCY}!={quoted(currency)}" for currency in subject.counted]
    expr = f"{names.BUDGET_OTHER_CURRENCY}{{{','.join(matchers)}}} > 0"
    labels = tuple(pair for pair in _labels(subject, Urgency.TICKET) if pair[0] != names.CURRENCY)
    annotations = texts.other_currency_annotations(subject)
    yield AlertingRule(names.ALERT_OTHER_CURRENCY, expr, labels, annotations, timedelta(minutes=15))


def _burning(subject: Subject, urgency: Urgency) -> Iterator[AlertingRule]:
    """The alert of one urgency; as several rules, told apart by the label `tier`, where tiers must last differently."""
    tiers = subject.tiers_of(urgency)
    holds = sorted({tier.hold for tier in tiers})
    for hold in holds:
        own = tuple(tier for tier in tiers if tier.hold == hold)
        expr = "\nor\n".join(clause for tier in own for clause in _clauses(subject, tier))
        if urgency is Urgency.TICKET and subject.tiers_of(Urgency.PAGE):
            expr = f"(\n{expr}\n)\nunless on ()\ncount_over_time({_paging(subject)}[{_MUTED_BY_PAGE}])"
        tier_label = ((names.TIER, "_".join(map(tier_name, own))),) if len(holds) > 1 else ()
        labels = (*_labels(subject, urgency), *tier_label)
        yield AlertingRule(names.ALERT_BUDGET_BURN, expr, labels, texts.burn_annotations(subject), hold)


def _clauses(subject: Subject, tier: Tier) -> Iterator[str]:
    """It burns now, a share of the amount went, and that was more than the pace expected of the long window."""
    limit = number(threshold(tier, subject.budget.window.length))
    share = number(tier.budget_share * subject.budget.amount)
    planned = f"{subject.burn(tier.long)} > 1"
    for length in tier.spent_within:
        yield f"{subject.burn(tier.short)} > {limit} and {subject.spent_in(length)} > {share} and {planned}"


def _paging(subject: Subject) -> str:
    return (
        f"ALERTS{{alertname={quoted(names.ALERT_BUDGET_BURN)},{subject.matcher},"
        f'{names.SEVERITY}="{names.SEVERITY_PAGE}",alertstate="firing"}}'
    )


def _bands(thresholds: tuple[Decimal, ...]) -> tuple[tuple[Decimal, Decimal | None], ...]:
    """Each threshold with the next one above it, None for the highest."""
    ordered = sorted(set(thresholds))
    return (*pairwise(ordered), (ordered[-1], None)) if ordered else ()


def _ticket(
    subject: Subject,
    alert: str,
    expr: str,
    annotations: Labels,
    *,
    share: Decimal | None = None,
    hold: timedelta = timedelta(0),
) -> AlertingRule:
    reached = ((names.THRESHOLD, exact_percent(share)),) if share is not None else ()
    return AlertingRule(alert, expr, (*_labels(subject, Urgency.TICKET), *reached), annotations, hold)


def _labels(subject: Subject, urgency: Urgency) -> Labels:
    """Its own, and the service or tenant where it is about one, so that alerts find their people."""
    ours = {**dict(subject.labels), names.SEVERITY: urgency.value}
    for label in (names.SERVICE, names.TENANT):
        values = dict(subject.budget.scope).get(label, ())
        if len(values) == 1 and values[0]:
            ours[label] = texts.literal(values[0])
    theirs = {key: texts.literal(value) for key, value in subject.budget.labels if key not in ours}
    return tuple((ours | theirs).items())
