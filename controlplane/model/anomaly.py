"""Anomalies as they are kept: models of series, the times at which something was unusual, what people said of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum


@dataclass(frozen=True, slots=True)
class StoredModel:
    """Models of some series of a detector (a chunk), packed. It fits a reader that knows `version` and `digest`.

    `digest` is that of the detector's definition as far as models depend on it.
    """

    detector: str
    chunk: int
    version: int
    digest: str
    fitted_at: datetime
    body: bytes


@dataclass(frozen=True, slots=True)
class Episode:
    """A time in which a series was anomalous; `ended_at` is None while it is. Figures are those of the worst step.

    `series` is the series' labels as text, `{service="checkout"}`; `kind` is point, sustained, level_shift or gap.
    """

    id: str
    detector: str
    series: str
    labels: Mapping[str, str]
    kind: str
    started_at: datetime
    ended_at: datetime | None
    worst_at: datetime
    value: Decimal | None
    expected: Decimal | None
    lower: Decimal | None
    upper: Decimal | None
    score: Decimal | None
    explanation: str = ""


class Verdict(Enum):
    """What people say of a time."""

    EXPECTED = "expected"  # it was meant to be: learnt from
    REAL = "real"  # something was wrong: not learnt from


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody said of a series' time, start included and end not; `series` empty: of all of the detector's.

    `is_learnt` says whether the fit may use it; by default that follows from the verdict.
    """

    id: str
    detector: str
    series: str
    start: datetime
    end: datetime
    verdict: Verdict
    is_learnt: bool
    actor: str
    said_at: datetime
    note: str = ""
