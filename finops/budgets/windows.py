"""Windows, durations and tiers of budgets as users write them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane.burn_rate import LEDGER_INTERVAL, LEDGER_SUMS_FROM, ROLLING, duration
from controlplane.calendar.tables import TABLE_END
from controlplane.calendar.zones import zone_names
from controlplane.model.alerting import Tier, Urgency
from controlplane.model.slo import CalendarUnit, CalendarWindow, RollingWindow, Window
from controlplane.specfile import did_you_mean
from finops.budgets.spec import CALENDAR_WORDS, TierPart, WindowPart

_LENGTH: Final = re.compile(r"([0-9]{1,7})([mhdw])")
_UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_SHORTEST_WINDOW: Final = timedelta(days=1)
_LONGEST_WINDOW: Final = timedelta(days=366)
_FIRST_START: Final = "2024-01-01"  # a Monday, and the first day of a month, a quarter and a year
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ZONE_HINT: Final = "a name of the IANA database, such as Europe/Berlin or UTC"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with the value at a key (empty: with the whole), and the way out."""

    key: str
    message: str
    hint: str = ""


def window_of(part: WindowPart) -> tuple[Window | None, tuple[Fault, ...]]:
    """The window that is meant, or every reason why there is none."""
    if (part.every is None) == (part.rolling is None):
        both = part.every is not None
        message = "a window that rolls does not begin with the calendar" if both else "no window"
        return None, (Fault("", message, "write month, quarter, week or year, or such as 30d"),)
    if part.rolling is not None:
        return _rolling(part)
    zone, start = part.time_zone or "UTC", part.start or _FIRST_START
    faults = [*zone_faults("timeZone", zone), *_start_faults(start)]
    if faults:
        return None, tuple(faults)
    return CalendarWindow(1, CalendarUnit(part.every), f"{start}T00:00:00", zone), ()


def _rolling(part: WindowPart) -> tuple[Window | None, tuple[Fault, ...]]:
    assert part.rolling is not None
    faults = [
        Fault(key, "a window that rolls has no such thing", "remove it, or write every: month")
        for key, value in (("timeZone", part.time_zone), ("start", part.start))
        if value is not None
    ]
    length, fault = length_of("rolling", part.rolling, _SHORTEST_WINDOW, _LONGEST_WINDOW)
    if fault is not None:
        meant = did_you_mean(part.rolling, CALENDAR_WORDS)
        if meant is not None and length is None and not _LENGTH.fullmatch(part.rolling):
            fault = Fault("rolling", f"`{part.rolling}` is not a window, did you mean `{meant}`?")
        return None, (fault, *faults)
    assert length is not None
    if length % LEDGER_INTERVAL:
        faults.append(Fault("rolling", "must be a multiple of 5 minutes"))
    return (None, tuple(faults)) if faults else (RollingWindow(length), ())


def zone_faults(key: str, name: str) -> Iterator[Fault]:
    """Why this is no time zone."""
    if name not in zone_names():
        meant = did_you_mean(name, zone_names())
        message = f"unknown time zone `{name[:40]}`" + (f", did you mean `{meant}`?" if meant else "")
        yield Fault(key, message, "" if meant else _ZONE_HINT)


def _start_faults(text: str) -> Iterator[Fault]:
    try:
        day = datetime.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        yield Fault("start", f"`{text[:40]}` is not a date", "write it as in 2026-04-15")
    elif not datetime(2000, 1, 1) <= day < TABLE_END.replace(tzinfo=None):  # noqa: DTZ001 -- wall-clock time
        yield Fault("start", f"must lie between the years 2000 and {TABLE_END.year - 1}")


def length_of(
    key: str, text: str, shortest: timedelta = ROLLING, longest: timedelta = _LONGEST_WINDOW
) -> tuple[timedelta | None, Fault | None]:
    """A duration such as `90m`, `6h` or `30d`, or why it is none."""
    match = _LENGTH.fullmatch(text)
    if match is None:
        hint = "a whole number and m, h, d or w, as in 5m, 6h or 30d"
        return None, Fault(key, f"`{text}` is not a duration", hint)
    length = min(int(match[1]) * _UNITS[match[2]], 2 * _LONGEST_WINDOW)
    if not shortest <= length <= longest:
        return None, Fault(key, f"must be between {duration(shortest)} and {duration(longest)}")
    return length, None


def tier_of(part: TierPart) -> tuple[Tier | None, tuple[Fault, ...]]:
    """A burn-rate alert as written, or every reason why it cannot be."""
    faults: list[Fault] = []

    def window(key: str, text: str) -> timedelta:
        length, fault = length_of(key, text)
        if length is not None and length >= LEDGER_SUMS_FROM and length % LEDGER_INTERVAL:
            fault = Fault(key, "a window of a day or more must be a multiple of 5 minutes")
        if fault is not None:
            faults.append(fault)
        return length or ROLLING

    short, long = window("short", part.short), window("long", part.long)
    within = tuple(sorted({window("spentWithin", text) for text in part.spent_within or ()}))
    hold = timedelta(0)
    if part.hold is not None and not re.fullmatch(r"0[mhdw]?", part.hold):
        length, fault = length_of("for", part.hold, timedelta(minutes=1), timedelta(days=7))
        hold = length or hold
        faults += [fault] if fault else []
    if not faults and short >= long:
        faults.append(Fault("short", "the short window must be shorter than the long one"))
    if faults:
        return None, tuple(faults)
    within = within or ((short, long) if short == ROLLING else (long,))
    return Tier(Urgency(part.severity), part.budget_share, short, long, within, part.burn_rate, hold), ()
