"""SLOExclusion documents: what they exclude, of whom, and every way to get them wrong."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.calendar.intervals import merged, runs
from controlplane.calendar.zones import zone
from controlplane.model.exclusion import Exclusion
from controlplane.specfile import SourceFile
from flyball.examining import Examined, examine
from slo.exclusions.recurrence import MOST, BadRule, occurrences
from tests.slo.reading import an_slo_file

HOUR = timedelta(hours=1)
SPEC = {
    "select": "{slos: [checkout]}",
    "owner": "payments",
    "reason": "database upgrade",
    "expires": "2026-12-31",
    "timeZone": "Europe/Berlin",
    "once": "{start: 2026-03-29 01:00, end: 2026-03-29 04:00}",
}
RECURRING = "{rrule: FREQ=WEEKLY;BYDAY=SU, start: 2026-03-22 02:00, duration: 2h}"


def exclusion_file(name: str = "upgrade", **changes: str | None) -> str:
    spec = "".join(f"  {key}: {value}\n" for key, value in (SPEC | changes).items() if value is not None)
    return f"apiVersion: flyball.dev/v1\nkind: SLOExclusion\nmetadata: {{name: {name}}}\nspec:\n{spec}"


def examined(*exclusions: str) -> Examined:
    texts = [an_slo_file(), *exclusions]
    return examine([SourceFile(f"{chr(97 + index)}.yaml", text.encode()) for index, text in enumerate(texts)])


def the_exclusion(**changes: str | None) -> Exclusion:
    found = examined(exclusion_file(**changes))
    assert found.problems == ()
    (slo,) = found.slos
    (exclusion,) = slo.exclusions
    return exclusion


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def test_a_single_interval_by_the_clocks_of_its_zone() -> None:
    exclusion = the_exclusion()
    # The clocks are turned forward at two: three hours on the wall are two.
    assert exclusion.intervals == ((utc(2026, 3, 29, 0), utc(2026, 3, 29, 2)),)
    assert (exclusion.owner, exclusion.reason) == ("payments", "database upgrade")
    assert exclusion.expires == utc(2026, 12, 31, 23)  # the end of that day in Berlin


def test_a_time_may_say_its_own_offset() -> None:
    exclusion = the_exclusion(once="{start: 2026-03-29T01:00Z, end: 2026-03-29T05:30:00+02:00}")
    assert exclusion.intervals == ((utc(2026, 3, 29, 1), utc(2026, 3, 29, 3, 30)),)


def test_a_recurrence_keeps_to_the_clocks_and_its_length_over_their_change() -> None:
    exclusion = the_exclusion(once=None, recurring=RECURRING)
    assert exclusion.intervals[:3] == (
        (utc(2026, 3, 22, 1), utc(2026, 3, 22, 3)),
        (utc(2026, 3, 29, 1), utc(2026, 3, 29, 3)),  # two o'clock is skipped: it begins when the clocks are turned
        (utc(2026, 4, 5, 0), utc(2026, 4, 5, 2)),
    )
    assert exclusion.recurrence == "FREQ=WEEKLY;BYDAY=SU"


def test_expiry_ends_a_recurrence_and_cuts_what_it_falls_into() -> None:
    exclusion = the_exclusion(once=None, recurring=RECURRING, expires="2026-04-05 03:00")
    assert exclusion.intervals[-1] == (utc(2026, 4, 5, 0), utc(2026, 4, 5, 1))
    assert len(exclusion.intervals) == 3


def test_until_is_inclusive_and_a_longer_expiry_adds_nothing() -> None:
    rule = RECURRING.replace("BYDAY=SU", "BYDAY=SU;UNTIL=20260405")
    assert len(the_exclusion(once=None, recurring=rule).intervals) == 3


def test_occurrences_that_touch_become_one() -> None:
    rule = "{rrule: FREQ=DAILY;COUNT=3, start: 2026-05-01 00:00, duration: 1d}"
    assert the_exclusion(once=None, recurring=rule).intervals == ((utc(2026, 4, 30, 22), utc(2026, 5, 3, 22)),)


def test_an_slo_that_is_not_selected_has_none() -> None:
    found = examined(exclusion_file(select="{slos: [other]}"))
    assert [problem.severity.value for problem in found.problems] == ["warning"]
    assert found.slos[0].exclusions == ()


BAD_DAY = "`2026-02-30` is not a date and time: day is out of range for month"
BAD_ZONE = "unknown time zone `Europe/Berln`, did you mean `Europe/Berlin`?"
NO_TIME = "`2026-03-29` is not a date and time"
FAR_OFF = "must lie between the years 1971 and 2099"


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"owner": None}, "spec.owner", "required, but missing"),
        ({"owner": "' '"}, "spec.owner", "must not be empty"),
        ({"reason": "''"}, "spec.reason", "must not be empty"),
        ({"expires": None}, "spec.expires", "required, but missing"),
        ({"expires": "never"}, "spec.expires", "`never` is not a date and time"),
        ({"expires": "2026-02-30"}, "spec.expires", BAD_DAY),
        ({"expires": "2026-03-28"}, "spec.expires", "expires before it begins"),
        ({"expires": "2036-01-01"}, "spec.expires", "lasts longer than two years"),
        ({"timeZone": "Europe/Berln"}, "spec.timeZone", BAD_ZONE),
        ({"select": "{}"}, "spec.select", "selects nothing"),
        ({"once": None}, "spec", "no time: once or recurring is needed"),
        ({"recurring": RECURRING}, "spec", "once and recurring exclude each other"),
        ({"once": "{start: 2026-03-29 04:00, end: 2026-03-29 01:00}"}, "spec.once.end", "ends before it begins"),
        ({"once": "{start: 2026-03-29, end: 2026-03-30 01:00}"}, "spec.once.start", NO_TIME),
        ({"once": "{start: 2026-03-29 04:00, end: 2026-05-29 01:00}"}, "spec.once.end", "longer than 31 days"),
        ({"once": "{start: 1926-03-29 04:00, end: 1926-05-29 01:00}"}, "spec.once.start", FAR_OFF),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_place(changes: dict[str, Any], field: str, message: str) -> None:
    found = examined(exclusion_file(**changes))
    told = [(it.field, it.message) for it in found.problems if it.severity.value == "error"]
    assert (field, message) in told
    assert all(it.path == "b.yaml" and it.line > 3 for it in found.problems)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("FREQ=SECONDLY", "FREQ=SECONDLY is too often"),
        ("FREQ=MINUTELY;INTERVAL=5", "FREQ=MINUTELY is too often"),
        ("FREQ=WEEKLYY", "`WEEKLYY` is no frequency, did you mean `WEEKLY`?"),
        ("BYDAY=SU", "no FREQ"),
        ("FREQ=DAILY;INTERVAL=0", "`0` is no value of INTERVAL"),
        ("FREQ=DAILY;BYDYA=SU", "not a part of a recurrence rule: `BYDYA=SU`, did you mean `BYDAY`?"),
        ("FREQ=DAILY;COUNT=2;COUNT=3", "COUNT is there twice"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20260401", "COUNT and UNTIL exclude one another (RFC 5545)"),
        ("FREQ=DAILY;UNTIL=20269999", "UNTIL: `20269999` is not a time"),
        ("FREQ=WEEKLY;BYDAY=2SU", "BYDAY=2SU counts days of a month or year, and FREQ is WEEKLY (RFC 5545)"),
        ("FREQ=MONTHLY;BYDAY=99SU", "asks for a day that no month or year has"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "never happens before it expires"),
        ("FREQ=DAILY;BYHOUR=1,3,5,7;BYMINUTE=0,20,40", f"happens more than {MOST:,} times before it expires"),
        ("FREQ=DAILY;BYMONTHDAY=1,2,4,7,11,13,17,21,26,28", ""),
    ],
)
def test_rules_that_cannot_be_used_are_told_at_once(rule: str, message: str) -> None:
    recurring = f"{{rrule: '{rule}', start: 2026-03-22 02:00, duration: 10m}}"
    found = examined(exclusion_file(once=None, recurring=recurring))
    told = [(it.field, it.message) for it in found.problems]
    if message:
        assert told == [("spec.recurring.rrule", message)]
    else:
        assert told == []


@settings(max_examples=60)
@given(
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.lists(
        st.sampled_from(
            ["INTERVAL=3", "COUNT=40", "BYDAY=MO,FR", "BYDAY=-1SU", "BYMONTH=2,11", "BYMONTHDAY=30,31,-1",
             "BYSETPOS=-1", "BYHOUR=3,4", "BYMINUTE=7", "BYYEARDAY=1,366,-366", "BYWEEKNO=53",
             "WKST=SU", "UNTIL=20260901T000000Z"],
        ),
        max_size=5, unique_by=lambda part: part.split("=")[0],
    ),
)  # fmt: skip
def test_any_rule_is_expanded_within_bounds_or_refused(frequency: str, parts: list[str]) -> None:
    start, until = datetime(2026, 1, 31, 2, 30), utc(2027, 12, 1)  # noqa: DTZ001 -- by the clocks of a zone
    try:
        found = occurrences(";".join([f"FREQ={frequency}", *parts]), start, zone("Europe/Berlin"), until)
    except BadRule:
        return
    assert len(found.starts) <= MOST
    assert list(found.starts) == sorted(set(found.starts))
    assert all(utc(2026, 1, 31, 1, 30) <= at < until for at in found.starts)


@given(st.text(max_size=60))
def test_no_text_is_a_rule_by_accident_or_breaks_the_reader(text: str) -> None:
    with pytest.raises(BadRule):
        occurrences(f"X{text}", datetime(2026, 1, 1), zone("UTC"), utc(2027, 1, 1))  # noqa: DTZ001


SPANS = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 30)).map(lambda it: (it[0], it[0] + it[1])), max_size=25)


def moments(intervals: Any) -> set[int]:
    return {at for start, end in intervals for at in range(start, end)}


@given(SPANS)
def test_merging_keeps_every_moment_once(intervals: list[tuple[int, int]]) -> None:
    found = merged(intervals)
    assert moments(found) == moments(intervals)
    assert all(start < end for start, end in found)
    assert all(one[1] < other[0] for one, other in pairwise(found))
    assert merged(found) == found


@given(SPANS)
def test_runs_are_exactly_the_intervals(intervals: list[tuple[int, int]]) -> None:
    found = merged(intervals)
    written = [
        (run.first + index * run.step, run.first + index * run.step + run.length)
        for run in runs(found)
        for index in range(run.count)
    ]
    assert sorted(written) == list(found)
