"""An explanation for people, and for programs."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from controlplane import wording
from controlplane.burn_rate import duration, number
from controlplane.model.alerting import AlertMethod
from controlplane.model.slo import (
    SLO,
    Absent,
    CalendarWindow,
    Combination,
    CompositeIndicator,
    CompositePart,
    NoTraffic,
)
from slo.explanation import Condition, Explanation, Group, Window
from slo.indicators.indicator import queries_of
from slo.indicators.indicator_words import counted_in_words

_NO_TRAFFIC = {
    NoTraffic.EXCLUDED: "Time without traffic counts as nothing.",
    NoTraffic.GOOD: "Time without traffic counts as good.",
    NoTraffic.BAD: "Time without traffic counts as bad.",
}
_MOST_GROUPS = 10


def as_text(it: Explanation) -> str:
    """What the SLO measures, when it tells somebody, and how it stands now."""
    return "\n".join([*_about(it), "", *_conditions(it), "", *_now(it)]) + "\n"


def _about(it: Explanation) -> Iterator[str]:
    slo = it.slo
    yield f"{_title(slo, it.group)}: {wording.exact_percent(slo.objective)} good {_window(slo)}"
    yield f"  service {slo.service}" + (f", owner {slo.owner}" if slo.owner else "") + f", written at {slo.source}"
    for what, text in _measured(slo):
        yield f"  {what}: {' '.join(text.split())}"
    yield f"  {missing_in_words(slo)}"


def missing_in_words(slo: SLO) -> str:
    """What no traffic counts as, and who is told when the series are gone."""
    return f"{_NO_TRAFFIC[slo.policy.no_traffic]} {_absent(slo)}"


def _measured(slo: SLO) -> Iterator[tuple[str, str]]:
    """The user's queries, by their part in the indicator."""
    if isinstance(slo.indicator, CompositeIndicator):
        yield "composite", counted_in_words(slo.indicator)
        for part in slo.indicator.parts:
            for what, query in queries_of(part.indicator):
                yield f"{part.name} ({_share_of(part, slo.indicator)}), {what}", query.text
        return
    for what, query in queries_of(slo.indicator):
        yield what, query.text


def _share_of(part: CompositePart, composite: CompositeIndicator) -> str:
    """What a part asks for and how much it weighs, where weights have a say."""
    asked = wording.exact_percent(part.objective)
    return asked if composite.combination is Combination.ANY_BAD_SLICE else f"{asked}, weight {number(part.weight)}"


def _adds_up(slo: SLO) -> bool:
    """Whether a share of errors says little, since it is a mean over parts of unlike weight."""
    indicator = slo.indicator
    return isinstance(indicator, CompositeIndicator) and indicator.combination is Combination.BURN_RATES


def _absent(slo: SLO) -> str:
    policy = slo.policy
    if policy.absent is Absent.IGNORE:
        return "Nobody is told when its series are gone."
    idle = f", unless {policy.up} is 1" if policy.up else ""
    return f"A {policy.absent.value} when its series are gone for {wording.duration(policy.absent_after)}{idle}."


def _conditions(it: Explanation) -> Iterator[str]:
    if not it.conditions:
        yield "It tells nobody: it has no alerts."
        return
    yield "Somebody is told when"
    for condition in it.conditions:
        yield f"  {condition.name:<10}  {needs(condition, it.slo)}"
        if it.measured:
            yield f"  {'':<10}  now: {_standing(condition, it.slo)}"


def needs(condition: Condition, slo: SLO) -> str:
    """What a tier asks for: `a page needs 1.44 % errors over 5 min, and 2 % of the budget gone in 5 min or 1 h`."""
    tier = condition.tier
    share = _percent(condition.error_share)
    if not condition.reachable:
        return f"can never fire: it would need {share} errors over {_length(tier.short)}"
    needed = f"{share} errors"
    if _adds_up(slo):
        needed = f"burn rates that add up to {wording.times(float(condition.limit))}"
    begin = f"a {tier.urgency.value} needs {needed} over {_length(tier.short)}"
    lasting = f", for {_length(tier.hold)}" if tier.hold else ""
    if slo.alerting.method is AlertMethod.BURN_RATE:
        return f"{begin} and over {_length(tier.long)}{lasting}"
    windows = " or ".join(_length(length) for length in tier.spent_within)
    fewest = slo.alerting.fewest_bad_events
    floor = f" (at least {fewest:f} bad events)" if fewest > 0 else ""
    return f"{begin}, and {_percent(tier.budget_share)} of the budget gone in {windows}{floor}{lasting}"


