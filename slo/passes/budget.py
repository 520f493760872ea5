"""Burn rates and the budget in events (RULES.md, idea 3), and the figures that describe an SLO."""

from collections.abc import Iterator
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import number, seconds
from controlplane.model.rule import Labels, RecordingRule, Rule
from controlplane.model.slo import SLO
from controlplane.wording import exact_percent
from slo.indicators.indicator import worst_contributors
from slo.passes.calendar import calendar_of
from slo.passes.subject import Subject

# Written every 5 minutes and read every minute: look back over two missed evaluations.
_LOOKBACK: Final = "15m"
WORST_QUERY: Final = "worst"


def period_burn_rate(subject: Subject) -> Iterator[Rule]:
    """The burn rate of the whole window: 1 means that exactly the budget was spent."""
    bad, every = subject.total(names.EVENT_BAD), subject.total(names.EVENT_ALL)
    expr = f"{bad}\n/ ignoring ({names.EVENT})\n({every} > 0) {subject.by_budget_ratio('/')}"
    yield RecordingRule(names.burn_rate(subject.period_name), expr, subject.labels)


def budget_events(subject: Subject) -> Iterator[Rule]:
    """Bad events that the window allows, scaled to the whole window where only a part of it was measured.

    A calendar's period allows a share of what it will have had when it ends.
    """
    if calendar_of(subject):
        whole = f"last_over_time({subject.derived(names.expected_events(subject.period_name))}[{_LOOKBACK}])"
        yield RecordingRule(names.BUDGET_EVENTS, f"{whole}\n{subject.by_budget_ratio('*')}", subject.labels)
        return
    every = f"last_over_time({subject.total(names.EVENT_ALL)}[{_LOOKBACK}])"
    covered = f"last_over_time({subject.derived(names.WINDOW_COVERAGE)}[{_LOOKBACK}])"
    expr = f"sum without ({names.EVENT}) ({every})\n/ {covered}\n{subject.by_budget_ratio('*')}"
    yield RecordingRule(names.BUDGET_EVENTS, expr, subject.labels)


def budget_remaining(subject: Subject) -> Iterator[Rule]:
    """The share of the budget that is left: 1 untouched, 0 spent, negative overspent; absent without any traffic."""
    bad = f"sum without ({names.EVENT}) ({subject.total(names.EVENT_BAD)})"
    expr = f"1 - {bad} / ({subject.derived(names.BUDGET_EVENTS)} > 0)"
    yield RecordingRule(names.BUDGET_REMAINING, expr, subject.labels)


def budget_ratio(subject: Subject) -> Iterator[Rule]:
    """1 − objective of each SLO: first in a shard's group, because its other rules join it."""
    for slo in subject.slos:
        expr = f"vector({number(slo.budget_ratio)})"
        yield RecordingRule(names.BUDGET_RATIO, expr, _own_labels(subject, slo))


def info(subject: Subject) -> Iterator[Rule]:
    """`slo:info` of each SLO: 1, with what people call it and the labels that its owner gave it."""
    for slo in subject.slos:
        described = {
            names.SERVICE: slo.service,
            "owner": slo.owner,
            "objective": exact_percent(slo.objective).replace(" ", ""),
            "window": subject.period_name,
        }
        labels = {key: value for key, value in described.items() if value} | dict(slo.labels)
        yield RecordingRule(names.SLO_INFO, "vector(1)", (*_own_labels(subject, slo), *labels.items()))


def objective(subject: Subject) -> Iterator[Rule]:
    """The objective of each SLO, as a ratio, and the length of its window in seconds."""
    for slo in subject.slos:
        labels = _own_labels(subject, slo)
        yield RecordingRule(names.OBJECTIVE, f"vector({number(slo.objective)})", labels)
        yield RecordingRule(names.PERIOD_SECONDS, f"vector({number(seconds(subject.period))})", labels)


def alert_context(subject: Subject) -> Iterator[Rule]:
    """What the shared alerts' templates look up for each SLO: its links and the query for its worst contributors."""
    if not subject.shared:
        return
    for slo in subject.slos:
        links = ((names.RUNBOOK_URL, subject.links.runbook(slo)), (names.DASHBOARD_URL, subject.links.dashboard(slo)))
        known = tuple((key, value) for key, value in links if value)
        yield RecordingRule(
            names.ALERT_CONTEXT,
            "vector(1)",
            (*_own_labels(subject, slo), *known, (WORST_QUERY, worst_contributors(slo))),
        )


def _own_labels(subject: Subject, slo: SLO) -> Labels:
    ours = ((names.SLO, slo.name),)
    return (*ours, (names.SHARD, subject.shard)) if subject.shared else ours
