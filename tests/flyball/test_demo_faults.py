"""What the demo promises of its faults: a page within two minutes, and then time to heal before it stays."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.burn_rate import STANDARD_TIERS
from flyball.cli.demo import break_
from flyball.demo.platform.catalogue import INTELGRAPH
from flyball.demo.platform.live import LivePlatform
from flyball.demo.platform.retries import Retries
from flyball.demo.platform.shapes import Fault
from flyball.demo.platform.simulation import Simulation
from flyball.demo.platform.traffic import Floats, Traffic

SEAM = 29_900_000  # minutes since the epoch: a day in November 2026
WEEK = 7 * 1440
MONTH = 30 * 1440
BUDGET_RATIO = 0.001
PAGED, HELD = (float(tier.budget_share) for tier in STANDARD_TIERS[:2])
STRETCH = 5
FAULTS = {fault.name: fault for fault in INTELGRAPH.faults}
REQUESTS = "gateway.requests"


def test_the_help_lists_every_fault() -> None:
    told = {line.split()[0] for line in (break_.__doc__ or "").splitlines() if line.startswith("    ") and line.split()}
    assert not FAULTS.keys() - told


def traffic() -> Traffic:
    return Traffic(INTELGRAPH, SEAM)


def noise(minutes: int) -> Floats:
    return np.random.default_rng(4).standard_normal((minutes, 2, len(traffic().streams)))


def requests(values: Floats) -> Floats:
    """Of streams, those of the gateway's requests (one each tenant), and all of them together."""
    columns = [number for number, stream in enumerate(traffic().streams) if stream.flow.name == REQUESTS]
    return np.column_stack([values[:, columns], values[:, columns].sum(axis=1)])


def budgets() -> Floats:
    """What 99.9 % of the last month allows, for each tenant and together."""
    good, bad = traffic().per_minute(SEAM - MONTH, noise(MONTH))
    return np.asarray(BUDGET_RATIO * requests(good + bad).sum(axis=0))


def spent(fault: Fault) -> Iterator[tuple[int, Floats]]:
    """Seconds since it began, and the share of the budget that is gone, had it begun in any minute of the week."""
    total = np.zeros((WEEK, len(INTELGRAPH.tenants) + 1))
    allowed = budgets()
    for start in range(0, 300, STRETCH):
        effects = tuple(effect.during(start, start + STRETCH) for effect in fault.effects)
        _, bad = traffic().per_minute(SEAM, noise(WEEK), effects)
        total += requests(bad) * STRETCH / 60 / allowed
        yield start + STRETCH, total


@pytest.mark.parametrize(("name", "paged_within"), [("outage", 45), ("errors", 60)])
def test_a_fault_pages_soon_and_leaves_three_minutes_to_heal_it_at_any_minute_of_the_week(
    name: str, paged_within: int
) -> None:
    """Two minutes hold this, a scrape (5 s), an evaluation (60 s) and Alertmanager (1 s).

    The six hours before have spent something, too: a fifth of what the budget allows for them at most.
    """
    calm = 0.25 * 6 / (30 * 24)
    for seconds, share in spent(FAULTS[name]):
        if seconds >= paged_within:
            assert share.min() > PAGED, f"after {seconds} s"
        if seconds <= 180:
            assert share.max() + calm < HELD, f"after {seconds} s"


def test_a_storm_is_the_same_at_every_hour_and_thins_out_to_little() -> None:
    loads = [FAULTS["outage"].effects[0].during(start, start + STRETCH) for start in (0, 20, 45, 120)]
    per_minute = [requests(traffic().per_minute(SEAM, noise(WEEK), (load,))[1])[:, -1] for load in loads]
    mean = 60 * next(flow.per_second for flow in INTELGRAPH.flows if flow.name == REQUESTS)
    for values in per_minute:
        assert np.ptp(values) < 1e-6
    assert [round(values[0] / mean, 2) for values in per_minute] == [2, 2, 0.53, 0.05]


SHAPES = st.builds(
    Retries,
    capacity=st.floats(1, 10),
    storm_seconds=st.floats(0, 100),
    halving_seconds=st.floats(0.5, 60),
    settled=st.floats(0.01, 1),
)


@given(SHAPES, st.lists(st.integers(0, 500), min_size=3, max_size=8, unique=True))
def test_the_mean_of_a_time_is_the_mean_of_its_parts_and_never_rises(shape: Retries, times: list[int]) -> None:
    times.sort()
    parts = [shape.mean(start, end) for start, end in pairwise(times)]
    whole = sum(part * (end - start) for part, (start, end) in zip(parts, pairwise(times), strict=True))
    assert shape.mean(times[0], times[-1]) * (times[-1] - times[0]) == pytest.approx(whole, rel=1e-6)
    assert all(later <= earlier * (1 + 1e-6) for earlier, later in pairwise(parts))
    assert shape.settled * (1 - 1e-6) <= parts[-1]
    assert parts[0] <= shape.capacity * (1 + 1e-6)


def platform() -> LivePlatform:
    return LivePlatform(Simulation(INTELGRAPH, seed=3, start=SEAM - 60, seam=SEAM), INTELGRAPH.faults)


def failed(platform: LivePlatform, seconds: float) -> int:
    """Failed requests since the beginning, as the gateway's counters say at that moment after the seam."""
    streams = traffic().streams
    moment = datetime.fromtimestamp(60 * SEAM, UTC) + timedelta(seconds=seconds)
    return sum(
        int(pod.cells[number])
        for pod in platform.pods(moment)
        for number, column in enumerate(pod.layout.columns)
        if column % 2 and streams[column // 2].flow.name == REQUESTS
    )


@pytest.mark.parametrize("begun", [0.0, 17.3, 59.999])
@pytest.mark.parametrize("every_seconds", [0.7, 5, 61])
def test_the_running_platform_follows_the_storm_however_often_it_is_looked_at(
    begun: float, every_seconds: float
) -> None:
    broken = platform()
    before = failed(broken, begun)
    broken.break_("outage", datetime.fromtimestamp(60 * SEAM + begun, UTC))
    for step in range(int(200 / every_seconds)):
        failed(broken, begun + step * every_seconds)
    per_second = next(flow.per_second for flow in INTELGRAPH.flows if flow.name == REQUESTS)
    retries = FAULTS["outage"].effects[0].retries
    assert retries is not None
    counted = failed(broken, begun + 200) - before
    assert counted == pytest.approx(per_second * 200 * retries.mean(0, 200), rel=0.01)


def test_a_fault_that_is_broken_again_begins_with_another_storm() -> None:
    broken = platform()
    counts = []
    for begun in (0, 300):
        before = failed(broken, begun)
        broken.break_("outage", datetime.fromtimestamp(60 * SEAM + begun, UTC))
        counts.append(failed(broken, begun + 60) - before)
        broken.heal("outage", datetime.fromtimestamp(60 * SEAM + begun + 60, UTC))
    assert counts[1] == pytest.approx(counts[0], rel=0.01)
