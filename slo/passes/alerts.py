"""Page, ticket and no-data alerts: when somebody is told, and with which labels."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import Tier, Urgency, duration, number, tier_name
from controlplane.model.alerting import AlertMethod, AlertText
from controlplane.model.rule import AlertingRule, Labels, Rule
from controlplane.model.slo import STANDARD_POLICY, Absent
from slo.alert_templates import literal, usable
from slo.passes import legacy
from slo.passes.alert_texts import burn_annotations, no_data_annotations, vanished_annotations
from slo.passes.subject import Subject, label_names
from slo.passes.traffic import is_up

# Counts come from rates, so they are not whole: half an event of margin.
_MARGIN: Final = Decimal("0.5")
_MUTED_BY_PAGE: Final = "1d"
_OURS: Final = (names.SLO, names.SERVICE, names.SEVERITY)


def page(subject: Subject) -> Iterator[Rule]:
    """Wakes somebody: much of the budget is gone and it still burns fast."""
    yield from _burning(subject, Urgency.PAGE)


def prompt_ticket(subject: Subject) -> Iterator[Rule]:
    """Tickets of the burn-rate method: every minute, as the tools do that it stands in for."""
    if subject.method is AlertMethod.BURN_RATE:
        yield from _burning(subject, Urgency.TICKET)


def ticket(subject: Subject) -> Iterator[Rule]:
    """For the working day: the budget goes slowly but surely. Muted for a day by a page of the same budget."""
    if subject.method is AlertMethod.BUDGET:
        yield from _burning(subject, Urgency.TICKET)


def no_data(subject: Subject) -> Iterator[Rule]:
    """Missing is not zero: the pair is absent, so the budget stands still."""
    if not _is_prompt(subject):
        yield from _absent(subject)
    if not subject.shared and subject.only.groups and subject.only.policy.absent is not Absent.IGNORE:
        yield _vanished(subject, _pair(subject))


def prompt_no_data(subject: Subject) -> Iterator[Rule]:
    """The same for those who want to know sooner, or be woken: looked at every five minutes, it would come as late."""
    if _is_prompt(subject):
        yield from _absent(subject)


def _is_prompt(subject: Subject) -> bool:
    policy = subject.slos[0].policy
    return policy.absent is Absent.PAGE or policy.absent_after < STANDARD_POLICY.absent_after


def _absent(subject: Subject) -> Iterator[Rule]:
    policy = subject.slos[0].policy
    if policy.absent is Absent.IGNORE:
        return
    pair = _pair(subject)
    expr = f"absent(\n  {pair}\n)"
    if subject.shared:
        kept = ", ".join((names.SLO, names.SERVICE, *label_names(subject.slos)))
        expr = f"max by ({kept}) ({subject.derived(names.SLO_INFO)})\nunless on ({names.SLO}) (\n  {pair}\n)"
    if policy.up:
        expr = f"{expr}\nunless on () {is_up(policy)}"
    urgency = Urgency.PAGE if policy.absent is Absent.PAGE else Urgency.TICKET
    yield AlertingRule(
        subject.alerting.absence.name or names.ALERT_NO_DATA,
        expr,
        _absence_labels(subject, urgency),
        no_data_annotations(subject),
        policy.absent_after,
    )


def _vanished(subject: Subject, pair: str) -> AlertingRule:
    """One value that had events in the last day is gone while others are there: a ticket, whatever else is asked for.

    Values come and go by themselves, so nobody is woken, and after a day it is not told any more.
    """
    ledger = subject.ledger(names.EVENT_ALL)
    expr = (
        f"max by ({subject.keys}) (max_over_time({ledger}[1d]) > 0)\nunless on ({subject.keys}) (\n  {pair}\n)\n"
        f"and on ({names.SLO}) {subject.rolling(names.EVENT_ALL)}"
    )
    labels = (*_labels(subject, Urgency.TICKET), (names.ABSENT, "group"))
    after = subject.only.policy.absent_after
    name = subject.alerting.absence.name or names.ALERT_NO_DATA
    return AlertingRule(name, expr, labels, vanished_annotations(subject), after)


def _pair(subject: Subject) -> str:
    bad, every = subject.rolling(names.EVENT_BAD), subject.rolling(names.EVENT_ALL)
    return f"{bad}\n  and ignoring ({names.EVENT})\n  {every}"


def _burning(subject: Subject, urgency: Urgency) -> Iterator[AlertingRule]:
    """The alert of one urgency; as several rules, told apart by the label `tier`, where tiers must last differently."""
    tiers = subject.tiers_of(urgency)
    holds = sorted({tier.hold for tier in tiers})
    for hold in holds:
        own = tuple(tier for tier in tiers if tier.hold == hold)
        tier_label = ((names.TIER, "_".join(map(tier_name, own))),) if len(holds) > 1 else ()
        yield AlertingRule(
            alert_name(subject.alerting.text(urgency)),
            _muted(subject, urgency, _with_labels(subject, "\nor\n".join(_clauses(subject, own)))),
            (*_labels(subject, urgency), *tier_label),
            burn_annotations(subject, urgency),
            hold,
        )


def _clauses(subject: Subject, tiers: tuple[Tier, ...]) -> Iterator[str]:
    budget = subject.derived(names.BUDGET_EVENTS)
    fewest = number(max(subject.alerting.fewest_bad_events - _MARGIN, Decimal(0)))
    for tier in tiers:
        limit = subject.threshold(tier)
        burning = f"{subject.derived(names.burn_rate(duration(tier.short)))} > {limit}"
        if subject.method is AlertMethod.BURN_RATE:
            long = subject.derived(names.burn_rate(duration(tier.long)))
            long = f"last_over_time({long}[15m])" if tier.long == subject.period else long  # written every 5 minutes
            yield f"{burning} and {long} > {limit}"
            continue
        for length in tier.spent_within:
            bad = subject.derived(names.bad_events(duration(length)))
            yield f"{burning} and {bad} > clamp_min({number(tier.budget_share)} * {budget}, {fewest})"


def _muted(subject: Subject, urgency: Urgency, condition: str) -> str:
    """A ticket is not written about what somebody was woken for; the burn-rate method leaves that to Alertmanager."""
    pages = subject.tiers_of(Urgency.PAGE)
    if urgency is Urgency.PAGE or subject.method is AlertMethod.BURN_RATE or not pages:
        return condition
    text = subject.alerting.page
    own = "" if subject.shared else f"{subject.matcher},"
    fired = (
        f"ALERTS{{alertname={_quoted(alert_name(text))},{own}"
        f'{names.SEVERITY}={_quoted(severity(text, Urgency.PAGE))},alertstate="firing"}}'
    )
    return f"({_indented(condition)})\nunless on ({subject.keys}) count_over_time({fired}[{_MUTED_BY_PAGE}])"


def _with_labels(subject: Subject, condition: str) -> str:
    """Of a shard: the alerts' labels come from `slo:info`, of which one is taken where there are two for a moment."""
    if not subject.shared:
        return condition
    copied = ", ".join((names.SERVICE, *label_names(subject.slos)))
    one_info = f"topk by ({names.SLO}) (1, {subject.derived(names.SLO_INFO)})"
    return f"max by ({names.SLO}) ({_indented(condition)})\n* on ({names.SLO}) group_left ({copied})\n{one_info}"


