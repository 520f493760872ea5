"""The compiled alerts' conditions in numpy, minute by minute: what `slo.passes.alerts` writes, of any tiers.

benchmarks/rules.py compares this model with a Prometheus that evaluates the compiled rules themselves.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np

from controlplane.burn_rate import LEDGER_SUMS_FROM, Tier, Urgency, threshold, tiers_within
from controlplane.model.alerting import AlertMethod
from controlplane.model.slo import SLO
from slo.replay.budget import BudgetCourse, budget_course, each_minute
from slo.replay.history import MINUTE, TILE, EventHistory
from slo.replay.periods import Periods
from slo.replay.sliding import ROLLING_MINUTES, Flags, Floats, last, lately, ratio, throughout

# Counts come from rates, so they are not whole: the rules leave half an event of margin.
MARGIN_EVENTS: Final = 0.5
_EDGE: Final = 0.4  # of a rolling value, as there
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
    """All tiers of an SLO, and the two alerts that they make; `muted` is where a page kept a ticket quiet."""

    tiers: tuple[TierState, ...]
    page: Flags
    ticket: Flags
    muted: Flags
    budget: BudgetCourse


def alert_states(slo: SLO, history: EventHistory, periods: Periods | None = None) -> AlertStates:
    """When the alerts of `slo` would have fired. `periods` as in `budget_course`.

    Missing data fires nothing: a rate without traffic is absent, and what is absent is not over a limit. Tickets by
    budget are muted for a day by a page in the rules; those by burn rate by Alertmanager, while the page fires.
    """
    course = budget_course(slo, history, periods)
    measured = _Measured(slo, history, course)
    states = tuple(measured.state(tier) for tier in tiers_within(slo.window.length, slo.alerting.tiers))
    page = _any(states, Urgency.PAGE, history.span.minutes)
    wanted = _any(states, Urgency.TICKET, history.span.minutes)
    muting = page if slo.alerting.method is AlertMethod.BURN_RATE else _held(lately(page, _MUTED_MINUTES))
    return AlertStates(states, page, wanted & ~muting, wanted & muting, course)


class _Measured:
    """Burn rates and bad events of one SLO by window, each computed once (`slo.passes.windows`)."""

    def __init__(self, slo: SLO, history: EventHistory, course: BudgetCourse) -> None:
        self._slo = slo
        self._by_rates = slo.alerting.method is AlertMethod.BURN_RATE
        self._history = history
        self._minutes = history.span.minutes
        self._allowed = each_minute(course.allowed, self._minutes)
        self._ledger_every, self._ledger_bad = history.ledger
        self._burns: dict[timedelta, Floats] = {}

    def state(self, tier: Tier) -> TierState:
        limit = float(threshold(tier, self._slo.window.length))
        short = self._burn(tier.short)
        firing, spent = np.zeros(self._minutes, dtype=bool), np.zeros(self._minutes)
        fewest = max(float(self._slo.alerting.fewest_bad_events) - MARGIN_EVENTS, 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            for window in tier.spent_within:
                bad = self._bad_events(window)
                spent = np.fmax(spent, bad / self._allowed)
                firing |= bad > np.maximum(float(tier.budget_share) * self._allowed, fewest)
            if self._by_rates:
                firing = self._burn(tier.long) > limit
            firing &= short > limit
        return TierState(tier, self._after_hold(tier, firing), short, spent)

    def _after_hold(self, tier: Tier, firing: Flags) -> Flags:
        """As the alert's group sees it: tickets by budget every five minutes; and only after the tier's hold."""
        step = TILE if tier.urgency is Urgency.TICKET and not self._by_rates else 1
        seen = firing[::step]
        seen = throughout(seen, tier.hold // (step * MINUTE) + 1) if tier.hold else seen
        return np.repeat(seen, step)[: self._minutes]

    def _bad_events(self, window: timedelta) -> Floats:
        """Bad events of a window, by minute."""
        if window >= LEDGER_SUMS_FROM:
            return each_minute(last(self._ledger_bad, window // (TILE * MINUTE)), self._minutes)
        return self._history.events_of(window // MINUTE, bad=True)

    def _burn(self, window: timedelta) -> Floats:
        if window not in self._burns:
            bad, every = self._events(window)
            self._burns[window] = ratio(bad, every) / float(self._slo.budget_ratio)
        return self._burns[window]

    def _events(self, window: timedelta) -> tuple[Floats, Floats]:
        """What a burn rate divides: bad and all events of a window."""
        bad, every = (self._history.events_of(window // MINUTE, bad=bad) for bad in (True, False))
        if window >= LEDGER_SUMS_FROM:
            bad = _ledger_up_to_now(self._ledger_bad, self._history.bad, window)
            every = _ledger_up_to_now(self._ledger_every, self._history.every, window)
        elif self._by_rates and window > ROLLING_MINUTES * MINUTE:
            bad = _up_to_now(bad, self._history.bad, window)
            every = _up_to_now(every, self._history.every, window)
        return bad, every


def _up_to_now(summed: Floats, rolling: Floats, window: timedelta) -> Floats:
    """A sum of rolling values with its edges mended, and never less than the latest of them."""
    mended = summed + _EDGE * _change(rolling, window)
    return np.where(np.isnan(rolling), np.nan, np.fmax(mended, rolling))


def _ledger_up_to_now(ledger: Floats, rolling: Floats, window: timedelta) -> Floats:
    """A sum of the ledger with its edges mended, and with what came since its latest entry."""
    summed = each_minute(last(ledger, window // (TILE * MINUTE)), len(rolling))
    age = np.arange(len(rolling)) % TILE / TILE
    return np.asarray(summed + (_EDGE + age) * _change(rolling, window))


def _change(rolling: Floats, window: timedelta) -> Floats:
    """The latest entry less the one before the window, which counts as none where it is missing."""
    length = window // MINUTE
    before = np.concatenate([np.zeros(min(length, len(rolling))), rolling[:-length]])
    return np.asarray(rolling - np.nan_to_num(before))


def _any(states: tuple[TierState, ...], urgency: Urgency, minutes: int) -> Flags:
    firing = np.zeros(minutes, dtype=bool)
    for state in states:
        if state.tier.urgency is urgency:
            firing |= state.firing
    return firing


def _held(flags: Flags) -> Flags:
    """As rules that run every five minutes see it."""
    return np.repeat(flags[::TILE], TILE)[: len(flags)]
