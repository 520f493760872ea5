"""Time windows of OpenSLO SLOs: rolling ones, and those that begin anew with the calendar."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane.burn_rate import LEDGER_INTERVAL, STANDARD_PERIOD, STANDARD_TIERS, duration
from controlplane.calendar.tables import TABLE_END
from controlplane.calendar.zones import zone_names
from controlplane.model.slo import CalendarUnit, CalendarWindow, RollingWindow, Window
from controlplane.problems import Problem, Severity
from controlplane.specfile import Document, did_you_mean
from slo.openslo.spec import Calendar, SLOSpec, TimeWindow

SHORTEST: Final = timedelta(hours=1)
LONGEST: Final = timedelta(days=3650)
_RULE: Final = "time-window"
_AT: Final = ("spec", "timeWindow", 0)
_SHORTHAND: Final = re.compile(r"([0-9]{1,9})([A-Za-z])")
_UNITS: Final = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_UNEVEN: Final = {"M": ("months", "30d"), "Q": ("quarters", "90d"), "Y": ("years", "365d")}
_CALENDAR_UNITS: Final = {
    "d": CalendarUnit.DAY,
    "w": CalendarUnit.WEEK,
    "M": CalendarUnit.MONTH,
    "Q": CalendarUnit.QUARTER,
    "Y": CalendarUnit.YEAR,
}
_FIRST_WORD: Final = "as in 30d, 4w or 720h"
_START: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)")
_START_EXAMPLE: Final = "write it as in 2026-01-01 00:00:00"


@dataclass(frozen=True, slots=True)
class Period:
    """A window, or None when it cannot be used."""

    window: Window | None
    problems: tuple[Problem, ...]

    @property
    def length(self) -> timedelta | None:
        """Its nominal length, if known."""
        return self.window.length if self.window else None


def period_of(document: Document, spec: SLOSpec) -> Period:
    """The window of an SLO; 30 rolling days with a warning when none is written."""
    at = _AT[:2]
    if not spec.time_window:
        problem = document.problem(
            *at,
            message="no time window: 30 rolling days are assumed",
            severity=Severity.WARNING,
            rule=_RULE,
            hint="write timeWindow: [{duration: 30d, isRolling: true}]",
            on_key=True,
        )
        return Period(RollingWindow(STANDARD_PERIOD), (problem,))
    if len(spec.time_window) > 1:
        return Period(None, (document.problem(*at, 1, message="an SLO has exactly one time window", rule=_RULE),))
    return window_of(document, spec.time_window[0])


def window_of(document: Document, written: TimeWindow) -> Period:
    """What one time window means, with a warning about alerts that it is too short for."""
    if written.calendar is None and written.is_rolling is not False:
        length, fault = length_of(written.duration)
        problems = [document.problem(*_AT, "duration", message=fault, rule=_RULE)] if fault else []
        return _judged(document, RollingWindow(length) if length else None, problems)
    found = list(_contradictions(document, written))
    if written.calendar is None:
        return Period(None, tuple(found))
    count_and_unit, fault = aligned(written.duration)
    if fault:
        found.append(document.problem(*_AT, "duration", message=fault, rule=_RULE))
    start, zone = written.calendar.start_time, written.calendar.time_zone
    found.extend(_calendar_problems(document, written.calendar))
    if count_and_unit is None or found:
        return Period(None, tuple(found))
    return _judged(document, CalendarWindow(*count_and_unit, start_of(start)[0], zone), [])


def length_of(text: str) -> tuple[timedelta | None, str]:
    """A duration-shorthand as a rolling length, or why it cannot be one."""
    match = _SHORTHAND.fullmatch(text)
    if match is None or match[2] not in _UNITS | _UNEVEN:
        return None, _not_a_duration(text, f"m, h, d or w, {_FIRST_WORD}")
    if match[2] in _UNEVEN:
        what, instead = _UNEVEN[match[2]]
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


def aligned(text: str) -> tuple[tuple[int, CalendarUnit] | None, str]:
    """A duration-shorthand as a number of calendar units, or why it cannot be one."""
    match = _SHORTHAND.fullmatch(text)
    if match is not None and match[2] in ("m", "h"):
        instead = ": write days, weeks, months, quarters or years, such as 1d or 1M"
        return None, f"the calendar has no periods of {'minutes' if match[2] == 'm' else 'hours'}{instead}"
    if match is None or match[2] not in _CALENDAR_UNITS:
        return None, _not_a_duration(text, "d, w, M, Q or Y, as in 1M, 1Q or 1w")
    count, unit = int(match[1]), _CALENDAR_UNITS[match[2]]
    try:
        fits = count > 0 and CalendarWindow(count, unit, "", "").length <= LONGEST
    except OverflowError:
        fits = False
    return ((count, unit), "") if fits else (None, f"must be between 1{match[2]} and {duration(LONGEST)}")


def start_of(text: str) -> tuple[str, str]:
    """A local time as the model has it (ISO 8601), or why it is none."""
    match = _START.fullmatch(text.strip())
    if match is None:
        zoned = re.search(r"(?:Z|[+-][0-9]{2}:?[0-9]{2})$", text.strip()) and "T" in text.upper()
        reason = ", without a zone: that is what timeZone is for" if zoned else ""
        return "", f"`{text[:40]}` is not a date and time{reason}"
    try:
        start = datetime.fromisoformat(f"{match[1]}T{match[2]}")
    except ValueError as error:
        return "", f"`{text[:40]}` is not a date and time: {error}"
    if not datetime(1970, 1, 2) <= start < TABLE_END.replace(tzinfo=None):  # noqa: DTZ001 -- wall-clock time
        return "", f"must lie between the years 1970 and {TABLE_END.year - 1}"
    return start.isoformat(), ""


def unknown_zone(name: str) -> str:
    """Why this is no time zone; empty when it is one."""
    if name in zone_names():
        return ""
    meant = did_you_mean(name, zone_names())
    return f"unknown time zone `{name[:40]}`" + (f", did you mean `{meant}`?" if meant else "")


def _contradictions(document: Document, written: TimeWindow) -> Iterator[Problem]:
    if written.calendar is not None and written.is_rolling:
        yield document.problem(
            *_AT,
            "isRolling",
            message="a window that begins with the calendar does not roll",
            hint="write isRolling: false, or remove calendar",
            rule=_RULE,
        )
    if written.calendar is None:
        yield document.problem(
            *_AT,
            "isRolling",
            message="a window that does not roll begins with the calendar, and there is none",
            hint="add calendar: {startTime: 2026-01-01 00:00:00, timeZone: Europe/Berlin}, or write isRolling: true",
            rule=_RULE,
            on_key=True,
        )


def _calendar_problems(document: Document, written: Calendar) -> Iterator[Problem]:
    _, fault = start_of(written.start_time)
    if fault:
        hint = "" if fault.startswith("must") else _START_EXAMPLE
        yield document.problem(*_AT, "calendar", "startTime", message=fault, hint=hint, rule=_RULE)
    fault = unknown_zone(written.time_zone)
    if fault:
        hint = "" if "did you mean" in fault else "a name of the IANA database, such as Europe/Berlin or UTC"
        yield document.problem(*_AT, "calendar", "timeZone", message=fault, hint=hint, rule=_RULE)


def _judged(document: Document, window: Window | None, problems: list[Problem]) -> Period:
    if window is None:
        return Period(None, tuple(problems))
    dropped = [tier for tier in STANDARD_TIERS if tier.long > window.length]
    if dropped:
        listed = ", ".join(f"{tier.urgency.value} over {duration(tier.long)}" for tier in dropped)
        message = f"the window is shorter than some alerts look back, so these are left out: {listed}"
        problem = document.problem(*_AT, "duration", message=message, severity=Severity.WARNING, rule="alert-windows")
        problems.append(problem)
    return Period(window, tuple(problems))


def _not_a_duration(text: str, units: str) -> str:
    wrong = f"`{text[:40]}` is not a duration"
    known = _SHORTHAND.fullmatch(text)
    if known and known[2].lower() in _UNITS:
        return f"{wrong}, did you mean `{text.lower()}`?"
    return f"{wrong}: a whole number and {units}"
