"""History out of spend: what the rules of budgets would have recorded of it, and so what signals would have said.

Bills, and ledgers from before a budget was declared, know money by time and no more. Burn rates, spikes and what was
spent follow from it as they do in `finops.budgets`; forecasts are made by the project's own forecaster, as seldom as
one may be old. Error budgets, quotas and users' own queries do not follow: `without` takes them out of a ladder.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Final

from controlplane.burn_rate import LEDGER_INTERVAL
from controlplane.model.budget import Budget
from controlplane.model.slo import CalendarWindow
from finops.budgets.alerts import FORECAST_FRESH_FOR
from finops.budgets.pacing import window_at
from finops.budgets.replaying import Past
from finops.forecast.forecasting import forecast
from finops.forecast.model import DailySpend, Forecast
from finops.forecast.windows import window_of, zone_of
from finops.ladder.model import Condition, Ladder, Measure, Signal
from finops.ladder.readings import Quality, Reading
from finops.ladder.simulation.plant import hours
from finops.ladder.simulation.spend_entries import Entries

_ZERO: Final = Decimal(0)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_ENTRIES_A_DAY: Final = _DAY // LEDGER_INTERVAL
KNOWN: Final = frozenset({Measure.BURN_RATE, Measure.FORECAST, Measure.SPENT, Measure.SPIKE, Measure.UNIT_COST})
"""What follows from money and units."""


def follows(signal: Signal) -> bool:
    """Whether it follows from them: not what a detector found at the time."""
    return signal.measure in KNOWN and not signal.detectors


@dataclass(frozen=True, slots=True)
class UnitCourse:
    """A unit cost: its money and units by entries, and what `per` units may cost."""

    spend: Entries
    units: Entries
    per: Decimal
    target: Decimal


class BudgetCourse:
    """One budget over the time of its entries."""

    def __init__(self, budget: Budget, entries: Entries, end: datetime) -> None:
        self.budget = budget
        self._entries = entries
        self._past = Past(budget, entries, min(entries, default=end), end)
        self._forecasts: dict[datetime, Decimal | None] = {}
        self._days = _days(budget, entries)

    def reading(self, signal: Signal, at: datetime) -> Reading:
        """What a signal about it says at a moment that ends an entry."""
        if self._past.silence(at) or at not in self._entries:
            return Reading(Quality.MISSING, reason=f"what {self.budget.name} spent is not known")
        return {
            Measure.BURN_RATE: self._burn,
            Measure.FORECAST: self._forecast,
            Measure.SPENT: self._spent,
            Measure.SPIKE: self._spike,
        }[signal.measure](signal, at)

    def _burn(self, signal: Signal, at: datetime) -> Reading:
        window = signal.window or _HOUR
        expected = self._past.expected_in(window, at)
        value = max(self._past.spent_in(window, at), _ZERO) / expected
        return Reading(Quality.GOOD, value, None, hours(window) / expected)

    def _spent(self, signal: Signal, at: datetime) -> Reading:
        budget = self.budget
        rolling = not isinstance(budget.window, CalendarWindow)
        per_hour = hours(budget.window.length) / budget.amount if rolling else None
        return Reading(Quality.GOOD, max(self._past.spent(at) / budget.amount, _ZERO), None, per_hour)

    def _spike(self, signal: Signal, at: datetime) -> Reading:
        usual, floor = self._past.usual_hour(at), signal.floor_per_hour or _ZERO
        spend = max(self._past.spent_in(_HOUR, at), _ZERO)
        usual = usual if usual > 0 else floor
        if spend <= floor or usual <= 0:
            return Reading(Quality.GOOD, _ZERO, None, _ZERO)
        return Reading(Quality.GOOD, spend / usual, None, 1 / usual)

    def _forecast(self, signal: Signal, at: datetime) -> Reading:
        budget = self.budget
        began, ends = window_at(budget.window, at - LEDGER_INTERVAL)
        ahead = ends - at if isinstance(budget.window, CalendarWindow) else budget.window.length
        made_at = began + (at - began) // FORECAST_FRESH_FOR * FORECAST_FRESH_FOR
        if not isinstance(budget.window, CalendarWindow):
            made_at = at.replace(hour=at.hour - at.hour % 6, minute=0)
        if made_at not in self._forecasts:
            self._forecasts[made_at] = self._made(made_at)
        made = self._forecasts[made_at]
        value = self._past.straight(at) if made is None else made / budget.amount
        if value is None:
            return Reading(Quality.MISSING, reason=f"too little of the window of {budget.name} is known to forecast it")
        return Reading(Quality.GOOD, max(value, _ZERO), None, hours(max(ahead, timedelta(0))) / budget.amount)

    def _made(self, at: datetime) -> Decimal | None:
        """What a forecast said that was made at a moment; None when there was none."""
        today = at.astimezone(zone_of(self.budget)).date()
        known = [DailySpend(day, amount, covered) for day, (amount, covered) in self._days.items() if day < today]
        found = forecast(known, window_of(self.budget, at), self.budget.pace)
        return found.middle if isinstance(found, Forecast) else None


def _days(budget: Budget, entries: Entries) -> dict[date, tuple[Decimal, Decimal]]:
    """What each day cost, and how much of it is known."""
    zone = zone_of(budget)
    sums: dict[date, Decimal] = {}
    counts: dict[date, int] = {}
    for at, money in entries.items():
        day = (at - LEDGER_INTERVAL).astimezone(zone).date()
        sums[day] = sums.get(day, _ZERO) + money
        counts[day] = counts.get(day, 0) + 1
    return {day: (sums[day], min(Decimal(counts[day]) / _ENTRIES_A_DAY, Decimal(1))) for day in sorted(sums)}


class UnitCostCourse:
    """One unit cost over time."""

    def __init__(self, name: str, course: UnitCourse, end: datetime) -> None:
        self._name = name
        self._target, self._per = course.target, course.per
        self._first = min((*course.spend, end))
        count = max((end - self._first) // LEDGER_INTERVAL + 1, 0)
        at = [self._first + place * LEDGER_INTERVAL for place in range(count)]
        paired = [(course.spend.get(moment), course.units.get(moment)) for moment in at]
        money = (_ZERO if cost is None or units is None else cost for cost, units in paired)
        self._money = (_ZERO, *accumulate(money))
        self._units = (_ZERO, *accumulate(_ZERO if cost is None or units is None else units for cost, units in paired))
        self._known = [cost is not None and units is not None for cost, units in paired]

    def reading(self, signal: Signal, at: datetime) -> Reading:
        """Money ÷ units × per ÷ target over the signal's window, of time in which both are known."""
        place = (at - self._first) // LEDGER_INTERVAL + 1
        window = signal.window or _HOUR
        before = max(place - window // LEDGER_INTERVAL, 0)
        if not 0 < place < len(self._money) or not self._known[place - 1]:
            return Reading(Quality.MISSING, reason=f"money or units of {self._name} are not known")
        money, units = self._money[place] - self._money[before], self._units[place] - self._units[before]
        if units <= 0:
            return Reading(Quality.MISSING, reason=f"there are no units of {self._name}")
        value = max(money, _ZERO) / units * self._per / self._target
        return Reading(Quality.GOOD, value, None, hours(window) * value / money if money > 0 else None)


@dataclass(frozen=True, slots=True)
class Courses:
    """Everything that readings are computed from, by the name of the budget or unit cost."""

    budgets: Mapping[str, BudgetCourse] = field(default_factory=dict)
    unit_costs: Mapping[str, UnitCostCourse] = field(default_factory=dict)

    def reading(self, signal: Signal, at: datetime) -> Reading:
        """What a signal says at a moment that ends an entry."""
        known = self.unit_costs if signal.measure is Measure.UNIT_COST else self.budgets
        course = known.get(signal.subject) if follows(signal) else None
        if course is None:
            return Reading(Quality.MISSING, reason=f"nothing is known of {signal.subject or 'its query'}")
        return course.reading(signal, at)


def without(ladder: Ladder, unknown: Collection[str]) -> tuple[Ladder, tuple[str, ...]]:
    """A ladder that looks at no signal that nobody can tell, and at no error budget; and what is left out, in words.

    A condition loses its comparisons with them; one that would lose all of them stays as it is, and never holds.
    """
    tiers = tuple(
        replace(tier, enter=_without(tier.enter, unknown), exit=_without(tier.exit, unknown)) for tier in ladder.tiers
    )
    emergency, growth = ladder.emergency, ladder.growth
    if emergency is not None:
        kept = tuple(each for each in emergency.comparisons if each.signal not in unknown)
        emergency = replace(emergency, comparisons=kept)
    if growth is not None and growth.signal in unknown:
        growth = None
    changed = replace(ladder, tiers=tiers, emergency=emergency, growth=growth, brakes=())
    return changed, tuple(_left_out(ladder, unknown))


def _without(condition: Condition, unknown: Collection[str]) -> Condition:
    kept = tuple(each for each in condition.comparisons if each.signal not in unknown)
    return replace(condition, comparisons=kept) if kept else condition


def _left_out(ladder: Ladder, unknown: Collection[str]) -> Iterator[str]:
    if unknown:
        yield f"{', '.join(sorted(unknown))}: not known from this history; conditions are judged without."
    if ladder.brakes:
        slos: Sequence[str] = sorted({brake.slo for brake in ladder.brakes})
        yield f"Brakes are left out: the error budgets of {', '.join(slos)} are not known from this history."
