"""Forecasts every budget, once an hour or so, and tells Prometheus."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from controlplane import conventions as names
from controlplane.model.budget import Budget
from controlplane.ports import Clock, MetricsBackend
from finops.forecast.daily_sums import Recorded, days_from, recorded
from finops.forecast.forecasting import forecast
from finops.forecast.model import DailySpend, Days, Forecast, NoForecast, TrackRecord
from finops.forecast.track_record import track_record
from finops.forecast.windows import window_of, zone_of

HISTORY: Final = timedelta(days=100)
RENEWED_AFTER: Final = timedelta(minutes=10)
TRIED_AGAIN_AFTER: Final = timedelta(minutes=1)
STALE_AFTER: Final = timedelta(hours=3)  # a live ledger whose latest hour is older says nothing of today
KEPT: Final = timedelta(hours=6)  # a forecast that could not be made again is no longer told
NO_DATA: Final = "no_data"
STALE: Final = "stale"
TOO_SHORT: Final = "too_short"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BudgetForecast:
    """One budget's forecast, or why there is none (`reason`: no_data, stale, too_short), and how right it has been."""

    budget: Budget
    window: Days
    made_at: datetime
    found: Forecast | NoForecast
    record: TrackRecord
    history: tuple[DailySpend, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Forecasts:
    """What one turn found, in the order of the budgets."""

    made_at: datetime
    budgets: tuple[BudgetForecast, ...] = ()

    def of(self, budget: str) -> BudgetForecast | None:
        """The one of that name."""
        return next((each for each in self.budgets if each.budget.name == budget), None)


@dataclass(slots=True)
class ForecastDaemon:
    """Forecasts budgets from their recorded ledger in Prometheus.

    `latest` is what the last turn found, `made_at` when each budget had a forecast last: alerts watch its age.
    """

    backend: MetricsBackend
    latest: Forecasts | None = field(default=None, init=False)
    made_at: dict[str, datetime] = field(default_factory=dict, init=False)

    def run_once(self, budgets: Sequence[Budget], now: datetime) -> Forecasts:
        """Fetch, forecast, and keep it for the collector. Raises what the backend raises, and then keeps the last one.

        Costs some 70 ms of processor time a budget: every ten minutes, when budgets change, and every minute while none
        has a forecast. In between nothing is done, so that it may be called as often as one likes.
        """
        if self.latest is not None and self._is_fresh(self.latest, budgets, now):
            return self.latest
        fetched: dict[str, Mapping[str, Recorded]] = {}
        found = []
        for budget in budgets:
            zone = zone_of(budget)
            window = window_of(budget, now)
            days = Days(min(window.first, (now - HISTORY).astimezone(zone).date()), window.end)
            key = f"{zone.key} {days.first} {days.end}"
            if key not in fetched:
                fetched[key] = recorded(self.backend, zone, days, now)
            found.append(_forecast_of(budget, window, fetched[key].get(budget.name), days, now))
        self.latest = Forecasts(now, tuple(found))
        for each in found:
            if isinstance(each.found, Forecast):
                self.made_at[each.budget.name] = now
            else:
                log.info(
                    "finops.no_forecast",
                    extra={"budget": each.budget.name, "reason": each.reason, "why": each.found.why},
                )
        return self.latest

    def _is_fresh(self, latest: Forecasts, budgets: Sequence[Budget], now: datetime) -> bool:
        are_same = tuple(each.budget for each in latest.budgets) == tuple(budgets)
        is_made = any(isinstance(each.found, Forecast) for each in latest.budgets)
        return are_same and now - latest.made_at < (RENEWED_AFTER if is_made else TRIED_AGAIN_AFTER)


def _forecast_of(budget: Budget, window: Days, found: Recorded | None, days: Days, now: datetime) -> BudgetForecast:
    nothing = TrackRecord(0)
    if found is None or found.until is None:
        why = NoForecast(f"Prometheus has no {names.BUDGET_LEDGER} of this budget: apply its rules and let them run")
        return BudgetForecast(budget, window, now, why, nothing, reason=NO_DATA)
    if now - found.until > STALE_AFTER + found.slot:
        why = NoForecast(f"its latest entry is of {found.until:%Y-%m-%d %H:%M} UTC: nothing is known of today")
        return BudgetForecast(budget, window, now, why, nothing, reason=STALE)
    history = days_from(found, zone_of(budget), days)
    told = forecast(history, window, budget.pace)
    reason = TOO_SHORT if isinstance(told, NoForecast) else ""
    return BudgetForecast(budget, window, now, told, track_record(history, window, budget.pace), history, reason)


class ForecastCollector(Collector):
    """What Prometheus scrapes: of the latest turn for six hours, and for ever when each budget's was made last."""

    def __init__(self, daemon: ForecastDaemon, clock: Clock) -> None:
        self._daemon = daemon
        self._clock = clock

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Gauges of every budget that has a forecast, and of every one that has none."""
        of_budget = (names.BUDGET, names.CURRENCY)
        bounds = GaugeMetricFamily(
            names.BUDGET_FORECAST,
            "What a budget's window will have cost at its end; low and high bound 80 of 100 cases.",
            labels=(*of_budget, names.FORECAST_BOUND),
        )
        error = GaugeMetricFamily(
            names.BUDGET_FORECAST_ERROR, "Mean absolute error of past forecasts, of the actual.", labels=of_budget
        )
        coverage = GaugeMetricFamily(
            names.BUDGET_FORECAST_COVERAGE, "Share of past actuals inside of the interval.", labels=of_budget
        )
        at = GaugeMetricFamily(names.BUDGET_FORECAST_AT, "When the forecast was made.", labels=of_budget)
        missing = GaugeMetricFamily(
            names.BUDGET_FORECAST_MISSING, "1 while a budget has no forecast.", labels=(names.BUDGET, "reason")
        )
        latest = self._daemon.latest
        is_fresh = latest is not None and self._clock.now() - latest.made_at <= KEPT
        for each in latest.budgets if latest else ():
            labels = (each.budget.name, each.budget.currency)
            if each.budget.name in self._daemon.made_at:
                at.add_metric(labels, self._daemon.made_at[each.budget.name].timestamp())
            if isinstance(each.found, NoForecast) or not is_fresh:
                missing.add_metric((each.budget.name, each.reason or STALE), 1)
                continue
            for bound in ("low", "middle", "high"):
                bounds.add_metric((*labels, bound), float(getattr(each.found, bound)))
            if each.record.error is not None and each.record.coverage is not None:
                error.add_metric(labels, float(each.record.error))
                coverage.add_metric(labels, float(each.record.coverage))
        yield from (bounds, error, coverage, at, missing)
