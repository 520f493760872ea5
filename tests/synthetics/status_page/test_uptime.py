"""Uptime against a count of every single second."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from controlplane.calendar.periods import unix
from controlplane.calendar.zones import zone
from controlplane.model.public_status import ComponentStatus, Correction, Uptime
from controlplane.model.status_record import ComponentSpan
from synthetics.status_page.model import Weights
from synthetics.status_page.uptime import LONGEST_GAP, Observed, formula, uptime_of
from tests.synthetics.status_page.paging import DAY, HOUR, MINUTE, SECOND

UP, DOWN, DEGRADED = ComponentStatus.OPERATIONAL, ComponentStatus.MAJOR, ComponentStatus.DEGRADED
WORK, PARTIAL, UNKNOWN = ComponentStatus.UNDER_MAINTENANCE, ComponentStatus.PARTIAL, ComponentStatus.UNKNOWN
WEIGHTS = Weights().by_status()
BERLIN = zone("Europe/Berlin")
STATUSES = list(ComponentStatus)
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)  # shrinking would count every second a thousand times
END_OF_SUMMER = datetime(2026, 10, 26, 6, 0, tzinfo=UTC)  # the day after one of 25 hours
START_OF_SUMMER = datetime(2026, 3, 30, 6, 0, tzinfo=UTC)  # the day after one of 23 hours


def span(start: datetime, end: datetime, status: ComponentStatus = UP) -> ComponentSpan:
    return ComponentSpan("api", start, end, status)


def correction(start: datetime, end: datetime, status: ComponentStatus) -> Correction:
    return Correction(start, end, status, "why", end)


def brute(observed: Observed, zone_name: str, now: datetime, days: int) -> list[dict[str, object]]:
    """Every second, one by one: a byte for each, and which local day it lies in."""
    of = zone(zone_name)
    today = now.astimezone(of).date()
    first = unix(now) - (days + 1) * 86_400 - 7200
    length = unix(now) - first
    status, excluded, corrected = bytearray([STATUSES.index(UNKNOWN)]) * length, bytearray(length), bytearray(length)

    def paint(row: bytearray, start: int, end: int, value: int) -> None:
        for second in range(max(start, first), min(end, first + length)):
            row[second - first] = value

    ordered = sorted(observed.spans, key=lambda it: (it.start, it.end))
    for each in ordered:
        end = unix(each.end)
        if each is ordered[-1] and unix(now) - end <= LONGEST_GAP // SECOND:
            end = unix(now)
        paint(status, unix(each.start), end, STATUSES.index(each.status))
    for start, end in observed.excluded:
        for second in range(max(start, first), min(end, first + length)):
            excluded[second - first] |= status[second - first] == STATUSES.index(WORK)
    for each_ in observed.corrections:
        paint(status, unix(each_.start), unix(each_.end), STATUSES.index(each_.status))
        paint(excluded, unix(each_.start), unix(each_.end), 0)
        paint(corrected, unix(each_.start), unix(each_.end), 1)
    found: dict[date, list[int]] = {}
    for second in range(length):  # the local day by the clocks, a quarter of an hour at once: no offset changes within
        at = first + second
        if second == 0 or at % 900 == 0:
            day = datetime.fromtimestamp(at, UTC).astimezone(of).date()
        found.setdefault(day, []).append(second)
    wanted = [today - timedelta(days=back) for back in range(days - 1, -1, -1)]
    return [_counted(found.get(day, []), status, excluded, corrected) for day in wanted]


def _counted(seconds: Sequence[int], status: bytearray, excluded: bytearray, corrected: bytearray) -> dict[str, object]:
    by_status = dict.fromkeys(STATUSES, 0)
    left_out = unmeasured = changed = 0
    for second in seconds:
        changed += corrected[second]
        if excluded[second]:
            left_out += 1
        elif STATUSES[status[second]] is UNKNOWN:
            unmeasured += 1
        else:
            by_status[STATUSES[status[second]]] += 1
    total = sum(by_status.values())
    down = sum(Fraction(WEIGHTS[one]) * count for one, count in by_status.items() if count)
    return {
        "length": len(seconds),
        "seconds": {one: count for one, count in by_status.items() if count},
        "excluded": left_out,
        "unmeasured": unmeasured,
        "corrected": changed,
        "ratio": 1 - down / total if total else None,
        "counted": total,
        "down": down,
    }


@st.composite
def observations(draw: st.DrawFn, now: datetime, days: int) -> Observed:
    begin = now - (days + 1) * DAY
    length = int((now - begin).total_seconds())
    edges = sorted(draw(st.lists(st.integers(0, length), max_size=12, unique=True)))
    moments = [begin + edge * SECOND for edge in edges]
    pairs = list(pairwise(moments))
    spans = [span(start, end, draw(st.sampled_from(STATUSES))) for start, end in pairs if draw(st.integers(0, 3))]

    def window() -> tuple[datetime, datetime]:
        start = draw(st.integers(-7200, length))
        return begin + start * SECOND, begin + (start + draw(st.integers(1, 2 * 86_400))) * SECOND

    excluded = [window() for _ in range(draw(st.integers(0, 2)))]
    corrections = [
        correction(*window(), draw(st.sampled_from([UP, DOWN, PARTIAL, UNKNOWN])))
        for _ in range(draw(st.integers(0, 2)))
    ]
    return Observed(spans, [(unix(start), unix(end)) for start, end in excluded], corrections)


def agrees(observed: Observed, zone_name: str, now: datetime, days: int) -> None:
    found = uptime_of(observed, WEIGHTS, zone(zone_name), now, days)
    expected = brute(observed, zone_name, now, days)
    for day, counted in zip(found.days, expected, strict=True):
        assert (day.length_seconds, dict(day.seconds)) == (counted["length"], counted["seconds"])
        assert (day.excluded_seconds, day.unmeasured_seconds) == (counted["excluded"], counted["unmeasured"])
        assert day.corrected_seconds == counted["corrected"]
        assert _is_rounded_down(day.ratio, counted["ratio"])
    total, down = (sum(each[name] for each in expected) for name in ("counted", "down"))  # type: ignore[misc]
    assert _is_rounded_down(found.ratio, 1 - Fraction(down) / total if total else None)
    assert _recomputed(found) == found.ratio


def _is_rounded_down(ratio: Decimal | None, exact: object) -> bool:
    if ratio is None or exact is None:
        return ratio is exact
    assert isinstance(exact, Fraction)
    return 0 <= exact - Fraction(ratio) < Fraction(1, 10**8) and (ratio == 1) == (exact == 1)


def _recomputed(uptime: Uptime) -> Decimal | None:
    """As a reader would, from the spans that the page gives and the lengths of its days alone."""
    whole = sum(day.length_seconds for day in uptime.days)
    lost: dict[ComponentStatus, int] = {}
    left_out = 0
    for each in uptime.spans:
        seconds = int((each.end - each.start).total_seconds())
        if each.is_excluded or each.status is UNKNOWN:
            left_out += seconds
        elif each.status is not UP:
            lost[each.status] = lost.get(each.status, 0) + seconds
    counted = whole - left_out
    if not counted:
        return None
    down = sum(Fraction(uptime.weights[status]) * seconds for status, seconds in lost.items())
    exact = (1 - Fraction(down) / counted) * 10**8
    return Decimal(exact.numerator // exact.denominator).scaleb(-8)


@pytest.mark.parametrize(("zone_name", "now"), [
    ("Europe/Berlin", END_OF_SUMMER),
    ("Europe/Berlin", START_OF_SUMMER),
    ("Australia/Lord_Howe", datetime(2026, 10, 4, 20, 0, 7, tzinfo=UTC)),  # half an hour is skipped
])  # fmt: skip
@given(data=st.data())
@hypothesis_settings(max_examples=3, phases=QUICK)
def test_it_is_what_a_count_of_every_second_says(zone_name: str, now: datetime, data: st.DataObject) -> None:
    agrees(data.draw(observations(now, 2)), zone_name, now, 2)


@pytest.mark.soak
@given(st.sampled_from(["UTC", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu", "Africa/Casablanca"]), st.data())
@hypothesis_settings(max_examples=150, phases=QUICK)
def test_it_is_what_a_count_says_in_any_zone(zone_name: str, data: st.DataObject) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + data.draw(st.integers(0, 365 * 86_400)) * SECOND
    agrees(data.draw(observations(now, 3)), zone_name, now, 3)


def test_days_have_23_and_25_hours_when_clocks_change() -> None:
    for now, hours in ((END_OF_SUMMER, 25), (START_OF_SUMMER, 23)):
        found = uptime_of(Observed([span(now - 9 * DAY, now)]), WEIGHTS, BERLIN, now)
        assert len(found.days) == 90
        assert found.days[-2].length_seconds == hours * 3600 == found.days[-2].seconds[UP]


def test_a_second_of_downtime_in_90_days_is_not_100_percent() -> None:
    now = END_OF_SUMMER
    spans = [span(now - 100 * DAY, now - DAY), span(now - DAY, now - DAY + SECOND, DOWN), span(now - DAY + SECOND, now)]
    found = uptime_of(Observed(spans), WEIGHTS, BERLIN, now)
    assert found.ratio == Decimal("0.99999987")
    assert [day.worst for day in found.days[-3:]] == [UP, DOWN, UP]
    assert found.days[-1].ratio == 1


def test_however_little_was_down_it_is_not_rounded_away() -> None:
    now = END_OF_SUMMER
    spans = [
        span(now - 100 * DAY, now - DAY),
        span(now - DAY, now - DAY + SECOND, PARTIAL),
        span(now - DAY + SECOND, now),
    ]
    weights = Weights(partial=Decimal("0.03")).by_status()
    assert uptime_of(Observed(spans), weights, BERLIN, now).ratio == Decimal("0.99999999")


def test_nothing_measured_is_no_percentage() -> None:
    found = uptime_of(Observed([]), WEIGHTS, BERLIN, END_OF_SUMMER)
    assert found.ratio is None
    assert {(day.ratio, day.worst) for day in found.days} == {(None, None)}
    (whole,) = found.spans
    assert whole.status is UNKNOWN


def test_gaps_count_on_neither_side_and_the_latest_observation_stands_for_a_while() -> None:
    now = END_OF_SUMMER
    spans = [span(now - 3 * HOUR, now - 2 * HOUR), span(now - HOUR, now - 2 * MINUTE, DOWN)]
    today = uptime_of(Observed(spans), WEIGHTS, BERLIN, now).days[-1]
    assert today.seconds == {UP: 3600, DOWN: 3600}
    assert today.ratio == Decimal("0.5")
    later = uptime_of(Observed(spans), WEIGHTS, BERLIN, now + 2 * MINUTE).days[-1]
    assert later.seconds == {UP: 3600, DOWN: 3600 - 120}


def test_maintenance_is_left_out_only_where_it_was_announced() -> None:
    now = END_OF_SUMMER
    spans = [span(now - 4 * HOUR, now - 2 * HOUR), span(now - 2 * HOUR, now, WORK)]
    announced = [(unix(now - 2 * HOUR), unix(now - HOUR))]
    today = uptime_of(Observed(spans, announced), WEIGHTS, BERLIN, now).days[-1]
    assert (today.excluded_seconds, dict(today.seconds), today.worst) == (3600, {UP: 7200, WORK: 3600}, WORK)


def test_an_outage_during_announced_maintenance_counts_where_the_page_showed_it() -> None:
    now = END_OF_SUMMER
    spans = [span(now - 2 * HOUR, now - HOUR), span(now - HOUR, now, DOWN)]
    today = uptime_of(Observed(spans, [(unix(now - HOUR), unix(now))]), WEIGHTS, BERLIN, now).days[-1]
    assert (today.excluded_seconds, today.ratio) == (0, Decimal("0.5"))


def test_a_correction_replaces_what_was_measured_and_the_later_one_counts() -> None:
    now = END_OF_SUMMER
    first = correction(now - 2 * HOUR, now, UP)
    second = correction(now - HOUR, now, PARTIAL)
    found = uptime_of(Observed([span(now - 4 * HOUR, now, DOWN)], (), [first, second]), WEIGHTS, BERLIN, now)
    today = found.days[-1]
    assert (dict(today.seconds), today.corrected_seconds) == ({DOWN: 7200, UP: 3600, PARTIAL: 3600}, 7200)
    assert [(each.status, each.is_corrected) for each in found.spans if each.status is not UNKNOWN] == [
        (DOWN, False), (UP, True), (PARTIAL, True),
    ]  # fmt: skip
    assert found.corrections == (first, second)


def test_weights_and_formula_are_those_of_the_file() -> None:
    weights: Mapping[ComponentStatus, Decimal] = Weights(Decimal("0.10"), Decimal("0.5"), Decimal(1)).by_status()
    now = END_OF_SUMMER
    found = uptime_of(Observed([span(now - HOUR, now, DEGRADED)]), weights, BERLIN, now)
    assert found.ratio == Decimal("0.9")
    assert formula(weights) == (
        "uptime = 1 − (0.1 × degraded performance + 0.5 × partial outage + 1 × major outage) "
        "÷ (measured time without announced maintenance), in seconds, rounded down"
    )
