"""Price maps on a real Prometheus, against independent Decimal computations."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.adapters.remote_write import STALE
from controlplane.model.spend import SpendQuestion
from finops.pricing.discovering import models_seen
from finops.pricing.estimated import EstimatedLedger
from finops.pricing.expressions import each_evaluation, spend_over_past
from finops.pricing.model import Catalogue, Price, Replicas, Schedule
from finops.pricing.schedule import cost, unit_price
from tests.finops.pricing.pricing import D, a_map, counted, ledger_sum, present, record
from tests.slo.evaluating import Past, past, unix, utc

HOUR, FIVE_MINUTES = timedelta(hours=1), timedelta(minutes=5)
FIRST, LAST = utc(2026, 3, 9, 20), utc(2026, 3, 10, 4)


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    with past(tmp_path_factory.mktemp("prometheus")) as found:
        yield found


def write_counter(memory: Past, name: str, per_second: float, **labels: str) -> None:
    times = np.arange(unix(FIRST), unix(LAST) + 1, 15)
    values = (times - times[0]) * per_second + 7000
    memory.write({"__name__": name, "job": "a", "instance": "a:1", **labels}, times, values)


moments = st.integers(0, 40 * 3600).map(lambda minutes: utc(2026, 1, 1) + timedelta(seconds=minutes * 7))
amounts = st.decimals(0, 1000, places=6, allow_nan=False)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    starts = sorted(draw(st.sets(moments, min_size=1, max_size=4)))
    begins: list[datetime | None] = [None, *starts] if draw(st.booleans()) else list(starts)
    prices = []
    for start, following in pairwise([*begins, None]):
        end = None
        if start is not None and following is not None and draw(st.booleans()):
            end = start + timedelta(seconds=(following - start).seconds * draw(st.integers(1, 10)) // 10 + 1)
            end = min(end, following)
        per = Decimal(draw(st.sampled_from([1, 3, 1000, 1_000_000])))
        prices.append(Price(draw(amounts), per, start, end))
    return tuple(prices)


def independently(schedule: Schedule, start: datetime, end: datetime) -> Fraction | None:
    """The mean price of an interval, second by second of its ends: an integral of a step function by its own words."""
    total, known = Fraction(0), False
    for index, price in enumerate(schedule):
        until = [each for each in (price.end, schedule[index + 1].start if index + 1 < len(schedule) else None) if each]
        first = max(start, price.start) if price.start else start
        last = min([end, *until])
        if last > first:
            known = True
            total += Fraction(price.amount) / Fraction(price.per) * Fraction((last - first) / (end - start))
    return total if known else None


@settings(max_examples=60)
@given(schedules(), moments)
def test_the_price_in_a_rule_is_the_mean_of_its_interval(memory: Past, schedule: Schedule, at: datetime) -> None:
    truth = independently(schedule, at - FIVE_MINUTES, at)
    exact = cost(schedule, D(1), at - FIVE_MINUTES, at)
    value = memory.value(unit_price(schedule, FIVE_MINUTES), at)
    if truth is None:
        assert exact is None
        assert value is None
    else:
        assert value == pytest.approx(float(truth), rel=1e-12, abs=1e-15)
        assert exact is not None
        assert float(exact) == pytest.approx(float(truth), rel=1e-15)


def test_between_two_prices_there_is_none_and_nothing_is_free(memory: Past) -> None:
    day = utc(2026, 2, 1)
    schedule = (Price(D(1), D(1), day, day + HOUR), Price(D(2), D(1), day + 2 * HOUR))
    for minutes, expected in ((0, None), (3, 0.6), (60, 1), (62, 0.6), (66, None), (120, None), (122, 0.8), (300, 2)):
        value = memory.value(unit_price(schedule, FIVE_MINUTES), day + timedelta(minutes=minutes))
        assert value == (None if expected is None else pytest.approx(expected, rel=1e-9)), minutes


def test_a_counter_costs_its_increase_at_the_price_of_the_day(memory: Past) -> None:
    write_counter(memory, "requests_total", 4, service="shop", tenant="a", pod="1")
    write_counter(memory, "requests_total", 6, service="shop", tenant="a", pod="2")
    write_counter(memory, "requests_total", 5, service="shop", tenant="b", pod="1")
    schedule = (Price(D("0.40"), D(1000)), Price(D("0.45"), D(1000), utc(2026, 3, 10)))
    item = counted(name="requests", resource="request", by=("service", "tenant"), schedule=schedule)
    record(memory, a_map(item, name="counters"), FIRST + HOUR, LAST)
    seconds_before, seconds_after = 2 * 3600, 4 * 3600
    for tenant, per_second in (("a", 10), ("b", 5)):
        chosen = f'price="requests",service="shop",tenant="{tenant}",currency="USD",resource="request"'
        entries = ledger_sum(memory, LAST, "5h59m59s", chosen)
        whole = (D("0.40") * seconds_before + D("0.45") * seconds_after) * per_second / 1000
        assert entries == pytest.approx(float(whole), rel=0.002)
    steady = memory.value('cost:spend:rolling5m{price="requests",tenant="a"}', utc(2026, 3, 9, 23))
    assert steady == pytest.approx(300 * 10 * 0.0004, rel=1e-9)
    at_change = memory.value('cost:spend:rolling5m{price="requests",tenant="a"}', utc(2026, 3, 10, 0, 2))
    assert at_change == pytest.approx(10 * (180 * 0.0004 + 120 * 0.00045), rel=1e-9)


def test_the_past_costs_what_the_rules_would_have_written(memory: Past) -> None:
    write_counter(memory, "calls_total", 4, service="shop")
    times = np.arange(unix(FIRST), unix(LAST) + 1, 15)
    memory.write({"__name__": "machines", "service": "shop"}, times, np.full(times.size, 3.0))
    schedule = (Price(D("0.40")), Price(D("0.45"), D(1), utc(2026, 3, 10, 1, 3)))
    items = (
        counted("calls_total", name="calls", by=("service",), schedule=schedule),
        present("machines", name="machine-hours", by=("service",), schedule=schedule),
    )
    record(memory, a_map(*items, name="both"), FIRST + HOUR, LAST)
    for item in items:
        series = memory.backend.query_range(spend_over_past(item), FIRST + 2 * HOUR, LAST, FIVE_MINUTES)
        assert [dict(each.labels) for each in series] == [{"service": "shop"}]
        recorded = ledger_sum(memory, LAST, "5h59m59s", f'price="{item.name}"')
        assert sum(value for _, value in series[0].points[1:]) == pytest.approx(recorded, rel=0.003)


def test_a_gauge_costs_unit_hours_and_short_lives_count_as_long_as_they_were(memory: Past) -> None:
    times = np.arange(unix(FIRST), unix(LAST) + 1, 15)
    memory.write({"__name__": "pods", "service": "web", "pod": "1"}, times, np.full(times.size, 2.0))
    born, gone = unix(utc(2026, 3, 9, 23, 0)), unix(utc(2026, 3, 9, 23, 3))
    short = times[(times > born) & (times <= gone)]
    values = np.append(np.ones(short.size), STALE)
    memory.write({"__name__": "pods", "service": "batch", "pod": "2"}, np.append(short, gone + 15), values)
    record(memory, a_map(present("pods", name="pods", by=("service",)), name="gauges"), FIRST + HOUR, LAST)
    assert ledger_sum(memory, LAST, "2h59m59s", 'price="pods",service="web"') == pytest.approx(6, rel=1e-9)
    assert ledger_sum(memory, LAST, "6h", 'price="pods",service="batch"') == pytest.approx(3 / 60, rel=1e-9)


def test_the_estimated_ledger_adds_up_by_hour_day_and_month(memory: Past) -> None:
    write_counter(memory, "rows_total", 2, service="jdbc", tenant="a")
    write_counter(memory, "rows_total", 1, service="jdbc", tenant="")
    item = counted("rows_total", name="rows", by=("service", "tenant"), schedule=(Price(D("0.01")),))
    record(memory, a_map(item, name="rows"), FIRST + HOUR, LAST)
    ledger = EstimatedLedger(memory.backend)
    only = {"price": ("rows",)}
    by_hour = ledger.spend(SpendQuestion(FIRST + 2 * HOUR, LAST, ("hour", "tenant"), only))
    assert [row.key for row in by_hour.rows][:3] == [
        ("2026-03-09T22:00:00Z", "a"),
        ("2026-03-09T22:00:00Z", None),
        ("2026-03-09T23:00:00Z", "a"),
    ]
    assert [float(row.effective) for row in by_hour.rows][:2] == pytest.approx([72, 36], rel=1e-9)
    assert by_hour.complete_until == LAST
    by_day = ledger.spend(SpendQuestion(FIRST + 2 * HOUR, LAST, ("day",), only))
    assert [(row.key, row.currency) for row in by_day.rows] == [
        (("2026-03-09T00:00:00Z",), "USD"),
        (("2026-03-10T00:00:00Z",), "USD"),
    ]
    by_month = ledger.spend(SpendQuestion(FIRST + 2 * HOUR, LAST, ("month",), only))
    assert [row.key for row in by_month.rows] == [("2026-03-01T00:00:00Z",)]
    total = sum(row.effective for row in by_hour.rows)
    assert float(by_month.rows[0].effective) == pytest.approx(float(total), rel=1e-12)
    for microseconds in (1, 999, 123_456):  # Prometheus answers in milliseconds
        between = LAST + timedelta(microseconds=microseconds)
        assert ledger.spend(SpendQuestion(FIRST + 2 * HOUR, between, ("day",), only)).rows == by_day.rows
    none = ledger.spend(SpendQuestion(FIRST + 2 * HOUR, LAST, ("tenant",), only | {"tenant": ("", "zz")}))
    assert [row.key for row in none.rows] == [(None,)]


def test_hours_without_entries_are_missing_and_not_free(memory: Past) -> None:
    ledger = EstimatedLedger(memory.backend)
    table = ledger.spend(SpendQuestion(utc(2026, 5, 1), utc(2026, 5, 3), ("day",)))
    assert table.rows == ()
    assert table.complete_until is None
    later = ledger.spend(SpendQuestion(LAST - HOUR, LAST + timedelta(days=2), (), {"price": ("rows",)}))
    assert later.complete_until == LAST
    nobody = ledger.spend(SpendQuestion(LAST - HOUR, LAST, (), {"tenant": ("nobody",)}))
    assert (nobody.rows, nobody.complete_until) == ((), LAST)


@pytest.mark.parametrize("counter", [True, False])
def test_what_is_no_number_is_missing_and_spoils_nothing(memory: Past, *, counter: bool) -> None:
    name = "odd_total" if counter else "odd"
    times = np.arange(unix(FIRST), unix(LAST) + 1, 15)
    good = (times - times[0]) * 2.0 if counter else np.full(times.size, 5.0)
    negative = np.zeros(times.size) if counter else np.full(times.size, -3.0)
    for label, values in (("nan", np.full(times.size, np.nan)), ("good", good), ("negative", negative)):
        memory.write({"__name__": name, "is": label}, times, values)
    memory.write({"__name__": name, "is": "infinite"}, times, np.full(times.size, np.inf))
    item = counted(name, name=f"counter-{name}"[:12]) if counter else present(name, name="odd-gauge")
    record(memory, a_map(item, name="odd"), FIRST + HOUR, LAST)
    value = memory.value(f'cost:spend:rolling5m{{price="{item.name}"}}', LAST)
    assert value == pytest.approx(600 if counter else 5 / 12, rel=1e-9)


def test_two_exporters_out_of_step_are_counted_once_through_a_switch_and_a_restart(memory: Past) -> None:
    """Exporter a falls silent for half an hour and then counts from zero; b is there all the time but the last hour."""
    silent, back, end_of_b = utc(2026, 3, 9, 23), utc(2026, 3, 9, 23, 30), utc(2026, 3, 10, 3)
    every = np.arange(unix(FIRST), unix(LAST) + 1, 15)
    first = every[every <= unix(silent)]
    again = every[every >= unix(back)]
    of_b = np.arange(unix(FIRST) + 7, unix(end_of_b), 30)
    series = (
        ("a", np.append(first, first[-1] + 15), np.append((first - every[0]) * 4.0 + 50, STALE)),
        ("a", again, (again - again[0]) * 4.0),
        ("b", np.append(of_b, of_b[-1] + 30), np.append((of_b - of_b[0]) * 4.0 + 9000, STALE)),
    )
    for exporter, times, values in series:
        memory.write({"__name__": "twice_total", "exporter": exporter, "service": "x"}, times, values)
    item = counted("twice_total", name="twice", by=("service",), replicas=Replicas("exporter"))
    record(memory, a_map(item, name="twice"), FIRST + HOUR, LAST)
    points = memory.backend.query_range('cost:spend:rolling5m{price="twice"}', FIRST + HOUR, LAST, timedelta(minutes=1))
    values = [value for _, value in points[0].points]
    assert len(values) == 7 * 60 + 1
    assert min(values) > 1100
    assert max(values) < 1300
    assert sum(values) / len(values) == pytest.approx(1200, rel=0.002)


def test_models_that_occur_are_found(memory: Past) -> None:
    times = np.arange(unix(LAST) - 600, unix(LAST) + 1, 60)
    for model in ("gpt-4o", "own", "x" * 300):
        memory.write(
            {"__name__": "tokens_total", "gen_ai_request_model": model}, times, np.arange(times.size, dtype=np.float64)
        )
    item = counted("tokens_total", name="llm", catalogue=Catalogue("gen_ai_request_model", "type", ()), schedule=())
    other = counted("tokens_total", name="other")
    seen = models_seen([a_map(item, other)], memory.backend, LAST + 3 * HOUR)
    assert seen == {"llm": ("gpt-4o", "own")}


@pytest.mark.parametrize(("values", "evaluations", "expected"), [(5, 5, 2.0), (3, 5, 1.2), (5, 1, 2.0), (2, 2, 2.0)])
def test_values_count_for_each_evaluation_also_where_a_price_map_was_just_renamed(
    memory: Past, values: int, evaluations: int, expected: float
) -> None:
    now = utc(2026, 5, 1) + timedelta(hours=10 * values + evaluations)
    for name, count, value in (("spent", values, 2.0), ("info", evaluations, 1.0)):
        times = unix(now) - 60 * np.arange(count)[::-1]
        labels = {"__name__": name, "case": f"{values}-{evaluations}", "of": name}
        memory.write(labels, times, np.full(count, value))
    matcher = f'{{case="{values}-{evaluations}"}}'
    assert memory.value(each_evaluation(f"spent{matcher}", f"info{matcher}"), now) == pytest.approx(expected)
