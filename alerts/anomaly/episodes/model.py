"""What the state machine of episodes takes and gives. Pure numpy; S is the number of series, steps are grid indices."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from math import ceil
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.model import AnomalyDetector, Direction, Output

OUTPUTS: Final = (Output.POINT, Output.SUSTAINED)  # the first axis of scores
CLOSE_BELOW: Final = 0.6  # "Open at T, close at 0.6 T" (ANOMALY.md); between the two nothing opens and nothing closes
LONGEST_WINDOW: Final = 64  # steps of k of n: bits of a word
MOST_SCORE: Final = 1e6  # a band without width makes any deviation infinite
WORSE: Final = 1.25  # an episode is written again when its score has grown by so much
HUSH_UNTIL: Final = 2.0  # what was said to be expected opens again when it gets so many times as bad
STANDARD_GAP_STEPS: Final = 3
SHORTEST_GAP: Final = timedelta(minutes=10)  # twice the time after which Prometheus takes a series for gone
GAP_OVER: Final = 2  # samples in a row that end a gap
_LEAST_LONG_GAP: Final = 7  # steps; of daily series a day is only one of them

Numbers: TypeAlias = NDArray[np.floating[Any]]
Codes: TypeAlias = NDArray[np.integer[Any]]
Booleans: TypeAlias = NDArray[np.bool_]


class EpisodeKind(Enum):
    """What is unusual; as `controlplane.model.anomaly.Episode.kind` has it."""

    POINT = "point"
    SUSTAINED = "sustained"
    LEVEL_SHIFT = "level_shift"
    GAP = "gap"


class What(Enum):
    """What became of an episode."""

    OPENED = "opened"  # a level shift is opened and closed at once
    WORSENED = "worsened"
    CLOSED = "closed"


class Reason(Enum):
    """Why an episode ended."""

    RECOVERED = "recovered"
    UNKNOWN = "unknown"  # for a day there was nothing to score: nobody knows
    GONE = "gone"  # the series is not there any more
    EXPECTED = "expected"  # somebody said that it was meant to be


@dataclass(frozen=True, slots=True)
class Rules:
    """Hysteresis of a detector: opens when `steps` of the last `of` scored steps are anomalous.

    It closes after `close_after` scored steps in a row below 0.6. `long_gap`: steps without a score after which
    nothing is known any more. A gap opens after `gap_steps` steps without a sample. Raises `ValueError` for what can
    never be.
    """

    steps: int = 1
    of: int = 1
    close_after: int = 3
    outputs: tuple[Output, ...] = (Output.POINT,)
    direction: Direction = Direction.BOTH  # of level shifts; scores have it in them
    per_day: int = 288
    gap_steps: int = STANDARD_GAP_STEPS

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= self.of <= LONGEST_WINDOW:
            raise ValueError(f"{self.steps} of {self.of} steps: 1 ≤ steps ≤ of ≤ {LONGEST_WINDOW}")
        if min(self.close_after, self.per_day, self.gap_steps) < 1:
            raise ValueError("close_after, per_day and gap_steps are at least 1")

    @property
    def long_gap(self) -> int:
        """Steps of a day, but at least seven."""
        return max(self.per_day, _LEAST_LONG_GAP)


def rules_of(detector: AnomalyDetector) -> Rules:
    """As it is declared."""
    opening = detector.opening
    return Rules(
        steps=opening.steps,
        of=opening.of,
        close_after=opening.close_after,
        outputs=detector.outputs,
        direction=detector.direction,
        per_day=max(1, round(timedelta(days=1) / detector.step)),
        gap_steps=max(STANDARD_GAP_STEPS, ceil(SHORTEST_GAP / detector.step)),
    )


@dataclass(frozen=True, slots=True)
class Step:
    """One step of S series, all arrays (S,); NaN in `values`: no sample; NaN in a score: nothing could be scored.

    `maturity` are codes of `alerts.anomaly.model.Maturity`. `admitted` False: such a step opens nothing (it fell to
    the false-discovery control, or somebody announced it), but it does not count as quiet either. `is_read` False:
    samples could not be read, which is no gap of the series.
    """

    index: int
    values: Numbers
    scores: Numbers
    sustained_scores: Numbers
    expected: Numbers
    lower: Numbers
    upper: Numbers
    maturity: Codes
    shifted: Booleans
    admitted: Booleans | None = None
    is_read: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """What became of an episode of series `row` at step `at`; it started at step `started`, and ended before `ended`.

    Figures are those of the worst step so far, `worst_at`; None for what is not known.
    """

    what: What
    kind: EpisodeKind
    row: int
    at: int
    started: int
    ended: int | None
    worst_at: int
    value: float | None
    expected: float | None
    lower: float | None
    upper: float | None
    score: float | None
    reason: Reason | None = None
