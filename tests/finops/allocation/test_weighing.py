"""Weights from files, from Prometheus and from the ledger."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.model.series import Series
from controlplane.model.spend import SpendRow, SpendTable
from finops.allocation.model import Period
from finops.allocation.tables import UsageWeight
from finops.allocation.weighing import MOST_BYTES, weights_of_csv, weights_of_quantities, weights_of_series
from tests.finops.allocation.plans import DECEMBER, NOVEMBER

MIDNIGHT = datetime(2026, 11, 30, tzinfo=UTC)


def test_a_file_of_weights() -> None:
    content = b'\xef\xbb\xbftenant, weight ,period\r\nalpha,1.50,2026-11\r\n"be,ta",2,\r\ngamma,0,2026-12-01\r\n'
    assert weights_of_csv("w.csv", content, "tenant", Period.MONTH).weights == (
        UsageWeight("alpha", Decimal("1.50"), NOVEMBER),
        UsageWeight("be,ta", Decimal(2)),
        UsageWeight("gamma", Decimal(0), DECEMBER),
    )


def test_every_mistake_in_a_file_is_told_with_its_line() -> None:
    content = b"target,weight,period\na,1,\n,2,\nb,-1,\nc,NaN,\nd,1e9999,\ne,1,Nov\nf,1,2026-02-30\ng,,\n"
    found = weights_of_csv("w.csv", content, "tenant", Period.MONTH)
    assert found.weights == (UsageWeight("a", Decimal(1)),)
    assert [(each.line, each.field, each.message) for each in found.problems] == [
        (3, "target", "names no target"),
        (4, "weight", "`-1` is not a weight"),
        (5, "weight", "`NaN` is not a weight"),
        (6, "weight", "`1e9999` is not a weight"),
        (7, "period", "`Nov` is not a period"),
        (8, "period", "`2026-02-30` is not a period"),
        (9, "weight", "`` is not a weight"),
    ]


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"", 1, "has no column tenant and weight"),
        (b"tenant,wieght\n", 1, "has no column weight"),
        (b"tenant,weight\na,1\n\xff\xfe,2\n", 3, "is not UTF-8"),
        (b'tenant,weight\na,"1\n', 2, "is no CSV: unexpected end of data"),
        (b"x" * (MOST_BYTES + 1), 1, "has more than 10,000,000 bytes"),
    ],
)
def test_what_is_no_file_of_weights_is_told(content: bytes, line: int, message: str) -> None:
    found = weights_of_csv("w.csv", content, "tenant", Period.MONTH)
    assert [(each.line, each.message) for each in found.problems] == [(line, message)]


@given(st.binary(max_size=200))
def test_any_bytes_give_weights_or_problems(content: bytes) -> None:
    found = weights_of_csv("w.csv", content, "tenant", Period.MONTH)
    assert all(each.weight >= 0 for each in found.weights)


def test_a_point_at_midnight_is_the_day_before() -> None:
    points = ((MIDNIGHT, 5.0), (MIDNIGHT + timedelta(days=1), 0.1), (MIDNIGHT + timedelta(days=2), 7.0))
    series = [Series({"tenant": "alpha"}, points), Series({}, points)]
    assert weights_of_series(series, "tenant", Period.MONTH) == (
        UsageWeight("alpha", Decimal("5.0"), NOVEMBER),
        UsageWeight("alpha", Decimal("0.1"), NOVEMBER),
        UsageWeight("alpha", Decimal("7.0"), DECEMBER),
    )
    assert weights_of_series(series, "tenant", Period.DAY)[0].period == "2026-11-29T00:00:00Z"


def test_values_that_are_no_usage_are_left_out() -> None:
    points = tuple((MIDNIGHT, value) for value in (float("nan"), float("inf"), -float("inf"), -1.0, 0.0, 2.0))
    found = weights_of_series([Series({"tenant": "a"}, points)], "tenant", Period.MONTH)
    assert [each.weight for each in found] == [2]


def test_quantities_of_one_unit() -> None:
    def row(tenant: str | None, quantity: str | None, unit: str | None) -> SpendRow:
        amount = None if quantity is None else Decimal(quantity)
        return SpendRow((NOVEMBER, tenant), "USD", Decimal(1), Decimal(1), quantity=amount, unit=unit)

    rows = (row("a", "2", "GB"), row("b", "3", "Hrs"), row("c", None, None), row(None, "4", "GB"), row("d", "-1", "GB"))
    table = SpendTable(("month", "tenant"), rows)
    assert weights_of_quantities(table, "tenant", Period.MONTH, "GB") == (UsageWeight("a", Decimal(2), NOVEMBER),)
    assert [each.target for each in weights_of_quantities(table, "tenant", Period.MONTH)] == ["a", "b"]
