"""The compiled alerts' conditions in numpy, minute by minute: what `slo.passes.alerts` writes, of any tiers.

benchmarks/rules.py compares this model with a Prometheus that evaluates the compiled rules themselves.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np

from controlplane.burn_rate import Tier, Urgency, threshold, tiers_within
from controlplane.model.alerting import AlertMethod
from controlplane.model.slo import SLO
from slo.replay.budget import BudgetCourse, budget_course, each_minute
from slo.replay.history import MINUTE, TILE, EventHistory
from slo.replay.sliding import ROLLING_MINUTES, Flags, Floats, Whole, last, lately, ratio, throughout

# Counts come from rates, so they are not whole: the rules leave half an event of margin.
MARGIN_EVENTS: Final = 0.5
_LEDGER_SUMS_FROM: Final = timedelta(days=1)  # slo.passes.events: shorter sums come from the rolling pair
_MUTED_MINUTES: Final = 1440  # a page mutes the tickets of its SLO for a day


@dataclass(frozen=True, slots=True)
class TierState:
    """One tier over time: whether it is over its limits, its burn rate, and what was spent as a share of the budget.

    `spent` is the largest of the tier's windows. All are by minute; tickets change every fifth only.
    """

    tier: Tier
    firing: Flags
    burn_rate: Floats
    spent: Floats


@dataclass(frozen=True, slots=True)
class AlertStates:
    """All tiers of an SLO, and the two alerts that they make; `ticket` is muted where a page was sent."""

    tiers: tuple[TierState, ...]
    page: Flags
    ticket: Flags
    muted: Flags
    budget: BudgetCourse


def alert_states(slo: SLO, history: EventHistory, starts: Whole | None = None) -> AlertStates:
    """When the alerts of `slo` would have fired. `starts` as in `budget_course`.

    Missing data fires nothing: a rate without traffic is absent, and what is absent is not over a limit.
    """
    course = budget_course(slo, history, starts)
    measured = _Measured(slo, history, course)
    states = tuple(measured.state(tier) for tier in tiers_within(slo.window.length, slo.alerting.tiers))
    page = _any(states, Urgency.PAGE, history.span.minutes)
    wanted = _any(states, Urgency.TICKET, history.span.minutes)
    muting = _held(lately(page, _MUTED_MINUTES))
    return AlertStates(states, page, wanted & ~muting, wanted & muting, course)


class _Measured:
    """Burn rates and spent shares of one SLO by window, each computed once."""

    def __init__(self, slo: SLO, history: EventHistory, course: BudgetCourse) -> None:
        self._slo = slo
        self._history = history
        self._minutes = history.span.minutes
        self._allowed = each_minute(course.allowed, self._minutes)
        self._ledger_every, self._ledger_bad = history.ledger()
        self._burns: dict[timedelta, Floats] = {}

    def state(self, tier: Tier) -> TierState:
        limit = float(threshold(tier, self._slo.window.length))
        short = self._burn(tier.short)
        firing, spent = np.zeros(self._minutes, dtype=bool), np.zeros(self._minutes)
        with np.errstate(invalid="ignore", divide="ignore"):
            fast = short > limit
            for window in tier.spent_within:
                bad = self._bad(window)
                spent = np.fmax(spent, bad / self._allowed)
                if self._slo.alerting.method is AlertMethod.BUDGET:
                    fewest = float(self._slo.alerting.fewest_bad_events) - MARGIN_EVENTS
                    firing |= fast & (bad > np.maximum(float(tier.budget_share) * self._allowed, fewest))
            if self._slo.alerting.method is AlertMethod.BURN_RATE:
                firing = fast & (self._burn(tier.long) > limit)
        return TierState(tier, self._after_hold(tier, firing), short, spent)

    def _after_hold(self, tier: Tier, firing: Flags) -> Flags:
        """As the alert's group sees it: tickets every five minutes, and only after the tier's hold."""
        step = TILE if tier.urgency is Urgency.TICKET else 1
        seen = firing[::step]
        seen = throughout(seen, tier.hold // (step * MINUTE) + 1) if tier.hold else seen
        return np.repeat(seen, step)[: self._minutes]

    def _bad(self, window: timedelta) -> Floats:
        """Bad events of a window, by minute."""
        if window >= _LEDGER_SUMS_FROM:
            return each_minute(last(self._ledger_bad, window // (TILE * MINUTE)), self._minutes)
        return _of_rolling(self._history.bad, window)

    def _burn(self, window: timedelta) -> Floats:
        if window not in self._burns:
            self._burns[window] = self._error_ratio(window) / float(self._slo.budget_ratio)
        return self._burns[window]

    def _error_ratio(self, window: timedelta) -> Floats:
        if window >= _LEDGER_SUMS_FROM:
            entries = window // (TILE * MINUTE)
            return each_minute(ratio(last(self._ledger_bad, entries), last(self._ledger_every, entries)), self._minutes)
        return ratio(_of_rolling(self._history.bad, window), _of_rolling(self._history.every, window))


def _of_rolling(rolling: Floats, window: timedelta) -> Floats:
    """Events of a window from the rolling series: its latest entry, or the mean of overlapping ones."""
    length = window // MINUTE
    return rolling if length <= ROLLING_MINUTES else last(rolling, length) / ROLLING_MINUTES


def _any(states: tuple[TierState, ...], urgency: Urgency, minutes: int) -> Flags:
    firing = np.zeros(minutes, dtype=bool)
    for state in states:
        if state.tier.urgency is urgency:
            firing |= state.firing
    return firing


def _held(flags: Flags) -> Flags:
    """As rules that run every five minutes see it."""
    return np.repeat(flags[::TILE], TILE)[: len(flags)]
