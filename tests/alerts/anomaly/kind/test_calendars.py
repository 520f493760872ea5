"""Holidays, dates and deployments: what is not learnt from, and what it is called."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.anomaly.calendars import Calendars, DeploymentTime, SpecialDay, calendars_of
from alerts.anomaly.calendars.holiday_dates import holidays_of, place_of
from alerts.anomaly.calendars.masks import fitted
from alerts.anomaly.calendars.naming import names_of, sentence_of
from alerts.anomaly.detector.model import Grid
from alerts.anomaly.detector.phases import LOOK_BACK, local_days
from alerts.anomaly.model import CalendarTerms
from alerts.anomaly.ports import Deployed
from controlplane.calendar.zones import zone

BERLIN = zone("Europe/Berlin")
STEP = timedelta(minutes=5)
NOON = datetime(2026, 12, 23, 12, tzinfo=UTC)


class Known:
    """Deployments that were told of."""

    def __init__(self, *found: Deployed) -> None:
        self.found = found
        self.asked: list[tuple[datetime, datetime]] = []

    def between(self, start: datetime, end: datetime) -> Sequence[Deployed]:
        self.asked.append((start, end))
        return [each for each in self.found if start <= each.at < end]


def grid(start: datetime, hours: int) -> Grid:
    return Grid(timedelta(seconds=start.timestamp()) // STEP, STEP, hours * 12)


def test_holidays_and_dates_are_days_of_the_season_s_zone_with_all_of_their_names() -> None:
    terms = (
        CalendarTerms(country="DE-BY", like=6),
        CalendarTerms(dates=((date(2026, 12, 24), date(2026, 12, 25)),), name="sale", like=5),
        CalendarTerms(dates=((date(2020, 1, 1), date(2020, 1, 2)),)),
        CalendarTerms(dates=((date(2026, 12, 30), date(2026, 12, 30)),)),
    )
    found = calendars_of(terms, BERLIN, NOON, NOON + timedelta(days=7))
    assert found.days == {
        date(2026, 11, 1): SpecialDay("All Saints' Day (DE-BY)", 6),  # days that December is compared with
        date(2026, 12, 24): SpecialDay("sale", 5),
        date(2026, 12, 25): SpecialDay("Christmas Day (DE-BY), sale", 6),
        date(2026, 12, 26): SpecialDay("Second Day of Christmas (DE-BY)", 6),
        date(2026, 12, 30): SpecialDay("2026-12-30"),
    }
    assert found.special[date(2026, 12, 30)] is None
    assert found.special[date(2026, 12, 25)] == 6


def test_calendars_look_as_far_back_as_lags_do() -> None:
    day = (NOON - LOOK_BACK).date()
    terms = (CalendarTerms(dates=((day, day),)),)
    assert list(calendars_of(terms, BERLIN, NOON, NOON).days) == [day]


def test_a_holiday_begins_and_ends_by_local_clocks() -> None:
    calendars = Calendars(BERLIN, {date(2026, 12, 25): SpecialDay("Christmas Day (DE)")})
    asked = grid(datetime(2026, 12, 24, tzinfo=UTC), 72)
    (row,) = fitted(calendars, asked, ["a", "b"])  # type: ignore[misc]
    masked = [index for index, learnt in enumerate(row.tolist()) if not learnt]
    assert (masked[0], masked[-1], len(masked)) == (23 * 12, 47 * 12 - 1, 24 * 12)
    assert fitted(calendars, grid(NOON, 1), ["a"]) is None
    assert fitted(Calendars(BERLIN), asked, []) is None


def test_deployments_mask_their_own_service_or_the_one_that_is_named_for_all() -> None:
    deployed = Known(
        Deployed(NOON - timedelta(minutes=20), "checkout", "1.4.2"),
        Deployed(NOON + timedelta(minutes=52), "search"),
        Deployed(NOON - timedelta(hours=3), "search"),
    )
    own = (CalendarTerms(deployments=timedelta(minutes=30)),)
    calendars = calendars_of(own, BERLIN, NOON, NOON + timedelta(hours=1), deployed)
    assert deployed.asked == [(NOON - timedelta(minutes=30), NOON + timedelta(hours=1))]
    rows = fitted(calendars, grid(NOON, 1), ["checkout", "", "search", "other"])
    assert rows is not None
    assert [row.tolist().count(False) for row in rows] == [2, 0, 2, 0]  # a step that begins before counts, too
    assert rows[0].tolist() == [False] * 2 + [True] * 10
    named = (CalendarTerms(deployments=timedelta(minutes=30), service="checkout"),)
    of_all = calendars_of(named, BERLIN, NOON, NOON + timedelta(hours=1), deployed)
    masked = fitted(of_all, grid(NOON, 1), ["search", ""])
    assert masked is not None
    assert masked.tolist() == [[False] * 2 + [True] * 10]
    assert calendars_of(named, BERLIN, NOON, NOON).deployments == ()  # nobody knows of any


def test_a_moment_says_what_it_is() -> None:
    after = timedelta(hours=2)
    calendars = Calendars(
        BERLIN,
        {date(2026, 12, 25): SpecialDay("Christmas Day (DE)", 6), date(2026, 12, 30): SpecialDay("sale")},
        tuple(
            DeploymentTime(at, at + after, service, version, is_of_all)
            for at, service, version, is_of_all in (
                (datetime(2026, 12, 25, 8, tzinfo=UTC), "search", "", False),
                (datetime(2026, 12, 25, 8, 51, tzinfo=UTC), "checkout", "1.4.2", True),
                (datetime(2026, 12, 25, 8, 51, tzinfo=UTC), "checkout", "1.4.2", False),
            )
        ),
    )
    at = datetime(2026, 12, 25, 9, tzinfo=UTC)
    assert names_of(calendars, at) == ("Christmas Day (DE)", "deployment of checkout 1.4.2 9 min ago")
    assert names_of(calendars, at, "search")[2] == "deployment of search 1 h ago"
    assert names_of(calendars, at, "checkout") == names_of(calendars, at)  # told once
    assert names_of(calendars, datetime(2026, 12, 24, 22, 59, tzinfo=UTC)) == ()
    assert names_of(calendars, datetime(2026, 12, 24, 23, tzinfo=UTC)) == ("Christmas Day (DE)",)
    just = datetime(2026, 12, 25, 8, 51, 30, tzinfo=UTC)
    assert names_of(calendars, just)[1] == "deployment of checkout 1.4.2 just now"
    assert sentence_of(calendars, datetime(2026, 12, 25, 20, tzinfo=UTC)) == (
        "Christmas Day (DE): scored, compared with Sundays, not learnt from"
    )
    assert sentence_of(calendars, datetime(2026, 12, 30, 20, tzinfo=UTC)) == "sale: scored, not learnt from"
    assert sentence_of(calendars, NOON) == ""


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-600, 3000), st.sampled_from("abc"), st.booleans()), max_size=5),
    st.integers(0, 47),
)
def test_what_has_a_name_is_not_learnt_from_and_nothing_else(
    deployments: list[tuple[int, str, bool]], hours: int
) -> None:
    start = datetime(2026, 12, 24, tzinfo=UTC) + timedelta(hours=hours)
    times = ((start + timedelta(seconds=second * 7), service, is_of_all) for second, service, is_of_all in deployments)
    calendars = Calendars(
        BERLIN,
        {date(2026, 12, 25): SpecialDay("Christmas Day (DE)")},
        tuple(DeploymentTime(at, at + 6 * STEP, service, "", is_of_all) for at, service, is_of_all in sorted(times)),
    )
    asked = grid(start, 6)
    services = ["a", "b", ""]
    rows = fitted(calendars, asked, services)
    for number, service in enumerate(services):
        row = [True] * asked.count if rows is None else rows[number if len(rows) > 1 else 0].tolist()
        for index, learnt in enumerate(row):
            begin = datetime.fromtimestamp((asked.first + index) * 300, UTC)
            moments = (begin, *(each.start for each in calendars.deployments if begin <= each.start < begin + STEP))
            assert learnt is not any(names_of(calendars, moment, service) for moment in moments)


@pytest.mark.parametrize(
    ("written", "code", "fault"),
    [
        ("DE", "DE", ""),
        (" de-by ", "DE-BY", ""),
        ("USA", "USA", ""),
        ("US-California", "US-CA", ""),
        ("GB-SCT", "GB-SCT", ""),
        ("Germany", "", "`Germany` is no country whose holidays are known, did you mean `DE`?"),
        ("united kingdom", "", "`united kingdom` is no country whose holidays are known, did you mean `GB`?"),
        ("XX", "", "`XX` is no country whose holidays are known"),
        ("DE-Bavara", "", "`DE` has no part `Bavara`"),
        ("AT-99", "", "`AT` has no part `99`"),
    ],
)
def test_places_are_found_or_told(written: str, code: str, fault: str) -> None:
    place = place_of(written)
    assert place.code == code
    assert place.fault.startswith(fault)


def test_holidays_are_named_in_english_whatever_the_machine_s_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "de")
    assert holidays_of("FR", [2025, 2024])[date(2025, 7, 14)] == "National Day"
    assert list(holidays_of("FR", [2025, 2024])) == sorted(holidays_of("FR", [2024, 2025]))
    with pytest.raises(KeyError):
        holidays_of("XX", [2026])
    with pytest.raises(KeyError):
        holidays_of("DE-XX", [2026])


def test_the_first_step_of_a_local_day_is_its_own() -> None:
    days = local_days(grid(datetime(2026, 10, 24, 21, tzinfo=UTC), 30), BERLIN)
    assert days[:12].tolist() == [date(2026, 10, 24).toordinal()] * 12
    assert (days == date(2026, 10, 25).toordinal()).sum() == 25 * 12
