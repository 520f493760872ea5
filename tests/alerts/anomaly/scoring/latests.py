"""What a cycle might have found."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from alerts.anomaly.model import Output
from alerts.anomaly.scoring.latest import Latest

AT = datetime(2026, 11, 3, 12, tzinfo=UTC)
STEP = timedelta(minutes=5)


def latest_of(labels: Sequence[Mapping[str, str]], *, detector: str = "traffic", **others: object) -> Latest:
    """Series that are as expected, each with its row's number as value."""
    size = len(labels)
    numbers = np.arange(size, dtype=np.float32)
    found = Latest(
        detector=detector,
        at=AT,
        step=STEP,
        fitted_at=AT - timedelta(hours=1),
        labels=tuple(labels),
        is_group=np.zeros(size, dtype=bool),
        value=numbers,
        expected=numbers,
        lower=numbers - 1,
        upper=numbers + 1,
        score=np.full(size, 0.25, dtype=np.float32),
        sustained_score=np.full(size, 0.5, dtype=np.float32),
        baseline=np.full(size, 2, dtype=np.uint8),
        maturity=np.full(size, 3, dtype=np.uint8),
        history_seconds=np.full(size, 86400, dtype=np.float32),
        coverage=np.ones(size, dtype=np.float32),
        gap=np.zeros(size, dtype=bool),
        open={Output.POINT: np.zeros(size, dtype=bool)},
    )
    return replace(found, **others)  # type: ignore[arg-type]
