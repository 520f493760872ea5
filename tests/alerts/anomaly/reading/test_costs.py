"""Daily costs as series."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from alerts.anomaly.model import CostQuery
from alerts.anomaly.reading.costs import DailyCosts, daily_costs
from controlplane.model.spend import Ledger, SpendQuestion, SpendRow, SpendTable
from controlplane.ports import Permanent

UNTIL = date(2026, 11, 11)
FIRST = date(2026, 11, 1)
NAN = float("nan")


@dataclass
class Bills:
    """A ledger of rows (day of November, dimension, currency, amount)."""

    rows: Sequence[tuple[int, str | None, str, str]]
    complete_until: datetime | None = datetime(2026, 11, 11, tzinfo=UTC)
    asked: list[SpendQuestion] = field(default_factory=list)

    def spend(self, question: SpendQuestion) -> SpendTable:
        self.asked.append(question)
        rows = tuple(
            SpendRow(
                (f"2026-11-{day:02}T00:00:00Z", *([part] * (len(question.by) - 1))),
                currency,
                Decimal(amount),
                Decimal(0),
            )
            for day, part, currency, amount in self.rows
        )
        return SpendTable(question.by, rows, self.complete_until)


def read(ledger: Bills, kind: Ledger = Ledger.BILLED, **terms: object) -> DailyCosts:
    query = CostQuery(kind, **{"by": ("service",), **terms})  # type: ignore[arg-type]
    return daily_costs(ledger, query, UNTIL, 10, most_series=2)


def test_days_of_a_billed_ledger_without_rows_cost_nothing_from_the_first_on() -> None:
    found = read(Bills([(2, "a", "USD", "0.1"), (2, "a", "USD", "0.2"), (5, "a", "USD", "-1.50")]))
    assert found.labels == ({"service": "a", "currency": "USD"},)
    assert found.first == FIRST
    np.testing.assert_array_equal(found.values, [[NAN, 0.3, 0, 0, -1.5, 0, 0, 0]])


def test_days_of_an_estimate_without_rows_are_missing_and_none_is_settling() -> None:
    found = read(Bills([(2, "a", "USD", "1"), (4, "a", "USD", "2")]), Ledger.ESTIMATED)
    np.testing.assert_array_equal(found.values, [[NAN, 1, NAN, 2, *[NAN] * 6]])


def test_the_newest_days_are_left_out_until_they_are_complete() -> None:
    rows = [(day, "a", "USD", "1") for day in range(1, 11)]
    for until, days in ((datetime(2026, 11, 9, 23, tzinfo=UTC), 6), (datetime(2026, 11, 12, tzinfo=UTC), 9)):
        found = read(Bills(rows, complete_until=until))
        np.testing.assert_array_equal(found.values, [[1] * days])
        assert found.end == FIRST + timedelta(days=days)


def test_an_empty_ledger_has_no_series_and_no_days() -> None:
    for ledger in (Bills([], complete_until=None), Bills([(1, "a", "USD", "1")], datetime(2026, 10, 1, tzinfo=UTC))):
        assert read(ledger).values.shape == (0, 0)
    assert read(Bills([])).values.shape == (0, 8)


def test_currencies_are_series_of_their_own_or_chosen() -> None:
    rows = [(1, None, "USD", "1"), (1, None, "EUR", "2")]
    assert read(Bills(rows)).labels == ({"service": "", "currency": "EUR"}, {"service": "", "currency": "USD"})
    assert read(Bills(rows), currency="USD").values[0, 0] == 1
    assert read(Bills(rows), by=()).labels == ({"currency": "EUR"}, {"currency": "USD"})


def test_the_ledger_is_asked_for_whole_days_by_day_and_dimension() -> None:
    ledger = Bills([])
    read(ledger, where={"team": ("a", "b")})
    (asked,) = ledger.asked
    assert (asked.start, asked.end) == (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 11, tzinfo=UTC))
    assert (asked.by, asked.where) == (("day", "service"), {"team": ("a", "b")})


def test_too_many_series_are_refused_with_what_to_do() -> None:
    with pytest.raises(Permanent, match=r"3 series, more than the 2 .* split by fewer"):
        read(Bills([(1, name, "USD", "1") for name in "abc"]))
