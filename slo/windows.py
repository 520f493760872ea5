"""Time windows of OpenSLO SLOs."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from controlplane.burn_rate import LEDGER_INTERVAL, STANDARD_PERIOD, STANDARD_TIERS, duration
from controlplane.model.slo import RollingWindow
from controlplane.problems import Problem, Severity
from controlplane.specfile import Document
from slo.spec import SLOSpec, TimeWindow

SHORTEST: Final = timedelta(hours=1)
LONGEST: Final = timedelta(days=3650)
_SHORTHAND: Final = re.compile(r"([0-9]{1,9})([A-Za-z])")
_UNITS: Final = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_CALENDAR_UNITS: Final = {"M": ("months", "30d"), "Q": ("quarters", "90d"), "Y": ("years", "365d")}
_FIRST_WORD: Final = "as in 30d, 4w or 720h"


@dataclass(frozen=True, slots=True)
class Period:
    """A window, or None when it cannot be used."""

    window: RollingWindow | None
    problems: tuple[Problem, ...]

    @property
    def length(self) -> timedelta | None:
        """Its length, if known."""
        return self.window.length if self.window else None


def period_of(document: Document, spec: SLOSpec) -> Period:
    """The rolling window of an SLO; 30 days with a warning when none is written."""
    at = ("spec", "timeWindow")
    if not spec.time_window:
        problem = document.problem(
            *at,
            message="no time window: 30 rolling days are assumed",
            severity=Severity.WARNING,
            rule="time-window",
            hint="write timeWindow: [{duration: 30d, isRolling: true}]",
            on_key=True,
        )
        return Period(RollingWindow(STANDARD_PERIOD), (problem,))
    if len(spec.time_window) > 1:
        return Period(
            None, (document.problem(*at, 1, message="an SLO has exactly one time window", rule="time-window"),)
        )
    return _rolling(document, spec.time_window[0])


def _rolling(document: Document, written: TimeWindow) -> Period:
    at = ("spec", "timeWindow", 0)
    if written.calendar is not None or written.is_rolling is False:
        key = "calendar" if written.calendar is not None else "isRolling"
        problem = document.problem(
            *at,
            key,
            message="windows aligned to the calendar are not supported yet",
            rule="unsupported",
            on_key=True,
            hint="write `duration: 30d` with `isRolling: true`, and no calendar",
        )
        return Period(None, (problem,))
    length, fault = length_of(written.duration)
    if length is None:
        return Period(None, (document.problem(*at, "duration", message=fault, rule="time-window"),))
    dropped = [tier for tier in STANDARD_TIERS if tier.long > length]
    if not dropped:
        return Period(RollingWindow(length), ())
    listed = ", ".join(f"{tier.urgency.value} over {duration(tier.long)}" for tier in dropped)
    warning = document.problem(
        *at,
        "duration",
        message=f"the window is shorter than some alerts look back, so these are left out: {listed}",
        severity=Severity.WARNING,
        rule="alert-windows",
    )
    return Period(RollingWindow(length), (warning,))


def length_of(text: str) -> tuple[timedelta | None, str]:
    """A duration-shorthand as a rolling length, or why it cannot be one."""
    match = _SHORTHAND.fullmatch(text)
    if match is None or match[2] not in _UNITS | _CALENDAR_UNITS:
        wrong = f"`{text[:40]}` is not a duration"
        if match is not None and match[2].lower() in _UNITS:
            return None, f"{wrong}, did you mean `{text.lower()}`?"
        return None, f"{wrong}: a whole number and m, h, d or w, {_FIRST_WORD}"
    if match[2] in _CALENDAR_UNITS:
        what, instead = _CALENDAR_UNITS[match[2]]
        return None, f"{what} differ in length, so they cannot roll: write days, such as {instead}"
    try:
        length = int(match[1]) * _UNITS[match[2]]
    except OverflowError:
        length = timedelta.max
    if not SHORTEST <= length <= LONGEST:
        return None, f"must be between {duration(SHORTEST)} and {duration(LONGEST)}"
    if length % LEDGER_INTERVAL:
        return None, "must be a multiple of 5 minutes"
    return length, ""
