"""Rules that need nothing but the files."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane.burn_rate import can_fire, duration, number, threshold, tiers_within
from controlplane.model.alerting import STANDARD_TIERS
from controlplane.model.slo import SLO, RollingWindow
from controlplane.wording import exact_percent
from slo.lint import rules
from slo.lint.queries import queries_of
from slo.lint.rule import About, Finding
from slo.lint.selecting import selecting_findings

_OWNER_LABELS: Final = ("owner", "team")
_LOWEST, _HIGHEST = Decimal("0.5"), Decimal("0.99999")
_DAY, _WEEK = timedelta(days=1), timedelta(weeks=1)
_MANY_WEEKENDS: Final = timedelta(weeks=4)  # from here on one weekend more or less is within what budgets move anyway
_LONGEST: Final = timedelta(days=366)
_MOST_OF_THE_TIME: Final = 0.5


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What SLOs get from the workspace. `has_runbooks`: flyball.yaml gives every SLO an address."""

    now: datetime
    has_runbooks: bool = False


def static_findings(slos: Iterable[SLO], surroundings: Surroundings) -> list[Finding]:
    """What every static rule finds, SLO by SLO."""
    return [finding for slo in slos for finding in _of_one(slo, surroundings)]


def _of_one(slo: SLO, surroundings: Surroundings) -> Iterator[Finding]:
    yield from _ownership(slo, surroundings.has_runbooks)
    yield from _alerts(slo)
    yield from _objective(slo)
    yield from _window(slo)
    yield from _selectors(slo)
    yield from selecting_findings(slo)
    yield from _exclusions(slo, surroundings.now)


def _ownership(slo: SLO, has_runbooks: bool) -> Iterator[Finding]:
    labels = dict(slo.labels)
    if not slo.owner and not any(labels.get(name) for name in _OWNER_LABELS):
        yield Finding(rules.MISSING_OWNER, slo.source, "nobody owns this SLO", "add the annotation flyball.dev/owner")
    texts = (slo.alerting.page, slo.alerting.ticket)
    written = any(name in ("runbook", "runbook_url") for text in texts for name, _ in text.annotations)
    if not slo.runbook_url and not has_runbooks and not written:
        hint = "add the annotation flyball.dev/runbook-url, or slo.runbookUrl to flyball.yaml"
        yield Finding(rules.MISSING_RUNBOOK, slo.source, "its alerts link to no runbook", hint)


def _alerts(slo: SLO) -> Iterator[Finding]:
    length = slo.window.length
    tiers = tiers_within(length, slo.alerting.tiers)
    if not tiers:
        message = f"no alert is left: all look back further than {duration(length)}"
        yield Finding(rules.NO_ALERTS, slo.source, message if slo.alerting.tiers else "it has no alerts")
    elif longer := [tier for tier in slo.alerting.tiers if tier not in tiers and tier not in STANDARD_TIERS]:
        listed = ", ".join(f"{tier.urgency.value} over {duration(tier.long)}" for tier in longer)
        message = f"these alerts are left out, because they look back further than {duration(length)}: {listed}"
        yield Finding(rules.ALERT_UNREACHABLE, slo.source, message, "shorten their windows", About.WINDOW)
    mute = [tier for tier in tiers if not can_fire(tier, length, slo.budget_ratio)]
    if mute:
        listed = ", ".join(f"{tier.urgency.value} at {number(round(threshold(tier, length), 3))}×" for tier in mute)
        fastest = number(round(1 / slo.budget_ratio, 2))
        hint = f"at {exact_percent(slo.objective)} the budget burns at most {fastest}×, with every event bad"
        message = f"these alerts can never fire: {listed}"
        yield Finding(rules.ALERT_UNREACHABLE, slo.source, message, hint, About.OBJECTIVE)


def _objective(slo: SLO) -> Iterator[Finding]:
    written = exact_percent(slo.objective)
    if slo.objective < _LOWEST:
        message = f"an objective of {written} lets most events be bad"
        hint = "did you mean the share of good events?"
        yield Finding(rules.SUSPICIOUS_OBJECTIVE, slo.source, message, hint, About.OBJECTIVE)
    elif slo.objective > _HIGHEST:
        seconds = round(slo.budget_ratio * (slo.window.length // timedelta(seconds=1)), 1)
        length = duration(slo.window.length)
        length = duration(slo.window.length)
        message = f"an objective of {written} leaves {number(seconds)} seconds of outage in {length}"
        yield Finding(rules.SUSPICIOUS_OBJECTIVE, slo.source, message, about=About.OBJECTIVE)


def _window(slo: SLO) -> Iterator[Finding]:
    length = slo.window.length
    if length > _LONGEST:
        message = f"in {duration(length)} nobody remembers what spent the budget"
        yield Finding(rules.ODD_WINDOW, slo.source, message, about=About.WINDOW)
    elif isinstance(slo.window, RollingWindow) and length < _DAY:
        message = f"in {duration(length)} the budget mostly tells the time of day"
        yield Finding(rules.ODD_WINDOW, slo.source, message, about=About.WINDOW)
    elif isinstance(slo.window, RollingWindow) and _DAY < length < _MANY_WEEKENDS and length % _WEEK:
        weeks = max(1, round(length / _WEEK))
        message = f"{duration(length)} are no whole number of weeks: now more weekends, now fewer"
        yield Finding(rules.ODD_WINDOW, slo.source, message, f"such as {weeks * 7}d or 28d", About.WINDOW)


def _selectors(slo: SLO) -> Iterator[Finding]:
    for asked in queries_of(slo.indicator):
        for selector in asked.selectors:
            conditions = [each for each in selector.matchers if each.label != "le"]
            if not conditions and not slo.groups and ":" not in selector.name:
                message = f"`{selector.name}` is counted for every service that has it"
                hint = f'select one: {selector.name}{{job="{slo.service}"}}'
                yield Finding(rules.ANY_SERVICE, asked.query.position, message, hint)
                return  # the same is true of its other queries


def _exclusions(slo: SLO, now: datetime) -> Iterator[Finding]:
    for exclusion in slo.exclusions:
        if exclusion.expires <= now:
            message = f"the exclusion `{exclusion.name}` expired on {exclusion.expires:%Y-%m-%d}"
            hint = f"remove it, or ask {exclusion.owner} for a new date"
            yield Finding(rules.EXPIRED_EXCLUSION, exclusion.source or slo.source, message, hint)
        elif exclusion.recurrence and exclusion.intervals:
            excluded = sum((end - start for start, end in exclusion.intervals), timedelta(0))
            share = excluded / (exclusion.expires - exclusion.intervals[0][0])
            if share > _MOST_OF_THE_TIME:
                message = f"the exclusion `{exclusion.name}` takes out {share:.0%} of the time until it expires"
                hint = "shorten the duration, or let it happen less often"
                yield Finding(rules.ALWAYS_EXCLUDED, exclusion.source or slo.source, message, hint)
