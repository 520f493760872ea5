"""What is said of one step of one series."""

from dataclasses import dataclass
from datetime import datetime

from alerts.anomaly.model import Maturity


@dataclass(frozen=True, slots=True)
class Channels:
    """Rarity (mean of −log10 p) of each channel; None where it could not be told."""

    seasonal: float | None
    slow: float | None
    range_all: float | None
    range_recent: float | None


@dataclass(frozen=True, slots=True)
class StepFacts:
    """Figures of one step, in the values' unit; None where there is no sample or no score.

    `baseline` is the word of what was compared with: level, daily, weekly, cost, or empty.
    """

    at: datetime
    value: float | None
    expected: float | None
    lower: float | None
    upper: float | None
    point: float | None
    sustained: float | None
    score: float | None
    sustained_score: float | None
    channels: Channels
    baseline: str
    maturity: Maturity
    is_shift: bool


@dataclass(frozen=True, slots=True)
class Earlier:
    """The same phase on an earlier day (`weeks_ago` 0: one of the last seven comparable days)."""

    at: datetime
    value: float | None
    is_weekly: bool


@dataclass(frozen=True, slots=True)
class Share:
    """A member's part in what its group is off by: of all members they sum to 1."""

    series: str
    share: float


@dataclass(frozen=True, slots=True)
class Explained:
    """One step of one series, and what became of it.

    `would_alert`: an alert is (or would be) open at the step, since `open_since`; `said` is why, or why not. `notes`
    are what calendars say of the time. `group` is the group's series text, empty without one, and `members` the ones
    furthest off.
    """

    detector: str
    series: str
    facts: StepFacts
    earlier: tuple[Earlier, ...]
    said: str
    would_alert: bool
    open_since: datetime | None
    notes: tuple[str, ...] = ()
    group: str = ""
    members: tuple[Share, ...] = ()
    warnings: tuple[str, ...] = ()
