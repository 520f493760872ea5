"""What an alert must do while a budget burns, minute by minute: the tiers' own definition, over even time.

Nothing here knows how rules are written. `fires` is told for eager and for lazy rules, whose thresholds are a little
lower and higher than asked for; where both agree for a few minutes on end, the answer is clear.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from controlplane.burn_rate import threshold
from controlplane.model.alerting import Alerting, AlertMethod, Tier, Urgency

SLACK: Final = 0.03  # how far a threshold may be off before a judgement becomes unclear
# Rolling values take 5 minutes to follow, rules read each other's last values, and rates see the past only.
EVALUATIONS_BEFORE: Final = 8
EVALUATIONS_AFTER: Final = 3
_MUTED: Final = timedelta(days=1)  # a page mutes tickets for as long
_LEDGER: Final = timedelta(days=1)  # windows from here on are counted every 5 minutes, shorter ones every minute
_MISCOUNTED: Final = 5  # promtool runs all groups at one interval, so counts of the other kind are so far off

_Times = npt.NDArray[np.bool_]
_Amounts = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Phase:
    """So many minutes at a burn rate, with `traffic` times as many events as usual."""

    minutes: int
    rate: float
    traffic: float = 1.0


class Burning:
    """The conditions of tiers in every minute of a course of phases.

    `period` in minutes; `budget_events` is what the budget of a period of usual traffic comes to; `step` is how many
    minutes apart rules are evaluated.
    """

    def __init__(
        self, phases: Sequence[Phase], alerting: Alerting, period: timedelta, *, budget_events: float, step: int
    ) -> None:
        minutes = [phase.minutes for phase in phases]
        traffic = np.repeat([phase.traffic for phase in phases], minutes)
        self._all = _summed(traffic)
        self._bad = _summed(traffic * np.repeat([phase.rate for phase in phases], minutes))
        self._at = np.arange(len(self._all))
        self._alerting = alerting
        self._period = period
        self._floor = float(alerting.fewest_bad_events) * in_minutes(period) / budget_events
        self._one_event = in_minutes(period) / budget_events
        self._step = step

    def clear_moments(self, urgency: Urgency, first: int) -> Iterator[tuple[int, bool]]:
        """Minutes from `first` on at which it is clear whether the alert of this urgency fires."""
        eager, lazy = self._of(urgency, eager=True), self._of(urgency, eager=False)
        last = len(self._at) - 1
        for at in range(first - first % self._step, last + 1, self._step):
            near = slice(max(0, at - EVALUATIONS_BEFORE * self._step), at + 1 + EVALUATIONS_AFTER * self._step)
            if lazy[near].all():
                yield at, True
            elif not eager[near].any():
                yield at, False

    def spent(self, window: timedelta) -> float:
        """The share of the budget that went in the window that ends with the course."""
        mean = self._all[-1] / self._at[-1]
        return float(self._in_last(self._bad, window)[-1] / (in_minutes(self._period) * mean))

    def conditions_meet(self, tier: Tier, *, eager: bool) -> _Times:
        """Whether the tier's condition holds, however long it has."""
        off = -SLACK if eager else SLACK
        limit = float(threshold(tier, self._period)) * (1 + off)
        burns: _Times = self._rate(tier.short) > limit
        if self._alerting.method is AlertMethod.BURN_RATE:
            burns &= self._rate(tier.long) > limit
            return burns
        mean = self._all / np.maximum(self._at, 1)
        floor = self._floor - (self._one_event if eager and self._floor else 0)
        share = np.maximum(float(tier.budget_share) * (1 + off) * in_minutes(self._period) * mean, floor)
        spent = np.zeros(len(self._at), dtype=bool)
        for window in tier.spent_within:
            spent |= self._in_last(self._bad, window) * self._counted(window, eager=eager) > share
        burns &= spent
        return burns

    def _of(self, urgency: Urgency, *, eager: bool) -> _Times:
        tiers = [tier for tier in self._alerting.tiers if tier.urgency is urgency and tier.long <= self._period]
        heard = np.ones(len(self._at), dtype=bool)
        if urgency is Urgency.TICKET and self._alerting.method is AlertMethod.BUDGET:
            heard = ~self._muted(eager=not eager)
        fires = np.zeros(len(self._at), dtype=bool)
        for tier in tiers:
            fires |= self._lasting(heard & self.conditions_meet(tier, eager=eager), tier.hold, eager=eager)
        return fires

    def _lasting(self, holds: _Times, hold: timedelta, *, eager: bool) -> _Times:
        """True once it has been true for as long as it must; a lazy rule sees its begin one evaluation later."""
        if not hold:
            return holds
        length = in_minutes(hold) + (0 if eager else self._step)
        untrue = _summed(~holds)
        lasted: _Times = untrue[1:] == untrue[np.maximum(self._at - length, 0)]
        return lasted & (self._at >= length)

    def _muted(self, *, eager: bool) -> _Times:
        """Whether a page fired in the last day."""
        paged = _summed(self._of(Urgency.PAGE, eager=eager))
        muted: _Times = paged[1:] > paged[np.maximum(self._at - in_minutes(_MUTED), 0)]
        return muted

    def _counted(self, window: timedelta, *, eager: bool) -> float:
        """What counts come to where the interval is not that of the window's rules: too many, or too few."""
        if window >= _LEDGER:
            return _MISCOUNTED if eager and self._step == 1 else 1
        return 1 if eager or self._step == 1 else 1 / _MISCOUNTED

    def _rate(self, window: timedelta) -> _Amounts:
        """The burn rate of what the window holds; 0 without traffic."""
        every = self._in_last(self._all, window)
        return np.divide(self._in_last(self._bad, window), every, out=np.zeros(len(every)), where=every > 0)

    def _in_last(self, amounts: _Amounts, window: timedelta) -> _Amounts:
        return amounts - amounts[np.maximum(self._at - in_minutes(window), 0)]


def in_minutes(length: timedelta) -> int:
    """A length in whole minutes."""
    return length // timedelta(minutes=1)


def _summed(amounts: _Amounts | _Times) -> _Amounts:
    """Sums of all before each moment, from 0 on."""
    return np.concatenate(([0.0], np.cumsum(amounts, dtype=np.float64)))
