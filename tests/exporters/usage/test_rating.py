"""Lines of invoices: free allowance, price, one rounding."""

from dataclasses import replace
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.model import exact
from controlplane.model.usage import Aggregation, LineKind
from exporters.usage.rating import adjustment_line, rated, rounded, usage_line
from exporters.usage.terms import Billing, Price, Rounding
from tests.exporters.usage.metering import TOKENS

_MODES = {
    Rounding.HALF_UP: ROUND_HALF_UP,
    Rounding.HALF_EVEN: ROUND_HALF_EVEN,
    Rounding.UP: ROUND_UP,
    Rounding.DOWN: ROUND_DOWN,
}
_WIDE = Context(prec=60)
_QUANTITY = st.decimals(0, 10**9, places=6)
_BILLING = st.builds(
    Billing,
    free=st.decimals(0, 1000, places=3),
    rounding=st.sampled_from(Rounding),
    price=st.builds(
        Price,
        amount=st.decimals(0, 1000, places=6),
        per=st.sampled_from([Decimal(1), Decimal(3), Decimal(7), Decimal(1000)]),
        currency=st.just("USD"),
        decimals=st.integers(0, 4),
    ),
)


@given(st.decimals(-(10**12), 10**12, places=9), st.integers(0, 6), st.sampled_from(Rounding))
def test_rounding_is_that_of_the_decimal_arithmetic(value: Decimal, decimals: int, rounding: Rounding) -> None:
    expected = value.quantize(Decimal(1).scaleb(-decimals), _MODES[rounding], _WIDE)
    found = rounded(Fraction(value), decimals, rounding)
    assert found == expected
    assert found.as_tuple().exponent == -decimals


@pytest.mark.parametrize(
    ("quantity", "free", "billed", "amount"),
    [("0", "0", "0", "0.00"), ("99.5", "99.5", "0", "0.00"), ("100", "100", "0", "0.00"),
     ("101.25", "100", "1.25", "0.01"), ("1100", "100", "1000", "4.00"), ("10100.125", "100", "10000.125", "40.00")],
)  # fmt: skip
def test_a_line_takes_the_allowance_off_and_rounds_once(quantity: str, free: str, billed: str, amount: str) -> None:
    line = usage_line(TOKENS, "alpha", "2026-11", Decimal(quantity))
    assert (line.kind, line.currency, str(line.amount)) == (LineKind.USAGE, "USD", amount)
    assert (line.free, line.billed) == (Decimal(free), Decimal(billed))


def test_without_a_price_the_quantity_is_what_is_rounded() -> None:
    by = Billing(free=Decimal(1), rounding=Rounding.UP, decimals=0)
    assert str(rated(Decimal("3.2"), by).amount) == "3"
    assert rated(Decimal("3.2"), Billing()).amount == Decimal("3.2")
    line = usage_line(replace(TOKENS, billing=by), "alpha", "2026-11", Decimal("3.2"))
    assert (line.currency, line.billed, str(line.amount)) == ("", Decimal("2.2"), "3")


@given(_BILLING, st.lists(_QUANTITY, min_size=1, max_size=6), st.sampled_from([Aggregation.SUM, Aggregation.MAX]))
def test_adjustments_add_up_to_the_invoice_that_all_of_it_would_have_had(
    billing: Billing, parts: list[Decimal], aggregation: Aggregation
) -> None:
    meter = replace(TOKENS, billing=billing, aggregation=aggregation)
    lines = [usage_line(meter, "alpha", "2026-10", parts[0])]
    for number, part in enumerate(parts[1:], start=1):
        changed = replace(meter, billing=Billing(price=Price(Decimal(9), Decimal(1), "EUR", 0)))  # does not matter
        booked = f"2027-{number:02d}"
        lines.append(adjustment_line(changed, "alpha", part, booked=booked, period="2026-10", earlier=lines))
    whole = rated(max(parts) if aggregation is Aggregation.MAX else exact.total(parts), billing)
    assert exact.total(line.quantity for line in lines) == whole.quantity
    assert exact.total(line.free for line in lines) == whole.free
    assert exact.total(line.billed for line in lines) == whole.billed
    assert exact.total(line.amount for line in lines) == whole.amount
    assert {line.currency for line in lines} == {"USD"}
    assert all(line.quantity == line.free + line.billed for line in lines)


def test_late_usage_of_who_used_nothing_in_time_goes_by_the_terms_of_today() -> None:
    line = adjustment_line(TOKENS, "beta", Decimal(1100), booked="2026-12", period="2026-11", earlier=[])
    assert (line.kind, str(line.amount), line.free) == (LineKind.ADJUSTMENT, "4.00", 100)
    assert (line.booked, line.period, line.note) == ("2026-12", "2026-11", "late usage of 2026-11")


@given(st.lists(st.decimals(-(10**18), 10**18, places=12), max_size=20))
def test_sums_are_exact_and_have_one_spelling(values: list[Decimal]) -> None:
    total = exact.total(values)
    assert Fraction(total) == sum((Fraction(value) for value in values), Fraction(0))
    assert Decimal(exact.plain(total)) == total
    assert exact.plain(exact.add(total, Decimal("0.000"))) == exact.plain(total)
