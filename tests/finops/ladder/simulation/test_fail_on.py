"""Conditions of --fail-on: whatever is typed is understood or explained."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.ladder.simulation.fail_on import FIGURES, fail_on
from finops.ladder.simulation.model import Totals

TOTALS = Totals(
    flaps=2, moves=8, undone=1, saved=Decimal("12.5"), spent=Decimal(100), degraded_minutes=Decimal(90),
    degraded_user_minutes=Decimal(4500), max_tier=3, held_minutes=Decimal(0), minutes_without_data=Decimal(7),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("flaps>0", True), ("flaps > 2", False), ("flaps>=2", True), ("flaps==2", True), ("flaps!=2", False),
        ("saved<12.6", True), ("saved<=12.4", False), ("  max_tier >= 3 ", True), ("degraded_minutes>90", False),
        ("degraded_user_minutes>4499.99", True), ("held_minutes==0", True), ("minutes_without_data>-1", True),
        ("undone>.5", True), ("moves<8.", False),
    ],
)  # fmt: skip
def test_a_figure_is_held_against_a_number(text: str, holds: bool) -> None:
    assert fail_on(text).holds(TOTALS) is holds


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("flap>0", "`flap` is no figure, did you mean `flaps`?"),
        ("cost>0", "`cost` is no figure; figures are flaps, moves"),
        ("flaps=0", "`=` is no operator, did you mean `==`?"),
        ("flaps=>0", "`=>` is no operator: there are >= <= == != > <"),
        ("flaps>many", "`many` is no number such as 0 or 12.5"),
        ("flaps>1,000", "`1,000` is no number"),
        ("saved<5USD", "`5USD` is no number"),
        ("flaps", "`flaps` is not FIGURE OPERATOR NUMBER: write it as flaps>0"),
        ("", "`` is not FIGURE OPERATOR NUMBER"),
        ("flaps>nan", "`nan` is no number"),
        ("flaps>1e999999", "`1e999999` is no number"),
    ],
)
def test_a_mistake_is_explained(text: str, says: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 -- the text is asserted
        fail_on(text)
    assert says in str(raised.value)


numbers = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=3)


@given(
    st.sampled_from(FIGURES), st.sampled_from([">", ">=", "<", "<=", "==", "!="]), numbers, st.sampled_from(["", " "])
)
def test_what_is_written_is_read_again(figure: str, sign: str, number: Decimal, space: str) -> None:
    found = fail_on(f"{figure}{space}{sign}{space}{number:f}")
    assert (found.figure, found.operator, found.number) == (figure, sign, number)
    assert fail_on(str(found)) == found


@given(numbers, numbers)
def test_operators_mean_what_they_mean(value: Decimal, number: Decimal) -> None:
    totals = replace(TOTALS, saved=value)
    said = {sign: fail_on(f"saved{sign}{number:f}").holds(totals) for sign in (">", ">=", "<", "<=", "==", "!=")}
    assert said == {
        ">": value > number, ">=": value >= number, "<": value < number, "<=": value <= number,
        "==": value == number, "!=": value != number,
    }  # fmt: skip


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_with_words(text: str) -> None:
    said = ""
    try:
        said = str(fail_on(text))
    except ValueError as error:
        said = str(error)
    assert said
