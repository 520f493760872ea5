"""What signals would have been with the tiers in force: the other half of the loop that a backtest has to make up.

A tier in force saves money from the moment on which it stands. Signals that look back over a window see it as the
window moves over it, so burn rates fall as slowly as they do in life; what is spent since a budget's window began stays
spent. No signal falls below zero, and no tier saves more than is spent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane.calendar.periods import Period
from controlplane.model.budget import Budget
from controlplane.model.slo import CalendarWindow
from finops.budgets.pacing import window_at
from finops.ladder.model import Ladder, Measure, Signal
from finops.ladder.readings import Reading, Readings

_ZERO: Final = Decimal(0)
NOBODY: Final[Mapping[int, Decimal]] = {}
_HOUR: Final = timedelta(hours=1)
_WINDOWED: Final = frozenset({Measure.BURN_RATE, Measure.UNIT_COST, Measure.SPIKE})
_SUMMED: Final = frozenset({Measure.FORECAST, Measure.SPENT})


class Plant:
    """Savings up to now: `sums[i]` is the money saved before the i-th sample, `every` apart from `start` on.

    `rate` is the money an hour that is saved now.
    """

    def __init__(self, ladder: Ladder, start: datetime, budgets: Mapping[str, Budget]) -> None:
        self.ladder = ladder
        self.start = start
        self.sums: list[Decimal] = [_ZERO]
        self.rate = _ZERO
        self._moved = {signal.name: _how(signal, ladder.every, budgets.get(signal.name)) for signal in ladder.signals}
        watched = {each.signal for tier in ladder.tiers for each in (*tier.enter.comparisons, *tier.exit.comparisons)}
        watched |= {each.signal for each in ladder.emergency.comparisons} if ladder.emergency else set()
        watched |= {ladder.growth.signal} if ladder.growth else set()
        used = [how for name, how in self._moved.items() if name in watched]
        self._longest = max((how.count for how in used), default=0)
        self._sums = [how for how in used if how.budget is not None]
        self._periods: dict[str, Period] = {}

    def advance(self, money: Decimal) -> None:
        """The time up to the next sample has passed, and saved so much."""
        self.sums.append(self.sums[-1] + money)

    def is_still(self) -> bool:
        """Whether no signal is lowered, now or by what was saved before."""
        return not self.rate and self._is_flushed() and not (self.sums[-1] and self._sums)

    def stillness(self, at: datetime) -> tuple[Decimal, ...] | None:
        """By how much signals are lowered, where that stays the same from sample to sample; None where it does not."""
        if self.rate or not self._is_flushed():
            return None
        return tuple(self._already(how, at) for how in self._sums) if self.sums[-1] else ()

    def _is_flushed(self) -> bool:
        """Whether nothing was saved in any window that signals look back over."""
        return self.sums[-1] == self.sums[max(len(self.sums) - 1 - self._longest, 0)]

    def lowered(self, readings: Readings, tier: int, at: datetime, savings: Mapping[int, Decimal]) -> Readings:
        """A sample taken at a moment, as it would have been. What stands longer than it was measured stays as fresh."""
        shift = at - readings.at
        signals = {name: _later(reading, shift) for name, reading in readings.signals.items()}
        if not self.is_still():
            saving = savings.get(tier, _ZERO)
            for signal in self.ladder.signals:
                reading = signals.get(signal.name)
                if reading is not None and reading.value is not None:
                    value, per_hour = self.lower(signal, reading.value, reading.per_hour, at, saving)
                    signals[signal.name] = replace(reading, value=value, per_hour=per_hour)
        brakes = {slo: _later(reading, shift) for slo, reading in readings.brakes.items()} if shift else readings.brakes
        return Readings(at, signals, brakes, savings)

    def lower(
        self, signal: Signal, value: Decimal, per_hour: Decimal | None, at: datetime, saving: Decimal
    ) -> tuple[Decimal, Decimal | None]:
        """What a signal would have been, never higher than it was, and its sensitivity.

        `saving` is that of the tier in force alone: a spike has a floor, so that what it would be without that tier is
        no straight line.
        """
        how = self._moved[signal.name]
        less = self._less(how, per_hour, at)
        if less <= _ZERO:
            return value, per_hour
        lower = max(value - less, _ZERO)
        if not how.is_spike or not per_hour or saving <= _ZERO:
            return lower, per_hour
        floor = how.floor * per_hour
        if lower > floor:
            return lower, per_hour
        without = lower + saving * per_hour  # a ratio × the usual hour is money: below the floor it is no spike
        return _ZERO, without / saving if without > floor else _ZERO

    def _less(self, how: "_How", per_hour: Decimal | None, at: datetime) -> Decimal:
        if how.count:
            saved = self.sums[-1] - self.sums[max(len(self.sums) - 1 - how.count, 0)] if per_hour else _ZERO
            return per_hour * saved / how.hours if per_hour and saved else _ZERO  # the mean of its window
        already = self._already(how, at)
        return already + per_hour * self.rate if per_hour and not how.is_spent else already

    def _already(self, how: "_How", at: datetime) -> Decimal:
        """What was saved since the budget's window began, as a share of its amount."""
        budget = how.budget
        if budget is None or not self.sums[-1]:
            return _ZERO
        place = max((self._began(budget, at) - self.start) // self.ladder.every, 0)
        return (self.sums[-1] - self.sums[min(place, len(self.sums) - 1)]) / budget.amount

    def _began(self, budget: Budget, at: datetime) -> datetime:
        if not isinstance(budget.window, CalendarWindow):
            return at - budget.window.length
        known = self._periods.get(budget.name)
        if known is None or not known[0] <= at < known[1]:
            known = self._periods[budget.name] = window_at(budget.window, at)
        return known[0]


@dataclass(frozen=True, slots=True)
class _How:
    """How saving moves a signal: over a window of `count` samples (0: at once), or as a part of a budget's sum."""

    count: int
    hours: Decimal
    budget: Budget | None
    is_spent: bool
    is_spike: bool
    floor: Decimal


def _how(signal: Signal, every: timedelta, budget: Budget | None) -> _How:
    is_windowed = signal.measure in _WINDOWED
    count = max((signal.window or _HOUR) // every, 1) if is_windowed else 0
    return _How(
        count,
        hours(count * every),
        budget if signal.measure in _SUMMED else None,
        signal.measure is Measure.SPENT,
        signal.measure is Measure.SPIKE,
        signal.floor_per_hour or _ZERO,
    )


def hours(length: timedelta) -> Decimal:
    """A length in hours, exact."""
    return Decimal(length // timedelta(microseconds=1)) / 3_600_000_000


def in_force(
    ladder: Ladder, tier: int, spend_per_hour: Decimal | None, came: Mapping[int, Decimal] = NOBODY
) -> dict[int, Decimal]:
    """What each tier in force saves an hour, from the lowest on, until there is no spend to save.

    As declared; but with less spend left for it than the `came` of when it came, it saves that share of it.
    """
    left = spend_per_hour
    savings: dict[int, Decimal] = {}
    for declared in ladder.tiers[:tier]:
        saving = declared.saving_per_hour
        if left is not None:
            left, then = max(left, _ZERO), came.get(declared.number)
            saving = min(saving, left) if then is None or left >= then else min(saving, then) * left / then
            left -= saving
        savings[declared.number] = saving
    return savings


def left_for(ladder: Ladder, tier: int, spend_per_hour: Decimal, came: Mapping[int, Decimal]) -> Decimal:
    """What is spent an hour with all tiers below this one in force, when it comes."""
    return spend_per_hour - total(in_force(ladder, tier - 1, spend_per_hour, came))


def total(savings: Mapping[int, Decimal] | Sequence[Decimal]) -> Decimal:
    """All of them together."""
    values = savings.values() if isinstance(savings, Mapping) else savings
    return sum(values, _ZERO)


def _later(reading: Reading, shift: timedelta) -> Reading:
    return replace(reading, at=reading.at + shift) if shift and reading.at is not None else reading
