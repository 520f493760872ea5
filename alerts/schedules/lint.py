"""What is wrong with schedules beside what each says of itself: people whom nobody can reach, times without anybody."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from alerts.reporting import Report
from alerts.schedules.declared import RULE
from alerts.schedules.model import Schedule, Turn
from alerts.schedules.spec import ScheduleDocument
from alerts.schedules.turns import gaps
from controlplane.calendar.zones import zone
from controlplane.problems import Problem
from controlplane.specfile import Document

LOOKED_AHEAD: Final = timedelta(days=28)
GAP_RULE: Final = "schedule-gap"


def participant_problems(documents: Sequence[Document], receivers: Collection[str]) -> list[Problem]:
    """Participants of Schedules that are no Receivers; `receivers` are the names of all that there are."""
    problems: list[Problem] = []
    for document in documents:
        if isinstance(document.value, ScheduleDocument):
            report = Report(document, RULE)
            spec = document.value.spec
            for number, part in enumerate(spec.rotations):
                for index, name in enumerate(part.participants):
                    if name not in receivers:
                        path = ("spec", "rotations", number, "participants", index)
                        report.unknown(*path, what="Receiver", name=name, known=receivers)
            for number, override in enumerate(spec.overrides):
                if override.who not in receivers:
                    report.unknown(
                        "spec", "overrides", number, "who", what="Receiver", name=override.who, known=receivers
                    )
            problems += report.problems
    return problems


def gap_problems(documents: Sequence[Document], schedules: Mapping[str, Schedule], at: datetime) -> list[Problem]:
    """Warnings of schedules by which nobody is on call at some time of the four weeks after `at`."""
    problems: list[Problem] = []
    for document in documents:
        if isinstance(document.value, ScheduleDocument) and (found := schedules.get(document.value.metadata.name)):
            report = Report(document, GAP_RULE)
            empty = gaps(found, at, at + LOOKED_AHEAD)
            if empty:
                hint = "add a rotation without `only` below the others, or leave the rest of a policy to other steps"
                report.warning("spec", "rotations", message=_in_words(empty, found), hint=hint, on_key=True)
            problems += report.problems
    return problems


def _in_words(empty: Sequence[Turn], schedule: Schedule) -> str:
    where = zone(schedule.zone)
    start, end = (each.astimezone(where) for each in (empty[0].start, empty[0].end))
    more = f", and {len(empty) - 1} times more" if len(empty) > 1 else ""
    return (
        f"nobody is on call from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} ({schedule.zone}){more} in four weeks"
    )
