"""Statements: what is shown adds up, to the digit in the figures and to the cent on the page."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.allocation.allocating import allocate
from finops.allocation.model import CostKey, CostKind, EvenKey, SharesKey, UsageKey
from finops.allocation.rounding import apportioned, rounded
from finops.allocation.showback import shown, statements
from finops.allocation.tables import CostRow, CostTable
from finops.allocation.words import cents, change, step_words
from tests.finops.allocation.plans import a_plan, a_step, a_table

AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=12)
CURRENCIES = st.sampled_from(["USD", "JPY", "KWD"])


@given(st.lists(AMOUNTS, min_size=1, max_size=12), CURRENCIES)
def test_cents_add_up_and_none_is_off_by_one(amounts: list[Decimal], currency: str) -> None:
    exact = sum(amounts, Decimal(0))
    whole = rounded(exact, currency)
    found = apportioned(amounts, whole, currency)
    unit = {"USD": Decimal("0.01"), "JPY": Decimal(1), "KWD": Decimal("0.001")}[currency]
    assert sum(found) == whole
    assert all(abs(each - amount) <= unit for each, amount in zip(found, amounts, strict=True))
    assert all(each == 0 for each, amount in zip(found, amounts, strict=True) if amount == 0 and any(amounts))


def test_a_missing_cent_goes_where_most_was_cut_off() -> None:
    amounts = [Decimal("1.001"), Decimal("1.009"), Decimal(0)]
    assert apportioned(amounts, Decimal("2.01"), "USD") == (Decimal("1.00"), Decimal("1.01"), 0)
    assert apportioned(amounts, Decimal("1.99"), "USD") == (Decimal("0.99"), Decimal("1.00"), 0)


ROWS = st.lists(
    st.builds(
        CostRow,
        st.tuples(st.sampled_from([None, "alpha", "beta", "gamma"]), st.sampled_from([None, "api", "kafka"])),
        CURRENCIES,
        AMOUNTS,
    ),
    min_size=1,
    max_size=20,
)


@given(ROWS, ROWS)
def test_every_figure_of_a_statement_ties_out(now: list[CostRow], before: list[CostRow]) -> None:
    plan = a_plan(
        a_step("kafka", EvenKey(), select={"service": ["kafka"]}),
        a_step("rest", CostKey(loaded=True), kind=CostKind.IDLE),
    )
    ledger = CostTable(("tenant", "service"), tuple(now))
    earlier = allocate(CostTable(("tenant", "service"), tuple(before)), plan, {})
    for it in statements(allocate(ledger, plan, {}), ledger, earlier, what="service"):
        own = [row.cost for row in now if row.currency == it.currency]
        assert Fraction(it.ledger) == sum(map(Fraction, own)) == Fraction(it.total)
        assert it.invoiced == sum(line.rounded for account in it.accounts for line in account.lines)
        assert it.rounding == it.invoiced - it.allocated
        cents_of = shown(it)
        assert sum(each.total for each in cents_of) == it.ledger_in_cents
        for each in cents_of:
            account = each.account
            assert Fraction(account.total) == sum(Fraction(line.cost) for line in account.lines)
            assert each.direct + each.shared + each.idle + each.commitment == each.total
            assert sum(amount for _, amount in each.lines) == each.total or not each.lines
        if it.before is not None:
            known = [row.cost for row in before if row.currency == it.currency]
            assert sum(Fraction(each.account.before or 0) for each in cents_of) == sum(map(Fraction, known))


def test_a_tenant_that_is_gone_is_still_compared() -> None:
    plan = a_plan(a_step())
    now, before = a_table("tenant service", ("alpha", "x", "1")), a_table("tenant service", ("beta", "x", "4"))
    (it,) = statements(allocate(now, plan, {}), now, allocate(before, plan, {}), what="service")
    assert [(each.target, each.total, each.change) for each in it.accounts] == [("alpha", 1, 1), ("beta", 0, -4)]


def test_without_a_month_before_nothing_is_compared() -> None:
    table = a_table("tenant service", ("alpha", "x", "1"))
    (it,) = statements(allocate(table, a_plan(a_step()), {}), table, None, what="service")
    assert (it.before, it.accounts[0].before, it.accounts[0].change) == (None, None, None)


def test_a_line_is_half_a_cent_away_from_zero() -> None:
    assert [rounded(Decimal(text), "USD") for text in ("0.005", "-0.005", "0.0049", "2.675")] == [
        Decimal("0.01"), Decimal("-0.01"), 0, Decimal("2.68"),
    ]  # fmt: skip
    assert rounded(Decimal("1.5"), "JPY") == 2
    assert rounded(Decimal("1.0005"), "KWD") == Decimal("1.001")


@pytest.mark.parametrize(
    ("amount", "before", "words"),
    [
        ("110", "100", "+10.00 (+10.0 %)"), ("90", "100", "−10.00 (−10.0 %)"), ("100", "100", "0.00"),
        ("5", "0", "+5.00"), ("1234.5", "100", "+1,134.50 (+1,134 %)"), ("-5", "-10", "+5.00 (+50.0 %)"),
        ("100.001", "100", "0.00"),
    ],
)  # fmt: skip
def test_a_change_in_words(amount: str, before: str, words: str) -> None:
    assert change(Decimal(amount), Decimal(before), "USD") == words


def test_cents_have_a_proper_minus_and_none_before_zero() -> None:
    assert [cents(Decimal(text), "USD") for text in ("-1234.567", "-0.001", "0", "1e3")] == [
        "−1,234.57", "0.00", "0.00", "1,000.00",
    ]  # fmt: skip


def test_steps_in_words() -> None:
    shares = SharesKey((("alpha", Decimal(1)),))
    plan = a_plan()
    words = [
        step_words(step, plan)
        for step in (
            a_step("a", UsageKey("calls"), select={"service": ["kafka", "redis"]}),
            a_step("b", CostKey(True, (("service", ("",)),)), select={"tenant": ["x"]}),
            a_step("c", EvenKey(), over="service"),
            a_step("d", shares, targets=["alpha"]),
        )
    ]
    assert words == [
        "cost of service kafka or redis without a tenant, by the usage calls",
        "cost of tenant x, in proportion to cost so far, with what earlier steps gave in service (none)",
        "all cost without a service, evenly to every service",
        "all cost without a tenant, in fixed shares to tenant alpha",
    ]
