"""A CSV of day,amount: read exactly, or refused with every place."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.forecast.daily_file import LONGEST_BYTES, read_daily_file
from finops.forecast.daily_sums import with_latest_settling
from finops.forecast.model import DailySpend


def test_days_are_read_exactly_and_put_in_order() -> None:
    found = read_daily_file(
        "d.csv", "\ufeffDay,note,Amount\n2026-11-02,x,12.345678901234567890\n2026-11-01,,-3\n".encode()
    )
    assert found.problems == ()
    assert found.days == (
        DailySpend(date(2026, 11, 1), Decimal(-3)),
        DailySpend(date(2026, 11, 2), Decimal("12.345678901234567890")),
    )


def test_an_empty_amount_is_missing_and_not_zero() -> None:
    found = read_daily_file("d.csv", b"day,amount\n2026-11-01,\n\n2026-11-02,0\n")
    assert [each.amount for each in found.days] == [None, Decimal(0)]
    assert [each.is_whole for each in found.days] == [False, True]


def test_every_mistake_is_told_with_its_line() -> None:
    content = b"day,amount\n2026-11-31,1\n2026-11-01,NaN\n2026-11-01,1e30\n2026-11-02,1\n2026-11-02,2\n,abc\n"
    told = [(each.line, each.field) for each in read_daily_file("d.csv", content).problems]
    assert told == [(2, "day"), (3, "amount"), (4, "amount"), (6, "day"), (7, "day"), (7, "amount")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "day and amount"),
        (b"date,cost\n2026-11-01,1\n", "day and amount"),
        (b"day,amount\n", "holds no days"),
        (b"day,amount\n\xff\xfe,1\n", "not UTF-8"),
        (b'day,amount\n"2026-11-01,1\n', "not CSV"),
        (b"day,amount\n" + b"x" * LONGEST_BYTES, "larger than 16 MiB"),
        (b"day,amount\n" + b"9" * 200_000 + b",1\n", "not CSV"),
    ],
)
def test_what_is_no_such_file_is_refused(content: bytes, words: str) -> None:
    found = read_daily_file("d.csv", content)
    assert found.days == ()
    assert words in found.problems[0].message


def test_at_most_a_hundred_problems_are_told_and_odd_characters_are_not() -> None:
    found = read_daily_file("d.csv", b"day,amount\n" + b"\x1b[31mred,1\n" * 500)
    assert len(found.problems) == 100
    assert "\x1b" not in found.problems[0].message


@given(st.binary(max_size=300))
def test_any_bytes_give_days_or_problems(content: bytes) -> None:
    found = read_daily_file("d.csv", b"day,amount\n" + content)
    assert bool(found.days) != bool(found.problems)


def test_the_latest_days_can_be_taken_as_known_in_part() -> None:
    days = [DailySpend(date(2026, 11, day), Decimal(1)) for day in (1, 2, 3)]
    assert [each.is_whole for each in with_latest_settling(days, 2)] == [True, False, False]
    assert with_latest_settling(days, 0) == tuple(days)
    assert with_latest_settling([], 2) == ()
