"""What is read back from a Prometheus is what the live reader read at the time."""

import math
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.model.budget import Budget
from controlplane.model.slo import RollingWindow
from finops.ladder.model import Brake, Ladder, Measure
from finops.ladder.readings import Quality, Reading, Readings
from finops.ladder.signals.reader import SignalReader
from finops.ladder.signals.scopes import MoneyScope, Scopes
from finops.ladder.simulation.model import History
from finops.ladder.simulation.part_queries import timeless
from finops.ladder.simulation.recorded import Recorded, recorded_history
from tests.finops.ladder.ladders import a_ladder, a_signal
from tests.finops.ladder.simulation.examples import HERE
from tests.slo.evaluating import Past, past, unix, utc

BEGIN, END = utc(2026, 3, 11, 10), utc(2026, 3, 11, 12)
SCOPES = Scopes(budgets={"llm": MoneyScope("USD", (("resource", ("llm",)),))})
SIGNALS = (
    a_signal("llm-burn", Measure.BURN_RATE),
    a_signal("llm-spike", Measure.SPIKE, window=None, floor_per_hour=Decimal(12)),
    a_signal("llm-forecast", Measure.FORECAST, window=None),
    a_signal("own", Measure.QUERY, subject="", window=None, query="sum(queue) / 2", per_hour_query="max(queue) / 10"),
    a_signal("two", Measure.QUERY, subject="", window=None, query="queue"),
    a_signal("nobody", Measure.BURN_RATE, subject="nobody"),
    a_signal("traffic", Measure.ANOMALY, subject="traffic", window=None),
    a_signal("unusual", Measure.SPIKE, window=None, floor_per_hour=Decimal(12), detector="traffic"),
)
LADDER: Ladder = a_ladder(
    signals=SIGNALS, every=timedelta(minutes=1), brakes=(Brake("flow", Decimal(0), 1, True, HERE),)
)


def write(into: Past) -> None:
    """Three hours with a hole of 20 minutes in what is recorded, and a source that falls silent for 15."""
    minute = np.arange(unix(BEGIN) - 3600, unix(END) + 1, 60)
    known = minute[(minute < unix(BEGIN) + 1800) | (minute >= unix(BEGIN) + 3000)]
    five = minute[::5]
    of = {"budget": "llm", "currency": "USD"}
    wave = 2 + np.sin(known / 900)
    into.write({"__name__": "budget:burn_rate:1h", **of}, known, wave)
    into.write({"__name__": "budget:spend:sum1h", **of}, known, wave * 7)
    into.write({"__name__": "budget:expected:sum1h", **of}, known, np.full(known.size, 7.0))
    into.write({"__name__": "budget:spend:rolling5m", **of}, known, wave * 7 / 12)
    into.write({"__name__": "budget:usual:1h", "of": "days", **of}, five, np.full(five.size, 5.0))
    into.write({"__name__": "budget:forecast:ratio", "basis": "pace", **of}, five, 0.9 + 0.1 * np.cos(five / 2000))
    into.write({"__name__": "budget:amount", **of}, five, np.full(five.size, 5000.0))
    into.write({"__name__": "budget:window_end:seconds", **of}, five, np.full(five.size, unix(END) + 86_400.0))
    of = {"detector": "traffic", "service": "gateway"}
    is_open = (minute > unix(BEGIN) + 3000) & (minute < unix(BEGIN) + 5000)
    into.write({"__name__": "anomaly_open", "output": "point", **of}, minute, is_open.astype(float))
    told = minute < unix(BEGIN) + 6300  # then they are too old
    into.write({"__name__": "anomaly_score", **of}, minute[told], np.where(is_open, 3.0, 0.5)[told])
    for pod in ("a", "b"):
        into.write({"__name__": "queue", "pod": pod}, minute, 50 + 10 * np.sin(minute / 600 + len(pod)))
    into.write({"__name__": "slo:error_budget_remaining:ratio", "slo": "flow"}, five, 0.4 * np.cos(five / 3000))
    taken = np.where((minute > unix(BEGIN) + 5000) & (minute < unix(BEGIN) + 5900), unix(BEGIN) + 5000, minute - 20)
    into.write({"__name__": "cost:usage:timestamp_seconds", "price": "tokens"}, minute, taken.astype(float))
    into.write({"__name__": "cost:spend:ledger5m", "price": "tokens", "resource": "llm", "currency": "USD"},
               five, np.full(five.size, 0.5))  # fmt: skip


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusBackend]:
    with past(tmp_path_factory.mktemp("prometheus")) as into:
        write(into)
        found = PrometheusBackend(into.url)
        yield found
        found.close()


