"""Daily costs as bills have them, with faults: what the detector of daily costs is measured on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.faults.shapes import Series, autoregressive, drawn, heavy, log_drawn

DAYS: Final = 400
FIRST_DAY: Final = date(2025, 3, 3)  # a Monday
_LOST: Final = 0.005
_LONGEST: Final = 21


class CostFault(Enum):
    """What goes wrong with a bill."""

    SPIKE = "spike"
    DROP = "drop"
    STEP = "step"
    GROWTH = "slow growth"
    MISSING_WEEKEND = "missing weekend"


@dataclass(frozen=True, slots=True)
class CostFamily:
    """A kind of bill: `plan` is what days cost (S, D), `noise` its deviation as a share of that, from … to."""

    name: str
    plan: Callable[[np.random.Generator, "Calendar", int], Series]
    noise: tuple[float, float]
    link: float = 0.2
    weekends: bool = False  # whether something is switched off on weekends, and can be forgotten


@dataclass(frozen=True, slots=True)
class Calendar:
    """Of every day, (D,): 0 Monday … 6 Sunday, the day of the month, and how many follow in it."""

    weekday: NDArray[np.int64]
    day: NDArray[np.int64]
    left: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Costs:
    """Amounts (S, D), NaN where nobody recorded any, and where the fault is."""

    family: CostFamily
    values: Series
    faulty: NDArray[np.bool_]
    first_day: date


def calendar(first: date, days: int) -> Calendar:
    """So many days from one on."""
    all_days = [first + timedelta(days=each) for each in range(days)]
    left = [((each.replace(day=28) + timedelta(days=4)).replace(day=1) - each).days - 1 for each in all_days]
    return Calendar(*(np.array(part) for part in ([d.weekday() for d in all_days], [d.day for d in all_days], left)))


def draw_costs(
    random: np.random.Generator, family: CostFamily, fault: CostFault | None, count: int, days: int = DAYS
) -> Costs:
    """Bills of so many days; the fault begins in the last third, and no sooner than on the 25th day."""
    first = FIRST_DAY + timedelta(days=int(random.integers(0, 365)))
    time = calendar(first, days)
    mean = family.plan(random, time, count)
    scatter = drawn(random, *family.noise, count)
    faulty = np.zeros(mean.shape, dtype=np.bool_)
    for row in range(count):
        if fault is not None:
            start = int(random.integers(max(25, days * 2 // 3 - _LONGEST), max(26, days - _LONGEST)))
            faulty[row] = _spoiled(random, mean[row], fault, start, float(scatter[row, 0]), time)
    noise = 0.7 * autoregressive(random, count, days, family.link, 1.0) + 0.7 * heavy(random, count, days, 5)
    values = mean * np.exp(np.clip(scatter * noise, -4, 4))
    values[random.random(values.shape) < _LOST] = np.nan
    return Costs(family, np.round(values, 2), faulty, first)


def knows(family: CostFamily, fault: CostFault) -> bool:
    """Whether that can happen to such a bill."""
    return fault is not CostFault.MISSING_WEEKEND or family.weekends


def _spoiled(
    random: np.random.Generator, mean: Series, fault: CostFault, start: int, scatter: float, time: Calendar
) -> NDArray[np.bool_]:
    least = 6 * scatter
    where = np.zeros(len(mean), dtype=np.bool_)
    if fault is CostFault.MISSING_WEEKEND:
        saturday = start + int((5 - time.weekday[start]) % 7)
        where[saturday : saturday + 2] = True
        mean[where] = np.median(mean[saturday - 5 : saturday])
        return where
    usual = _usual(mean[start - 14 : start])
    if fault is CostFault.SPIKE:
        where[start : start + int(random.integers(1, 3))] = True
        mean[where] += max(random.uniform(0.4, 3), np.expm1(least)) * usual
    elif fault is CostFault.DROP:
        where[start : start + int(random.integers(1, 4))] = True
        mean[where] *= min(random.uniform(0, 0.5), np.exp(-least))
    elif fault is CostFault.STEP:
        where[start : start + 3] = True  # whoever tells later tells of the new normal
        mean[start:] += max(random.uniform(0.25, 1), np.expm1(least)) * usual
    else:
        where[start : start + _LONGEST] = True
        mean[start:] *= np.exp(np.minimum(np.arange(len(mean) - start), _LONGEST) * max(0.03, scatter))
    return where


def _usual(mean: Series) -> float:
    """Of days that cost anything."""
    some = mean[mean > 0]
    return float(np.mean(some)) if len(some) else 1.0


def _level(random: np.random.Generator, time: Calendar, count: int, monthly: float, wander: float) -> Series:
    days = np.arange(len(time.day))
    growth = random.uniform(-0.3, 1, (count, 1)) * monthly * days / 30
    steps = np.cumsum(random.normal(0, wander, (count, len(days))), axis=1)
    return np.asarray(log_drawn(random, 5, 5000, count) * np.exp(growth + steps))


def _bill(random: np.random.Generator, time: Calendar, count: int) -> Series:
    weekend = np.where(time.weekday >= 5, drawn(random, 0.6, 1, count), 1)
    return np.asarray(_level(random, time, count, 0.03, 0.004) * weekend)


def _switched_off(random: np.random.Generator, time: Calendar, count: int) -> Series:
    rest = drawn(random, 0, 0.1, count) * (random.random((count, 1)) < 2 / 3)
    return np.asarray(_level(random, time, count, 0.02, 0.003) * np.where(time.weekday >= 5, rest, 1))


def _month_ends(random: np.random.Generator, time: Calendar, count: int) -> Series:
    batch = 1 + drawn(random, 0.4, 1.5, count) * (time.left < random.integers(1, 4, (count, 1)))
    return np.asarray(_bill(random, time, count) * batch)


def _fees(random: np.random.Generator, time: Calendar, count: int) -> Series:
    return np.asarray(_bill(random, time, count) * (1 + drawn(random, 2, 20, count) * (time.day == 1)))


def _commitment(random: np.random.Generator, time: Calendar, count: int) -> Series:
    """Bought on a 1st: paid up front that day, and what it covers costs nothing any more."""
    mean = _bill(random, time, count)
    firsts = np.flatnonzero((time.day == 1) & (np.arange(len(time.day)) < len(time.day) // 2))
    for row in mean:
        if len(firsts):
            bought = int(random.choice(firsts))
            row[bought:] *= random.uniform(0.4, 0.7)
            row[bought] *= random.uniform(10, 60)
    return mean


def _flat(random: np.random.Generator, time: Calendar, count: int) -> Series:
    return np.broadcast_to(log_drawn(random, 5, 5000, count), (count, len(time.day))).copy()


def _growing(random: np.random.Generator, time: Calendar, count: int) -> Series:
    weekend = np.where(time.weekday >= 5, drawn(random, 0.5, 1, count), 1)
    days = np.arange(len(time.day))
    return np.asarray(log_drawn(random, 1, 100, count) * weekend * np.exp(drawn(random, 0.1, 0.25, count) * days / 30))


def _tokens(random: np.random.Generator, time: Calendar, count: int) -> Series:
    weekend = np.where(time.weekday >= 5, drawn(random, 0.2, 0.7, count), 1)
    return np.asarray(_level(random, time, count, 0.1, 0.02) * weekend)


def _mostly_none(random: np.random.Generator, time: Calendar, count: int) -> Series:
    used = random.random((count, len(time.day))) < drawn(random, 0.1, 0.5, count)
    return np.asarray(log_drawn(random, 1, 50, count) * used)


COST_FAMILIES: Final = (
    CostFamily("a cloud bill", _bill, (0.01, 0.05)),
    CostFamily("off on weekends", _switched_off, (0.02, 0.08), weekends=True),
    CostFamily("batches at month ends", _month_ends, (0.02, 0.06)),
    CostFamily("a fee on the 1st", _fees, (0.01, 0.04)),
    CostFamily("a commitment bought", _commitment, (0.01, 0.04)),
    CostFamily("flat", _flat, (0.0005, 0.003)),
    CostFamily("growing fast", _growing, (0.02, 0.08)),
    CostFamily("tokens", _tokens, (0.1, 0.3), link=0.5),
    CostFamily("mostly nothing", _mostly_none, (0.1, 0.4)),
)
COSTS_OF: Final[Mapping[CostFault, tuple[CostFamily, ...]]] = {
    fault: tuple(each for each in COST_FAMILIES if knows(each, fault)) for fault in CostFault
}
