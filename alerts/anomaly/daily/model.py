"""What the detector of daily costs gives."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Amounts: TypeAlias = NDArray[np.float64]
Booleans: TypeAlias = NDArray[np.bool_]
Codes: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class DailyScores:
    """All of shape (S, D), in the currency of the values. NaN (0 in codes, False) where nothing could be scored.

    `score` > 1 exactly where the amount lies outside `lower` … `upper` in a direction that counts; it is |amount −
    expected| ÷ the half-width on that side. `expected` = `trend` + `weekday` + `month_edge`: what a day without
    weekday and month would cost, and what the weekday, the first day and the last three days of a month add.
    Day d is scored from days before d alone.
    """

    score: Amounts
    expected: Amounts
    lower: Amounts
    upper: Amounts
    trend: Amounts
    weekday: Amounts
    month_edge: Amounts
    maturity: Codes  # `alerts.anomaly.model.Maturity`: LEVEL without weekdays, DAILY with them, WEEKLY with month ends
    shifted: Booleans  # the day at which a new level is taken as the new normal
