"""What a query never exceeds, by its outermost functions and operators."""

from dataclasses import replace
from decimal import Decimal

import pytest

from finops.ladder.lint.bounds import highest, is_in_reach
from finops.ladder.model import Measure, Signal
from tests.finops.ladder.reading.documents import LADDER, REST, STORE, declared_in


@pytest.fixture(scope="module")
def signal() -> Signal:
    found = declared_in(LADDER + STORE + REST).values[0].signal("queue")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("query", "most"),
    [
        ("x", None),
        ("clamp_max(x, 3)", 3),
        ("clamp(x, 0, 0.5)", "0.5"),
        ("max(clamp_max(x, 3))", 3),
        ("sum(clamp_max(x, 3))", None),
        ("group(x)", 1),
        ("x > bool 3", 1),
        ("x > 3", None),
        ("x < 3", 3),
        ("clamp_max(x, 3) or vector(7)", 7),
        ("clamp_max(x, 3) and y", 3),
        ("clamp_max(x, 3) unless y", 3),
        ("clamp_max(x, 3) + 1", 4),
        ("clamp_max(x, 3) * 2", None),
        ("(absent(x))", 1),
        ("max_over_time(clamp_max(x, 2)[1h:1m])", 2),
        ("max_over_time(x[1h])", None),
        ("vector(5)", 5),
        ("vector(+Inf)", None),
        ("no promql (", None),
    ],
)
def test_a_query_is_bounded_by_what_stands_outermost(signal: Signal, query: str, most: str | int | None) -> None:
    assert highest(replace(signal, query=query)) == (None if most is None else Decimal(most))


def test_ratios_are_bounded_by_what_people_mean_by_them(signal: Signal) -> None:
    quota = replace(signal, measure=Measure.QUOTA)
    assert is_in_reach(quota, Decimal("1.5"))
    assert is_in_reach(quota, Decimal(10))
    assert not is_in_reach(quota, Decimal(80))
    assert is_in_reach(replace(signal, measure=Measure.BURN_RATE), Decimal(80))
    assert is_in_reach(None, Decimal(10**9))
