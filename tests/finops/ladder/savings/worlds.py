"""Made-up platforms whose tiers save what we say: spend and load in blocks of five minutes, with the truth beside."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

from finops.ladder.savings.history import Flags, Floats, History, Window, usual

START: Final = datetime(2026, 3, 2, tzinfo=UTC)
SETTLING: Final = 3
DAY: Final = 288


@dataclass(frozen=True)
class World:
    """`fixed` of the spend does not follow the load. A tier saves `saving` an hour and `share` of what would be spent.

    `growth` of the load comes in the half hour before the step and while it settles. `noise` is a share of the spend,
    autocorrelated with `memory`. `load` is what is known: units, usual or nothing. `neighbour` is spend that falls, by
    something else, at the very step.
    """

    days: int = 15
    load: str = "units"
    noise: float = 0.05
    memory: float = 0.5
    swing: float = 0.4
    fixed: float = 0.4
    growth: float = 0.0
    saving: float = 3.0
    share: float = 0.0
    before: int = 12
    after: int = 12
    neighbour: float = 0.0


@dataclass(frozen=True)
class Seen:
    """What can be seen of a world, and the truth."""

    history: History
    before: Window
    after: Window
    truth: float


def seen(world: World, seed: int) -> Seen:
    """One run of a world."""
    rng = np.random.default_rng(seed)
    step = world.days * DAY + world.before
    count = step + SETTLING + world.after
    at = np.arange(count)
    level = 1 + world.swing * np.sin(2 * np.pi * (at / DAY + rng.uniform()))
    level = level * (1 + world.growth * np.clip((at - step + 6) / (6 + SETTLING), 0, 1))
    without = 20 * (world.fixed + (1 - world.fixed) * level) * (1 + world.noise * noise(rng, count, world.memory))
    saved = np.where(at >= step, world.saving + world.share * without, 0.0)
    spent = without - saved - np.where(at >= step, world.neighbour, 0.0)
    money = ledger(spent)
    full: Flags = at < step
    units = ledger(1000 * level * (1 + 0.02 * rng.normal(size=count)))
    load = {"units": units, "usual": usual(money, full), "nothing": None}[world.load]
    regime = np.where(at < step, 0, np.where(at < step + SETTLING, -1, 1))
    history = History(START, money, load, world.load if world.load == "units" else "", regime, full)
    after = step + SETTLING, count
    return Seen(history, (step - world.before, step), after, float(saved[after[0] : after[1]].mean()))


def ledger(values: Floats) -> Floats:
    """As entries of a ledger are: they reach back into the block before."""
    return np.concatenate([values[:1], 0.6 * values[1:] + 0.4 * values[:-1]])


def noise(rng: np.random.Generator, count: int, memory: float) -> Floats:
    """An AR(1) process of variance 1."""
    shocks = rng.normal(size=count) * np.sqrt(1 - memory**2)
    reach = 64
    weights = memory ** np.arange(reach)
    found: Floats = np.convolve(np.concatenate([rng.normal(size=reach) * np.sqrt(1 - memory**2), shocks]), weights)
    return found[reach : reach + count]
