"""Budgets of the past, computed from the ledger."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.model.series import Sample, Series
from controlplane.model.slo import RollingWindow
from slo.status import fetch_budget_histories, fetch_measurements, quoted
from slo.views import group_rows, slo_row
from tests.slo.test_views import CHECKOUT

NOW = datetime(2026, 9, 16, tzinfo=UTC)
STEP = timedelta(hours=12)
PER_STEP = int(STEP / timedelta(minutes=5))
SHORT = replace(CHECKOUT, window=RollingWindow(timedelta(days=2)))


class Ledger:
    """A backend that answers with given steps of one ledger: (all, bad) or None for a step without entries."""

    def __init__(self, steps: list[tuple[float, float] | None]) -> None:
        self.steps = steps

    def query(self, expr: str, at: datetime) -> list[Sample]:
        raise AssertionError(expr)

    def query_range(self, expr: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        first = end - step * (len(self.steps) - 1)
        known = [(first + step * number, it) for number, it in enumerate(self.steps) if it is not None]
        if "count_over_time" in expr:
            return [Series({"slo": "checkout"}, tuple((at, float(PER_STEP)) for at, _ in known))]
        return [
            Series({"slo": "checkout", "event": event}, tuple((at, it[index]) for at, it in known))
            for index, event in enumerate(("all", "bad"))
        ]


def budget(steps: list[tuple[float, float] | None], length: timedelta = timedelta(days=3)) -> list[float]:
    found = fetch_budget_histories(Ledger(steps), [SHORT], now=NOW, length=length, step=STEP)
    return [value for _, value in found.get("checkout", ())]


def test_a_full_window_is_a_ratio_of_sums() -> None:
    assert budget([(1000, 0), (3000, 2), (1000, 0), (1000, 1)])[-1] == pytest.approx(1 - 3 / 6)


def test_what_is_older_than_the_window_is_given_back() -> None:
    assert budget([(1000, 500), (1000, 0), (1000, 0), (1000, 0), (1000, 1)])[-1] == pytest.approx(1 - 1 / 4)


def test_a_new_budget_begins_near_full() -> None:
    assert budget([(1000, 1)]) == [pytest.approx(1 - 1 / 4)]


def test_a_step_without_entries_has_no_point() -> None:
    assert len(budget([(1000, 0), None, (1000, 0)])) == 2
    assert budget([None]) == []


def test_no_traffic_is_no_point_rather_than_a_division_by_zero() -> None:
    assert budget([(0.1, 0.05), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0), (0, 0)], timedelta(days=1)) == []


@given(st.lists(st.tuples(st.floats(1, 1e9), st.floats(0, 1)), min_size=5, max_size=40))
def test_sliding_leaves_no_error_behind(parts: list[tuple[float, float]]) -> None:
    steps = [(all_, all_ * share * 0.01) for all_, share in parts]
    last = steps[-4:]
    expected = 1 - sum(bad for _, bad in last) / (0.001 * sum(all_ for all_, _ in last))
    assert budget([*steps])[-1] == pytest.approx(expected, abs=1e-5)


class Instant:
    """A backend that answers every instant query with the samples of the names it asks for."""

    def __init__(self, *samples: Sample) -> None:
        self.samples = samples

    def query(self, expr: str, at: datetime) -> list[Sample]:
        return [sample for sample in self.samples if sample.labels["__name__"] in expr]

    def query_range(self, expr: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        raise AssertionError(expr)


def test_of_replicas_the_worst_is_read_and_nan_is_missing() -> None:
    def sample(name: str, value: float, **labels: str) -> Sample:
        return Sample({"__name__": name, "slo": "checkout", **labels}, NOW, value)

    found = fetch_measurements(
        Instant(
            sample("slo:error_budget_remaining:ratio", 0.5, replica="a"),
            sample("slo:error_budget_remaining:ratio", 0.4, replica="b"),
            sample("slo:burn_rate:1h", float("nan")),
            sample("ALERTS", 1, severity="ticket"),
            sample("ALERTS", 1, severity="page"),
        ),
        NOW,
    )["checkout"]
    assert (found.budget_remaining, found.burn_rate_1h, found.coverage) == (0.4, None, None)
    assert found.firing == ("page", "ticket")


def test_every_group_has_its_measurement_the_worst_first() -> None:
    def sample(name: str, value: float, **labels: str) -> Sample:
        return Sample({"__name__": name, "slo": "checkout", **labels}, NOW, value)

    found = fetch_measurements(
        Instant(
            sample("slo:error_budget_remaining:ratio", 0.5, tenant="acme"),
            sample("slo:error_budget_remaining:ratio", -0.1, tenant="globex"),
            sample("slo:burn_rate:1h", 9, tenant="acme"),
            sample("slo:burn_rate:1h", 3, tenant="globex"),
            sample("ALERTS", 1, tenant="acme", severity="page"),
            sample("ALERTS", 1, severity="ticket"),
        ),
        NOW,
        {"checkout": ("tenant",)},
    )["checkout"]
    assert (found.budget_remaining, found.burn_rate_1h) == (-0.1, 3)
    assert found.firing == ("page", "ticket")
    assert [(each.values, each.measured.burn_rate_1h, each.measured.firing) for each in found.groups] == [
        (("globex",), 3, ()),
        (("acme",), 9, ("page",)),
    ]
    row = slo_row(replace(CHECKOUT, groups=("tenant",)), found)
    assert row.notes[:2] == ("firing for acme", "worst of 2: globex")
    assert [(each.title, each.standing.value) for each in group_rows(row)] == [
        (f"{row.title}, acme", "no data"),
        (f"{row.title}, globex", "spent"),
    ]


@pytest.mark.parametrize("text", ["plain", 'quote" and \\ back', "new\nline", "ünï"])
def test_any_text_is_one_promql_string(text: str) -> None:
    import promql_parser

    parsed = promql_parser.parse(f"x{{a={quoted(text)}}}")
    assert parsed.matchers.matchers[0].value == text


@pytest.mark.parametrize(
    ("five_minutes", "hour", "told"), [(90, 18, 90), (2, 400, 400), (None, 7, 7), (None, None, None)]
)
def test_new_events_count_whole_in_the_last_hour(
    five_minutes: float | None, hour: float | None, told: float | None
) -> None:
    counts = {"slo:bad_events:5m": five_minutes, "slo:bad_events:1h": hour, "slo:error_budget:events": 1000.0}
    known = [
        Sample({"__name__": name, "slo": "checkout"}, NOW, value) for name, value in counts.items() if value is not None
    ]
    assert fetch_measurements(Instant(*known), NOW)["checkout"].bad_events_1h == told
