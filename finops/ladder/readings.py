"""What signals said at one moment. Missing is not zero: a reading that is not good has no value to go by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum


class Quality(Enum):
    """Whether a reading may be used."""

    GOOD = "good"
    MISSING = "missing"  # no sample, or NaN
    STALE = "stale"  # too old, or made from data that is told to be stale
    CONTRADICTORY = "contradictory"  # several values where there may be one, or none that can be (negative, infinite)


@dataclass(frozen=True, slots=True)
class Reading:
    """One signal. `value` is None unless it is good; `at` is when its data was taken; `reason` says why it is not good.

    `per_hour`: by how much the value would be higher if one unit of money an hour more were spent; None: unknown or not
    at all. It is what makes "spend without the tier" out of a saving.
    """

    quality: Quality
    value: Decimal | None = None
    at: datetime | None = None
    per_hour: Decimal | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Readings:
    """One sample of a ladder, taken at `at`.

    `signals` by name; `brakes` by SLO: the share of its error budget that is left. `savings`: what each tier in force
    saves now, in money an hour, by its receipt where that is measured, else as declared; absent: as declared.
    """

    at: datetime
    signals: Mapping[str, Reading]
    brakes: Mapping[str, Reading] = field(default_factory=dict)
    savings: Mapping[int, Decimal] = field(default_factory=dict)
