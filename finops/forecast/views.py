"""A forecast in words, as data, and as a table of days."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from textwrap import wrap
from typing import Final

from controlplane.model.event import JSON
from finops.forecast.model import DayBand, Days, Forecast, NoForecast, TrackRecord

_BAR: Final = 46
_LEFT: Final = "█"
_SPENT: Final = "░"
_TICK: Final = "│"
_LINE: Final = "─"
_MIDDLE: Final = "┼"
_HUNDRED: Final = 100
_TEN: Final = 10
_WIDTH: Final = 80
_INDENT: Final = 15
_FEW_FORECASTS: Final = 5
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ForecastView:
    """What is shown of one series: `amount` is None without a budget, `paced` the share that should be spent by now."""

    name: str
    currency: str
    window: Days
    found: Forecast | NoForecast
    record: TrackRecord
    amount: Decimal | None = None
    paced: Decimal | None = None


def money(amount: Decimal) -> str:
    """`4,812.35`, and without cents from ten thousand on; a proper minus sign."""
    places = 0 if abs(amount) >= 10_000 else 2
    text = f"{abs(amount):,.{places}f}"
    return f"−{text}" if amount < 0 and text.strip("0.,") else text


def as_lines(view: ForecastView) -> Iterator[str]:
    """At most 80 columns: what it will cost, when the budget is gone, how sure that is and has been."""
    yield f"{view.name}  {view.window.first:%Y-%m-%d} … {view.window.end - _DAY:%Y-%m-%d}  {view.currency}"
    if isinstance(view.found, NoForecast):
        yield from _wrapped("No forecast", view.found.why)
        return
    told = view.found
    of_budget = f" of {money(view.amount)}" if view.amount is not None else ""
    yield f"  Will cost    {money(told.middle)}{of_budget}; 80 % sure: {money(told.low)} … {money(told.high)}"
    yield f"  Spent        {money(told.spent)}{_spent_share(view, told)}"
    if view.amount is not None and view.amount > 0:
        yield f"  Gone         {gone(told, view.amount)}"
        yield from (f"  {line}" for line in budget_bar(view, told))
    yield from _wrapped("How sure", told.why)
    yield from _wrapped("Until now", record_in_words(view.record))


def _wrapped(title: str, text: str) -> Iterator[str]:
    first = f"  {title}".ljust(_INDENT)
    yield from wrap(text, _WIDTH, initial_indent=first, subsequent_indent=" " * _INDENT)


def _spent_share(view: ForecastView, told: Forecast) -> str:
    if view.amount is None or view.amount <= 0:
        return ""
    paced = f"; the pace expected {_percent(view.paced)} by now" if view.paced is not None else ""
    return f", {_percent(told.spent / view.amount)} of the budget{paced}"


def _percent(share: Decimal) -> str:
    value = share * _HUNDRED
    text = f"{value:.0f} %" if abs(value) >= _TEN else f"{value:.1f} %"
    return text.replace("-", "−")


def gone(told: Forecast, amount: Decimal) -> str:
    """When the budget is spent: by what is expected, and in the worse of the two bounds."""
    expected, soonest = day_gone(told, amount), _first(told, amount, high=True)
    if told.spent >= amount:
        return "already"
    if expected is None:
        return "not in this window" if soonest is None else f"probably not in this window; at worst on {soonest}"
    return f"on {expected}" if soonest is None or soonest == expected else f"on {expected}; at worst on {soonest}"


def day_gone(told: Forecast, amount: Decimal) -> date | None:
    """The day at whose end the budget is probably spent; None when that is not in the window."""
    return _first(told, amount, high=False)


def _first(told: Forecast, amount: Decimal, *, high: bool) -> date | None:
    return next((band.day for band in told.path if (band.high if high else band.middle) >= amount), None)


def record_in_words(record: TrackRecord) -> str:
    """How right forecasts have been."""
    if record.error is None or record.coverage is None:
        return "too few days in a row are known to try forecasts on"
    inside = int(record.coverage * record.forecasts + Decimal("0.5"))
    few = "" if record.forecasts >= _FEW_FORECASTS else " (few)"
    return (
        f"{record.forecasts} forecasts over {record.days} past days{few} were off by {_percent(record.error)} on "
        f"average; {inside} of them held their bounds"
    )


def budget_bar(view: ForecastView, told: Forecast) -> Iterator[str]:
    """The budget bar (LOOK.md): what is left, a tick where it should be by now, below it where it will end."""
    if view.amount is None or view.amount <= 0:
        return
    left = 1 - told.spent / view.amount
    cells = [_LEFT if index < _cell(left) else _SPENT for index in range(_BAR)]
    if view.paced is not None:
        cells[min(_cell(1 - view.paced), _BAR - 1)] = _TICK
    yield f"Left         {''.join(cells)}  {_percent(left)}"
    low, middle, high = (_cell(1 - bound / view.amount) for bound in (told.high, told.middle, told.low))
    line = [" "] * (_BAR + 1)
    line[low : high + 1] = _LINE * (high + 1 - low)
    line[middle] = _MIDDLE
    yield f"At its end   {''.join(line)} {_percent(1 - told.middle / view.amount)}"


def _cell(share: Decimal) -> int:
    return int(min(max(share, Decimal(0)), Decimal(1)) * _BAR)


def as_data(view: ForecastView) -> dict[str, JSON]:
    """For programs: decimals as strings, days as ISO 8601; `forecast` is null where there is none."""
    told = view.found if isinstance(view.found, Forecast) else None
    record = view.record
    return {
        "budget": view.name,
        "currency": view.currency,
        "window": {"first": view.window.first.isoformat(), "end": view.window.end.isoformat()},
        "amount": _text(view.amount),
        "pace": _text(view.paced),
        "forecast": None if told is None else _forecast_data(told, view.amount),
        "why": view.found.why,
        "past": {
            "forecasts": record.forecasts,
            "error": _text(record.error),
            "coverage": _text(record.coverage),
            "days": record.days,
        },
    }


def _forecast_data(told: Forecast, amount: Decimal | None) -> dict[str, JSON]:
    out = day_gone(told, amount) if amount is not None else None
    return {
        "low": _text(told.low),
        "middle": _text(told.middle),
        "high": _text(told.high),
        "spent": _text(told.spent),
        "method": told.method.value,
        "days_used": told.days_used,
        "days_estimated": told.days_estimated,
        "gone_on": out.isoformat() if out else None,
        "days": [_day_data(band) for band in told.path],
    }


def _day_data(band: DayBand) -> JSON:
    return {"day": band.day.isoformat(), "low": _text(band.low), "middle": _text(band.middle), "high": _text(band.high)}


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def csv_rows(view: ForecastView) -> Iterator[Mapping[str, str]]:
    """A row for each day of the window: what it will have cost until its end. None without a forecast."""
    if isinstance(view.found, Forecast):
        for band in view.found.path:
            yield {
                "budget": view.name, "currency": view.currency, "day": band.day.isoformat(),
                "low": f"{band.low:f}", "middle": f"{band.middle:f}", "high": f"{band.high:f}",
            }  # fmt: skip
