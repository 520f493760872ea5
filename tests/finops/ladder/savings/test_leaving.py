"""A tier measured twice, when it is entered and when it is left."""

import numpy as np
import pytest

from finops.ladder.savings.history import History, usual
from finops.ladder.savings.measuring import Measured, combined, measure, reversed_
from tests.finops.ladder.savings.worlds import DAY, SETTLING, START, ledger, noise

SAVING = 3.0


def both_ways(blocks: int, seed: int, *, knows_units: bool, memory: float) -> tuple[Measured, Measured]:
    """What entering and what leaving say of a tier that was in force for so many blocks."""
    rng = np.random.default_rng(seed)
    step = 15 * DAY
    left = step + blocks
    count = left + SETTLING + 24
    at = np.arange(count)
    level = 1 + 0.4 * np.sin(2 * np.pi * (at / DAY + rng.uniform()))
    without = 20 * (0.4 + 0.6 * level) * (1 + 0.05 * noise(rng, count, memory))
    money = ledger(without - SAVING * ((at >= step) & (at < left)))
    units = ledger(1000 * level * (1 + 0.02 * rng.normal(size=count)))
    regime = np.select([at < step, at < step + SETTLING, at < left, at < left + SETTLING], [0, -1, 1, -1], 2)
    full = at < step
    load = units if knows_units else usual(money, full)
    history = History(START, money, load, "units" if knows_units else "", regime, full)
    entered = measure(history, (step - 12, step), (step + SETTLING, min(left, step + SETTLING + 12)))
    within = max(step + SETTLING, left - 12), left
    leaving = measure(history, within, (left + SETTLING, count))
    assert entered is not None
    assert leaving is not None
    return entered, reversed_(leaving)


def test_leaving_tells_the_same_as_entering_and_both_tell_more() -> None:
    found = [both_ways(36, seed, knows_units=True, memory=0.5) for seed in range(10)]
    together = [combined(*pair) for pair in found]
    assert np.mean([each.saving for each in together]) == pytest.approx(SAVING, abs=0.5)
    assert all(
        joint.high - joint.low < min(one.high - one.low for one in pair)
        for joint, pair in zip(together, found, strict=True)
    )


@pytest.mark.soak
@pytest.mark.parametrize(
    ("blocks", "knows_units", "memory"),
    [(12, True, 0.5), (36, True, 0.5), (12, False, 0.5), (36, True, 0.8)],
    ids=["an-hour", "three-hours", "no-unit-cost", "noise-that-lasts"],
)
def test_both_ways_together_hold_what_they_say(blocks: int, knows_units: bool, memory: float) -> None:
    found = [combined(*both_ways(blocks, seed, knows_units=knows_units, memory=memory)) for seed in range(500)]
    coverage = float(np.mean([each.low <= SAVING <= each.high for each in found]))
    print(f"{blocks} blocks: bias {np.mean([each.saving for each in found]) - SAVING:+.3f}, coverage {coverage:.1%}")
    assert 0.72 <= coverage <= 0.88
