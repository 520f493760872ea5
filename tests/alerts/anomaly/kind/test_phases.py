"""The same phase of earlier days, whatever clocks do."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.anomaly.detector.model import Grid
from alerts.anomaly.detector.phases import local_days, phases
from alerts.anomaly.detector.utc import plain_phases
from controlplane.calendar.zones import instant, zone

MINUTES = timedelta(minutes=1)
NEAR_CHANGES = (  # a day on which clocks changed, in that zone
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/New_York", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),  # half an hour
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Africa/Casablanca", date(2026, 2, 15)),  # Ramadan
    ("Asia/Pyongyang", date(2018, 5, 5)),  # half an hour, for good
    ("America/Caracas", date(2016, 5, 1)),
    ("Europe/Istanbul", date(2016, 9, 7)),  # summer time for good
    ("Pacific/Apia", date(2011, 12, 30)),  # a day that never was
    ("America/Godthab", date(2023, 3, 25)),  # changes in the evening
    ("Asia/Kolkata", date(2026, 7, 1)),  # nothing changes
    ("UTC", date(2026, 7, 1)),
)


def grid_around(of: ZoneInfo, day: date, before: int, days: int, minutes: int) -> Grid:
    """From so many local days before `day` on."""
    step = minutes * MINUTES
    start = instant(datetime.combine(day - timedelta(days=before), datetime.min.time()), of)
    return Grid(timedelta(seconds=start.timestamp()) // step, step, days * (timedelta(days=1) // step))


def clock(grid: Grid, index: int, of: ZoneInfo) -> datetime:
    """What the clock shows when a step begins."""
    moment = datetime.fromtimestamp((grid.first + index) * grid.step.total_seconds(), UTC)
    return moment.astimezone(of).replace(tzinfo=None)


def shows(wall: datetime, of: ZoneInfo) -> bool:
    """Whether the clock ever showed it."""
    at = wall.replace(tzinfo=of, fold=0).astimezone(UTC)
    return at.astimezone(of).replace(tzinfo=None) == wall


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(NEAR_CHANGES),
    st.integers(0, 36),
    st.sampled_from((5, 10, 15, 30)),
    st.lists(st.floats(0, 1, exclude_max=True), min_size=12, max_size=12),
)
def test_the_clock_shows_the_same_on_the_days_before_wherever_it_ever_did(
    place: tuple[str, date], before: int, minutes: int, where: list[float]
) -> None:
    of = zone(place[0])
    grid = grid_around(of, place[1], before, 42, minutes)
    found = phases(grid, of)
    for index in (int(each * grid.count) for each in where):
        now = clock(grid, index, of)
        asked = [(found.daily[index, each], each + 1) for each in range(7)]
        asked += [(found.weekly[index, each], 7 * (each + 1)) for each in range(4)]
        for lag, days in asked:
            wanted = now - timedelta(days=days)
            if lag:
                assert clock(grid, index - int(lag), of) == wanted
            else:  # it lies before the grid, or was skipped
                assert wanted < clock(grid, 0, of) + timedelta(hours=1) or not shows(wanted, of)


@pytest.mark.parametrize(("minutes", "first"), [(5, 0), (5, 5_941_153), (1440, 20_000), (60, -401)])
def test_in_utc_without_calendars_days_have_24_hours(minutes: int, first: int) -> None:
    grid = Grid(first, minutes * MINUTES, 3000)
    found, plain = phases(grid, zone("UTC")), plain_phases(grid)
    assert (found.daily == plain.daily).all()
    assert (found.weekly == plain.weekly).all()


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(NEAR_CHANGES), st.integers(1, 3000), st.sets(st.integers(0, 40), max_size=4))
def test_lags_depend_on_nothing_that_comes_later(place: tuple[str, date], count: int, days: set[int]) -> None:
    of = zone(place[0])
    whole = grid_around(of, place[1], 14, 35, 15)
    special = {place[1] - timedelta(days=14 - day): day % 7 if day % 2 else None for day in days}
    found = phases(whole, of, special)
    begin = phases(Grid(whole.first, whole.step, count), of, special)
    assert (begin.daily == found.daily[:count]).all()
    assert (begin.weekly == found.weekly[:count]).all()


def test_days_after_clocks_changed_are_compared_with_the_hour_on_the_wall() -> None:
    of = zone("Europe/Berlin")
    grid = grid_around(of, date(2026, 10, 25), 14, 28, 60)
    found = phases(grid, of)
    nine = next(
        index for index in range(grid.count) if clock(grid, index, of) == datetime.fromisoformat("2026-10-26T09:00")
    )
    assert found.daily[nine].tolist() == [24, 49, 73, 97, 121, 145, 169]
    assert found.weekly[nine].tolist() == [169, 337, 0, 0]
    twice = [
        index for index in range(grid.count) if clock(grid, index, of) == datetime.fromisoformat("2026-10-25T02:00")
    ]
    assert [found.daily[index, 0] for index in twice] == [24, 25]


def test_a_special_day_is_compared_with_the_weekday_it_is_like_and_no_other_day_with_it() -> None:
    of = zone("Europe/Berlin")
    grid = grid_around(of, date(2026, 12, 31), 35, 42, 60)  # 26 November to 6 January
    special = {date(2026, 12, 25): 6, date(2026, 12, 26): 6, date(2026, 12, 27): None, date(2027, 1, 1): 6}
    found = phases(grid, of, special)
    days = {day: index for index, day in enumerate(local_days(grid, of)[::24].tolist())}

    def compared(day: date) -> tuple[list[date], list[date]]:
        index = days[day.toordinal()] * 24 + 9
        daily, weekly = (
            [clock(grid, index - int(lag), of).date() for lag in lags[index] if lag]
            for lags in (found.daily, found.weekly)
        )
        return daily, weekly

    sundays = [date(2026, 12, 20), date(2026, 12, 13), date(2026, 12, 6), date(2026, 11, 29)]
    assert compared(date(2026, 12, 25)) == (sundays, sundays)  # a Friday
    assert compared(date(2027, 1, 1)) == (sundays, sundays)  # the 27th is a Sunday, and special
    week = [date(2026, 12, day) for day in (24, 23, 22, 21, 20, 19, 18)]
    assert compared(date(2026, 12, 27)) == (week, sundays)
    assert compared(date(2026, 12, 28))[0] == week
    saturdays = [date(2026, 12, day) for day in (19, 12, 5)] + [date(2026, 11, 28)]
    assert compared(date(2027, 1, 2))[1] == saturdays


def test_one_step_and_none_are_grids_too() -> None:
    assert phases(Grid(5_941_152, 5 * MINUTES, 1), zone("Europe/Berlin")).daily.tolist() == [[0] * 7]
    assert phases(Grid(0, 5 * MINUTES, 0), zone("UTC")).weekly.shape == (0, 4)
    assert local_days(Grid(0, 5 * MINUTES, 0), zone("UTC")).shape == (0,)


def test_steps_that_clocks_do_not_fit_take_the_nearest() -> None:
    of = zone("Australia/Lord_Howe")
    grid = grid_around(of, date(2026, 10, 4), 7, 14, 1440)
    assert phases(grid, of).daily[-1].tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert np.all(phases(grid, of).weekly[7:, 0] == 7)
