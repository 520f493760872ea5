"""Measure the detector of daily costs on generated bills."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.daily.model import DailyScores
from alerts.anomaly.daily.scoring import score_days
from alerts.anomaly.faults.daily_costs import (
    COST_FAMILIES,
    COSTS_OF,
    CostFamily,
    CostFault,
    Costs,
    draw_costs,
)
from alerts.anomaly.faults.judging import Verdict, added, judged, runs
from alerts.anomaly.faults.shapes import Series

LENGTHS: Final = (45, 90, 180, 400)
"""Days that are known: from a new account to one of more than a year."""
AGES: Final = ((14, 30), (30, 62), (62, 400))
"""Days of past: false alarms are told apart by them."""
MERGE: Final = 2  # days between alarms that are one
BEGIN: Final = 14
_Z: Final = 3.0
_WEEKDAYS_PAST: Final = 8
_MONTH: Final = 30

Scored = Callable[[Costs], Series]
"""(S, D); over 1 is an alarm."""
Advance = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class CostFound:
    """One fault: the share found, delays in days of those, and the share that the peer finds."""

    share: float
    median: float
    nine_of_ten: float
    peer: float


@dataclass(frozen=True, slots=True)
class CostQuiet:
    """False alarms a series and 30 days by days of past, as `AGES`; of all, and the peer's."""

    by_age: tuple[float, ...]
    ours: float
    peer: float


@dataclass(frozen=True, slots=True)
class CostMeasured:
    """By fault, by kind of bill, and of all kinds."""

    faults: Mapping[CostFault, CostFound]
    quiet: Mapping[str, CostQuiet]
    all: CostQuiet


def ours(costs: Costs) -> Series:
    """Those of the detector with standard terms."""
    return scores_of(costs).score


def scores_of(costs: Costs) -> DailyScores:
    """All that the detector says."""
    return score_days(costs.values, costs.first_day)


def weekday_z(costs: Costs) -> Series:
    """The peer: distance to the mean of the last eight like weekdays in three standard deviations; four at least."""
    values = costs.values
    past = np.full((_WEEKDAYS_PAST, *values.shape), np.nan)
    for week in range(1, _WEEKDAYS_PAST + 1):
        past[week - 1, :, 7 * week :] = values[:, : -7 * week] if 7 * week < values.shape[1] else np.nan
    known = np.isfinite(past)
    number = known.sum(axis=0)
    mean = np.where(known, past, 0).sum(axis=0) / np.maximum(number, 1)
    deviation = np.sqrt(np.where(known, (past - mean) ** 2, 0).sum(axis=0) / np.maximum(number - 1, 1))
    score = np.abs(values - mean) / np.maximum(_Z * deviation, 1e-6 * np.abs(mean) + 1e-9)
    return np.where(number >= 4, score, np.nan)


def daily_labels(series: int, lengths: Sequence[int] = LENGTHS) -> Iterator[str]:
    """What `measure_daily` tells its progress of."""
    yield from (f"daily costs, {fault.value}: {family.name}" for fault, family, _, _ in _plan(series, lengths))
    yield from (f"daily costs: {family.name}" for family in COST_FAMILIES)


def measure_daily(
    series: int, seed: int, advance: Advance = lambda _: None, lengths: Sequence[int] = LENGTHS
) -> CostMeasured:
    """So many series of each fault over all kinds of bills and lengths of past, and as many without one in all."""
    random = np.random.default_rng([seed, 1])
    found: dict[CostFault, list[tuple[Verdict, Verdict]]] = {fault: [] for fault in CostFault}
    for fault, family, days, number in _plan(series, lengths):
        advance(f"daily costs, {fault.value}: {family.name}")
        costs = draw_costs(random, family, fault, number, days)
        found[fault].append((_verdict(costs, ours(costs)), _verdict(costs, weekday_z(costs))))
    faults = {fault: _found(pairs) for fault, pairs in found.items()}
    each = max(1, -(-series // len(COST_FAMILIES)))
    alarms: dict[str, tuple[NDArray[np.float64], float]] = {}
    for family in COST_FAMILIES:
        advance(f"daily costs: {family.name}")
        costs = draw_costs(random, family, None, each, lengths[-1])
        alarms[family.name] = _by_age(ours(costs)), float(_by_age(weekday_z(costs)).sum())
    quiet = {name: _quiet(*counted, each, lengths[-1]) for name, counted in alarms.items()}
    whole = _quiet(
        sum((part for part, _ in alarms.values()), np.zeros(len(AGES))),
        sum(peer for _, peer in alarms.values()),
        each * len(alarms),
        lengths[-1],
    )
    return CostMeasured(faults, quiet, whole)


def _plan(series: int, lengths: Sequence[int]) -> Iterator[tuple[CostFault, CostFamily, int, int]]:
    """Fault, kind of bill, days, and how many series: lengths in turn, so that each kind has each."""
    for fault in CostFault:
        cells = [(family, days) for days in lengths for family in COSTS_OF[fault]]
        numbers = [series // len(cells) + (place < series % len(cells)) for place in range(len(cells))]
        yield from (
            (fault, family, days, number) for (family, days), number in zip(cells, numbers, strict=True) if number
        )


def _verdict(costs: Costs, scores: Series) -> Verdict:
    return added(
        judged(row[BEGIN:] > 1, faulty[BEGIN:], grace=0, merge=MERGE)
        for row, faulty in zip(scores, costs.faulty, strict=True)
    )


def _found(pairs: Sequence[tuple[Verdict, Verdict]]) -> CostFound:
    verdict, peer = added(each for each, _ in pairs), added(each for _, each in pairs)
    middle, late = (
        float(np.quantile(verdict.delays, share, method="higher")) if verdict.delays else float("nan")
        for share in (0.5, 0.9)
    )
    return CostFound(verdict.recall, middle, late, peer.recall)


def _by_age(scores: Series) -> NDArray[np.float64]:
    """False alarms in each of `AGES`, all series together."""
    return np.array(
        [sum(len(runs(row[low:high] > 1, MERGE)) for row in scores) for low, high in AGES], dtype=np.float64
    )


def _quiet(alarms: NDArray[np.float64], peer: float, series: int, length: int) -> CostQuiet:
    days = np.array([max(min(high, length) - low, 0) for low, high in AGES]) * series
    by_age = tuple(float(each) for each in alarms / np.maximum(days, 1) * _MONTH)
    return CostQuiet(by_age, float(alarms.sum() / days.sum() * _MONTH), peer / float(days.sum()) * _MONTH)
