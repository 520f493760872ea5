"""A ladder does not flap: not by its own savings, not by any signal, and not by one that knows it and means harm."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops.ladder.model import Ladder
from finops.ladder.readings import Readings
from tests.finops.ladder.controller.building import DAY, MINUTE, START, Walk, a_ladder, a_tier, readings, walking

Signal = Callable[[Walk, Random], str]
THRESHOLDS = tuple(Decimal(2 * tier) - lower for tier in (1, 2, 3) for lower in (Decimal(0), Decimal("0.8")))
JUST = Decimal("0.0001")


def a_quick_ladder(changes_per_day: int = 12) -> Ladder:
    """As quick as a ladder may be: one sample suffices, and cool-down is no longer than dwell."""
    tiers = (a_tier(number, enter_samples=1, exit_samples=1, dwell=10 * MINUTE) for number in (1, 2, 3))
    return a_ladder(*tiers, changes_per_day=changes_per_day, cool_down=10 * MINUTE)


def at_random(walk: Walk, random: Random) -> str:
    """Anything between nothing and far above."""
    return str(round(random.uniform(0, 8), 2))


def about_thresholds(walk: Walk, random: Random) -> str:
    """A hair below or above any threshold."""
    return str(random.choice(THRESHOLDS) + random.choice((JUST, -JUST, Decimal(0))))


def to_and_fro(walk: Walk, random: Random) -> str:
    """Whatever makes the ladder turn back from where it has just gone."""
    came_up = bool(walk.moves) and walk.moves[-1][1].to_tier > walk.moves[-1][1].from_tier
    is_up = walk.state.tier == 0 or (not came_up and walk.state.tier < walk.ladder.top)
    return "9" if is_up else "0.1"


def about_one_tier(walk: Walk, random: Random) -> str:
    """The least that enters a tier, and the most that leaves it again."""
    return "2" if walk.state.tier == 0 else "1.1999"


SIGNALS = (at_random, about_thresholds, to_and_fro, about_one_tier)


def most_within(times: Sequence[datetime], length: timedelta) -> int:
    """The most of these times that lie in any window of that length (half-open)."""
    return max((sum(begin <= at < begin + length for at in times) for begin in times), default=0)


def drive(ladder: Ladder, signal: Signal, seed: int, samples: int) -> Walk:
    """Walk a ladder through a signal."""
    random, walk = Random(seed), walking(ladder)
    for _ in range(samples):
        at = walk.now + ladder.every
        walk.step(readings(at, burn=signal(walk, random)))
    return walk


def _assert_no_flapping(walk: Walk) -> None:
    times = [at for at, _ in walk.moves]
    assert most_within(times, 10 * MINUTE) <= 2
    assert most_within(times, DAY) <= walk.ladder.limits.changes_per_day


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.__name__)
def test_no_signal_changes_it_more_than_twice_per_dwell(signal: Signal) -> None:
    walk = drive(a_quick_ladder(99), signal, 6, 500)

    assert len(walk.moves) > 10
    _assert_no_flapping(walk)


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.__name__)
def test_no_signal_changes_it_more_often_in_a_day_than_it_may(signal: Signal) -> None:
    walk = drive(a_quick_ladder(5), signal, 6, 800)

    assert len(walk.moves) >= 5
    _assert_no_flapping(walk)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.__name__)
def test_no_signal_of_a_day_makes_it_flap(signal: Signal, seed: int) -> None:
    for changes in (3, 99):
        _assert_no_flapping(drive(a_quick_ladder(changes), signal, seed, 2 * 1440))


def saved(walk: Walk, demand: Decimal) -> Readings:
    """A platform of that demand, whose spend is lower by what the tiers in force save; a unit an hour is 1 of burn."""
    saving = sum((tier.saving_per_hour for tier in walk.ladder.tiers[: walk.state.tier]), Decimal(0))
    return readings(walk.now + MINUTE, burn=str(demand - saving), per_hour={"burn": "1"})


@settings(max_examples=12)
@given(
    demand=st.integers(0, 1200).map(lambda cents: Decimal(cents) / 100),
    savings=st.tuples(*[st.integers(0, 400).map(lambda cents: str(Decimal(cents) / 100))] * 3),
)
def test_its_own_savings_never_bring_it_down(demand: Decimal, savings: tuple[str, str, str]) -> None:
    tiers = [
        a_tier(number, exit_samples=3, dwell=5 * MINUTE, saving=saving) for number, saving in enumerate(savings, 1)
    ]
    walk = walking(a_ladder(*tiers, cool_down=5 * MINUTE))

    for _ in range(60):
        walk.step(saved(walk, demand))

    assert [move.to_tier for _, move in walk.moves] == [*range(1, walk.state.tier + 1)]


def test_it_comes_down_when_demand_really_falls() -> None:
    walk = walking(a_ladder(*(a_tier(number, exit_samples=3, saving="1.5") for number in (1, 2, 3))))
    for _ in range(40):
        walk.step(saved(walk, Decimal("5.6")))
    assert walk.state.tier == 2
    assert walk.now > START

    for _ in range(120):
        walk.step(saved(walk, Decimal(1)))

    assert walk.state.tier == 0
