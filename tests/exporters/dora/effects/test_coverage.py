"""Whether the intervals hold the truth as often as they promise, on generated services."""

import math

import pytest

from benchmarks.deployment_effects import COSTS, LEAST_HELD, NO_PAST, SHARES, SIZES, outcomes, share
from exporters.dora.effects.estimating import Scale

FAMILIES = [(name, Scale.DIFFERENCE) for name in SHARES] + [(name, Scale.QUOTIENT) for name in COSTS]
LESS_SOUND = {"a nightly job, deployed then": 0.8, NO_PAST[1]: 0.72}


def least(name: str, number: int) -> float:
    """Three standard deviations below what is promised, or documented where less is."""
    promised = LESS_SOUND.get(name, LEAST_HELD)
    return promised - 3 * math.sqrt(promised * (1 - promised) / number)


@pytest.mark.soak
@pytest.mark.parametrize(("name", "scale"), FAMILIES)
def test_intervals_hold_the_truth_whatever_the_size_of_the_effect(name: str, scale: Scale) -> None:
    for size in SIZES[scale]:
        found = outcomes({**SHARES, **COSTS}[name], size, scale, 300, seed=4)
        assert len(found) > 200
        assert share(each.held for each in found) >= least(name, len(found)), size


def test_waves_of_errors_do_not_pass_for_effects_and_large_effects_are_told() -> None:
    family = SHARES["bursts, each slot like the one before"]
    calm, bad = (outcomes(family, size, Scale.DIFFERENCE, 20, seed=5) for size in (0.0, 20.0))
    assert sum(each.told for each in calm) <= 3
    assert all(each.told for each in bad)