def _quoted(text: str) -> str:
    """A PromQL string literal."""
    return json.dumps(text, ensure_ascii=False)


def _indented(text: str) -> str:
    return "\n  " + text.replace("\n", "\n  ") + "\n"


def _labels(subject: Subject, urgency: Urgency) -> Labels:
    text = subject.alerting.text(urgency)
    level = (names.SEVERITY, severity(text, urgency))
    if subject.shared:
        said = ((key, usable(value)) for key, value in text.labels if key not in _OURS)
        return (level, *said)
    slo = subject.only
    theirs = {key: literal(value) for key, value in (*slo.labels, *legacy.alert_labels(slo, urgency))}
    theirs |= {key: usable(value) for key, value in text.labels}
    ours = ((names.SLO, slo.name), (names.SERVICE, literal(slo.service)), level)
    taken = {*dict(ours), *slo.groups}  # the groups' values come with the series
    return (*ours, *((key, value) for key, value in theirs.items() if key not in taken))


def _absence_labels(subject: Subject, urgency: Urgency) -> Labels:
    """The labels of an urgency's alerts, with those that are asked for where data is missing."""
    text = subject.alerting.absence
    labels = dict(_labels(subject, urgency)) | {key: usable(value) for key, value in text.labels}
    return tuple((labels | ({names.SEVERITY: text.severity} if text.severity else {})).items())


def alert_name(text: AlertText) -> str:
    """The name of the alerts of an urgency."""
    return text.name or names.ALERT_BURN


def severity(text: AlertText, urgency: Urgency) -> str:
    """The label `severity` of the alerts of an urgency."""
    return text.severity or urgency.value
