"""MaintenanceWindow documents as windows, and everything that is wrong with them."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from alerts.maintenance.model import MaintenanceWindow, Recurring
from alerts.maintenance.spec import MaintenanceWindowDocument, RecurringPart, SpanPart
from alerts.reporting import Report
from alerts.routing.matchers import read_groups
from alerts.schedules import reading
from controlplane.calendar.recurrence import BadRule, rule_of
from controlplane.problems import Problem
from controlplane.specfile import Declared, Document, declared_by_name

RULE: Final = "maintenance-window"
LONGEST: Final = timedelta(days=366)
Path = tuple[str | int, ...]


def declared(documents: Sequence[Document]) -> Declared[MaintenanceWindow]:
    """The windows that these documents declare, by name. One with a mistake is left out; its problems are told."""

    def read(document: Document, value: MaintenanceWindowDocument) -> tuple[MaintenanceWindow | None, list[Problem]]:
        report = Report(document, RULE)
        window = _window(report, value)
        return (None if report.has_errors else window), report.problems

    return declared_by_name(documents, MaintenanceWindowDocument, read)


def _window(report: Report, value: MaintenanceWindowDocument) -> MaintenanceWindow:
    spec = value.spec
    report.check_name(value.metadata.name)
    of = reading.zone_of(report, spec.time_zone, ("spec", "timeZone"))
    if not (spec.weekly or spec.spans or spec.recurring):
        hint = "give it `weekly` hours, `spans` or `recurring` rules"
        report.error("spec", message="it has no time", hint=hint, on_key=True)
    weekly = [
        reading.day_times(report, part, ("spec", "weekly", number)) for number, part in enumerate(spec.weekly)
    ]  # fmt: skip
    return MaintenanceWindow(
        name=value.metadata.name,
        zone=of.key,
        spans=tuple(_spans(report, spec.spans, of)),
        weekly=tuple(each for each in weekly if each is not None),
        rules=tuple(_rules(report, spec.recurring)),
        matchers=read_groups(report, spec.match, ("spec", "match")),
        why=spec.why,
        source=report.document.position_of("metadata", "name"),
    )


def _spans(report: Report, parts: Sequence[SpanPart], of: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    for number, part in enumerate(parts):
        path: Path = ("spec", "spans", number)
        start = reading.moment(report, part.start, (*path, "from"), of)
        end = reading.moment(report, part.end, (*path, "until"), of)
        if start is None or end is None:
            continue
        for at, key in ((start, "from"), (end, "until")):
            if at.second:
                report.error(*path, key, message="must be a whole minute", hint="Alertmanager knows no seconds here")
        if end <= start:
            report.error(*path, "until", message="does not come after its start")
        elif end - start > LONGEST:
            report.error(*path, "until", message=f"lasts longer than {LONGEST.days} days", hint="write several spans")
        else:
            yield start, end


def _rules(report: Report, parts: Sequence[RecurringPart]) -> Iterator[Recurring]:
    for number, part in enumerate(parts):
        path: Path = ("spec", "recurring", number)
        start = reading.wall_time(report, part.start, (*path, "start"))
        try:
            rule_of(part.rule)
        except BadRule as bad:
            report.error(*path, "rule", message=bad.message, hint=bad.hint)
            continue
        if start is not None:
            yield Recurring(start, part.minutes, part.rule)
