"""Month-end forecasts against straight-line pacing (spent ÷ elapsed share), on generated and real-shaped months.

`KNOWN` families are what the method was chosen on (with other seeds), `HELD_OUT` ones were not looked at meanwhile.
Errors are |forecast − actual| ÷ |actual|; a ledger that restates shows its latest days in part, to pacing as well.
"""

import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

import numpy as np

from benchmarks.report import Figure, progress, show
from benchmarks.spend_months import HELD_OUT, KNOWN, Floats, Month, months
from finops.forecast.forecasting import forecast
from finops.forecast.model import WHOLE, DailySpend, Days, Forecast
from finops.forecast.track_record import track_record

DAYS: Final = (5, 10, 15, 20, 25)
_EACH: Final = 36  # months of every family
_SEED: Final = 20261130
_PEERS_EVERY: Final = 11  # of these months statsmodels' own models are asked, too: they take long
_LEAST_FOR_PEERS: Final = 21


@dataclass(frozen=True, slots=True)
class Made:
    """One forecast: relative errors of ours, of pacing, of pacing on whole days alone; whether the interval held."""

    family: str
    day: int
    before: int
    ours: float
    straight: float
    whole: float
    held: bool


def run() -> None:
    """Measure, print, keep."""
    progress(f"{_EACH} months of each of {len(KNOWN)} + {len(HELD_OUT)} families, forecast on {len(DAYS)} days")
    known, held_out = months(KNOWN, _EACH, _SEED), months(HELD_OUT, _EACH, _SEED)
    chosen, unseen = list(_all(known)), list(_all(held_out))
    progress("statsmodels' Holt-Winters and SARIMAX on some of them")
    peers = list(_peers([*known, *held_out]))
    figures = [
        *_summary("all months", [*chosen, *unseen], limits=True),
        *_summary("families the method was chosen on", chosen, limits=False),
        *_summary("families held out", unseen, limits=True),
        *_by_day([*chosen, *unseen]),
        *_by_family([*chosen, *unseen]),
        *peers,
        *_cost([*known, *held_out]),
    ]
    show("forecast: month-end spend", figures)


def history(month: Month, day: int) -> list[DailySpend]:
    """What a ledger shows after so many days: its latest days in part where it restates."""
    seen = month.seen(day)
    settled = len(seen) - len(month.visible)
    return [
        DailySpend(
            month.first + timedelta(days=index - month.before),
            Decimal(repr(round(float(amount), 6))) if np.isfinite(amount) else None,
            WHOLE if index < settled else None,
        )
        for index, amount in enumerate(seen)
    ]


def window_of(month: Month) -> Days:
    """The month."""
    return Days(month.first, month.first + timedelta(days=len(month.amounts) - month.before))


def _all(chosen: Iterable[Month]) -> Iterator[Made]:
    for month in chosen:
        truth = month.truth
        if truth == 0:
            continue
        length = len(month.amounts) - month.before
        for day in DAYS:
            told = forecast(history(month, day), window_of(month))
            if isinstance(told, Forecast):
                seen = month.seen(day)
                whole = seen[month.before : len(seen) - len(month.visible)]
                mean = float(np.nanmean(whole)) if np.isfinite(whole).any() else 0.0
                yield Made(
                    month.family,
                    day,
                    month.before,
                    abs(float(told.middle) - truth) / abs(truth),
                    abs(float(np.nansum(seen[month.before :])) * length / day - truth) / abs(truth),
                    abs(mean * length - truth) / abs(truth),
                    told.low <= Decimal(truth) <= told.high,
                )


def _summary(name: str, made: Sequence[Made], *, limits: bool) -> Iterator[Figure]:
    ours, straight, whole = (
        float(np.mean([getattr(each, what) for each in made])) for what in ("ours", "straight", "whole")
    )
    held = float(np.mean([each.held for each in made]))
    detail = f"{len(made):,} forecasts: {ours:.2%} of the month off, pacing {straight:.2%}"
    yield Figure(
        f"{name}: error ÷ that of straight-line pacing", ours / straight, "", 0.8 if limits else None, detail=detail
    )
    yield Figure("… ÷ that of pacing which leaves incomplete days out", ours / whole, "", 1 if limits else None)
    yield Figure("… share inside of the 80 % interval", held, "", 0.85 if limits else None)
    if limits:
        yield Figure("… the same, at least", held, "", 0.75, at_most=False)


