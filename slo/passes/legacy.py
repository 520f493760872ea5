"""The series that Sloth or Pyrra would record, from ours, so that dashboards made for them live on.

Sources: github.com/slok/sloth, pkg/common/conventions and the core plugins; github.com/pyrra-dev/pyrra, slo/rules.go
(GenericRules, Burnrates, IncreaseRules). Their labels stand in the SLO's `LegacyNames`. What they scan raw series for,
over up to the whole window, is here one product or quotient of a recorded series.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import duration, number, seconds
from controlplane.model.alerting import STANDARD_TIERS, Urgency
from controlplane.model.rule import Labels, RecordingRule, Rule
from controlplane.model.slo import SLO, CompositeIndicator, Dialect, LegacyNames
from slo.convert.burn_rate import pyrra_tiers
from slo.indicators.indicator import queries_of
from slo.passes.subject import Subject
from slo.promql.promql_text import Selector
from slo.promql.value_query import value_query

_LATE: Final = "15m"  # written every 5 minutes and read every minute
_STANDARD_WINDOWS: Final = tuple(sorted({length for tier in STANDARD_TIERS for length in (tier.short, tier.long)}))
_FIVE_MINUTES: Final = timedelta(minutes=5)
_ENDINGS: Final = ("_total", "_count", "_bucket")


def legacy_windows(slo: SLO) -> frozenset[timedelta]:
    """The windows whose error ratios the other tool records, besides the whole period; none when nobody asks."""
    legacy = slo.legacy_names
    if legacy is None or not legacy.recorded:
        return frozenset()
    tiers = pyrra_tiers(slo.window.length) if legacy.dialect is Dialect.PYRRA else slo.alerting.tiers
    own = {length for tier in tiers for length in (tier.short, tier.long)}
    windows = own if legacy.dialect is Dialect.PYRRA else {*own, *_STANDARD_WINDOWS}
    return frozenset(length for length in windows if length < slo.window.length)


def records(subject: Subject) -> Iterator[Rule]:
    """Every series of the other tool's."""
    if subject.shared or subject.only.legacy_names is None or not subject.only.legacy_names.recorded:
        return
    legacy = subject.only.legacy_names
    yield from _sloth(subject, legacy) if legacy.dialect is Dialect.SLOTH else _pyrra(subject, legacy)


def alert_labels(slo: SLO, urgency: Urgency) -> Labels:
    """The labels by which dashboards of Sloth's find its alerts."""
    legacy = slo.legacy_names
    if legacy is None or not legacy.recorded or legacy.dialect is not Dialect.SLOTH:
        return ()
    return (*legacy.labels, ("sloth_severity", urgency.value))


def _sloth(subject: Subject, legacy: LegacyNames) -> Iterator[Rule]:
    slo, labels = subject.only, legacy.labels
    budget = number(slo.budget_ratio)
    for length in (*sorted(legacy_windows(slo)), slo.window.length):
        window = subject.period_name if length == slo.window.length else duration(length)
        expr = f"{_bare(subject, _burning(subject, length))} * {budget}"
        yield RecordingRule(f"slo:sli_error:ratio_rate{window}", expr, (*labels, ("sloth_window", window)))
    days = number(seconds(slo.window.length) / 86_400)
    per_cent = number(slo.objective * 100)
    described = {"sloth_objective": per_cent, "sloth_mode": "flyball", "sloth_spec": "prometheus/v1"}
    remaining = f"last_over_time({subject.derived(names.BUDGET_REMAINING)}[{_LATE}])"
    for name, expr, more in (
        ("slo:objective:ratio", f"vector({number(slo.objective)})", {}),
        ("slo:error_budget:ratio", f"vector({budget})", {}),
        ("slo:time_period:days", f"vector({days})", {}),
        ("slo:current_burn_rate:ratio", _bare(subject, _burning(subject, _FIVE_MINUTES)), {}),
        ("slo:period_burn_rate:ratio", _bare(subject, _burning(subject, slo.window.length)), {}),
        ("slo:period_error_budget_remaining:ratio", _bare(subject, remaining), {}),
        ("sloth_slo_info", "vector(1)", described),
    ):
        yield RecordingRule(name, expr, (*labels, *more.items()))


def _pyrra(subject: Subject, legacy: LegacyNames) -> Iterator[Rule]:
    slo, labels = subject.only, legacy.labels
    every, bad = (f"last_over_time({subject.total(event)}[{_LATE}])" for event in (names.EVENT_ALL, names.EVENT_BAD))
    rolling = {event: subject.rolling(event) for event in (names.EVENT_ALL, names.EVENT_BAD)}
    per_second = f"/ {_FIVE_MINUTES // timedelta(seconds=1)}"
    for name, expr in (
        ("pyrra_objective", f"vector({number(slo.objective)})"),
        ("pyrra_window", f"vector({number(seconds(slo.window.length))})"),
        ("pyrra_availability", _bare(subject, f"1 - {bad} / ignoring ({names.EVENT}) ({every} > 0)")),
        ("pyrra_requests:rate5m", f"{_bare(subject, rolling[names.EVENT_ALL])} {per_second}"),
        ("pyrra_errors:rate5m", f"{_bare(subject, rolling[names.EVENT_BAD])} {per_second}"),
    ):
        yield RecordingRule(name, expr, labels)
    for selector in _counted(slo)[:1]:
        metric = _without_ending(selector.name)
        matched = {each.label: each.value for each in selector.matchers if each.operator == "="}
        own = tuple((dict(labels) | {key: value for key, value in matched.items() if key not in slo.groups}).items())
        increase = f"{metric}:increase{go_duration(slo.window.length)}"
        yield RecordingRule(increase, _bare(subject, every), own)
        for length in sorted(legacy_windows(slo)):
            expr = f"{_bare(subject, _burning(subject, length))} * {number(slo.budget_ratio)}"
            yield RecordingRule(f"{metric}:burnrate{go_duration(length)}", expr, own)


def _burning(subject: Subject, length: timedelta) -> str:
    if length == subject.only.window.length:
        return f"last_over_time({subject.derived(names.burn_rate(subject.period_name))}[{_LATE}])"
    return subject.derived(names.burn_rate(duration(length)))


def _bare(subject: Subject, expr: str) -> str:
    """Without our own labels; groups keep theirs."""
    by = f" by ({', '.join(subject.only.groups)})" if subject.only.groups else ""
    return f"sum{by} ({expr})"


def _counted(slo: SLO) -> tuple[Selector, ...]:
    """The selectors of the metric that counts all events."""
    if isinstance(slo.indicator, CompositeIndicator):
        return ()
    return value_query(queries_of(slo.indicator)[-1][1].text).selectors


def _without_ending(metric: str) -> str:
    for ending in _ENDINGS:
        metric = metric.removesuffix(ending)
    return metric


def go_duration(length: timedelta) -> str:
    """A length as Go programs of Prometheus's print it: weeks and years only where they fit, `1d12h` else."""
    total = length // timedelta(seconds=1)
    text = ""
    for unit, size, exact in (("y", 31_536_000, True), ("w", 604_800, True), ("d", 86_400, False), ("h", 3_600, False),
                              ("m", 60, False), ("s", 1, False)):  # fmt: skip
        if exact and total % size:
            continue
        count, total = divmod(total, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"
