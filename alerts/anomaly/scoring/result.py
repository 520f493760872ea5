"""What one cycle of one detector did."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from alerts.anomaly.model import Maturity
from alerts.anomaly.scoring.latest import Latest


class Phase(Enum):
    """Parts of a cycle."""

    READ = "read"
    FIT = "fit"
    SCORE = "score"
    STORE = "store"


class SampleOutcome(Enum):
    """What became of samples that were read."""

    NEW = "new"
    LATE = "late"  # of a step that had been scored without it: learnt from
    DUPLICATE = "duplicate"  # read again, and the same
    TOO_LATE = "too_late"  # found when the past was read again: learnt from


class SeriesState(Enum):
    """How series stand."""

    SCORED = "scored"
    WARMING = "warming"  # less than a day of past: no alert
    GAP = "gap"
    DROPPED = "dropped"  # no room: `maxSeries`


@dataclass(frozen=True, slots=True)
class CycleResult:
    """`steps` were scored, the newest at `scored_to`; `fitted` series were fitted anew.

    `is_stale`: steps are due, and nothing has a sample of them. `remaining` steps of the past are still to be read.
    `rebuilt` models did not fit, by why. `latest` is None until something was scored.
    """

    detector: str
    steps: int = 0
    scored_to: datetime | None = None
    fitted: int = 0
    opened: int = 0
    closed: int = 0
    series: Mapping[SeriesState, int] = field(default_factory=dict)
    samples: Mapping[SampleOutcome, int] = field(default_factory=dict)
    seconds: Mapping[Phase, float] = field(default_factory=dict)
    rebuilt: Mapping[str, int] = field(default_factory=dict)
    is_stale: bool = False
    remaining: int = 0
    warnings: tuple[str, ...] = ()
    latest: Latest | None = None

    @property
    def late(self) -> int:
        """Samples that came when their step had been scored."""
        return self.samples.get(SampleOutcome.LATE, 0) + self.samples.get(SampleOutcome.TOO_LATE, 0)


def series_counts(latest: Latest) -> dict[SeriesState, int]:
    """How many series stand how; groups do not count."""
    own = ~latest.is_group
    is_warming = own & ~latest.gap & (latest.maturity < Maturity.DAILY)
    gaps, warming = int((own & latest.gap).sum()), int(is_warming.sum())
    scored = int(own.sum()) - gaps - warming
    return {SeriesState.SCORED: scored, SeriesState.WARMING: warming, SeriesState.GAP: gaps}


class Stopwatch:
    """How long each part of a cycle took; `seconds` is a clock that only goes on."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._begun = seconds()
        self.taken: dict[Phase, float] = {}

    @contextmanager
    def __call__(self, phase: Phase) -> Iterator[None]:
        """Count the block as that part."""
        begun = self._seconds()
        try:
            yield
        finally:
            self.taken[phase] = self.taken.get(phase, 0.0) + self._seconds() - begun

    @property
    def so_far(self) -> float:
        """Seconds since it was made."""
        return self._seconds() - self._begun
