"""How a budget burns: alerting tiers as data, their thresholds for any period, and when the budget is gone.

Pure `Decimal` arithmetic; a budget may be one of errors or of money. A *burn rate* of 1 spends exactly the whole
budget in one period. Source of the tiers: Google, The Site Reliability Workbook, chapter 5 "Alerting on SLOs",
table 5-8 (2 % of a 30-day budget in 1 hour, 5 % in 6 hours, 10 % in 1 and in 3 days).
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from typing import Final

from controlplane.model.alerting import STANDARD_TIERS, Tier, Urgency
from controlplane.model.slo import CalendarUnit, CalendarWindow, Window

__all__ = [
    "LEDGER_INTERVAL",
    "STANDARD_PERIOD",
    "STANDARD_TIERS",
    "Tier",
    "Urgency",
    "budget_spent",
    "can_fire",
    "duration",
    "ledger_entries",
    "number",
    "seconds",
    "threshold",
    "tier_name",
    "tiers_within",
    "time_to_exhaustion",
    "window_name",
]

# Float64 tells 17 significant digits apart, so nothing that an engine could see is rounded away.
_FLOAT64: Final = Context(prec=17, rounding=ROUND_HALF_EVEN)

LEDGER_INTERVAL: Final = timedelta(minutes=5)
STANDARD_PERIOD: Final = timedelta(days=30)


@lru_cache(maxsize=4096)
def threshold(tier: Tier, period: timedelta) -> Decimal:
    """The burn rate that spends the tier's share of the budget in its long window: 14.4 for 2 % of 30 d in 1 h.

    Never below 1: who burns no faster than the budget lasts keeps the objective, and need not be told (in a period of
    a week, 10 % in three days would be a rate of 0.23). A rate that somebody chose is taken as it is.
    """
    if tier.burn_rate is not None:
        return tier.burn_rate
    return max(Decimal(1), tier.budget_share * seconds(period) / seconds(tier.long))


def tiers_within(period: timedelta, tiers: Sequence[Tier] = STANDARD_TIERS) -> tuple[Tier, ...]:
    """Those tiers whose long window fits into the period."""
    return tuple(tier for tier in tiers if tier.long <= period)


def tier_name(tier: Tier) -> str:
    """What people call a tier, by its urgency and long window: `page-1h`."""
    return f"{tier.urgency.value}-{duration(tier.long)}"


def can_fire(tier: Tier, period: timedelta, budget_ratio: Decimal) -> bool:
    """Whether its threshold can be exceeded at all: with every event bad the budget burns at 1 / `budget_ratio`."""
    return threshold(tier, period) * budget_ratio < 1


def budget_spent(burn_rate: Decimal, window: timedelta, period: timedelta) -> Decimal:
    """The share of the period's budget that goes at `burn_rate` during `window`, at even traffic."""
    return burn_rate * seconds(window) / seconds(period)


def time_to_exhaustion(remaining: Decimal, burn_rate: Decimal, period: timedelta) -> timedelta | None:
    """How long the `remaining` share of the budget lasts; zero when it is spent, None when it does not burn.

    Also None when it would last longer than `timedelta` can say (over 2.7 million years).
    """
    if remaining <= 0:
        return timedelta(0)
    if burn_rate <= 0:
        return None
    left = remaining * seconds(period) / burn_rate
    if left > seconds(timedelta.max):
        return None
    return timedelta(microseconds=int(left * 1_000_000))


def ledger_entries(period: timedelta) -> int:
    """How many ledger entries a fully covered period has: 8,640 in 30 days."""
    return period // LEDGER_INTERVAL


def seconds(length: timedelta) -> Decimal:
    """A length in seconds, exactly."""
    return Decimal(length // timedelta(microseconds=1)) / 1_000_000


@lru_cache(maxsize=4096)
def number(value: Decimal) -> str:
    """A decimal as PromQL writes it: no exponent, no trailing zeros, exact to 17 significant digits."""
    rounded = _FLOAT64.plus(value)
    text = f"{rounded:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def window_name(window: Window) -> str:
    """A window as series names write it: `30d`, and of the calendar `1D`, `1W`, `1M`, `1Q`, `1Y`, in capitals."""
    if isinstance(window, CalendarWindow):
        return f"{window.count}{_CALENDAR_LETTERS[window.unit]}"
    return duration(window.length)


_CALENDAR_LETTERS: Final = {
    CalendarUnit.DAY: "D",
    CalendarUnit.WEEK: "W",
    CalendarUnit.MONTH: "M",
    CalendarUnit.QUARTER: "Q",
    CalendarUnit.YEAR: "Y",
}


def duration(length: timedelta) -> str:
    """A length in its largest whole unit, as PromQL and our series names write it: `30d`, `36h`, `5m`."""
    total = length // timedelta(seconds=1)
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if total and total % size == 0:
            return f"{total // size}{unit}"
    return f"{total}s"
