"""Grids: the same in every process, spread over the interval, and exact."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from controlplane.model.check import CheckKind
from synthetics.prober.grid import Grid, confirm_after, grid_of, share_of

NOW = 1_790_000_000.0
grids = st.builds(lambda every, share: Grid(every, every * share), st.floats(1, 86_400 * 7), st.floats(0, 0.999999))


@given(grids, st.floats(NOW, NOW + 1e8))
def test_the_first_turn_from_a_moment_is_the_first_one(grid: Grid, at: float) -> None:
    number = grid.first_from(at)
    assert grid.start_of(number) >= at > grid.start_of(number - 1)


@given(grids, st.floats(NOW, NOW + 1e8))
def test_the_latest_turn_until_a_moment_is_the_latest_one(grid: Grid, at: float) -> None:
    number = grid.latest_until(at)
    assert grid.start_of(number) <= at < grid.start_of(number + 1)


def test_a_check_has_the_same_grid_after_every_start() -> None:
    every = timedelta(seconds=30)
    grid = grid_of(CheckKind.PROBE, "shop", "eu", every)
    assert grid == grid_of(CheckKind.PROBE, "shop", "eu", every)
    assert round(share_of(CheckKind.PROBE, "shop", "eu"), 6) == 0.137889  # not Python's own hash, which changes
    assert grid != grid_of(CheckKind.PROBE, "shop", "us", every)
    assert grid != grid_of(CheckKind.JOURNEY, "shop", "eu", every)


def test_a_thousand_checks_start_evenly_over_their_interval() -> None:
    names = (f"probe-{number}" for number in range(1000))
    tenths = [0] * 30
    for name in names:
        tenths[int(share_of(CheckKind.PROBE, name, "eu") * 30)] += 1
    assert min(tenths) > 33 - 3.5 * 33**0.5  # three and a half standard deviations of a fair spread
    assert max(tenths) < 33 + 3.5 * 33**0.5


@given(st.sampled_from(["api", "web", "node"]), st.integers(0, 10_000), st.integers(200, 500))
def test_names_of_any_series_are_spread_evenly(word: str, first: int, count: int) -> None:
    shares = sorted(share_of(CheckKind.PROBE, f"{word}-{first + number}", "eu") for number in range(count))
    distance = max(abs(share - (index + 0.5) / count) for index, share in enumerate(shares))
    assert distance < 2.4 / count**0.5  # Kolmogorov–Smirnov: one in some 100,000 fair spreads is further off


def test_a_failure_is_confirmed_after_a_quarter_of_the_interval_or_five_seconds() -> None:
    assert confirm_after(timedelta(seconds=10)) == 2.5
    assert confirm_after(timedelta(seconds=30)) == 5
    assert confirm_after(timedelta(hours=6)) == 5
