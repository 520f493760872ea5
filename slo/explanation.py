"""Why an SLO tells somebody, or does not: its conditions as error percentages, and each against what is measured.

Figures are read from the series that our rules record; one that is missing stays missing (None), and then it is unknown
whether a condition is met.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from controlplane import conventions as names
from controlplane.burn_rate import Tier, can_fire, duration, seconds, threshold, tier_name, tiers_within
from controlplane.model.alerting import AlertMethod
from controlplane.model.slo import SLO
from controlplane.ports import MetricsBackend
from slo.status import LEDGER_LOOKBACK, quoted

_READ = "slo:(?:burn_rate|bad_events|window_coverage):.+|slo:error_budget(?:_remaining)?:(?:events|ratio)"
_MARGIN = Decimal("0.5")  # as the rules have it: counts come from rates, and are not whole
_HOUR = timedelta(hours=1)
Group = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Window:
    """One window of a condition. `burn_rate`, `spent` (share of the budget) and `coverage` as measured now."""

    length: timedelta
    burn_rate: float | None
    spent: float | None
    coverage: float | None


@dataclass(frozen=True, slots=True)
class Condition:
    """A tier and how it stands. `error_share`: the share of bad events that burns at `limit`; over 1 it can't fire.

    It is met when `short` burns faster than `limit` and (method budget) one of `within` spent more than `share` with
    enough bad events, or (burn rate) `long` burns faster, too. `met` is None when that is not known.
    """

    tier: Tier
    limit: Decimal
    error_share: Decimal
    short: Window
    long: Window
    within: tuple[Window, ...]
    burning: bool | None
    met: bool | None
    reachable: bool

    @property
    def name(self) -> str:
        """Such as `page-1h`."""
        return tier_name(self.tier)


@dataclass(frozen=True, slots=True)
class Explanation:
    """An SLO, one of its groups perhaps, and what is measured; `firing` are alerts (name, severity).

    `left`: 1 untouched, 0 spent; `spent_1h`: share of the budget; `coverage`: share of the window that was measured.
    `gone_in` is None when it does not run out. `groups` are other values and what is left of theirs, least first.
    """

    slo: SLO
    group: Group
    conditions: tuple[Condition, ...]
    measured: bool
    left: float | None = None
    spent_1h: float | None = None
    coverage: float | None = None
    gone_in: timedelta | None = None
    firing: tuple[tuple[str, str], ...] = ()
    groups: tuple[tuple[Group, float], ...] = ()


def explained(
    slo: SLO,
    figures: Mapping[str, float],
    *,
    group: Group = (),
    firing: Sequence[tuple[str, str]] = (),
    groups: Sequence[tuple[Group, float]] = (),
) -> Explanation:
    """An SLO against its figures by series name; without any it says only what it asks for."""
    tiers = tiers_within(slo.window.length, slo.alerting.tiers)
    budget = figures.get(names.BUDGET_EVENTS)
    hour = [count for window in ("5m", "1h") if (count := figures.get(names.bad_events(window))) is not None]
    left, spent = figures.get(names.BUDGET_REMAINING), max(hour) / budget if hour and budget else None
    return Explanation(
        slo,
        group,
        tuple(_condition(tier, slo, figures) for tier in tiers),
        measured=bool(figures),
        left=left,
        spent_1h=spent,
        coverage=figures.get(names.WINDOW_COVERAGE),
        gone_in=_gone_in(slo, left, spent),
        firing=tuple(firing),
        groups=tuple(groups),
    )


def fetch_figures(metrics: MetricsBackend, slo: SLO, group: Group, now: datetime) -> dict[str, float]:
    """The latest value of every series that alerts look at, by name; of replicas the greater."""
    selector = f"{{__name__=~{quoted(_READ)},{_matchers(slo, group)}}}"
    found: dict[str, float] = {}
    for sample in metrics.query(f"last_over_time({selector}[{LEDGER_LOOKBACK}])", now):
        name = sample.labels.get("__name__", "")
        found[name] = max(sample.value, found.get(name, sample.value))
    return found


def fetch_firing(metrics: MetricsBackend, slo: SLO, group: Group, now: datetime) -> tuple[tuple[str, str], ...]:
    """Names and severities of the alerts that fire."""
    samples = metrics.query(f'ALERTS{{{_matchers(slo, group)},alertstate="firing"}}', now)
    return tuple(sorted({(it.labels.get("alertname", ""), it.labels.get(names.SEVERITY, "")) for it in samples}))


def fetch_groups(metrics: MetricsBackend, slo: SLO, now: datetime) -> tuple[tuple[Group, float], ...]:
    """What is left of the budget of every combination of the grouping labels, least first."""
    remaining = f"last_over_time({names.BUDGET_REMAINING}{{{_matchers(slo, ())}}}[{LEDGER_LOOKBACK}])"
    found: dict[Group, float] = {}
    for sample in metrics.query(remaining, now):
        group = tuple((label, sample.labels.get(label, "")) for label in slo.groups)
        found[group] = min(sample.value, found.get(group, sample.value))
    return tuple(sorted(found.items(), key=lambda pair: (pair[1], pair[0])))


def _matchers(slo: SLO, group: Group) -> str:
    return ",".join(f"{label}={quoted(value)}" for label, value in ((names.SLO, slo.name), *group))


def _condition(tier: Tier, slo: SLO, figures: Mapping[str, float]) -> Condition:
    limit = threshold(tier, slo.window.length)
    short, long = (_window(length, figures) for length in (tier.short, tier.long))
    within = tuple(_window(length, figures) for length in tier.spent_within)
    burning = None if short.burn_rate is None else short.burn_rate > float(limit)
    return Condition(
        tier,
        limit,
        limit * slo.budget_ratio,
        short,
        long,
        within,
        burning,
        _is_met(slo, tier, figures, burning),
        can_fire(tier, slo.window.length, slo.budget_ratio),
    )


def _is_met(slo: SLO, tier: Tier, figures: Mapping[str, float], burning: bool | None) -> bool | None:
    if burning is not True:
        return burning
    if slo.alerting.method is AlertMethod.BURN_RATE:
        rate = figures.get(names.burn_rate(duration(tier.long)))
        return None if rate is None else rate > float(threshold(tier, slo.window.length))
    budget = figures.get(names.BUDGET_EVENTS)
    counts = [figures.get(names.bad_events(duration(length))) for length in tier.spent_within]
    if budget is None or None in counts:
        return None
    enough = max(float(tier.budget_share) * budget, float(slo.alerting.fewest_bad_events - _MARGIN))
    return any(count is not None and count > enough for count in counts)


def _window(length: timedelta, figures: Mapping[str, float]) -> Window:
    name = duration(length)
    bad, budget = figures.get(names.bad_events(name)), figures.get(names.BUDGET_EVENTS)
    return Window(
        length,
        figures.get(names.burn_rate(name)),
        bad / budget if bad is not None and budget else None,
        figures.get(names.window_coverage(name)),
    )


def _gone_in(slo: SLO, left: float | None, spent: float | None) -> timedelta | None:
    """When the budget is gone if as much goes in each hour to come; None where what leaves the window makes up for it.

    Zero when it is spent.
    """
    if left is None or spent is None:
        return None
    if left <= 0:
        return timedelta(0)
    if spent <= float(seconds(_HOUR) / seconds(slo.window.length)):
        return None
    return min(left / spent, 24 * 3650) * _HOUR
