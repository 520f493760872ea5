"""How many replicas the rest of a budget still pays. Pure: money and hours in, a number and the reason for it out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal, localcontext
from enum import Enum
from typing import Final

from controlplane.calendar.periods import period_at
from controlplane.model.budget import Budget
from controlplane.model.slo import CalendarWindow
from finops.caps.model import AutoscalingCap, BudgetState

_DIGITS: Final = 50
_HOUR: Final = timedelta(hours=1)
_PART_OF_ROLLING: Final = 4


class Reason(Enum):
    """Why a maximum is what it is."""

    MONEY = "what the rest of the budget pays"
    CEILING = "the ceiling; the budget would pay more"
    P0 = "the P0 minimum; the budget pays less"
    HELD = "the last maximum; the budget does not yet pay clearly more"
    HELD_BLIND = "the last maximum; what is left of the budget is not known"
    P0_BLIND = "the P0 minimum; what is left of the budget is not known"
    HELD_UNPRICED = "the last maximum; what a replica costs is not known"
    P0_UNPRICED = "the P0 minimum; what a replica costs is not known"


@dataclass(frozen=True, slots=True)
class Maximum:
    """The most replicas there may be. `affordable` is what the money pays, unrounded; None when that is not known."""

    replicas: int
    reason: Reason
    affordable: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds a maximum, whatever the money says."""

    p0_minimum: int
    ceiling: int
    hysteresis: Decimal = Decimal("0.1")


def cap(
    remaining: Decimal | None,
    hours_left: Decimal,
    price: Decimal | None,
    *,
    share: Decimal,
    limits: Limits,
    previous: int | None = None,
) -> Maximum:
    """The most replicas that may run from now to the end of the window.

    `remaining × share ÷ (price an hour × hours left)`, rounded down: if the maximum ran all the time, the share would
    be spent exactly at the end. Never below the P0 minimum, never above the ceiling. `previous` is the maximum in
    force: it falls at once, and rises only when the money pays for `hysteresis` more than `previous + 1`, so that a
    figure that swings does not move replicas. Where money, time or price is not known (None, or no time left), the
    previous maximum holds, or the P0 minimum where there is none: not knowing never raises it.
    """
    if remaining is None or price is None or hours_left <= 0:
        return _blind(limits, previous, is_unpriced=price is None)
    affordable = _affordable(remaining, hours_left, price, share)
    if affordable is None or affordable >= limits.ceiling:
        wanted = limits.ceiling
    else:
        wanted = max(limits.p0_minimum, int(affordable.to_integral_value(ROUND_FLOOR)))
    if previous is not None and wanted > previous >= limits.p0_minimum and not _clearly(affordable, previous, limits):
        return Maximum(previous, Reason.HELD, affordable)
    return Maximum(wanted, _reason(wanted, affordable, limits), affordable)


def maximum_of(
    one: AutoscalingCap, state: BudgetState | None, price: Decimal | None, now: datetime, previous: int | None = None
) -> Maximum:
    """The same of a declared cap; a state that is older than the cap takes is none."""
    fresh = state if state and (state.at is None or now - state.at <= one.stale_after) else None
    return cap(
        fresh.remaining if fresh else None,
        fresh.hours_left if fresh else Decimal(0),
        price,
        share=one.share,
        limits=Limits(one.p0_minimum, one.ceiling, one.hysteresis),
        previous=previous,
    )


def whole(budget: Budget) -> BudgetState:
    """The state where files are all there is: the whole amount, for the whole (nominal) window."""
    return BudgetState(budget.currency, budget.amount, _hours(budget.window.length))


def state_of(budget: Budget, spent: Decimal | None, at: datetime) -> BudgetState:
    """What is left of a budget of which `spent` is gone at `at` (None: not known).

    Of a calendar window it must last until the period ends. A rolling window has no end: what is left, and what falls
    out of the window meanwhile if it was spent evenly, must last for a quarter of the window.
    """
    if isinstance(budget.window, CalendarWindow):
        _, end = period_at(budget.window, at)
        return BudgetState(budget.currency, None if spent is None else budget.amount - spent, _hours(end - at), at)
    left = None if spent is None else budget.amount - spent + spent / _PART_OF_ROLLING
    return BudgetState(budget.currency, left, _hours(budget.window.length) / _PART_OF_ROLLING, at)


def _affordable(remaining: Decimal, hours_left: Decimal, price: Decimal, share: Decimal) -> Decimal | None:
    """Replicas that the money pays, rounded towards nothing in the last of 50 digits; None: as many as one likes."""
    if remaining <= 0:
        return Decimal(0)
    if price <= 0:
        return None
    with localcontext() as context:
        context.prec, context.rounding = _DIGITS, ROUND_FLOOR
        return remaining * share / (price * hours_left)


def _clearly(affordable: Decimal | None, previous: int, limits: Limits) -> bool:
    return affordable is None or affordable >= (previous + 1) * (1 + limits.hysteresis)


def _blind(limits: Limits, previous: int | None, *, is_unpriced: bool) -> Maximum:
    if previous is None or previous < limits.p0_minimum:
        return Maximum(limits.p0_minimum, Reason.P0_UNPRICED if is_unpriced else Reason.P0_BLIND)
    held = Reason.HELD_UNPRICED if is_unpriced else Reason.HELD_BLIND
    return Maximum(min(previous, limits.ceiling), held)


def _reason(wanted: int, affordable: Decimal | None, limits: Limits) -> Reason:
    if affordable is None or affordable >= limits.ceiling:
        return Reason.CEILING
    return Reason.P0 if affordable < limits.p0_minimum and wanted == limits.p0_minimum else Reason.MONEY


def _hours(length: timedelta) -> Decimal:
    return Decimal(length // timedelta(microseconds=1)) / (_HOUR // timedelta(microseconds=1))