def _standing(condition: Condition, slo: SLO) -> str:
    verdict = {True: "MET", False: "not met", None: "unknown"}[condition.met]
    looked_at: tuple[Window, ...] = (condition.short,)
    parts = [f"{_errors(condition.short, slo)} over {_length(condition.short.length)}"]
    if slo.alerting.method is AlertMethod.BURN_RATE:
        parts.append(f"{_errors(condition.long, slo)} over {_length(condition.long.length)}")
        looked_at = (condition.short, condition.long)
    else:
        parts += [f"{wording.percent(it.spent)} of the budget gone in {_length(it.length)}" for it in condition.within]
        looked_at = (condition.short, *condition.within)
    partly = [it for it in looked_at if it.coverage is not None and it.coverage < 0.99]
    parts += dict.fromkeys(f"only {wording.percent(it.coverage)} of {_length(it.length)} measured" for it in partly)
    return f"{'; '.join(parts)}: {verdict}"


def _errors(window: Window, slo: SLO) -> str:
    if window.burn_rate is None:
        return "no events"
    if _adds_up(slo):
        return f"burn rates of {wording.times(window.burn_rate)} in all"
    return f"{wording.percent(window.burn_rate * float(slo.budget_ratio))} errors ({wording.times(window.burn_rate)})"


def _now(it: Explanation) -> Iterator[str]:
    if not it.measured:
        yield "Prometheus was not asked, or has no series of it: its rules are not loaded, or its queries find nothing."
        return
    yield f"Left: {wording.percent(it.left)} of the budget, from {wording.percent(it.coverage)} of the window measured."
    yield f"Spent in the last hour: {wording.percent(it.spent_1h)}. {_exhaustion(it)}"
    firing = ", ".join(f"{name} ({severity})" for name, severity in it.firing)
    yield f"Firing: {firing}" if firing else "Nothing fires."
    if it.groups:
        yield f"Budget left by {', '.join(it.slo.groups)}, least first:"
        for group, left in it.groups[:_MOST_GROUPS]:
            yield f"  {wording.percent(left):>8}  {_chosen(group)}"
        if len(it.groups) > _MOST_GROUPS:
            yield f"  and {len(it.groups) - _MOST_GROUPS:,} more; choose one with --group"


def _exhaustion(it: Explanation) -> str:
    if it.left is None or it.spent_1h is None:
        return "Whether it lasts is not known."
    if it.left <= 0:
        return "It is spent."
    return "At this rate it lasts." if it.gone_in is None else f"At this rate it is gone in {_length(it.gone_in)}."


def _title(slo: SLO, group: Group) -> str:
    return f"{slo.name} {_chosen(group)}" if group else slo.name


def _chosen(group: Group) -> str:
    return ", ".join(f"{label}={value}" for label, value in group)


def _window(slo: SLO) -> str:
    window = slo.window
    if isinstance(window, CalendarWindow):
        unit = window.unit.value if window.count == 1 else f"{window.count} {window.unit.value}s"
        return f"in each {unit} ({window.time_zone})"
    return f"over {_length(window.length)}"


def _length(length: timedelta) -> str:
    return wording.duration(length)


def _percent(share: Decimal) -> str:
    return wording.percent(float(share))


def as_data(it: Explanation) -> dict[str, object]:
    """For `--json`: lengths in seconds, shares as ratios, None where there is no data."""
    slo = it.slo
    return {
        "slo": slo.name,
        "service": slo.service,
        "source": str(slo.source),
        "objective": number(slo.objective),
        "window": duration(slo.window.length),
        "group": dict(it.group),
        "method": slo.alerting.method.value,
        "queries": [{"part": what, "query": text} for what, text in _measured(slo)],
        "noTraffic": slo.policy.no_traffic.value,
        "absent": slo.policy.absent.value,
        "conditions": [_condition_data(each, slo) for each in it.conditions],
        "measured": it.measured,
        "budgetLeft": it.left,
        "spentLastHour": it.spent_1h,
        "goneInSeconds": None if it.gone_in is None else it.gone_in.total_seconds(),
        "coverage": it.coverage,
        "firing": [{"alert": name, "severity": severity} for name, severity in it.firing],
        "groups": [{"group": dict(group), "budgetLeft": left} for group, left in it.groups],
    }


def _condition_data(it: Condition, slo: SLO) -> dict[str, object]:
    return {
        "tier": it.name,
        "urgency": it.tier.urgency.value,
        "needs": needs(it, slo),
        "burnRate": number(it.limit),
        "errorShare": number(it.error_share),
        "budgetShare": number(it.tier.budget_share),
        "short": _window_data(it.short),
        "long": _window_data(it.long),
        "spentWithin": [_window_data(each) for each in it.within],
        "reachable": it.reachable,
        "met": it.met,
    }


def _window_data(window: Window) -> dict[str, object]:
    return {
        "window": duration(window.length),
        "burnRate": window.burn_rate,
        "spent": window.spent,
        "coverage": window.coverage,
    }
