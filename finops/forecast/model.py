"""Days of spend that are known, the window that they belong to, and what comes of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from typing import Final

WHOLE: Final = Decimal(1)
_AS_GOOD_AS_WHOLE: Final = Decimal("0.95")  # an evaluation that a restart cost is no gap
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DailySpend:
    """What one day (on the wall of the budget's time zone) cost, in one currency; credits make it negative.

    `amount` is None when nobody recorded anything, which is not zero. `covered` is the share of the day that `amount`
    is about: 1 for a day that is over and told whole, 0.5 at noon of today in a live ledger, None when nobody knows,
    as of the latest days of a bill that are still being filled in.
    """

    day: date
    amount: Decimal | None
    covered: Decimal | None = WHOLE

    @property
    def is_whole(self) -> bool:
        """Whether it says what the day cost, and not only what is known so far."""
        return self.amount is not None and self.covered is not None and self.covered >= _AS_GOOD_AS_WHOLE


@dataclass(frozen=True, slots=True)
class Days:
    """Days on the wall, `first` included, `end` not."""

    first: date
    end: date

    def __iter__(self) -> Iterator[date]:
        return (self.first + index * _DAY for index in range(len(self)))

    def __len__(self) -> int:
        return max((self.end - self.first).days, 0)

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.first <= day < self.end


class Method(Enum):
    """What a forecast could be made of, by how many whole days there are."""

    PACE = "pace"  # under five days: their mean, spread by the declared pace
    LEVEL = "level"  # under three weeks: levels and trends, weekdays still leaning on the declared pace
    SEASONAL = "seasonal"  # levels and trends, weekdays and month ends as they were seen


@dataclass(frozen=True, slots=True)
class DayBand:
    """What the window will have cost at the end of `day`; the three are the same where everything is known."""

    day: date
    low: Decimal
    middle: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the window will have cost at its end: in 80 of 100 cases between `low` and `high`, currency of its days.

    `spent` is what stands in the ledger for the window, exactly. `days_used` counts whole days, before the window too;
    `days_estimated` those of the window that are over and were never recorded: `middle` has what they probably cost.
    `path` has a band for every day of the window. `why` says in words what it rests on.
    """

    low: Decimal
    middle: Decimal
    high: Decimal
    spent: Decimal
    method: Method
    days_used: int
    days_estimated: int
    path: tuple[DayBand, ...]
    why: str


@dataclass(frozen=True, slots=True)
class NoForecast:
    """Why nothing can be said."""

    why: str


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """How right forecasts of this series would have been, had they been made at the time.

    `error` is the mean of |forecast − actual| ÷ |actual|, `coverage` the share of actuals inside of the interval; both
    None when there is no whole window in the past (`forecasts` = 0). `days` is how long past windows were: as long as
    the window itself, or shorter where the series is.
    """

    forecasts: int
    error: Decimal | None = None
    coverage: Decimal | None = None
    days: int = 0
