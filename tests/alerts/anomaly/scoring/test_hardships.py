"""Clocks that were wrong, a Prometheus that is slow, or cannot read what is old."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pytest

from alerts.anomaly.daemon import AnomalyDaemon
from controlplane.matrix_ports import SampleMatrix
from controlplane.ports import Transient
from controlplane.store import SqlStore
from tests.alerts.anomaly.scoring.running import Running, kept
from tests.alerts.anomaly.scoring.worlds import PER_DAY, World, detector, moment, seasonal

NOW = 42 * PER_DAY
NEVER = moment(-10_000)
LATER = NOW + 20  # steps of which nobody was there for most


@dataclass
class Hard:
    """A Prometheus that takes `seconds` for each answer, and has no answer about what is before `oldest`."""

    world: World
    seconds: float = 0.0
    oldest: datetime = NEVER
    taken: float = 0.0
    refused: int = 0

    def matrix(
        self, query: str, start: datetime, end: datetime, step: timedelta, *, most_series: int, exact: bool = False
    ) -> SampleMatrix:
        self.taken += self.seconds
        if start < self.oldest:
            self.refused += 1
            raise Transient("the old blocks are away")
        return self.world.matrix(query, start, end, step, most_series=most_series, exact=exact)


def restarted(store: SqlStore, hard: Hard) -> Running:
    """A process that begins at LATER, after another one that went on until NOW."""
    Running(store, hard.world, [detector()]).reach(NOW - 1, NOW)
    running = Running(store, hard.world, [detector()])
    running.daemon = AnomalyDaemon(store, lambda: running.detectors, hard, running.time, seconds=lambda: hard.taken)
    return running


def opened(store: SqlStore) -> Iterable[tuple[str, str]]:
    return [(each.series, each.kind) for each in kept(store)[0]]


@pytest.mark.parametrize("services", [1, 4])
def test_what_a_slow_prometheus_did_not_tell_yet_is_not_missing(store: SqlStore, services: int) -> None:
    world = seasonal(services=services, days=44)
    world.values[-1, NOW + 2 : NOW + 4] *= 6
    running = restarted(store, Hard(world, seconds=25))
    turns = [running.at(LATER + number) for number in range(4)]
    assert sum(turn.steps for turn in turns) == LATER + 3 - NOW
    assert opened(store) == [(f'{{service="s{services - 1}"}}', "point")]


def test_a_past_that_cannot_be_read_keeps_nobody_from_scoring(store: SqlStore) -> None:
    world = seasonal(days=44)
    world.values[1, LATER + 1 : LATER + 4] *= 6
    hard = Hard(world, oldest=moment(NOW - 14 * PER_DAY))
    running = restarted(store, hard)
    turns = [running.at(LATER + number) for number in range(4)]
    assert not any(turn.failed for turn in turns)
    assert opened(store) == [('{service="s1"}', "point")]
    refused = hard.refused
    running.time.at += timedelta(seconds=5)
    running.daemon.run_once(running.time.at)
    assert hard.refused == refused  # it is not asked again at once


def test_a_clock_that_was_ahead_makes_nobody_rest_when_it_is_right_again(store: SqlStore) -> None:
    world = seasonal(days=44)
    later, world.values[:, NOW + 1 :] = world.values[:, NOW + 1 :].copy(), np.nan
    running = Running(store, world, [detector()])
    running.at(NOW)
    assert running.at(NOW + 5 * PER_DAY).steps == 0
    world.is_down = True
    assert running.at(NOW + 6 * PER_DAY).failed
    world.is_down, world.values[:, NOW + 1 :] = False, later
    assert [running.at(NOW + number).steps for number in (1, 2)] == [1, 1]


def test_a_clock_that_was_set_back_judges_no_step_twice(store: SqlStore) -> None:
    world = seasonal(days=44)
    world.values[1, NOW + 2 : NOW + 6] *= 6
    Running(store, world, [detector()]).reach(NOW, NOW + 8)
    before = kept(store)
    running = Running(store, world, [detector()])
    assert [running.at(NOW + number).steps for number in (3, 4, 9)] == [0, 0, 1]
    assert kept(store) == before
    assert before[0]
