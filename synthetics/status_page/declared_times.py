"""Maintenances, corrections and lengths of a page's file."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from controlplane.calendar.moments import length_of, moment_of
from controlplane.calendar.recurrence import BadRule, rule_of
from controlplane.model.public_status import ComponentStatus
from controlplane.specfile import did_you_mean
from synthetics.status_page.model import DeclaredCorrection, Maintenance
from synthetics.status_page.reporting import Report
from synthetics.status_page.spec import CorrectionPart, MaintenancePart

_A_MOMENT: Final = "such as 2026-12-05 22:00, by the clocks of the page's time zone, or 2026-12-05T22:00Z"
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_MAINTENANCE: Final = timedelta(days=14)
Path = tuple[str | int, ...]


def length(report: Report, text: str, path: Path, least: timedelta, most: timedelta) -> timedelta:
    """A length within bounds; 0 and a problem for any other."""
    found = length_of(text)
    if found is None:
        report.error(*path, message=f"`{text}` is not a length", hint="such as 15m, 1h or 7d")
        return timedelta(0)
    if not least <= found <= most:
        report.error(*path, message=f"must be between {in_words(least)} and {in_words(most)}")
    return found


def in_words(span: timedelta) -> str:
    """`15m`, `1h`, `7d`, the largest unit that fits."""
    seconds = span // timedelta(seconds=1)
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def unknown_ids(report: Report, ids: Collection[str], known: Collection[str], path: Path) -> None:
    """A problem for every id that is no component's."""
    for number, id_ in enumerate(ids):
        if id_ not in known:
            meant = did_you_mean(id_, known)
            hint = f"did you mean `{meant}`?" if meant else f"there is {', '.join(known)}"
            report.error(*path, number, message=f"no component has the id `{id_}`", hint=hint)


def maintenances(
    report: Report, parts: Collection[MaintenancePart], zone: ZoneInfo, known: Collection[str]
) -> tuple[Maintenance, ...]:
    """The planned work of a page; what is wrong is reported."""
    found: list[Maintenance] = []
    for number, part in enumerate(parts):
        path: Path = ("spec", "maintenances", number)
        if any(part.id == other.id for other in found):
            report.error(*path, "id", message=f"`{part.id}` is there twice")
        unknown_ids(report, part.components, known, (*path, "components"))
        start = _moment(report, part.start, (*path, "start"), zone)
        span = _span(report, part, start, path, zone)
        announce = length(report, part.announce, (*path, "announce"), timedelta(0), timedelta(days=90))
        found.append(
            Maintenance(
                part.id,
                part.title,
                start,
                span,
                tuple(part.components),
                part.body,
                part.rrule or "",
                announce,
                part.excluded,
                ComponentStatus(part.expects),
            )
        )
    return tuple(found)


def corrections(
    report: Report, parts: Collection[CorrectionPart], zone: ZoneInfo, known: Collection[str]
) -> tuple[DeclaredCorrection, ...]:
    """What counts differently from what was measured; what is wrong is reported."""
    found = []
    for number, part in enumerate(parts):
        path: Path = ("spec", "corrections", number)
        if part.component not in known:
            report.error(*path, "component", message=f"no component has the id `{part.component}`")
        start = _moment(report, part.start, (*path, "start"), zone)
        end = _moment(report, part.end, (*path, "end"), zone)
        if _NEVER not in (start, end) and start >= end:
            report.error(*path, "end", message="does not come after its start")
        found.append(DeclaredCorrection(part.component, start, end, ComponentStatus(part.status), part.reason))
    return tuple(found)


def _span(report: Report, part: MaintenancePart, start: datetime, path: Path, zone: ZoneInfo) -> timedelta:
    """How long it takes; its rule is looked at, too."""
    if (part.rrule is None) != (part.duration is None) or (part.rrule is None) == (part.end is None):
        hint = "once: start and end; recurring: start, duration and rrule"
        report.error(*path, message="it is not clear when it happens", hint=hint)
        return timedelta(0)
    if part.rrule is not None and part.duration is not None:
        try:
            rule_of(part.rrule)
        except BadRule as error:
            report.error(*path, "rrule", message=error.message, hint=error.hint)
        return length(report, part.duration, (*path, "duration"), timedelta(minutes=1), timedelta(days=1))
    end = _moment(report, part.end or "", (*path, "end"), zone)
    if _NEVER not in (start, end) and not timedelta(0) < end - start <= _LONGEST_MAINTENANCE:
        message = "does not come after its start" if end <= start else "lasts longer than 14 days"
        report.error(*path, "end", message=message)
    return end - start


def _moment(report: Report, text: str, path: Path, zone: ZoneInfo) -> datetime:
    found = moment_of(text, zone)
    if found is None:
        report.error(*path, message=f"`{text}` is not a time", hint=_A_MOMENT)
    return found or _NEVER