@pytest.fixture(scope="module")
def history(backend: PrometheusBackend) -> History:
    return recorded_history(LADDER, Recorded(backend, SCOPES, users_query="sum(queue)"), BEGIN, END)


def same(live: Reading, replayed: Reading) -> bool:
    if live.quality is not replayed.quality or (live.value is None) is not (replayed.value is None):
        return False
    pairs = ((live.value, replayed.value), (live.per_hour, replayed.per_hour))
    return all(
        one is other or (one is not None and other is not None and math.isclose(one, other, rel_tol=1e-9))
        for one, other in pairs
    )


def test_every_reading_is_the_one_that_a_live_ladder_had(history: History, backend: PrometheusBackend) -> None:
    reader = SignalReader(backend, SCOPES)
    seen: dict[str, set[Quality]] = {}
    values: dict[str, set[bool]] = {}
    for place in range(0, len(history.points), 5):  # where what is asked every five minutes is asked as well
        replayed = history.points[place].readings
        live: Readings = reader.read(LADDER, replayed.at, {})
        for name, reading in live.signals.items():
            assert same(reading, replayed.signals[name]), (place, name, reading, replayed.signals[name])
            seen.setdefault(name, set()).add(reading.quality)
            values.setdefault(name, set()).add(bool(reading.value))
        assert same(live.brakes["flow"], replayed.brakes["flow"])
    assert seen["llm-burn"] == {Quality.GOOD, Quality.MISSING, Quality.STALE}
    assert seen["own"] == {Quality.GOOD}
    assert seen["traffic"] == {Quality.GOOD, Quality.MISSING}
    assert seen["unusual"] == {Quality.GOOD, Quality.MISSING, Quality.STALE}
    assert values["traffic"] == values["unusual"] == {True, False}
    assert seen["two"] == {Quality.CONTRADICTORY}
    assert seen["nobody"] == {Quality.MISSING}


def test_users_are_those_of_the_query(history: History) -> None:
    users = [point.users for point in history.points]
    assert all(count is not None and 80 < count < 121 for count in users)


@pytest.mark.parametrize(
    ("expr", "asked"),
    [
        ("max (timestamp(up))", "max (((up > bool 0) * 0 + time()))"),
        ('timestamp(up{a="(timestamp("})', '((up{a="(timestamp("} > bool 0) * 0 + time())'),
        ("max_over_time(timestamp(up)[10m:1m])", "max_over_time(((up > bool 0) * 0 + time())[10m:1m])"),
        ("my_timestamp(up)", "my_timestamp(up)"),
        ('label_replace(up, "a", "timestamp(x)", "", "")', 'label_replace(up, "a", "timestamp(x)", "", "")'),
    ],
)
def test_times_of_samples_are_asked_for_in_linear_time(expr: str, asked: str) -> None:
    assert timeless(expr) == asked


def test_what_was_not_recorded_yet_is_computed_from_the_ledger(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    budget = Budget("llm", Decimal(720), "USD", RollingWindow(timedelta(days=30)), HERE)
    burning = a_ladder(signals=SIGNALS[:1], every=timedelta(minutes=1))
    with past(tmp_path_factory.mktemp("young")) as into:
        five = np.arange(unix(BEGIN) - 7200, unix(END) + 1, 300)
        of = {"budget": "llm", "currency": "USD"}
        into.write({"__name__": "budget:spend:ledger5m", **of}, five, np.full(five.size, 0.25))
        late = np.arange(unix(BEGIN) + 3600, unix(END) + 1, 60)
        for name, value in (("burn_rate:1h", 9.0), ("spend:sum1h", 9.0), ("spend:rolling5m", 0.75)):
            into.write({"__name__": f"budget:{name}", **of}, late, np.full(late.size, value))
        found = recorded_history(burning, Recorded(into.backend, budgets={"llm": budget}), BEGIN, END)
    values = [point.readings.signals["llm-burn"].value for point in found.points]
    assert [round(value or 0, 9) for value in values] == [3] * 60 + [9] * 60  # a quarter in 5 minutes is 3 an hour
    assert found.notes == (
        "llm-burn was not recorded up to 2026-03-11 11:00 UTC: it is computed from the ledger of llm.",
    )
