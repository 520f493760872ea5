"""Conditions beside figures, for people."""

from dataclasses import replace
from decimal import Decimal

import pytest

from finops.ladder.controller import ExplainedComparison, Verdict, explained, without
from finops.ladder.controller.judging import entering, leaving
from finops.ladder.controller.telling import figure
from finops.ladder.readings import Quality
from tests.finops.ladder.controller.building import (
    START,
    a_ladder,
    a_tier,
    at_tier,
    condition,
    readings,
)

TWO = {"burn": Decimal(2), "spike": Decimal(5)}


@pytest.mark.parametrize(
    ("burn", "spike", "needs_all", "enters", "leaves"),
    [
        ("2", "5", False, "holds", "fails"),
        ("2", "1", False, "holds", "holds"),
        ("1", "1", False, "fails", "holds"),
        ("2", None, False, "unknown", "unknown"),
        ("1", None, False, "unknown", "unknown"),
        ("2", "5", True, "holds", "fails"),
        ("2", "1", True, "fails", "fails"),
        ("1", "1", True, "fails", "holds"),
        ("1", None, True, "unknown", "unknown"),
        (None, None, True, "unknown", "unknown"),
    ],
)
def test_a_condition_holds_or_fails_or_nobody_knows(
    burn: str | None, spike: str | None, *, needs_all: bool, enters: str, leaves: str
) -> None:
    values = {"burn": burn and Decimal(burn), "spike": spike and Decimal(spike)}
    given = condition(TWO, needs_all=needs_all)

    assert (entering(given, values).value, leaving(given, values).value) == (enters, leaves)  # type: ignore[arg-type]


def test_the_exit_of_the_tier_in_force_and_the_enter_of_those_above_are_explained() -> None:
    sample = readings(START, burn="1.5", forecast=None, per_hour={"burn": "0.5"})

    exit_of_1, enter_2, enter_3 = explained(a_ladder(), at_tier(1, leaving=4, entering={2: 1}), sample, START)

    assert (exit_of_1.tier, exit_of_1.is_exit, exit_of_1.verdict) == (1, True, Verdict.UNKNOWN)
    assert (exit_of_1.streak, exit_of_1.samples) == (4, 10)
    assert exit_of_1.comparisons == (
        ExplainedComparison("burn", Decimal("1.2"), Decimal("1.5"), Decimal("2.0"), holds=False),
        ExplainedComparison(
            "forecast", Decimal("1.0"), None, None, holds=None, fault="its reading is missing (no sample)"
        ),
    )
    assert (enter_2.tier, enter_2.is_exit, enter_2.streak, enter_2.samples) == (2, False, 1, 3)
    assert enter_3.comparisons[0] == ExplainedComparison("burn", Decimal(6), Decimal("1.5"), None, holds=False)


def test_nothing_is_explained_of_a_tier_that_is_declared_no_more() -> None:
    assert explained(a_ladder(a_tier(1)), at_tier(2), readings(START), START) == ()


def test_without_a_tier_signals_are_higher_by_what_it_saves() -> None:
    sample = readings(START, burn=1, forecast=1, spike=None, per_hour={"burn": "0.5"}, savings={1: Decimal(3)})

    without_1 = without(sample, a_ladder(), 1).signals

    assert without_1["burn"].value == Decimal("2.5")
    assert without_1["forecast"] == sample.signals["forecast"]
    assert without_1["spike"] == sample.signals["spike"]
    assert without(sample, a_ladder(), 0) == sample


def test_what_cannot_be_told_without_a_tier_is_contradictory() -> None:
    sample = readings(START, per_hour={"burn": "NaN"})

    reading = without(sample, a_ladder(), 1).signals["burn"]

    assert (reading.quality, reading.value) == (Quality.CONTRADICTORY, None)


@pytest.mark.parametrize(
    ("value", "beside", "text"),
    [("2.3149", "4", "2.31"), ("3.9999", "4", "3.9999"), ("4", "4", "4"), ("4.0000001", "4.0", "4.0000001")],
)
def test_a_figure_has_as_many_digits_as_tell_it_from_its_threshold(value: str, beside: str, text: str) -> None:
    assert figure(Decimal(value), Decimal(beside)) == text


def test_explaining_agrees_with_what_is_decided() -> None:
    ladder = a_ladder()
    state = replace(at_tier(1), sampled_at=None)

    (exit_of_1, *_) = explained(ladder, state, readings(START, burn="0.1"), START)

    assert exit_of_1.verdict is Verdict.HOLDS
