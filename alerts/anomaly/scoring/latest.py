"""What is known of a detector's series after its last cycle: arrays, for /metrics and for the console."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.anomaly.detector.model import Booleans, Codes, Floats
from alerts.anomaly.model import Output


@dataclass(frozen=True, slots=True)
class Latest:
    """Arrays in the order of `labels`, of members first and then of groups; NaN (0, False) where nothing is known.

    `at` is the newest step that was scored, `fitted_at` when the oldest of the models was fitted. `baseline` has the
    detector's codes (0 none, 1 level, 2 daily, 3 weekly, 4 the model of daily costs). `labels` is the same object as
    after the cycle before, unless series came or went.
    """

    detector: str
    at: datetime
    step: timedelta
    fitted_at: datetime | None
    labels: tuple[Mapping[str, str], ...]
    is_group: Booleans
    value: Floats
    expected: Floats
    lower: Floats
    upper: Floats
    score: Floats
    sustained_score: Floats
    baseline: Codes
    maturity: Codes
    history_seconds: Floats
    coverage: Floats
    gap: Booleans
    open: Mapping[Output, Booleans]  # of the outputs that the detector opens anomalies for

    @property
    def size(self) -> int:
        """How many series there are, groups included."""
        return len(self.labels)
