"""One-minute figures of web services, made up: as a wall of screens shows them, labelled as tired people label.

Nothing here was taken from, or compared with, any published data set. What such figures are like: most days resemble
each other and no two are alike; people come late on Saturdays; cron jobs leave teeth; a release moves a level and
nobody calls that an anomaly; a campaign lifts orders for an hour; latencies have hiccups every few hours; ratios stick
to 1; error counts come in showers. Labels begin some minutes early or late, end when the last effect is gone, miss
small things, and now and then mark nothing that can be seen.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from alerts.anomaly.detector.model import Booleans, Floats, Grid
from alerts.anomaly.faults.clock import LocalTime, grid_from, local_time
from alerts.anomaly.faults.shapes import (
    Series,
    at_work,
    autoregressive,
    awake,
    drawn,
    heavy,
    log_drawn,
    nightly,
    wandering,
)

STEP: Final = timedelta(minutes=1)
DAYS: Final = 35
FIRST: Final = 3 * 1440  # no anomaly before the fourth day
EACH: Final = 3  # of every kind
_BEGIN: Final = datetime(2026, 5, 4, tzinfo=UTC)
_LEAST_OF_A_PLOT: Final = 0.1
_ANOMALIES: Final = (3, 14)  # of a series


@dataclass(frozen=True, slots=True)
class Kind:
    """`plan` gives what is expected (S, T), `observe` draws the series of it, noise times its third argument."""

    name: str
    plan: Callable[[np.random.Generator, LocalTime, int], Series]
    observe: Callable[[np.random.Generator, Series, Series], Series]
    up: float  # share of anomalies that go up
    size: tuple[float, float]  # of an anomaly, as a share of what is expected
    campaigns: float = 0.0  # a week
    ceiling: float = np.inf


@dataclass(frozen=True, slots=True)
class Kpis:
    """Series of one kind: values, labels, and what would have been without anomalies and noise, all (S, T).

    `causes`: start, stop and kind of each label ("nothing": there is nothing to be seen).
    """

    kind: str
    values: Floats
    usual: Floats
    labels: Booleans
    causes: tuple[tuple[tuple[int, int, str], ...], ...]
    grid: Grid


def kpis(seed: int, each: int = EACH) -> list[Kpis]:
    """So many series of every kind, all of five weeks."""
    random = np.random.default_rng(seed)
    return [_made(random, kind, each) for kind in KINDS]


def _made(random: np.random.Generator, kind: Kind, count: int) -> Kpis:
    grid = grid_from(_BEGIN, DAYS, STEP)
    time = local_time(grid, "Asia/Shanghai" if random.random() < 1 / 2 else "UTC")
    mean = kind.plan(random, time, count)
    unrest = np.ones_like(mean)
    labels = np.zeros(mean.shape, dtype=np.bool_)
    causes: list[tuple[tuple[int, int, str], ...]] = []
    for row in range(count):
        _life(random, mean[row], kind, time)
    usual = mean.copy()
    for row in range(count):
        causes.append(_anomalies(random, mean[row], unrest[row], labels[row], kind))
    values = kind.observe(random, np.clip(mean, 0, kind.ceiling), unrest)
    for row in range(count):
        causes[row] = _seen(random, values[row], usual[row], labels[row], causes[row])
    values[random.random(values.shape) < 0.001] = np.nan
    for row in values:
        for _ in range(random.poisson(1.5)):
            start = int(random.integers(0, grid.count - 600))
            row[start : start + int(random.integers(5, 300))] = np.nan
    return Kpis(kind.name, values.astype(np.float32), usual.astype(np.float32), labels, tuple(causes), grid)


def _life(random: np.random.Generator, mean: Series, kind: Kind, time: LocalTime) -> None:
    """What is no anomaly to anybody: releases that move the level, campaigns, a day that is like no other."""
    steps = len(mean)
    for _ in range(random.poisson(0.7)):
        mean[int(random.integers(FIRST, steps)) :] *= random.uniform(0.85, 1.2) if kind.ceiling != 1 else 1
    for _ in range(random.poisson(kind.campaigns * DAYS / 7)):
        start, length = int(random.integers(0, steps - 300)), int(random.integers(20, 180))
        rise = np.minimum(np.arange(length) / 10, 1) * np.exp(-np.arange(length) / length)
        mean[start : start + length] *= 1 + random.uniform(0.1, 0.6) * rise
    odd = time.day[0] + int(random.integers(5, DAYS))
    if kind.ceiling != 1 and random.random() < 1 / 3:
        mean[time.day == odd] *= random.uniform(0.8, 1.15)


def _anomalies(
    random: np.random.Generator, mean: Series, unrest: Series, labels: Booleans, kind: Kind
) -> tuple[tuple[int, int, str], ...]:
    found: list[tuple[int, int, str]] = []
    for start in np.sort(random.integers(FIRST, len(mean) - 700, int(random.integers(*_ANOMALIES)))):
        if found and start < found[-1][1] + 240:
            continue
        name = str(random.choice(list(_LENGTHS), p=[0.4, 0.25, 0.2, 0.08, 0.07]))
        low, high = _LENGTHS[name]
        length = int(np.exp(random.uniform(np.log(low), np.log(high))))
        here, size = slice(int(start), int(start) + length), random.uniform(*kind.size)
        if name == "unrest":
            unrest[here] *= random.uniform(3, 6)
        else:
            _bend(mean[here], name, size, up=name == "spike" or random.random() < kind.up, kind=kind)
        if random.random() < 0.1 and name == "spike" and length < 4:
            continue  # too small for anybody to have labelled it
        begin, end = int(start) + int(random.integers(-2, 4)), int(start) + length + int(random.integers(0, 8))
        end = max(end, begin + 1)
        labels[begin:end] = True
        found.append((begin, end, name))
    if random.random() < 0.1:
        start = int(random.integers(FIRST, len(mean) - 700))
        if not labels[start - 60 : start + 120].any():
            labels[start : start + 15] = True
            found.append((start, start + 15, "nothing"))
    return tuple(found)


def _seen(
    random: np.random.Generator,
    values: Series,
    usual: Series,
    labels: Booleans,
    causes: tuple[tuple[int, int, str], ...],
) -> tuple[tuple[int, int, str], ...]:
    """Few label what does not stand out of the noise of the six hours before, or is tiny on a plot of the weeks."""
    kept, away = [], values - usual
    plotted = float(np.subtract(*np.nanquantile(values, (0.99, 0.01))))
    for start, stop, name in causes:
        noise = away[max(0, start - 360) : start]
        deviation = 1.4826 * np.median(np.abs(noise - np.median(noise)))
        lasting, highest = abs(np.median(away[start:stop])), np.abs(away[start:stop]).max()
        clear = lasting > 4 * deviation or highest > 10 * deviation
        if (clear and highest > _LEAST_OF_A_PLOT * plotted) or name == "nothing" or random.random() < 0.05:
            kept.append((start, stop, name))
        else:
            labels[start:stop] = False
    return tuple(kept)


def _bend(mean: Series, name: str, size: float, *, up: bool, kind: Kind) -> None:
    if kind.ceiling == 1:  # a ratio: only down
        up = False
    way = np.ones(len(mean))
    if name == "ramp":
        way = np.linspace(0, 1, len(mean))
    elif name == "spike" and len(mean) > 5:
        way = np.minimum(1, np.arange(1, len(mean) + 1) / 2) * np.exp(-np.arange(len(mean)) / len(mean))
    if up and kind.ceiling != 1:
        mean *= 1 + size * way
    else:
        mean *= 1 - (size if kind.ceiling == 1 else size / (1 + size) * 1.2) * way


_LENGTHS: Final[Mapping[str, tuple[int, int]]] = {
    "spike": (2, 25),
    "drop": (5, 120),
    "level": (60, 480),
    "unrest": (30, 240),
    "ramp": (60, 360),
}


def _views(random: np.random.Generator, time: LocalTime, count: int) -> Series:
    return log_drawn(random, 2e3, 2e5, count) * awake(random, time, count) * wandering(random, time, count, 0.05)


def _orders(random: np.random.Generator, time: LocalTime, count: int) -> Series:
    teeth = 1 + drawn(random, 0, 0.3, count) * np.exp(-(time.minute % 60) / 4)  # people come on the hour
    return np.asarray(
        log_drawn(random, 30, 600, count) * awake(random, time, count) * teeth * wandering(random, time, count, 0.06)
    )


def _few_orders(random: np.random.Generator, time: LocalTime, count: int) -> Series:
    return log_drawn(random, 0.5, 8, count) * awake(random, time, count)


def _logins(random: np.random.Generator, time: LocalTime, count: int) -> Series:
    return log_drawn(random, 20, 500, count) * at_work(random, time, count) * wandering(random, time, count, 0.05)


def _response(random: np.random.Generator, time: LocalTime, count: int) -> Series:
    load = awake(random, time, count)
    base = log_drawn(random, 20, 500, count) * wandering(random, time, count, 0.08)
    return np.asarray(base * (1 + drawn(random, 0.0, 0.4, count) * load + 0.3 * nightly(random, time, count)))


def _success(random: np.random.Generator, time: LocalTime, count: int) -> Series:
    return np.broadcast_to(1 - log_drawn(random, 2e-4, 2e-2, count), (count, len(time.minute))).copy()


def _errors(random: np.random.Generator, time: LocalTime, count: int) -> Series:
    return log_drawn(random, 0.2, 20, count) * awake(random, time, count) ** 0.5


def _queue(random: np.random.Generator, time: LocalTime, count: int) -> Series:
    every = random.choice([5, 15, 60], (count, 1))
    teeth = 1 + drawn(random, 0.5, 3, count) * np.exp(-(time.minute % every) / (every / 5))
    return np.asarray(log_drawn(random, 5, 300, count) * awake(random, time, count) * teeth)


def _processor(random: np.random.Generator, time: LocalTime, count: int) -> Series:
    hourly = drawn(random, 0, 8, count) * (time.minute % 60 < random.integers(2, 6, (count, 1)))
    job = drawn(random, 5, 30, count) * nightly(random, time, count)
    return np.asarray(
        drawn(random, 3, 15, count) + drawn(random, 5, 30, count) * awake(random, time, count) + hourly + job
    )


def _memory(random: np.random.Generator, time: LocalTime, count: int) -> Series:
    """Teeth of a garbage collector, and a level that each restart sets anew."""
    steps = np.arange(len(time.minute))
    lasts = random.integers(40, 700, (count, 1))
    teeth = ((steps + random.integers(0, 700, (count, 1))) % lasts) / lasts
    return np.asarray(drawn(random, 20, 45, count) * (1 + drawn(random, 0.1, 0.5, count) * teeth))


def _connections(random: np.random.Generator, time: LocalTime, count: int) -> Series:
    shape = awake(random, time, count) ** 0.7
    return log_drawn(random, 100, 2e4, count) * shape * wandering(random, time, count, 0.04)


def _hits(random: np.random.Generator, time: LocalTime, count: int) -> Series:
    dent = drawn(random, 0.01, 0.08, count) * awake(random, time, count)
    return np.asarray((drawn(random, 0.8, 0.97, count) - dent) * wandering(random, time, count, 0.01))


def _bytes(random: np.random.Generator, time: LocalTime, count: int) -> Series:
    backup = drawn(random, 0.3, 2, count) * nightly(random, time, count)
    return np.asarray(log_drawn(random, 1e6, 1e9, count) * (awake(random, time, count) + backup))


def _noisy(low: float, high: float, link: float = 0.9) -> Callable[[np.random.Generator, Series, Series], Series]:
    def observe(random: np.random.Generator, mean: Series, unrest: Series) -> Series:
        count, steps = mean.shape
        noise = 0.7 * autoregressive(random, count, steps, link, 1.0) + 0.7 * heavy(random, count, steps, 8)
        relative = log_drawn(random, low, high, count) * unrest
        return np.asarray(np.maximum(mean * (1 + np.clip(relative * noise, -0.99, 10)), 0))

    return observe


def _counted(waves: float) -> Callable[[np.random.Generator, Series, Series], Series]:
    def observe(random: np.random.Generator, mean: Series, unrest: Series) -> Series:
        count, steps = mean.shape
        slow = autoregressive(random, count, steps, 0.9, waves)
        wild = 0.3 * np.minimum(unrest - 1, 4) * random.standard_normal((count, steps))
        return random.poisson(np.minimum(mean * np.exp(slow + wild), 1e9)).astype(np.float64)

    return observe


def _hiccups(low: float, high: float, often: float) -> Callable[[np.random.Generator, Series, Series], Series]:
    def observe(random: np.random.Generator, mean: Series, unrest: Series) -> Series:
        count, steps = mean.shape
        noise = 0.7 * autoregressive(random, count, steps, 0.8, 1.0) + 0.7 * heavy(random, count, steps, 8)
        jumps = (random.random((count, steps)) < often) * random.exponential(0.15, (count, steps))
        return np.asarray(mean * np.exp(np.clip(log_drawn(random, low, high, count) * unrest * noise, -3, 3) + jumps))

    return observe


def _of_requests(random: np.random.Generator, mean: Series, unrest: Series) -> Series:
    count, steps = mean.shape
    requests = random.poisson(np.broadcast_to(log_drawn(random, 50, 2e4, count), mean.shape)) + 1
    waves = np.exp(autoregressive(random, count, steps, 0.8, 0.4) * unrest)
    return np.asarray(1 - random.binomial(requests, np.clip((1 - mean) * waves, 0, 1)) / requests)


def _showers(random: np.random.Generator, mean: Series, unrest: Series) -> Series:
    count, steps = mean.shape
    showers = np.exp(autoregressive(random, count, steps, 0.7, 0.8) * np.minimum(unrest, 2))
    return random.poisson(np.minimum(mean * showers, 1e7)).astype(np.float64)


def _limited(random: np.random.Generator, mean: Series, unrest: Series) -> Series:
    return np.minimum(_noisy(0.03, 0.1, 0.7)(random, mean, unrest), 100)


def _as_share(random: np.random.Generator, mean: Series, unrest: Series) -> Series:
    return np.clip(_noisy(0.002, 0.01, 0.9)(random, mean, unrest), 0, 1)


_SMALL: Final = (0.35, 1.8)
_LARGE: Final = (0.6, 4.0)
KINDS: Final = (
    Kind("page views", _views, _noisy(0.015, 0.05), 0.3, _SMALL, campaigns=0.5),
    Kind("orders", _orders, _counted(0.06), 0.3, _SMALL, campaigns=1),
    Kind("few orders", _few_orders, _counted(0.05), 0.4, _LARGE),
    Kind("logins at work", _logins, _counted(0.05), 0.3, _LARGE),
    Kind("mean response time", _response, _hiccups(0.03, 0.1, 0.001), 0.9, _SMALL),
    Kind("slowest response times", _response, _hiccups(0.1, 0.3, 0.01), 0.95, _LARGE),
    Kind("success ratio", _success, _of_requests, 0, (0.01, 0.3), ceiling=1),
    Kind("errors", _errors, _showers, 0.95, (3, 30)),
    Kind("queue", _queue, _counted(0.3), 0.8, _LARGE),
    Kind("processor", _processor, _limited, 0.7, _LARGE, ceiling=100),
    Kind("memory", _memory, _noisy(0.003, 0.01, 0.95), 0.6, (0.2, 0.7)),
    Kind("connections", _connections, _noisy(0.01, 0.03, 0.98), 0.3, _SMALL),
    Kind("cache hits", _hits, _as_share, 0, (0.03, 0.5), ceiling=1),
    Kind("bytes sent", _bytes, _noisy(0.05, 0.15, 0.8), 0.5, _LARGE, campaigns=0.3),
)
