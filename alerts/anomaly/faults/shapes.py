"""Shapes of days and weeks, and noise: what series of services are made of. All of it (series × time)."""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.faults.clock import MINUTES, LocalTime

Series: TypeAlias = NDArray[np.float64]
_MINUTE: Final = np.arange(MINUTES, dtype=np.float64)


def drawn(random: np.random.Generator, low: float, high: float, count: int) -> Series:
    """A number for each series, (S, 1), evenly between the two."""
    return random.uniform(low, high, (count, 1))


def log_drawn(random: np.random.Generator, low: float, high: float, count: int) -> Series:
    """The same, evenly on a logarithmic scale."""
    return np.asarray(np.exp(random.uniform(np.log(low), np.log(high), (count, 1))))


def awake(random: np.random.Generator, time: LocalTime, count: int) -> Series:
    """What people do by day: a trough at night, peaks before noon and in the evening, other weekends. Around 1."""
    night = drawn(random, 0.08, 0.5, count)
    late, wide = random.normal(0, 60, (count, 1)), drawn(random, 0.8, 1.3, count)
    evening = drawn(random, 0.5, 1.5, count)
    work = _bump(660 + late, 2.2 * wide) + evening * _bump(1230 + late, 3.0 * wide)
    free = 0.8 * _bump(780 + late, 2.0 * wide) + evening * _bump(1260 + late, 2.5 * wide)
    curves = night[:, None] + np.stack([work, free * drawn(random, 0.6, 1.3, count)], axis=1)
    return _laid(curves, time) * _weekdays(random, time, count, 0.06)


def at_work(random: np.random.Generator, time: LocalTime, count: int) -> Series:
    """Office hours: steep mornings and evenings, a dent at noon, next to nothing at night and on weekends."""
    rest = drawn(random, 0.02, 0.1, count)
    opens, closes = random.normal(480, 30, (count, 1)), random.normal(1080, 40, (count, 1))
    steep = drawn(random, 8, 25, count)
    hours = _edge((_MINUTE - opens) / steep) * _edge((closes - _MINUTE) / steep)
    noon = 1 - drawn(random, 0.1, 0.35, count) * _bump(drawn(random, 735, 780, count), 25.0)
    week = hours * noon
    curves = rest[:, None] + np.stack([week, week * drawn(random, 0.02, 0.15, count)], axis=1)
    return _laid(curves, time) * _weekdays(random, time, count, 0.08)


def nightly(random: np.random.Generator, time: LocalTime, count: int) -> Series:
    """0 … 1: a job at the same minute every night, for 20 to 120 minutes."""
    begins, lasts = random.integers(0, 300, (count, 1)), random.integers(20, 120, (count, 1))
    return np.asarray(((time.minute >= begins) & (time.minute < begins + lasts)).astype(np.float64))


def wandering(random: np.random.Generator, time: LocalTime, count: int, deviation: float) -> Series:
    """Factors around 1 that change slowly over days, and a trend of up to a tenth a month."""
    steps = len(time.minute)
    days = np.arange(int(time.day[-1] - time.day[0]) + 2)
    nodes = autoregressive(random, count, len(days), 0.8, deviation)
    at = np.linspace(0, len(days) - 1, steps)
    low = at.astype(np.int64)
    share = at - low
    between = nodes[:, low] * (1 - share) + nodes[:, np.minimum(low + 1, len(days) - 1)] * share
    trend = random.uniform(-0.1, 0.1, (count, 1)) * at / 30
    return np.asarray(np.exp(between + trend))


def autoregressive(
    random: np.random.Generator, count: int, steps: int, link: float | Series, deviation: float | Series
) -> Series:
    """Noise (S, T) of which each value keeps the share `link` of the one before, with that standard deviation."""
    link, deviation = np.broadcast_to(link, (count, 1))[:, 0], np.broadcast_to(deviation, (count, 1))[:, 0]
    fresh = random.standard_normal((steps, count)) * np.sqrt(1 - link**2)
    fresh[0] = random.standard_normal(count)
    for step in range(1, steps):
        fresh[step] += link * fresh[step - 1]
    return np.asarray(fresh.T * deviation[:, None])


def heavy(random: np.random.Generator, count: int, steps: int, freedom: float) -> Series:
    """Student's t with so many degrees of freedom (over 2), of standard deviation 1."""
    return np.asarray(random.standard_t(freedom, (count, steps)) * np.sqrt((freedom - 2) / freedom))


def _bump(middle: Series, narrow: Series | float) -> Series:
    """1 at a minute of the day, less around it, going round midnight (von Mises)."""
    return np.asarray(np.exp(narrow * (np.cos(2 * np.pi * (_MINUTE - middle) / MINUTES) - 1)))


def _edge(value: Series) -> Series:
    return np.asarray(1 / (1 + np.exp(-np.clip(value, -50, 50))))


def _laid(curves: Series, time: LocalTime) -> Series:
    """Curves (S, working day or weekend, minute) along the grid, the mean of a working day 1."""
    level = curves[:, :1].mean(axis=2, keepdims=True)
    return np.asarray((curves / level)[:, time.weekend.astype(np.int64), time.minute])


def _weekdays(random: np.random.Generator, time: LocalTime, count: int, deviation: float) -> Series:
    return np.asarray(np.exp(random.normal(0, deviation, (count, 7)))[:, time.weekday])
