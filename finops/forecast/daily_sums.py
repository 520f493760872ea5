"""Days of spend from what is running: recorded rules of a Prometheus, or a cost ledger."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from controlplane import conventions as names
from controlplane.model.budget import Budget
from controlplane.model.series import Series
from controlplane.model.spend import DAY, SpendQuestion
from controlplane.ports import CostLedger, MetricsBackend
from finops.forecast.model import WHOLE, DailySpend, Days
from finops.forecast.windows import instants

ENTRY: Final = timedelta(minutes=5)  # how much time an entry of a ledger series is about
SETTLING_DAYS: Final = 2  # the latest days of a bill are still being filled in (AWS: up to 24 h late, then restated)
_HOUR: Final = timedelta(hours=1)
_QUARTER: Final = timedelta(minutes=15)  # as fine as time zones are
_DAY: Final = timedelta(days=1)
Moments = Mapping[datetime, float]


@dataclass(frozen=True, slots=True)
class Recorded:
    """Money and ledger entries of each slot of time that ends at a moment, of one budget."""

    money: Moments
    entries: Moments
    slot: timedelta

    @property
    def until(self) -> datetime | None:
        """The end of the last slot that has entries; None without any."""
        return max(self.entries, default=None)


def recorded(backend: MetricsBackend, zone: ZoneInfo, days: Days, now: datetime) -> Mapping[str, Recorded]:
    """What `BUDGET_LEDGER` holds of these days until `now`, by budget. Raises what the backend raises.

    A range one second shorter than a slot holds each entry once, in Prometheus 2 (both ends included) and 3.
    """
    spans = list(instants(days, zone))
    if not spans:
        return {}
    slot = _HOUR if all(begin.minute == 0 for _, begin, _ in spans) else _QUARTER
    end = min(spans[-1][2], now)
    money, entries = (
        backend.query_range(
            f"sum by ({names.BUDGET}) ({function}({names.BUDGET_LEDGER}[{int(slot.total_seconds()) - 1}s]))",
            spans[0][1] + slot, spans[0][1] + (end - spans[0][1]) // slot * slot, slot,
        )
        for function in ("sum_over_time", "count_over_time")
    )  # fmt: skip
    counted = _by_budget(entries)
    return {budget: Recorded(sums, counted.get(budget, {}), slot) for budget, sums in _by_budget(money).items()}


def _by_budget(series: Iterable[Series]) -> dict[str, Moments]:
    return {
        each.labels[names.BUDGET]: {at: value for at, value in each.points if math.isfinite(value)}
        for each in series
        if names.BUDGET in each.labels
    }


def days_from(found: Recorded, zone: ZoneInfo, days: Days) -> tuple[DailySpend, ...]:
    """The days of which anything is recorded. Floats become decimals here, as Prometheus prints them."""
    told = []
    for day, begin, end in instants(days, zone):
        slots = [begin + (number + 1) * found.slot for number in range((end - begin) // found.slot)]
        entries = sum(found.entries.get(slot, 0.0) for slot in slots)
        if entries > 0:
            amount = sum((Decimal(repr(found.money[slot])) for slot in slots if slot in found.money), Decimal(0))
            covered = Decimal(int(entries)) / Decimal((end - begin) // ENTRY)
            told.append(DailySpend(day, amount, min(covered, WHOLE)))
    return tuple(told)


def days_of_ledger(
    ledger: CostLedger, budget: Budget, days: Days, *, settling: int = SETTLING_DAYS
) -> tuple[DailySpend, ...]:
    """The budget's days by a cost ledger, in UTC as bills have them; nothing before its first, or after its latest day.

    Days in between without a row cost nothing: the ledger says that it is complete. The `settling` latest ones are
    known in part. Raises what the ledger raises.
    """
    start, end = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (days.first, days.end))
    table = ledger.spend(SpendQuestion(start, end, by=(DAY,), where=dict(budget.scope)))
    sums: dict[date, Decimal] = defaultdict(Decimal)
    for row in table.rows:
        if row.currency == budget.currency and row.key[0]:
            sums[datetime.fromisoformat(row.key[0]).date()] += row.effective
    if not sums or table.complete_until is None:
        return ()
    over = min((table.complete_until.astimezone(UTC)).date(), days.end)
    return _filled(sums, Days(min(sums), max(over, max(sums) + _DAY)), settling)


def _filled(sums: Mapping[date, Decimal], days: Days, settling: int) -> tuple[DailySpend, ...]:
    settled = days.end - settling * _DAY
    return tuple(DailySpend(day, sums.get(day, Decimal(0)), WHOLE if day < settled else None) for day in days)


def with_latest_settling(history: Sequence[DailySpend], days: int) -> tuple[DailySpend, ...]:
    """The same, with the latest `days` as known in part: for days that somebody else added up."""
    if not history or days <= 0:
        return tuple(history)
    settled = max(each.day for each in history) - (days - 1) * _DAY
    return tuple(each if each.day < settled else DailySpend(each.day, each.amount, None) for each in history)
