"""A Prometheus in memory, whose series are arrays on a grid, and detectors that read it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.model import (
    AnomalyDetector,
    Direction,
    Opening,
    Output,
    Season,
    Sensitivity,
    Values,
)
from controlplane.matrix_ports import SampleMatrix
from controlplane.model.source import SourcePosition
from controlplane.ports import Transient

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STEP = timedelta(hours=1)
PER_DAY = 24
DAYS = 43
START = (datetime(2026, 10, 5, tzinfo=UTC) - EPOCH) // STEP  # a Monday
DELAY = timedelta(seconds=60)


def moment(index: int) -> datetime:
    """When a step of `World` is complete."""
    return EPOCH + (START + index) * STEP + DELAY


@dataclass
class World:
    """`values` (S, T) from START on, NaN where there is no sample; samples after `visible_at` are not there yet."""

    labels: list[Mapping[str, str]]
    values: NDArray[np.float64]
    is_down: bool = False
    reads: int = 0
    steps_read: list[int] = field(default_factory=list)

    def matrix(
        self, query: str, start: datetime, end: datetime, step: timedelta, *, most_series: int, exact: bool = False
    ) -> SampleMatrix:
        del query, most_series
        self.reads += 1
        if self.is_down:
            raise Transient("Prometheus is away")
        every = step // STEP
        first, last = -((EPOCH - start) // step), (end - EPOCH) // step
        self.steps_read.append(last - first + 1)
        places = np.arange(first, last + 1) * every - START
        inside = (places >= 0) & (places < self.values.shape[1])
        found = np.full((len(self.labels), len(places)), np.nan)
        found[:, inside] = self.values[:, places[inside]]
        rows = [row for row in range(len(self.labels)) if np.isfinite(found[row]).any()]
        kind: Any = np.float64 if exact else np.float32
        return SampleMatrix(tuple(self.labels[row] for row in rows), first, step, found[rows].astype(kind))


def seasonal(services: int = 4, days: int = DAYS, seed: int = 7) -> World:
    """Traffic of a few services with a daily and a weekly rhythm."""
    random, steps = np.random.default_rng(seed), np.arange(days * PER_DAY)
    day = 1 + 0.6 * np.sin(2 * np.pi * steps / PER_DAY)
    week = np.where(steps // PER_DAY % 7 < 5, 1.0, 0.6)
    level = 100 * (1 + np.arange(services))[:, None]
    values = level * day * week * (1 + 0.03 * random.standard_normal((services, len(steps))))
    return World([{"service": f"s{number}"} for number in range(services)], values)


def detector(name: str = "traffic", **others: Any) -> AnomalyDetector:
    found: dict[str, Any] = {
        "name": name,
        "display_name": "",
        "query": "traffic",
        "cost": None,
        "step": STEP,
        "season": Season(),
        "values": Values.GAUGE,
        "direction": Direction.BOTH,
        "least_absolute": Decimal(10),
        "least_relative": Decimal("0.1"),
        "denominator": "",
        "least_denominator": None,
        "sensitivity": Sensitivity.MEDIUM,
        "outputs": (Output.POINT,),
        "calendars": (),
        "grouping": None,
        "opening": Opening(steps=2, of=3, close_after=2),
        "severity": "page",
        "most_series": 100,
        "labels": {},
        "runbook_url": "",
        "source": SourcePosition("detectors.yaml", 1, 1),
    }
    return AnomalyDetector(**{**found, **others})
