"""A crisis comes and goes: its tiers come, stay while it lasts, and go with it, whatever their receipts say."""

from collections.abc import Iterable

import pytest

from tests.finops.ladder.savings.closed_loop import Loop, World, any_world

WORLDS = {
    "measured-at-the-height": World(shares=(0.3, 0.3), dwell=45),
    "over-at-the-very-step": World(
        peak=8.95, hours=0.69, shares=(0.36, 0.23, 0.36), noise=0.0, dwell=30, cool_down=15, seed=1124
    ),
    "a-fixed-saving-by-the-units": World(shares=(0.5, 0.4), is_fixed=True, dwell=45, knows_units=True, hours=2),
    "entered-too-fast-to-be-measured": World(
        peak=9.48, hours=3, shares=(0.57, 0.59), noise=0.0, window=10, cool_down=15
    ),
    "declared-twice-as-much": World(course="ramp", shares=(0.4, 0.3), declared=2.0, noise=0.08, swing=0.2),
}


@pytest.mark.parametrize("name", WORLDS)
def test_a_ladder_comes_back_when_a_crisis_is_over_and_not_before(name: str) -> None:
    loop = Loop(WORLDS[name]).run()
    assert max(loop.tiers) > 0
    assert loop.settled_after <= loop.world.bound
    assert loop.returns <= 1


def test_the_end_of_a_crisis_is_no_saving_of_the_tier_in_force() -> None:
    loop = Loop(WORLDS["measured-at-the-height"]).run()
    said, truth = loop.saved
    assert 0 < said < truth
    coincident = Loop(WORLDS["over-at-the-very-step"]).run()
    assert coincident.saved[0] < coincident.saved[1]


def test_while_a_crisis_lasts_what_was_measured_at_its_height_is_believed_in_full() -> None:
    loop = Loop(World(course="step", hours=5, shares=(0.6,), dwell=45, peak=5, window=10)).run()
    high = loop.tiers[60:295]
    assert set(high) == {1}


def _ended(worlds: Iterable[World]) -> tuple[list[int], list[int]]:
    """The seeds of worlds in which the ladder did not come back, and of those in which it came and went."""
    loops = [Loop(world).run() for world in worlds]
    late = [loop.world.seed for loop in loops if loop.settled_after > loop.world.bound]
    return late, [loop.world.seed for loop in loops if loop.returns > 1]


@pytest.mark.soak
def test_in_hundreds_of_worlds_no_ladder_stays_and_few_flap() -> None:
    late, flapping = _ended(map(any_world, range(3000, 3300)))
    print(f"300 worlds: {len(late)} late {late}, {len(flapping)} flapping {flapping}")
    assert late == []
    assert len(flapping) <= 3
