"""What lists of exclusions say."""

from datetime import UTC, datetime, timedelta

from controlplane.model.exclusion import Exclusion
from slo.exclusions.views import Stage, active, as_data, as_text, exclusion_rows

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def exclusion(name: str, *hours_from_now: float, expires: float = 1000, recurrence: str = "") -> Exclusion:
    intervals = tuple((NOW + hour * HOUR, NOW + (hour + 2) * HOUR) for hour in hours_from_now)
    return Exclusion(name, "payments", "upgrade", NOW + expires * HOUR, intervals, recurrence)


ALL = [
    exclusion("over", -5),
    exclusion("expired", -5, expires=-1),
    exclusion("later", 48),
    exclusion("soon", -24, 24, 100, 200, 300, recurrence="FREQ=DAILY"),
    exclusion("now", -1),
]


def test_what_lasts_now_comes_first_then_what_comes_next_then_what_is_over() -> None:
    rows = exclusion_rows([(each, ("checkout",)) for each in ALL], NOW)
    assert [(row.exclusion.name, row.stage) for row in rows] == [
        ("now", Stage.NOW), ("soon", Stage.AHEAD), ("later", Stage.AHEAD), ("over", Stage.OVER),
        ("expired", Stage.EXPIRED),
    ]  # fmt: skip


def test_each_says_who_why_what_of_and_when() -> None:
    (row,) = exclusion_rows([(ALL[3], tuple(f"slo-{number}" for number in range(7)))], NOW)
    assert as_text([row]) == (
        "soon  [ahead]\n"
        "  upgrade\n"
        "  owner    payments\n"
        "  SLOs     slo-0, slo-1, slo-2, slo-3, slo-4 and 2 more\n"
        "  repeats  FREQ=DAILY (1 of 5 are over)\n"
        "  last     2026-05-31 12:00 UTC, for 2 h\n"
        "  next     2026-06-02 12:00 UTC, for 2 h\n"
        "  next     2026-06-05 16:00 UTC, for 2 h\n"
        "  next     2026-06-09 20:00 UTC, for 2 h\n"
        "  until    2026-07-13 04:00 UTC\n"
    )
    (data,) = as_data([row])
    assert isinstance(data, dict)
    assert (data["stage"], data["past"], data["intervals"]) == ("ahead", 1, 5)
    assert data["last"] == {"start": "2026-05-31T12:00:00+00:00", "end": "2026-05-31T14:00:00+00:00"}


def test_intervals_are_half_open() -> None:
    (start, end), it = ALL[4].intervals[0], ALL[4]
    assert [bool(active([it], at)) for at in (start - HOUR, start, end - HOUR, end)] == [False, True, True, False]


def test_nothing_excluded_says_so() -> None:
    assert as_text([]) == "No exclusions: all events count.\n"
