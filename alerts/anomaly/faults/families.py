"""Families of series as services have them. Constants are our own idea of such services, taken from no data set."""

from typing import Final

import numpy as np

from alerts.anomaly.detector.model import Terms
from alerts.anomaly.faults.clock import LocalTime
from alerts.anomaly.faults.model import EVERY_FAULT, Course, Family, Fault
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
from alerts.anomaly.model import Values

_GAUGE: Final = Terms()
_COUNT: Final = Terms(values=Values.COUNT)
_RATIO: Final = Terms(values=Values.RATIO)


def _rate_plan(random: np.random.Generator, time: LocalTime, count: int) -> Course:
    mean = log_drawn(random, 20, 20_000, count) * awake(random, time, count) * wandering(random, time, count, 0.04)
    return Course(mean, mean * drawn(random, 0.03, 0.1, count))


def _office_plan(random: np.random.Generator, time: LocalTime, count: int) -> Course:
    mean = log_drawn(random, 20, 2_000, count) * at_work(random, time, count) * wandering(random, time, count, 0.04)
    return Course(mean, mean**0.75 * (mean.mean(axis=1, keepdims=True) ** 0.25) * drawn(random, 0.05, 0.12, count))


def _count_plan(random: np.random.Generator, time: LocalTime, count: int) -> Course:
    mean = log_drawn(random, 30, 500, count) * awake(random, time, count) * wandering(random, time, count, 0.04)
    return Course(mean, np.sqrt(mean + (0.05 * mean) ** 2))


def _sparse_plan(random: np.random.Generator, time: LocalTime, count: int) -> Course:
    mean = log_drawn(random, 0.3, 6, count) * awake(random, time, count)
    return Course(mean, np.sqrt(mean))


def _success_plan(random: np.random.Generator, time: LocalTime, count: int) -> Course:
    requests = log_drawn(random, 300, 30_000, count) * awake(random, time, count)
    failed = log_drawn(random, 3e-4, 1e-2, count)
    mean = np.broadcast_to(1 - failed, requests.shape).copy()
    return Course(mean, np.sqrt(failed / requests + (0.3 * failed) ** 2), requests)


def _latency_plan(random: np.random.Generator, time: LocalTime, count: int) -> Course:
    load = awake(random, time, count)
    mean = log_drawn(random, 0.02, 2, count) * (1 + drawn(random, 0.05, 0.5, count) * load)
    mean *= wandering(random, time, count, 0.05)
    return Course(mean, mean * drawn(random, 0.05, 0.15, count))


def _cpu_plan(random: np.random.Generator, time: LocalTime, count: int) -> Course:
    load = awake(random, time, count) * wandering(random, time, count, 0.04)
    job = drawn(random, 10, 30, count) * nightly(random, time, count)
    mean = np.minimum(drawn(random, 5, 15, count) + drawn(random, 10, 25, count) * load + job, 92)
    return Course(mean, np.broadcast_to(drawn(random, 1, 3, count), mean.shape).copy())


def _queue_plan(random: np.random.Generator, time: LocalTime, count: int) -> Course:
    mean = log_drawn(random, 5, 500, count) * awake(random, time, count) ** 1.5
    return Course(mean, mean * drawn(random, 0.25, 0.5, count))


def _smooth_and_rough(random: np.random.Generator, course: Course, unrest: Series) -> Series:
    """Half of the noise is like a moment ago, half is new and has heavy tails."""
    count, steps = course.mean.shape
    waves = autoregressive(random, count, steps, drawn(random, 0.7, 0.95, count), 1.0)
    noise = 0.7 * waves + 0.7 * heavy(random, count, steps, 5)
    return np.asarray(np.maximum(course.mean + course.deviation * unrest * noise, 0))


def _poisson(random: np.random.Generator, course: Course, unrest: Series) -> Series:
    count, steps = course.mean.shape
    more = np.minimum(unrest - 1, 4)
    waves = np.exp(
        autoregressive(random, count, steps, 0.8, 0.05) + 0.35 * more * random.standard_normal((count, steps))
    )
    return random.poisson(np.maximum(course.mean * waves, 0)).astype(np.float64)


def _share(random: np.random.Generator, course: Course, unrest: Series) -> Series:
    """What succeeds: failures come by chance, and in waves."""
    assert course.whole is not None
    count, steps = course.mean.shape
    waves = np.exp(autoregressive(random, count, steps, 0.8, 0.3) * unrest - 0.045 * unrest**2)
    requests = np.maximum(random.poisson(course.whole), 1)
    failed = random.binomial(requests, np.clip((1 - course.mean) * waves, 0, 1))
    return np.asarray(1 - failed / requests)


def _slow_answers(random: np.random.Generator, course: Course, unrest: Series) -> Series:
    """Logarithms are noisy, and in one of 500 steps something is half as slow again, which is usual."""
    count, steps = course.mean.shape
    relative = course.deviation / course.mean * unrest
    waves = autoregressive(random, count, steps, drawn(random, 0.6, 0.9, count), 0.7)
    noise = relative * (waves + 0.7 * heavy(random, count, steps, 4))
    hiccup = (random.random((count, steps)) < 1 / 500) * random.uniform(0, 0.5, (count, steps))
    return np.asarray(course.mean * np.exp(np.clip(noise, -3, 3) + hiccup))


def _percent(random: np.random.Generator, course: Course, unrest: Series) -> Series:
    return np.minimum(_smooth_and_rough(random, course, unrest), 100)


def _queued(random: np.random.Generator, course: Course, unrest: Series) -> Series:
    """What waits: skewed, and like a moment ago."""
    count, steps = course.mean.shape
    relative = np.minimum(course.deviation / np.maximum(course.mean, 1e-9) * unrest, 2)
    waves = autoregressive(random, count, steps, 0.85, 1.0)
    return np.asarray(random.poisson(course.mean * np.exp(relative * waves - relative**2 / 2)).astype(np.float64))


FAMILIES: Final = (
    Family("request rate", _GAUGE, _rate_plan, _smooth_and_rough, EVERY_FAULT),
    Family("office hours", _GAUGE, _office_plan, _smooth_and_rough, EVERY_FAULT),
    Family("orders", _COUNT, _count_plan, _poisson, EVERY_FAULT),
    Family("a few events a step", _COUNT, _sparse_plan, _poisson, EVERY_FAULT - {Fault.VARIANCE}),
    Family(
        "success ratio", _RATIO, _success_plan, _share, frozenset({Fault.DROP, Fault.LEVEL_SHIFT, Fault.DRIFT}), 1.0
    ),
    Family("latency", _GAUGE, _latency_plan, _slow_answers, EVERY_FAULT - {Fault.MISSING_SEASON}),
    Family("processor", _GAUGE, _cpu_plan, _percent, EVERY_FAULT, 100.0),
    Family("queue", _GAUGE, _queue_plan, _queued, EVERY_FAULT - {Fault.VARIANCE}),
)
