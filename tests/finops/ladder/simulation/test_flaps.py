"""A flap is a change that is taken back a moment later."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from controlplane.model.ladder import StepCause
from finops.ladder.simulation.flaps import flaps_of, within
from finops.ladder.simulation.model import Moved
from finops.ladder.simulation.sentences import flap
from tests.finops.ladder.simulation.examples import MINUTE, START, ladder


def moved(minute: int, start: int, end: int, **changes: object) -> Moved:
    at = START + minute * MINUTE
    made = Moved(at, at, start, end, StepCause.SIGNALS, "", Decimal(0))
    return replace(made, **changes)  # type: ignore[arg-type]


def test_soon_is_twice_the_longer_one_of_dwell_and_cool_down() -> None:
    assert within(ladder(), 1) == timedelta(hours=1)  # dwell 10 minutes, cool-down 30


def test_a_tier_that_is_entered_and_left_within_that_time_flaps() -> None:
    (found,) = flaps_of(ladder(), [moved(0, 0, 1), moved(60, 1, 0)])
    assert (found.tier, found.entered_again, found.after) == (1, False, timedelta(hours=1))
    assert flap(found) == "tier 1 was entered and left after 1 h"
    assert flaps_of(ladder(), [moved(0, 0, 1), moved(61, 1, 0)]) == ()


def test_a_tier_that_is_left_and_entered_again_flaps() -> None:
    moves = [moved(0, 0, 1), moved(300, 1, 0), moved(312, 0, 1)]
    (found,) = flaps_of(ladder(), moves)
    assert flap(found) == "tier 1 was left and entered again after 12 min"


def test_each_reversal_counts_once() -> None:
    moves = [moved(number * 31, number % 2, 1 - number % 2) for number in range(6)]
    assert len(flaps_of(ladder(), moves)) == 5


def test_a_climb_and_an_orderly_way_down_are_none() -> None:
    moves = [moved(0, 0, 1), moved(20, 1, 2), moved(120, 2, 1), moved(150, 1, 0)]
    assert flaps_of(ladder(), moves) == ()


def test_a_jump_that_is_taken_back_is_one_reversal() -> None:
    assert len(flaps_of(ladder(), [moved(0, 0, 2), moved(30, 2, 1)])) == 1


def test_steps_that_were_undone_or_never_ended_never_stood() -> None:
    moves = [moved(0, 0, 1), moved(20, 1, 2, undone=True), moved(40, 1, 0, until=None)]
    assert flaps_of(ladder(), moves) == ()


def test_how_soon_is_soon_may_be_said() -> None:
    moves = [moved(0, 0, 1), moved(45, 1, 0)]
    assert len(flaps_of(ladder(), moves)) == 1
    assert flaps_of(ladder(), moves, timedelta(minutes=44)) == ()
