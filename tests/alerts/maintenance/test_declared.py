"""Maintenance windows as documents."""
# ruff: noqa: DTZ001 -- times that clocks on walls show

from datetime import UTC, datetime, time

from alerts.maintenance.declared import declared
from alerts.maintenance.model import MaintenanceWindow, Recurring
from alerts.routing.model import Matcher, MatchOperator
from alerts.schedules.model import DayTimes
from tests.alerts.documents import shown
from tests.alerts.routing.reading import documents, of


def test_a_window_says_all_that_it_may_say() -> None:
    spec = """\
timeZone: Europe/Berlin
weekly: [{days: [sun], from: "02:00", to: "04:00"}]
spans: [{from: 2026-12-24T09:00, until: 2026-12-27T08:00Z}]
recurring: [{start: 2026-01-04T02:00, minutes: 60, rule: FREQ=MONTHLY;BYDAY=1SU}]
match: [['service="ingest"', severity!=page]]
why: The weekly batch"""
    found = declared(documents(of("MaintenanceWindow", "batch", spec)))
    assert found.problems == ()
    (made,) = found.values
    assert made == MaintenanceWindow(
        name="batch",
        zone="Europe/Berlin",
        spans=((datetime(2026, 12, 24, 8, tzinfo=UTC), datetime(2026, 12, 27, 8, tzinfo=UTC)),),
        weekly=(DayTimes(frozenset({6}), time(2), time(4)),),
        rules=(Recurring(datetime(2026, 1, 4, 2), 60, "FREQ=MONTHLY;BYDAY=1SU"),),
        matchers=(
            (Matcher("service", MatchOperator.EQUAL, "ingest"), Matcher("severity", MatchOperator.NOT_EQUAL, "page")),
        ),
        why="The weekly batch",
        source=made.source,
    )


def test_every_mistake_is_told_at_its_place() -> None:
    spec = """\
timeZone: Europe/Berln
weekly: [{days: [sun], from: "2:00", to: "04:00"}]
spans:
  - {from: 2026-12-24T09:00, until: 2026-12-24T08:00}
  - {from: 2026-12-24T09:00:30, until: 2028-12-24T08:00}
recurring: [{start: soon, minutes: 60, rule: FREQ=HOURLY}]
match: [['service!="ingest"'], ['severity="']]"""
    found = declared(documents(of("MaintenanceWindow", "batch", spec)))
    assert found.values == ()
    assert shown(found.problems, hints=False) == [
        "5:13 spec.timeZone: `Europe/Berln` is not a time zone",
        "6:32 spec.weekly[0].from: `2:00` is not a time of day",
        "8:39 spec.spans[0].until: does not come after its start",
        "9:14 spec.spans[1].from: must be a whole minute",
        "9:42 spec.spans[1].until: lasts longer than 366 days",
        "10:23 spec.recurring[0].start: `soon` is not a time on the wall",
        "10:48 spec.recurring[0].rule: `HOURLY` is no frequency",
        "11:11 spec.match[0]: matches alerts that have none of these labels, so nearly all",
        '11:35 spec.match[1][0]: the quote in `"` is not closed',
    ]


def test_a_window_without_a_time_is_none() -> None:
    found = declared(documents(of("MaintenanceWindow", "batch", "why: nothing")))
    assert shown(found.problems) == ["4:1 spec: it has no time (give it `weekly` hours, `spans` or `recurring` rules)"]
