"""A metrics backend of samples that become visible with time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from controlplane.matrix_ports import SampleMatrix
from controlplane.ports import Permanent, Transient

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STEP = timedelta(minutes=5)
ORIGIN = 5_891_616
"""The step that tests call 0."""


def moment(step: float) -> datetime:
    return EPOCH + (ORIGIN + step) * STEP


@dataclass
class Source:
    """`samples[query][labels][step] = (value, visible from the step's number)`, steps counted from `ORIGIN`."""

    samples: dict[str, dict[tuple[tuple[str, str], ...], dict[int, tuple[float, float]]]] = field(default_factory=dict)
    seen_at: float = 0
    away: bool = False
    warnings: tuple[str, ...] = ()
    asked: list[tuple[int, int]] = field(default_factory=list)  # first and last step, from ORIGIN, of every reading
    strides: list[int] = field(default_factory=list)

    def put(self, name: str, steps: Mapping[int, float], *, since: float = -1e9, query: str = "q") -> None:
        """Samples of the series `{name=…}`."""
        key = (("name", name),) if name else ()
        self.samples.setdefault(query, {}).setdefault(key, {}).update(
            {step: (value, since) for step, value in steps.items()}
        )

    def matrix(
        self, query: str, start: datetime, end: datetime, step: timedelta, *, most_series: int, exact: bool = False
    ) -> SampleMatrix:
        if self.away:
            raise Transient("away")
        stride = step // STEP
        first, last = -((EPOCH - start) // step), (end - EPOCH) // step
        self.asked.append((first * stride - ORIGIN, last * stride - ORIGIN))
        self.strides.append(stride)
        steps = [index * stride - ORIGIN for index in range(first, last + 1)]
        rows = {
            key: [points[at][0] if at in points and points[at][1] <= self.seen_at else np.nan for at in steps]
            for key, points in sorted(self.samples.get(query, {}).items())
        }
        rows = {key: row for key, row in rows.items() if np.isfinite(row).any()}
        if len(rows) > most_series:
            raise Permanent(f"the query has {len(rows)} series")
        values = np.array(list(rows.values()), dtype=np.float64).reshape(len(rows), len(steps))
        short = values if exact else values.astype(np.float32)
        return SampleMatrix(tuple(dict(key) for key in rows), first, step, short, self.warnings)
