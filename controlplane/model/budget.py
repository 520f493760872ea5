"""Budgets of money: how much may be spent on what, over which window, and when somebody is told."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from controlplane.model.alerting import STANDARD_TIERS, Tier
from controlplane.model.slo import Window
from controlplane.model.source import SourcePosition

EVEN: Final = (Decimal(1),) * 7


@dataclass(frozen=True, slots=True)
class Pace:
    """How spending is expected to spread over a window: weights of the weekdays (Monday first), any positive scale.

    `month_end` multiplies the last `month_end_days` days of each month (reports, billing runs). `time_zone` (IANA)
    says when a day begins. The default spreads it evenly.
    """

    weekdays: tuple[Decimal, ...] = EVEN
    month_end: Decimal = Decimal(1)
    month_end_days: int = 0
    time_zone: str = "UTC"

    @property
    def is_even(self) -> bool:
        """Whether every moment of the window is expected to cost the same."""
        return len(set(self.weekdays)) == 1 and (self.month_end == 1 or self.month_end_days == 0)


STANDARD_PACE: Final = Pace()


@dataclass(frozen=True, slots=True)
class Spike:
    """Spend of the last hour that is out of all proportion: above `factor` × what was expected, and above `floor`.

    `floor` is money an hour, in the budget's currency: below it nobody is told, however large the ratio.
    """

    factor: Decimal = Decimal(3)
    floor_per_hour: Decimal = Decimal(1)


STANDARD_SPIKE: Final = Spike()

# As for errors, but for the slowest. Errors are usually far below their budget, money is close to its pace: over the 6
# hours of an afternoon it is often above, so the ticket over 3 days asks whether a whole day was.
MONEY_TIERS: Final = (*STANDARD_TIERS[:-1], replace(STANDARD_TIERS[-1], short=timedelta(days=1)))


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may be spent in one window on what `scope` selects. `name` is unique in a workspace.

    `scope` holds any of several values by label (`service`, `namespace`, `tenant`, `provider`, …); all labels must
    fit; empty means everything in `currency`. `actual` and `forecast` are shares of `amount` (0.8 and 0.9) at which
    somebody is told that it was spent, or is going to be. `tiers` are the burn-rate alerts. Spend that is absent is
    missing and told after `stale_after`; with `absent_is_zero` it is zero while any other spend in `currency` is known.
    Budgets are equal when they ask for the same, wherever they are written.
    """

    name: str
    amount: Decimal
    currency: str
    window: Window
    source: SourcePosition = field(compare=False)
    scope: tuple[tuple[str, tuple[str, ...]], ...] = ()
    display_name: str = ""
    description: str = ""
    owner: str = ""
    runbook_url: str = ""
    pace: Pace = STANDARD_PACE
    spike: Spike | None = STANDARD_SPIKE
    actual: tuple[Decimal, ...] = (Decimal("0.8"), Decimal("0.9"))
    forecast: tuple[Decimal, ...] = (Decimal("0.8"), Decimal("0.9"))
    tiers: tuple[Tier, ...] = MONEY_TIERS
    stale_after: timedelta = timedelta(minutes=10)
    absent_is_zero: bool = False
    labels: tuple[tuple[str, str], ...] = ()
