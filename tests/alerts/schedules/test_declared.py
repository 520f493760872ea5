"""Schedule documents as users write them."""

from datetime import time

import pytest

from alerts.schedules.declared import declared
from alerts.schedules.kinds import KINDS
from alerts.schedules.lint import gap_problems, participant_problems
from alerts.schedules.model import DayTimes, Every, Override, Rotation, Schedule
from alerts.schedules.reading import days_of
from controlplane.specfile import Declared, Document, SourceFile, read
from tests.alerts.documents import shown
from tests.alerts.schedules.rotas import utc, wall

ENDS = ", beginning and ending with one of the former"
GOOD = """\
apiVersion: flyball.dev/v1
kind: Schedule
metadata: {name: sre, displayName: SRE on call}
spec:
  timeZone: Europe/Berlin
  rotations:
    - {name: weekly, participants: [ann, ben], start: 2026-01-05T09:00, every: 2w}
    - name: days
      participants: [eve]
      start: 2026-01-05 09:00
      every: 12h
      until: 2027-01-05T09:00
      only:
        - {days: [mon-fri, sun], from: "09:00", to: "17:00"}
        - {days: [sat]}
  overrides:
    - {from: 2026-12-24T09:00, until: 2026-12-27T08:00Z, who: ben, why: Christmas}
"""


def documents(text: str) -> list[Document]:
    result = read([SourceFile("alerts.yaml", text.encode())], KINDS)
    assert result.problems == ()
    return list(result.documents)


def schedules(text: str) -> Declared[Schedule]:
    result = read([SourceFile("alerts.yaml", text.encode())], KINDS)
    made = declared(result.documents)
    return Declared(made.values, (*result.problems, *made.problems))


def problems(old: str, new: str) -> list[str]:
    assert old in GOOD, old
    return shown(schedules(GOOD.replace(old, new, 1)).problems, hints=False)


def test_a_schedule_is_read_as_it_is_written() -> None:
    made = schedules(GOOD)
    assert made.problems == ()
    (schedule,) = made.values
    assert (schedule.name, schedule.display_name, schedule.zone) == ("sre", "SRE on call", "Europe/Berlin")
    assert str(schedule.source) == "alerts.yaml:3:18"
    workdays = DayTimes(frozenset({0, 1, 2, 3, 4, 6}), time(9), time(17))
    saturday = DayTimes(frozenset({5}), time(0), time(0))
    assert schedule.rotations == (
        Rotation("weekly", ("ann", "ben"), wall("2026-01-05T09:00"), Every.WEEK, 2),
        Rotation(
            "days",
            ("eve",),
            wall("2026-01-05T09:00"),
            Every.HOUR,
            12,
            (workdays, saturday),
            wall("2027-01-05T09:00"),
        ),
    )
    assert schedule.overrides == (Override(utc("2026-12-24T08:00"), utc("2026-12-27T08:00"), "ben", "Christmas"),)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("Europe/Berlin", "Europe/Berlim", "5:13 spec.timeZone: `Europe/Berlim` is not a time zone"),
        (
            "name: sre,",
            "name: SRE,",
            "3:18 metadata.name: `SRE` is not a name: lower-case letters, digits and `-`" + ENDS,
        ),
        (
            "start: 2026-01-05T09:00",
            "start: 2026-02-30T09:00",
            "7:55 spec.rotations[0].start: `2026-02-30T09:00` is not a time on the wall",
        ),
        (
            "start: 2026-01-05T09:00",
            "start: 2026-01-05T09:00Z",
            "7:55 spec.rotations[0].start: `2026-01-05T09:00Z` is not a time on the wall",
        ),
        (
            "start: 2026-01-05T09:00",
            "start: 0026-01-05T09:00",
            "7:55 spec.rotations[0].start: the year 26 is too far away",
        ),
        ("every: 2w", "every: 2 weeks", "7:80 spec.rotations[0].every: `2 weeks` is not the length of a turn"),
        (
            "until: 2027-01-05T09:00",
            "until: 2026-01-05T09:00",
            "12:14 spec.rotations[1].until: does not come after its start",
        ),
        ("name: days", "name: weekly", "8:13 spec.rotations[1].name: the rotation `weekly` is there twice"),
        ("mon-fri", "mon-fry", "14:19 spec.rotations[1].only[0].days[0]: `mon-fry` is no day of the week"),
        ('"17:00"', '"24:30"', "14:53 spec.rotations[1].only[0].to: `24:30` is not a time of day"),
        ("2026-12-27T08:00Z", "2026-12-24T08:00Z", "17:39 spec.overrides[0].until: does not come after its start"),
        ("2026-12-27T08:00Z", "soon", "17:39 spec.overrides[0].until: `soon` is not a time"),
    ],
)
def test_a_mistake_is_told_where_it_stands(old: str, new: str, expected: str) -> None:
    assert problems(old, new) == [expected]


def test_a_schedule_with_a_mistake_is_left_out() -> None:
    assert schedules(GOOD.replace("Europe/Berlin", "Mars", 1)).values == ()


def test_an_override_over_another_one_is_warned_of() -> None:
    later = "    - {from: 2026-12-26T09:00, until: 2026-12-28T09:00, who: eve}\n"
    made = schedules(GOOD + later)
    assert shown(made.problems) == [
        "18:7 spec.overrides[1]: [warning] overlaps with the override at alerts.yaml:17:7"
        " (this one counts then, because it comes later in the file)"
    ]
    assert len(made.values) == 1


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon", {0}),
        ("Sunday", {6}),
        ("fri-mon", {4, 5, 6, 0}),
        ("MON - WED", {0, 1, 2}),
        *((text, set()) for text in ("mo", "-", "mon-", "mondays", "")),
    ],
)
def test_days_are_written_short_long_or_as_a_range(text: str, days: set[int]) -> None:
    assert days_of(text) == days


def test_participants_that_nobody_can_reach_are_told() -> None:
    found = participant_problems(documents(GOOD), {"ann", "benn", "eve"})
    assert shown(found) == [
        "7:42 spec.rotations[0].participants[1]: there is no Receiver `ben`, did you mean `benn`?",
        "17:63 spec.overrides[0].who: there is no Receiver `ben`, did you mean `benn`?",
    ]
    assert participant_problems(documents(GOOD), {"ann", "ben", "eve"}) == []


def test_times_without_anybody_are_warned_of() -> None:
    alone = GOOD.replace("    - {name: weekly, participants: [ann, ben], start: 2026-01-05T09:00, every: 2w}\n", "")
    (schedule,) = schedules(alone).values
    found = gap_problems(documents(alone), {"sre": schedule}, utc("2026-02-02T12:00"))
    assert shown(found) == [
        "6:3 spec.rotations: [warning] nobody is on call from 2026-02-02 17:00 to 2026-02-03 09:00 (Europe/Berlin),"
        " and 27 times more in four weeks"
        " (add a rotation without `only` below the others, or leave the rest of a policy to other steps)"
    ]
    (whole,) = schedules(GOOD).values
    assert gap_problems(documents(GOOD), {"sre": whole}, utc("2026-02-02T12:00")) == []
