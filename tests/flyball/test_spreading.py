"""Money of nobody, spread day by day."""

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from exporters.unit_cost.history import DailyAmount
from flyball.money.spreading import spread_daily

DAYS = ["2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"]
GROUPS = st.sampled_from([("alpha",), ("beta",), (None,)])


def amounts(lowest: int) -> st.SearchStrategy[list[DailyAmount]]:
    numbers = st.decimals(min_value=lowest, max_value=10**9, places=12)
    return st.lists(st.builds(DailyAmount, st.sampled_from(DAYS), GROUPS, numbers), max_size=12)


@given(amounts(-(10**6)), amounts(0))
def test_every_day_keeps_its_sum(money: list[DailyAmount], weights: list[DailyAmount]) -> None:
    sums: dict[str, Fraction] = defaultdict(Fraction)
    for each in money:
        sums[each.day] += Fraction(each.amount)
    for each in spread_daily(money, weights):
        sums[each.day] -= Fraction(each.amount)
    assert not any(sums.values())


def test_weights_share_out_what_nobody_has_and_without_them_the_day_counts_for_nobody() -> None:
    money = [DailyAmount(DAYS[0], ("alpha",), Decimal(1)), *(DailyAmount(day, (None,), Decimal(8)) for day in DAYS)]
    weights = [
        DailyAmount(DAYS[0], ("alpha",), Decimal(3)), DailyAmount(DAYS[0], ("beta",), Decimal(1)),
        DailyAmount(DAYS[0], (None,), Decimal(96)),
    ]  # fmt: skip
    assert spread_daily(money, weights) == (
        DailyAmount(DAYS[0], ("alpha",), Decimal(1)),
        DailyAmount(DAYS[0], ("alpha",), Decimal(6)),
        DailyAmount(DAYS[0], ("beta",), Decimal(2)),
        DailyAmount(DAYS[1], (None,), Decimal(8)),
    )
