"""Schedule documents as schedules, and everything that is wrong with them."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from alerts.reporting import Report
from alerts.schedules import reading
from alerts.schedules.model import Every, Override, Rotation, Schedule
from alerts.schedules.spec import OverridePart, RotationPart, ScheduleDocument
from controlplane.problems import Problem
from controlplane.specfile import Declared, Document, declared_by_name

RULE: Final = "schedule"
_EVERY: Final = re.compile(r"([1-9][0-9]{0,2})([hdw])")
Path = tuple[str | int, ...]


def declared(documents: Sequence[Document]) -> Declared[Schedule]:
    """The schedules that these documents declare, by name. One with a mistake is left out; its problems are told."""

    def read(document: Document, value: ScheduleDocument) -> tuple[Schedule | None, Sequence[Problem]]:
        report = Report(document, RULE)
        schedule = _schedule(report, value)
        return (None if report.has_errors else schedule), report.problems

    return declared_by_name(documents, ScheduleDocument, read)


def _schedule(report: Report, value: ScheduleDocument) -> Schedule:
    report.check_name(value.metadata.name)
    where = reading.zone_of(report, value.spec.time_zone, ("spec", "timeZone"))
    rotations = [
        _rotation(report, part, ("spec", "rotations", number)) for number, part in enumerate(value.spec.rotations)
    ]
    _check_twice(report, value.spec.rotations)
    overrides = [
        _override(report, part, ("spec", "overrides", number), where)
        for number, part in enumerate(value.spec.overrides)
    ]
    _check_overlaps(report, overrides)
    return Schedule(
        name=value.metadata.name,
        zone=value.spec.time_zone,
        rotations=tuple(each for each in rotations if each is not None),
        overrides=tuple(each for each in overrides if each is not None),
        display_name=value.metadata.display_name,
        source=report.document.position_of("metadata", "name"),
    )


def _rotation(report: Report, part: RotationPart, path: Path) -> Rotation | None:
    report.check_name(part.name, *path, "name")
    start = reading.wall_time(report, part.start, (*path, "start"))
    until = reading.wall_time(report, part.until, (*path, "until")) if part.until is not None else None
    if start is not None and until is not None and until <= start:
        report.error(*path, "until", message="does not come after its start")
    every = _EVERY.fullmatch(part.every)
    if every is None:
        hint = "hours, days or weeks, such as 12h, 1d or 2w"
        report.error(*path, "every", message=f"`{part.every}` is not the length of a turn", hint=hint)
    hours = [reading.day_times(report, each, (*path, "only", number)) for number, each in enumerate(part.only)]
    if start is None or every is None:
        return None
    return Rotation(
        name=part.name,
        participants=tuple(part.participants),
        start=start,
        every=Every(every[2]),
        count=int(every[1]),
        only=tuple(each for each in hours if each is not None),
        until=until,
    )


def _check_twice(report: Report, parts: Sequence[RotationPart]) -> None:
    names = [part.name for part in parts]
    for number, name in enumerate(names):
        if name in names[:number]:
            message = f"the rotation `{name[:80]}` is there twice"
            report.error("spec", "rotations", number, "name", message=message, hint="each has a name of its own")


def _override(report: Report, part: OverridePart, path: Path, where: ZoneInfo) -> Override | None:
    start = reading.moment(report, part.start, (*path, "from"), where)
    end = reading.moment(report, part.end, (*path, "until"), where)
    if start is None or end is None:
        return None
    if end <= start:
        report.error(*path, "until", message="does not come after its start")
    return Override(start, end, part.who, part.why)


def _check_overlaps(report: Report, overrides: Sequence[Override | None]) -> None:
    """Warn of overrides over one another; the later one in the file counts."""
    known = sorted(
        ((each.start, number, each.end) for number, each in enumerate(overrides) if each is not None),
    )
    latest: tuple[datetime, int] | None = None
    for start, number, end in known:
        if latest is not None and start < latest[0]:
            first, second = sorted((latest[1], number))
            message = f"overlaps with the override at {report.document.position_of('spec', 'overrides', first)}"
            hint = "this one counts then, because it comes later in the file"
            report.warning("spec", "overrides", second, message=message, hint=hint)
        if latest is None or end > latest[0]:
            latest = (end, number)
