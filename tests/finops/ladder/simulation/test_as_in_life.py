"""A ladder that ran and one that is replayed: the same readings, the same moves."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from controlplane.store import migrate, open_store
from finops.flags.adapters.memory import MemoryClient, MemoryFlags
from finops.ladder.model import Limits
from finops.ladder.readings import Quality, Reading, Readings
from finops.ladder.simulation.model import History, Options, Point
from finops.ladder.simulation.running import simulate
from tests.finops.ladder.acting.world import LADDER, MINUTE, NORMAL, SECOND, START, SimulatedClock, World

BURN = [0, 2, 2, 3, 1, 1, 4, 4, 4, 4, 0, 0, 2, None, None, 3, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 5, 5, 5, 0, 0, 0, 0, 0, 0]


def test_a_replay_makes_the_moves_that_the_daemon_made(tmp_path: Path) -> None:
    tiers = tuple(replace(each, enter_samples=2, exit_samples=3, dwell=MINUTE) for each in LADDER.tiers)
    ladder = replace(LADDER, tiers=tiers, limits=Limits(6, 2 * MINUTE, MINUTE))
    moments = [START + place * 30 * SECOND for place in range(len(BURN))]
    readings = [
        Reading(Quality.MISSING) if burn is None else Reading(Quality.GOOD, Decimal(burn), at)
        for burn, at in zip(BURN, moments, strict=True)
    ]
    world = _world(tmp_path)
    daemon = world.daemon()
    for at, reading in zip(moments, readings, strict=True):
        world.burn, world.clock.at = reading, at
        daemon.run_once((ladder,), at)
    lived = [(step.decided_at, step.from_tier, step.to_tier, step.ended_at, step.reason) for step in world.steps()]

    points = [Point(Readings(at, {"burn": reading})) for at, reading in zip(moments, readings, strict=True)]
    history = History(START, 30 * SECOND, points)
    replayed = simulate(ladder, history, Options(visible_in=timedelta(0), journey_takes=timedelta(0)))
    assert [(each.at, each.from_tier, each.to_tier, each.until, each.reason) for each in replayed.moves] == lived
    assert len(lived) == 6  # the cap holds the rest


def _world(folder: Path) -> World:
    url = f"sqlite:///{folder / 'state.db'}"
    migrate(url)
    clock = SimulatedClock()
    flags = MemoryFlags(NORMAL, clock)
    return World(open_store(url), flags, MemoryClient(flags), clock)
