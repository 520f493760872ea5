"""Splits and sums, against fractions."""

from decimal import ROUND_DOWN, Decimal, Inexact, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.allocation.exact import split, total

AMOUNTS = st.one_of(st.decimals(min_value=-(10**20), max_value=10**20, places=places) for places in (2, 12, 15))
WEIGHTS = st.lists(
    st.one_of(st.just(Decimal(0)), st.decimals(min_value=0, max_value=10**12, allow_nan=False)), min_size=1, max_size=12
)


@given(AMOUNTS, WEIGHTS.filter(any))
def test_parts_add_up_and_none_is_further_off_than_one_unit_of_the_last_place(
    amount: Decimal, weights: list[Decimal]
) -> None:
    parts = split(amount, weights)
    assert sum(map(Fraction, parts)) == Fraction(amount)
    whole = sum(map(Fraction, weights))
    for part, weight in zip(parts, weights, strict=True):
        proportional = Fraction(amount) * Fraction(weight) / whole
        assert abs(Fraction(part) - proportional) < Fraction(1, 10**12)
        assert weight != 0 or part == 0
        assert part * amount >= 0


@given(AMOUNTS, WEIGHTS.filter(any), st.integers(1, 5))
def test_a_split_does_not_depend_on_the_callers_decimal_context(
    amount: Decimal, weights: list[Decimal], precision: int
) -> None:
    expected = split(amount, weights)
    with localcontext(prec=precision, rounding=ROUND_DOWN):
        assert [part.as_tuple() for part in split(amount, weights)] == [part.as_tuple() for part in expected]


@given(AMOUNTS, st.decimals(min_value="0.001", max_value=10**6, places=3), st.integers(1, 30))
def test_equal_weights_give_parts_that_differ_by_one_unit_at_most(amount: Decimal, weight: Decimal, many: int) -> None:
    parts = split(amount, [weight] * many)
    assert max(parts) - min(parts) <= Decimal("1e-12")


def test_what_is_left_over_goes_to_the_largest_remainders() -> None:
    third = "3.333333333333"
    assert split(Decimal(10), [Decimal(1)] * 3) == [Decimal("3.333333333334"), Decimal(third), Decimal(third)]
    one, two = split(Decimal("0.000000000001"), [Decimal(1), Decimal(2)])
    assert (one, two) == (0, Decimal("1e-12"))


@pytest.mark.parametrize(
    ("weights", "why"), [([0, 0], "add up to zero"), ([], "add up to zero"), ([1, -1], "must not be negative")]
)
def test_weights_that_say_nothing_are_refused(weights: list[int], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        split(Decimal(1), [Decimal(weight) for weight in weights])


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="is no amount"):
        split(Decimal(amount), [Decimal(1)])


@given(st.lists(AMOUNTS), st.integers(1, 5))
def test_sums_are_exact_in_any_context(amounts: list[Decimal], precision: int) -> None:
    with localcontext(prec=precision):
        assert Fraction(total(amounts)) == sum(map(Fraction, amounts))


def test_a_sum_that_needs_too_many_digits_is_refused_not_rounded() -> None:
    with pytest.raises(Inexact):
        total([Decimal("1e300"), Decimal("1e-300")])
