"""Forecasts of budgets whose ledger a real Prometheus has recorded, and what it can scrape of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from controlplane import conventions as names
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.model.budget import Budget
from controlplane.model.slo import CalendarUnit, CalendarWindow
from controlplane.model.source import SourcePosition
from finops.forecast.daemon import KEPT, NO_DATA, STALE, ForecastCollector, ForecastDaemon
from finops.forecast.model import Forecast, NoForecast
from tests.finops.forecast.series import made
from tests.slo.evaluating import Past, past, unix, utc

NOW = utc(2026, 11, 11, 12)
FIRST = utc(2026, 10, 2)
GAP = (utc(2026, 11, 4, 6), utc(2026, 11, 4, 18))
HOURLY = 3.0
ENTRIES_AN_HOUR = 12


def _budget(name: str, zone: str = "UTC") -> Budget:
    window = CalendarWindow(1, CalendarUnit.MONTH, "2024-01-01T00:00:00", zone)
    return Budget(name, Decimal(2000), "USD", window, SourcePosition("budgets.yaml", 1, 1))


@dataclass
class _Clock:
    at: datetime

    def now(self) -> datetime:
        return self.at


def _write(found: Past, budget: str, first: datetime, last: datetime) -> None:
    """An entry every 5 minutes, 137 seconds after each full one: rule groups have an offset of their own."""
    times = np.arange(unix(first) + 137, unix(last), 300, dtype=np.int64)
    times = times[(times < unix(GAP[0])) | (times >= unix(GAP[1]))]
    labels = {"__name__": names.BUDGET_LEDGER, names.BUDGET: budget, names.CURRENCY: "USD"}
    found.write(labels, times, np.full(len(times), HOURLY / ENTRIES_AN_HOUR))


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusBackend]:
    with past(tmp_path_factory.mktemp("prometheus")) as found:
        _write(found, "infra", FIRST, NOW)
        _write(found, "kolkata", FIRST, NOW)
        _write(found, "silent", FIRST, NOW - timedelta(hours=5))
        _write(found, "newborn", NOW - timedelta(hours=4), NOW)
        yield found.backend


@pytest.fixture(scope="module")
def daemon(backend: PrometheusBackend) -> ForecastDaemon:
    daemon = ForecastDaemon(backend)
    budgets = [_budget(name) for name in ("infra", "silent", "newborn", "unknown")]
    daemon.run_once([*budgets, _budget("kolkata", "Asia/Kolkata")], NOW)
    return daemon


def _told(daemon: ForecastDaemon, budget: str) -> Forecast | NoForecast:
    found = daemon.latest.of(budget) if daemon.latest else None
    assert found is not None
    return found.found


@pytest.mark.parametrize("budget", ["infra", "kolkata"])
def test_recorded_days_become_a_forecast_of_the_month(daemon: ForecastDaemon, budget: str) -> None:
    told = made(_told(daemon, budget))
    assert float(told.middle) == pytest.approx(HOURLY * 24 * 30, rel=0.01)


def test_what_was_recorded_is_what_was_spent_in_the_budgets_own_days(daemon: ForecastDaemon) -> None:
    hours = {"infra": 10 * 24 + 12 - 12, "kolkata": 10 * 24 + 17 - 12}  # 12:00 UTC is 17:30 in Kolkata, gap aside
    assert float(made(_told(daemon, "infra")).spent) == pytest.approx(HOURLY * hours["infra"], rel=0.002)
    assert float(made(_told(daemon, "kolkata")).spent) == pytest.approx(HOURLY * (hours["kolkata"] + 0.5), rel=0.002)


def test_a_ledger_that_fell_silent_gives_no_forecast(daemon: ForecastDaemon) -> None:
    reasons = {each.budget.name: each.reason for each in daemon.latest.budgets} if daemon.latest else {}
    assert reasons == {"infra": "", "kolkata": "", "silent": STALE, "newborn": "too_short", "unknown": NO_DATA}


def test_prometheus_can_scrape_bounds_errors_and_what_is_missing(daemon: ForecastDaemon) -> None:
    registry = CollectorRegistry()
    registry.register(ForecastCollector(daemon, _Clock(NOW)))
    text = generate_latest(registry).decode()
    for bound in ("low", "middle", "high"):
        assert f'{names.BUDGET_FORECAST}{{bound="{bound}",budget="infra",currency="USD"}} 2' in text
    assert registry.get_sample_value(names.BUDGET_FORECAST_AT, {"budget": "infra", "currency": "USD"}) == unix(NOW)
    assert f'{names.BUDGET_FORECAST_MISSING}{{budget="silent",reason="stale"}} 1.0' in text
    assert f'{names.BUDGET_FORECAST}{{bound="low",budget="silent"' not in text
    assert f'{names.BUDGET_FORECAST_ERROR}{{budget="infra"' in text
    assert f'{names.BUDGET_FORECAST_COVERAGE}{{budget="infra"' in text


def test_a_forecast_that_cannot_be_made_again_is_withdrawn_but_its_time_stays(daemon: ForecastDaemon) -> None:
    registry = CollectorRegistry()
    registry.register(ForecastCollector(daemon, _Clock(NOW + KEPT + timedelta(minutes=1))))
    text = generate_latest(registry).decode()
    assert f"{names.BUDGET_FORECAST}{{" not in text
    assert f'{names.BUDGET_FORECAST_AT}{{budget="infra"' in text
    assert f'{names.BUDGET_FORECAST_MISSING}{{budget="infra",reason="stale"}} 1.0' in text


def test_a_forecast_is_renewed_after_ten_minutes_and_when_budgets_change(backend: PrometheusBackend) -> None:
    daemon = ForecastDaemon(backend)
    infra, minute = [_budget("infra")], timedelta(minutes=1)
    nothing = daemon.run_once([], NOW)
    first = daemon.run_once(infra, NOW)
    assert nothing.budgets == ()
    assert daemon.run_once(infra, NOW + 9 * minute) is first
    assert daemon.run_once([_budget("infra")], NOW + 9 * minute) is first
    assert daemon.run_once(infra, NOW + 10 * minute) is not first
    unknown = daemon.run_once([_budget("unknown")], NOW + 11 * minute)
    assert daemon.run_once([_budget("unknown")], NOW + 12 * minute) is not unknown


def test_before_the_first_turn_there_is_nothing_to_scrape(backend: PrometheusBackend) -> None:
    collector = ForecastCollector(ForecastDaemon(backend), _Clock(datetime(2026, 1, 1, tzinfo=UTC)))
    assert [sample for family in collector.collect() for sample in family.samples] == []
