"""A forecast of a window's spend from the days that are known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Context, Decimal
from itertools import accumulate
from typing import Final

import numpy as np

from controlplane.model.budget import STANDARD_PACE, Pace
from finops.allocation.exact import total
from finops.forecast.model import WHOLE, DailySpend, DayBand, Days, Forecast, Method, NoForecast
from finops.forecast.outlook import Outlook, outlook
from finops.forecast.shape import Floats, effects_of, learned_effects, pace_factors, unfamiliar

LONGEST_HISTORY: Final = 400  # days; older ones say nothing of next month, and cost time
_LEAST_PACE: Final = 0.05  # of days of which the pace expects next to nothing no shape is learned
_LEAST_COVERED: Final = Decimal("0.5")  # days with less than that say too little of what the whole day cost
_LARGEST: Final = Decimal(10) ** 18
_LEVEL_FROM: Final = 5
_SEASONAL_FROM: Final = 21
_PLACES: Final = Decimal("0.000001")
_WIDE: Final = Context(prec=100)  # any amount below the largest has its six decimal places
_ONE_DAY: Final = timedelta(days=1)

KnownDays = Mapping[date, DailySpend]


def forecast(history: Sequence[DailySpend], window: Days, pace: Pace = STANDARD_PACE) -> Forecast | NoForecast:
    """What `window` will have cost at its end, between bounds that hold in 80 of 100 cases.

    `history` may begin long before the window; days that it leaves out count as not recorded. Days are those of the
    pace's time zone, amounts of one currency. Days that are not told whole are not learned from as if they were; what
    is known of them is a part of what they will have cost. `NoForecast` when no day is known whole, or none of late.
    Expectations are computed in floats; what was spent is added exactly.
    """
    known = {each.day: each for each in history if each.day < window.end}
    whole = sorted(day for day, each in known.items() if each.is_whole)
    if not len(window):
        return NoForecast("the window has no days")
    if not whole:
        return NoForecast("no day is known whole yet; there is a forecast when the first one is over")
    if whole[-1] < window.first - len(window) * _ONE_DAY:
        return NoForecast(f"nothing is known after {whole[-1]}: too long ago to say anything of {window.first}")
    if any(each.amount is not None and abs(each.amount) >= _LARGEST for each in known.values()):
        return NoForecast("a day is told to cost more than can be forecast: there must be a mistake in it")
    learned = Days(max(whole[0], whole[-1] - (LONGEST_HISTORY - 1) * _ONE_DAY), whole[-1] + _ONE_DAY)
    return _assembled(known, window, _expected(known, learned, window, pace))


@dataclass(frozen=True, slots=True)
class _Expected:
    """What days cost as far as nobody knows better: `usual` until the last whole day, `ahead` after it."""

    usual: Mapping[date, float]
    ahead: Days
    coming: Outlook
    missing: int
    days_used: int
    credited: bool

    def of(self, day: date) -> float:
        """The cost of a whole day of the window."""
        if day < self.ahead.first:
            return float(self.usual[day])
        index = (day - self.ahead.first).days
        return float(self.coming.middle[index] - (self.coming.middle[index - 1] if index else 0))

    def half_width(self, until: date) -> float:
        """Half of the interval of what the days ahead cost, `until` included, and of those that nobody recorded."""
        coming = self.coming.half[(until - self.ahead.first).days] if until in self.ahead else 0.0
        return float(np.hypot(coming, self.coming.half[self.missing - 1] if self.missing else 0.0))


def _expected(known: KnownDays, learned: Days, window: Days, pace: Pace) -> _Expected:
    ahead = Days(learned.end, max(window.end, learned.end))
    earlier = Days(min(window.first, learned.first), learned.first)  # of the window, before anything was recorded
    missing = sum(_is_missing(known.get(day)) for day in window if day < learned.end)
    reach = Days(ahead.first, ahead.first + max(len(ahead), missing, 1) * _ONE_DAY)
    amounts = np.array([_as_whole(known.get(day)) for day in learned])
    factors, others = _factors(amounts, learned, [*earlier, *reach], pace)
    seen = effects_of([day for day, amount in zip(learned, amounts, strict=True) if np.isfinite(amount)])
    coming, usual = outlook(amounts, factors, others[len(earlier) :], unfamiliar(seen, effects_of(list(reach))))
    first_level = usual[0] / factors[0] if factors[0] > 0 else usual.mean()
    return _Expected(
        usual=dict(zip([*earlier, *learned], [*(others[: len(earlier)] * first_level), *usual], strict=True)),
        ahead=ahead,
        coming=coming,
        missing=missing,
        days_used=int(np.isfinite(amounts).sum()),
        credited=bool(np.nanmin(amounts) < 0),
    )


def _factors(amounts: Floats, learned: Days, others: Sequence[date], pace: Pace) -> tuple[Floats, Floats]:
    """What is expected of the days learned from and of others, in average days."""
    paced, paced_others = pace_factors(pace, list(learned)), pace_factors(pace, others)
    if np.isfinite(amounts).sum() < _LEVEL_FROM:
        return paced, paced_others
    effects, effects_of_others = effects_of(list(learned)), effects_of(others)
    evened = np.where(paced > _LEAST_PACE, amounts / np.maximum(paced, _LEAST_PACE), np.nan)
    shape = learned_effects(evened, effects)
    return paced * np.maximum(effects @ shape, 0), paced_others * np.maximum(effects_of_others @ shape, 0)


def _is_missing(day: DailySpend | None) -> bool:
    return day is None or day.amount is None or (day.covered is not None and day.covered < _LEAST_COVERED)


def _as_whole(day: DailySpend | None) -> float:
    """The cost of a day that lies before the last whole one; NaN when too little of it was recorded."""
    if day is None or day.amount is None or day.covered is None or day.covered < _LEAST_COVERED:
        return float("nan")
    return float(day.amount / day.covered)


def _assembled(known: KnownDays, window: Days, expected: _Expected) -> Forecast:
    days = [_likely(known.get(day), expected.of(day)) for day in window]
    middles = list(accumulate(days, lambda *both: total(both)))
    unknown = _share_unknown(known, expected)
    spents = list(accumulate((_amount(known.get(day)) for day in window), lambda *both: total(both)))
    path = tuple(
        _band(day, middle, Decimal(expected.half_width(day) * unknown) if day in expected.ahead else Decimal(0),
              Decimal("-Infinity") if expected.credited else spent)
        for day, middle, spent in zip(window, middles, spents, strict=True)
    )  # fmt: skip
    last = path[-1]
    if expected.missing and not len(expected.ahead):
        last = _band(last.day, middles[-1], Decimal(expected.half_width(last.day)), spents[-1])
    method = _method(expected.days_used)
    return Forecast(
        low=last.low,
        middle=last.middle,
        high=last.high,
        spent=spents[-1],
        method=method,
        days_used=expected.days_used,
        days_estimated=expected.missing,
        path=path,
        why=_why(method, expected),
    )


def _amount(day: DailySpend | None) -> Decimal:
    return day.amount if day is not None and day.amount is not None else Decimal(0)


def _likely(day: DailySpend | None, expected: float) -> Decimal:
    """What a day will have cost: what is known of it, and what is expected of the rest."""
    usual = _decimal(expected)
    if day is None or day.amount is None:
        return usual
    if day.covered is None:
        return max(day.amount, usual)
    return total((day.amount, (WHOLE - min(day.covered, WHOLE)) * usual))


def _share_unknown(known: KnownDays, expected: _Expected) -> float:
    """The share of what lies ahead that is not in the ledger yet: today's morning is over."""
    total = sum(abs(expected.of(day)) for day in expected.ahead)
    covered = sum(
        abs(expected.of(day)) * float(min(each.covered, WHOLE))
        for day in expected.ahead
        if (each := known.get(day)) is not None and each.amount is not None and each.covered is not None
    )
    return 1 - covered / total if total > 0 else 1.0


def _band(day: date, middle: Decimal, half: Decimal, least: Decimal) -> DayBand:
    """Nothing that was spent is given back where there never was a credit."""
    half = half.quantize(_PLACES, context=_WIDE)
    middle = max(middle, least)
    return DayBand(day, max(total((middle, -half)), least), middle, total((middle, half)))


def _decimal(value: float) -> Decimal:
    return Decimal(value).quantize(_PLACES, context=_WIDE)


def _method(days: int) -> Method:
    return Method.SEASONAL if days >= _SEASONAL_FROM else Method.LEVEL if days >= _LEVEL_FROM else Method.PACE


def _why(method: Method, expected: _Expected) -> str:
    used = f"{expected.days_used} whole day{'' if expected.days_used == 1 else 's'}"
    words = {
        Method.PACE: f"only {used} so far: their mean, spread by the declared pace",
        Method.LEVEL: f"{used}: level and trend; weekdays still lean on the declared pace",
        Method.SEASONAL: f"{used}: level, trend, weekdays and month ends as they were",
    }[method]
    if expected.missing:
        words += f"; {expected.missing} of the window's days were not recorded and count as usual ones"
    return words
