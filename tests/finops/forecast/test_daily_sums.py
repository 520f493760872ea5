"""Days of spend from a cost ledger."""

from datetime import UTC, date, datetime
from decimal import Decimal

from controlplane.model.budget import Budget
from controlplane.model.slo import CalendarUnit, CalendarWindow, RollingWindow
from controlplane.model.source import SourcePosition
from controlplane.model.spend import SpendQuestion, SpendRow, SpendTable
from finops.forecast.daily_sums import days_of_ledger
from finops.forecast.model import DailySpend, Days
from finops.forecast.windows import midnight, window_of, zone_of
from tests.finops.forecast.series import NOVEMBER

MONTH = CalendarWindow(1, CalendarUnit.MONTH, "2024-01-01T00:00:00", "UTC")
INFRA = Budget(
    "infra", Decimal(18000), "USD", MONTH, SourcePosition("b.yaml", 1, 1), scope=(("service", ("api", "web")),)
)


class _Ledger:
    def __init__(self, rows: dict[str, tuple[str, str]], until: datetime | None) -> None:
        self._rows = rows
        self._until = until
        self.asked: list[SpendQuestion] = []

    def spend(self, question: SpendQuestion) -> SpendTable:
        self.asked.append(question)
        rows = [SpendRow((day,), currency, Decimal(cost), Decimal(0)) for day, (cost, currency) in self._rows.items()]
        return SpendTable(question.by, tuple(rows), self._until)


def test_a_bills_days_are_whole_but_for_the_latest_two() -> None:
    rows = {f"2026-11-0{day}T00:00:00Z": ("10.5", "USD") for day in (1, 2, 4, 5)}
    ledger = _Ledger(rows, datetime(2026, 11, 6, tzinfo=UTC))
    assert days_of_ledger(ledger, INFRA, NOVEMBER) == (
        DailySpend(date(2026, 11, 1), Decimal("10.5")),
        DailySpend(date(2026, 11, 2), Decimal("10.5")),
        DailySpend(date(2026, 11, 3), Decimal(0)),
        DailySpend(date(2026, 11, 4), Decimal("10.5"), None),
        DailySpend(date(2026, 11, 5), Decimal("10.5"), None),
    )
    assert ledger.asked[0].where == {"service": ("api", "web")}
    assert (ledger.asked[0].start, ledger.asked[0].end) == (
        datetime(2026, 11, 1, tzinfo=UTC),
        datetime(2026, 12, 1, tzinfo=UTC),
    )


def test_money_in_another_currency_is_not_the_budgets() -> None:
    ledger = _Ledger({"2026-11-01T00:00:00Z": ("10", "EUR")}, datetime(2026, 11, 6, tzinfo=UTC))
    assert days_of_ledger(ledger, INFRA, NOVEMBER) == ()


def test_an_empty_ledger_has_no_days() -> None:
    assert days_of_ledger(_Ledger({}, None), INFRA, NOVEMBER) == ()


def test_a_budgets_window_is_the_calendars_in_its_own_time_zone() -> None:
    berlin = CalendarWindow(1, CalendarUnit.MONTH, "2024-01-01T00:00:00", "Europe/Berlin")
    budget = Budget("b", Decimal(1), "EUR", berlin, SourcePosition("b.yaml", 1, 1))
    assert window_of(budget, datetime(2026, 10, 31, 23, 30, tzinfo=UTC)) == NOVEMBER
    assert midnight(date(2026, 11, 1), zone_of(budget)) == datetime(2026, 10, 31, 23, 0, tzinfo=UTC)


def test_of_a_window_that_rolls_the_days_to_come_are_forecast() -> None:
    rolling = Budget("b", Decimal(1), "USD", RollingWindow(NOVEMBER.end - NOVEMBER.first), SourcePosition("b", 1, 1))
    assert window_of(rolling, datetime(2026, 11, 1, 12, tzinfo=UTC)) == NOVEMBER


def test_quarters_are_forecast_as_a_whole() -> None:
    quarter = CalendarWindow(1, CalendarUnit.QUARTER, "2024-01-01T00:00:00", "UTC")
    budget = Budget("b", Decimal(1), "USD", quarter, SourcePosition("b.yaml", 1, 1))
    assert window_of(budget, datetime(2026, 11, 5, tzinfo=UTC)) == Days(date(2026, 10, 1), date(2027, 1, 1))
