"""What the alerts of a budget would have said about spend that is past: the rules of `finops.budgets.rules`, replayed.

Pure, on 5-minute entries in exact decimals. What the rules see every minute is seen every 5 minutes here, so pages come
up to 5 minutes later than they would have. Past forecasts are not known: straight pacing stands in for them, as it
does in the rules, so both sides of a comparison are judged alike.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import LEDGER_INTERVAL, threshold, tiers_within
from controlplane.calendar.periods import Period, period_at
from controlplane.model.alerting import Tier, Urgency
from controlplane.model.budget import Budget
from controlplane.model.slo import CalendarWindow
from finops.budgets.alerts import STRAIGHT_COVERAGE, STRAIGHT_FROM
from finops.budgets.pacing import least_expected, share_between

_ZERO: Final = Decimal(0)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_MUTED_BY_PAGE: Final = _DAY
_WEEKS: Final = tuple(timedelta(weeks=count) for count in (1, 2, 3, 4))
_DAYS: Final = tuple(timedelta(days=count) for count in (1, 2, 3))
_HOURLY: Final = _HOUR // LEDGER_INTERVAL


@dataclass(frozen=True, slots=True)
class Fired:
    """An alert that would have fired at `start`; `end` is None while it still fires when the replay ends.

    `threshold` is the share of the amount, of alerts about one.
    """

    alert: str
    severity: str
    start: datetime
    end: datetime | None
    threshold: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Replay:
    """Alerts in the order in which they came, and the money that the window had spent when the replay ended.

    `missing` is the time for which no spend is known.
    """

    fired: tuple[Fired, ...]
    spent: Decimal
    missing: timedelta


Alert = tuple[str, str, Decimal | None]  # name, severity, share of the amount


def replay(budget: Budget, spend: Mapping[datetime, Decimal], start: datetime, end: datetime) -> Replay:
    """Replay `start` … `end` (aware UTC, whole 5 minutes) of what the budget's scope and currency spent.

    `spend` holds the money of each 5 minutes by their end; what is absent is missing. Entries before `start` serve as
    history for long windows and usual hours.
    """
    past = Past(budget, spend, min((*spend, start + LEDGER_INTERVAL)), end)
    muting = _Muting()
    steps: list[tuple[datetime, frozenset[Alert]]] = []
    at = start + LEDGER_INTERVAL
    while at <= end:
        steps.append((at, frozenset(_alerts_at(budget, past, at, muting))))
        at += LEDGER_INTERVAL
    last = steps[-1][0] if steps else start
    missing = sum(1 for at, _ in steps if spend.get(at) is None) * LEDGER_INTERVAL
    return Replay(tuple(_periods(steps)), past.spent(last), missing)


@dataclass(slots=True)
class _Muting:
    """When the last page fired."""

    paged: datetime | None = None

    def mutes(self, at: datetime) -> bool:
        return self.paged is not None and at - self.paged < _MUTED_BY_PAGE


def _alerts_at(budget: Budget, past: "Past", at: datetime, muting: _Muting) -> Iterator[Alert]:
    page, ticket = Urgency.PAGE.value, Urgency.TICKET.value
    tiers = tiers_within(budget.window.length, budget.tiers)
    if any(past.burns(tier, at) for tier in tiers if tier.urgency is Urgency.PAGE):
        muting.paged = at
        yield names.ALERT_BUDGET_BURN, page, None
    quiet = muting.mutes(at)
    if not quiet and any(past.burns(tier, at) for tier in tiers if tier.urgency is Urgency.TICKET):
        yield names.ALERT_BUDGET_BURN, ticket, None
    if not quiet and past.spikes(at):
        yield names.ALERT_SPEND_SPIKE, ticket, None
    spent = past.spent(at) / budget.amount
    for share in _highest((*budget.actual, Decimal(1)), spent):
        yield names.ALERT_BUDGET_SPENT, ticket, share
    for share in _highest(budget.forecast, past.straight(at)):
        if spent < share:
            yield names.ALERT_BUDGET_FORECAST, ticket, share
    if past.silence(at) > budget.stale_after and not budget.absent_is_zero:
        yield names.ALERT_COST_STALE, ticket, None


def _highest(thresholds: Iterable[Decimal], value: Decimal | None) -> tuple[Decimal, ...]:
    """The highest threshold that a value reaches; the lower ones are muted by it."""
    reached = [share for share in thresholds if value is not None and value >= share]
    return (max(reached),) if reached else ()


class Past:
    """Spend of one budget, as entries: sums over windows that end at a step, each from one pass over them."""

    def __init__(self, budget: Budget, spend: Mapping[datetime, Decimal], first: datetime, end: datetime) -> None:
        self._budget = budget
        self._first = first
        count = max((end - first) // LEDGER_INTERVAL + 1, 0)
        known = [spend.get(first + number * LEDGER_INTERVAL) for number in range(count)]
        if budget.absent_is_zero:
            known = [_ZERO if money is None else money for money in known]
        self._known = known
        self._spent = (_ZERO, *accumulate(money or _ZERO for money in known))
        expected = (_ZERO if money is None else self._expected_at(number) for number, money in enumerate(known))
        self._expected = (_ZERO, *accumulate(expected))
        self._counts = (0, *accumulate(int(money is not None) for money in known))
        self._silent = self._silences()

    def burns(self, tier: Tier, at: datetime) -> bool:
        """Whether the tier's condition holds."""
        burn = self.burn(tier.short, at)
        planned = self.burn(tier.long, at)
        if burn is None or planned is None or planned <= 1:
            return False
        share = tier.budget_share * self._budget.amount
        return burn > threshold(tier, self._budget.window.length) and any(
            self._sum(self._spent, length, at) > share for length in tier.spent_within
        )

    def burn(self, length: timedelta, at: datetime) -> Decimal | None:
        """Spend ÷ expected spend; None while spend is not known."""
        return None if self.silence(at) else self.spent_in(length, at) / self.expected_in(length, at)

    def spikes(self, at: datetime) -> bool:
        """Whether the last hour is out of all proportion."""
        spike = self._budget.spike
        money = self._sum(self._spent, _HOUR, at)
        if spike is None or money <= spike.floor_per_hour or self.silence(at):
            return False
        return money > spike.factor * self.usual_hour(at)

    def usual_hour(self, at: datetime) -> Decimal:
        """What such an hour usually costs; what the pace expects of it where nothing is known of earlier ones."""
        usual = [median for ago in (_WEEKS, _DAYS) if (median := self._usual(at, ago)) is not None]
        return max(usual) if usual else self._sum(self._expected, _HOUR, at)

    def spent_in(self, length: timedelta, at: datetime) -> Decimal:
        """Money of a window that ends there."""
        return self._sum(self._spent, length, at)

    def expected_in(self, length: timedelta, at: datetime) -> Decimal:
        """What the pace expects of it, and what burn rates divide by: next to nothing at least."""
        return max(self._sum(self._expected, length, at), least_expected(self._budget, length))

    def spent(self, at: datetime) -> Decimal:
        """Money of the window that `at` lies in (or ends at), so far."""
        return self._sum(self._spent, at - self._window(at)[0], at)

    def straight(self, at: datetime) -> Decimal | None:
        """Spent ÷ what should have been by now, of the amount; None while that says nothing."""
        window = self._window(at)
        pace = share_between(self._budget.pace, window, window[0], at)
        known = self._counts[self._place(at)] - self._counts[max(self._place(window[0]), 0)]
        if pace < STRAIGHT_FROM or known < STRAIGHT_COVERAGE * ((at - window[0]) // LEDGER_INTERVAL):
            return None
        return self.spent(at) / self._budget.amount / pace

    def silence(self, at: datetime) -> timedelta:
        """For how long no spend has been known."""
        place = self._place(at) - 1
        return self._silent[place] * LEDGER_INTERVAL if 0 <= place < len(self._silent) else timedelta(0)

    def _usual(self, at: datetime, offsets: Sequence[timedelta]) -> Decimal | None:
        place = self._place(at)
        hours = sorted(hour for ago in offsets if (hour := self._hour(place - ago // LEDGER_INTERVAL)) is not None)
        if not hours:
            return None
        middle = len(hours) // 2
        return hours[middle] if len(hours) % 2 else (hours[middle - 1] + hours[middle]) / 2

    def _hour(self, place: int) -> Decimal | None:
        """An hour as if all of it had been measured; None where less than half of it was."""
        if place < _HOURLY:
            return None
        known = self._counts[place] - self._counts[place - _HOURLY]
        if known * 2 < _HOURLY:
            return None
        money = self._spent[place] - self._spent[place - _HOURLY]
        return money if known == _HOURLY else money * _HOURLY / known

    def _expected_at(self, number: int) -> Decimal:
        at = self._first + number * LEDGER_INTERVAL
        budget = self._budget
        share = share_between(budget.pace, self._window(at), at - LEDGER_INTERVAL, at)
        return budget.amount * share

    def _window(self, at: datetime) -> Period:
        """The window of the 5 minutes that end at a moment."""
        window = self._budget.window
        return (
            period_at(window, at - LEDGER_INTERVAL) if isinstance(window, CalendarWindow) else (at - window.length, at)
        )

    def _sum(self, sums: Sequence[Decimal], length: timedelta, at: datetime) -> Decimal:
        return sums[self._place(at)] - sums[max(self._place(at - length), 0)]

    def _place(self, at: datetime) -> int:
        """How many entries end at or before a moment; negative before the first."""
        place = (at - self._first) // LEDGER_INTERVAL + 1
        return min(place, len(self._known))

    def _silences(self) -> list[int]:
        found, silent = [], 0
        for money in self._known:
            silent = 0 if money is not None else silent + 1
            found.append(silent)
        return found


def _periods(steps: Sequence[tuple[datetime, frozenset[Alert]]]) -> Iterator[Fired]:
    """Runs of steps in which an alert fired."""
    since: dict[Alert, datetime] = {}
    found: list[Fired] = []
    for at, alerts in steps:
        for alert in [alert for alert in since if alert not in alerts]:
            found.append(Fired(alert[0], alert[1], since.pop(alert), at, alert[2]))
        for alert in alerts:
            since.setdefault(alert, at)
    found += (Fired(alert[0], alert[1], start, None, alert[2]) for alert, start in since.items())
    yield from sorted(found, key=lambda fired: (fired.start, fired.alert, fired.severity, fired.threshold or _ZERO))