def _by_day(made: Sequence[Made]) -> Iterator[Figure]:
    for day in DAYS:
        yield _row(f"after day {day}", [each for each in made if each.day == day])


def _by_family(made: Sequence[Made]) -> Iterator[Figure]:
    shares = {}
    for family in (*KNOWN, *HELD_OUT):
        found = [each for each in made if each.family == family]
        shares[family] = float(np.mean([each.held for each in found]))
        yield _row(f"{family}{' (held out)' if family in HELD_OUT else ''}", found)
    worst = min(shares, key=lambda family: shares[family])
    yield Figure(
        "least share inside of the interval of any family", shares[worst], "", 0.6, at_most=False, detail=worst
    )


def _row(name: str, made: Sequence[Made]) -> Figure:
    ours, straight = (float(np.mean([getattr(each, what) for each in made])) for what in ("ours", "straight"))
    held = float(np.mean([each.held for each in made]))
    return Figure(
        f"{name}: error ÷ pacing's", ours / straight, "", detail=f"{ours:.2%} against {straight:.2%}; {held:.0%} inside"
    )


def _peers(chosen: Sequence[Month]) -> Iterator[Figure]:
    """Ours and statsmodels' own on the same forecasts, of series long enough for those."""
    errors: dict[str, list[float]] = {"ours": [], **{name: [] for name in _PEERS}}
    for month in chosen[::_PEERS_EVERY]:
        for day in (5, 15):
            known = month.before + day - len(month.visible)
            told = forecast(history(month, day), window_of(month))
            if known < _LEAST_FOR_PEERS or not month.truth or not isinstance(told, Forecast):
                continue
            errors["ours"].append(abs(float(told.middle) - month.truth) / abs(month.truth))
            filled = _filled(month.recorded[:known])
            spent = float(filled[month.before :].sum())
            for name, model in _PEERS.items():
                ahead = float(np.sum(model(filled, len(month.amounts) - known)))
                errors[name].append(abs(spent + ahead - month.truth) / abs(month.truth))
    ours = float(np.mean(errors["ours"]))
    for name in _PEERS:
        other = float(np.mean(errors[name]))
        detail = f"{ours:.2%} against {other:.2%}, {len(errors[name])} forecasts"
        yield Figure(f"error ÷ that of {name}", ours / other, "", 1, detail=detail)


def _filled(amounts: Floats) -> Floats:
    days, known = np.arange(len(amounts)), np.isfinite(amounts)
    return np.interp(days, days[known], amounts[known])


def _holt_winters(amounts: Floats, days: int) -> Floats:
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = ExponentialSmoothing(amounts, trend="add", damped_trend=True, seasonal="add", seasonal_periods=7)
        return np.asarray(model.fit().forecast(days))


def _sarimax(amounts: Floats, days: int) -> Floats:
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = SARIMAX(amounts, order=(0, 1, 1), seasonal_order=(0, 1, 1, 7), enforce_invertibility=False)
        return np.asarray(model.fit(disp=False, maxiter=30).forecast(days))


_PEERS: Final[dict[str, Callable[[Floats, int], Floats]]] = {
    "Holt-Winters (statsmodels, damped, weekly)": _holt_winters,
    "SARIMAX (0,1,1)(0,1,1,7)": _sarimax,
}


def _cost(chosen: Sequence[Month]) -> Iterator[Figure]:
    """Processor time of a forecast with its track record, of the longest histories."""
    longest = [month for month in chosen if month.before == max(each.before for each in chosen)][:20]
    begun = time.process_time()
    for month in longest:
        told = history(month, 15)
        forecast(told, window_of(month))
        track_record(told, window_of(month))
    spent = (time.process_time() - begun) / len(longest)
    yield Figure("one budget: forecast and eight past ones, a year of days", spent * 1000, "ms", 100)
