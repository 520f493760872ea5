"""The rules of a unit cost in a real Prometheus with a past of three days, against an independent computation.

The past is not kind: scrapes every 30 s with jitter, counters that reset, a cost exporter that is silent and comes back
late, a gap in the scrapes, a connector that stands still and one that nobody counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from numpy.typing import NDArray

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import STALE, ColumnarSeries, RemoteWriter, encoded_labels
from controlplane.model.rule import RecordingRule, RuleGroup
from exporters.unit_cost.rules import rule_files
from flyball.demo import servers
from tests.exporters.unit_cost.unit_costs import a_unit_cost

START = datetime.fromisoformat("2026-11-02T00:00:00+00:00")
DAYS = 3
END = START + timedelta(days=DAYS)
SCRAPES = DAYS * 2880
MINUTES = DAYS * 1440
PER = 1000
LAG = 4  # minutes by which means of 5-minute sums are late on average, money and units alike


@dataclass(frozen=True)
class Truth:
    """What happened, minute by minute: units, money, and whether each was observed."""

    units: NDArray[np.float64]
    money: NDArray[np.float64]
    counted: NDArray[np.bool_]
    billed: NDArray[np.bool_]

    def unit_cost(self, hours: int) -> float:
        """Money for 1,000 units over the last hours, of the minutes in which both were observed."""
        both = self.counted & self.billed
        return self._quotient(hours, both, both)

    def naive(self, hours: int) -> float:
        """The same from all that was observed of either: wrong wherever one of them has a gap."""
        return self._quotient(hours, self.billed, self.counted)

    def _quotient(self, hours: int, billed: NDArray[np.bool_], counted: NDArray[np.bool_]) -> float:
        start = max(MINUTES - 60 * hours - LAG, 0)
        money, units = (
            np.where(known, values, 0)[start : MINUTES - LAG].sum()
            for known, values in ((billed, self.money), (counted, self.units))
        )
        return float(PER * money / units)


def truths() -> dict[str, Truth]:
    """Connectors with days and nights; units and money do not move together."""
    random = np.random.default_rng(4)
    minute = np.arange(MINUTES)
    day = 1 + 0.8 * np.sin(2 * np.pi * minute / 1440)
    everything = np.ones(MINUTES, dtype=bool)
    silent, gap = everything.copy(), everything.copy()
    silent[3000:3360] = False  # six hours without cost data, some of them busy
    gap[3700:3820] = False  # two hours without scrapes
    late = everything.copy()
    late[: MINUTES - 2000] = False  # the cost exporter was installed a day after the counter
    flat = np.full(MINUTES, 0.02)
    return {
        "jdbc": Truth(600 * day * random.uniform(0.5, 1.5, MINUTES), flat, gap, silent),
        "kafka": Truth(90 * day, 0.01 * (2 - day), everything, late),
        "still": Truth(np.zeros(MINUTES), flat, everything, everything),
    }


class Recorder:
    """Evaluates rules as Prometheus would have, one after the other, with its marks where a series ends."""

    def __init__(self, backend: PrometheusBackend, writer: RemoteWriter) -> None:
        self.backend = backend
        self._writer = writer

    def record(self, group: RuleGroup, end: datetime = END) -> None:
        for rule in group.rules:
            if isinstance(rule, RecordingRule):
                self._record(rule, group.interval, end)

    def _record(self, rule: RecordingRule, step: timedelta, end: datetime) -> None:
        for series in self.backend.query_range(rule.expr, START, end, step):
            at = np.array([round(time.timestamp() * 1000) for time, _ in series.points])
            values = np.array([value for _, value in series.points])
            ended = at + round(step.total_seconds() * 1000)
            ended = ended[~np.isin(ended, at) & (ended <= end.timestamp() * 1000)]
            order = np.argsort(np.concatenate([at, ended]))
            columns = ColumnarSeries(
                encoded_labels({**series.labels, "__name__": rule.record, **dict(rule.labels)}),
                np.concatenate([at, ended])[order],
                np.concatenate([values, np.full(len(ended), STALE)])[order],
            )
            self._writer.write_columns([columns])

    def value(self, expr: str) -> float | None:
        found = self.backend.query(expr, END)
        assert len(found) <= 1, found
        return found[0].value if found else None


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorder]:
    folder = tmp_path_factory.mktemp("prometheus")
    with servers.prometheus(
        folder, out_of_order="14600d", block_duration="14600d", retention="14600d"
    ) as server, RemoteWriter(server.url) as writer:  # fmt: skip
        backend = PrometheusBackend(server.url)
        for connector, truth in truths().items():
            _write_counter(writer, connector, truth)
            _write_spend(writer, connector, truth)
        uncounted = Truth(np.zeros(MINUTES), np.full(MINUTES, 0.02), np.zeros(MINUTES, bool), np.ones(MINUTES, bool))
        _write_spend(writer, "uncounted", uncounted)
        _write_spend(writer, "jdbc", uncounted, currency="EUR")
        recorder = Recorder(backend, writer)
        (file,) = rule_files([a_unit_cost(per=Decimal(PER))])
        for group in file.groups:
            recorder.record(group)
        yield recorder
        backend.close()


def _write_counter(writer: RemoteWriter, connector: str, truth: Truth) -> None:
    """Two pods that share the work; one is replaced after 20 hours, so that its counter starts anew."""
    jitter = np.random.default_rng(100 + len(connector)).integers(-900, 900, SCRAPES)
    at = round(START.timestamp() * 1000) + np.arange(SCRAPES) * 30_000 + 30_000 + jitter
    half = np.repeat(truth.units / 2, 2) / 2
    seen = np.repeat(truth.counted, 2)
    for pod, counter in (
        ("a", np.cumsum(half)),
        ("b", np.concatenate([np.cumsum(half[:2400]), np.cumsum(half[2400:])])),
    ):
        labels = {"__name__": "ingest_events_total", "job": "ingest", "connector": connector, "pod": pod}
        ends = np.flatnonzero(seen[:-1] & ~seen[1:]) + 1
        marked = counter.copy()
        marked[ends] = STALE
        kept = seen.copy()
        kept[ends] = True
        writer.write_columns([ColumnarSeries(encoded_labels(labels), at[kept], marked[kept])])


def _write_spend(writer: RemoteWriter, connector: str, truth: Truth, currency: str = "USD") -> None:
    """As the rules of a PriceMap do: money of the last 5 minutes, every minute, from two prices, and marks of ends."""
    rolling = np.convolve(truth.money, np.ones(5))[:MINUTES]
    at = round(START.timestamp() * 1000) + (np.arange(MINUTES) + 1) * 60_000
    ends = np.flatnonzero(truth.billed[:-1] & ~truth.billed[1:]) + 1
    kept = truth.billed.copy()
    kept[ends] = True
    for price, part in (("pods", 0.75), ("bytes", 0.25)):
        values = rolling * part
        values[ends] = STALE
        labels = {"__name__": "cost:spend:rolling5m", "service": "ingest", "connector": connector, "price": price,
                  "currency": currency}  # fmt: skip
        writer.write_columns([ColumnarSeries(encoded_labels(labels), at[kept], values[kept])])


@pytest.mark.parametrize("connector", ["jdbc", "kafka"])
@pytest.mark.parametrize(("window", "hours"), [("1h", 1), ("1d", 24), ("30d", 24 * DAYS)])
def test_a_unit_cost_is_that_of_the_minutes_in_which_both_sides_are_known(
    recorder: Recorder, connector: str, window: str, hours: int
) -> None:
    found = recorder.value(f'unit_cost:ratio:{window}{{connector="{connector}",currency="USD"}}')
    truth = truths()[connector]
    assert found == pytest.approx(truth.unit_cost(hours), rel=0.012 if hours == 1 else 0.006)


def test_gaps_that_are_not_paired_would_be_seen(recorder: Recorder) -> None:
    """The test is worth something: what is not paired is off by far more than what the rules are off by."""
    for connector, hours in (("jdbc", 24 * DAYS), ("kafka", 24 * DAYS)):
        truth = truths()[connector]
        assert abs(truth.naive(hours) / truth.unit_cost(hours) - 1) > 0.02


def test_without_units_there_is_no_value_and_the_money_is_kept_apart(recorder: Recorder) -> None:
    assert recorder.value('unit_cost:ratio{connector="still"}') is None
    assert recorder.value('unit_cost:ratio{connector="uncounted"}') is None
    spent = recorder.value('sum_over_time(unit_cost:spend:ledger5m{connector="still"}[1d])')
    assert spent == pytest.approx(0.02 * 1440, rel=0.01)
    unpaired = recorder.value('sum_over_time(unit_cost:unpaired_spend:ledger5m{connector="uncounted"}[1d])')
    assert unpaired == pytest.approx(0.02 * 1440, rel=0.01)


def test_other_currencies_are_left_out(recorder: Recorder) -> None:
    assert recorder.value('count(unit_cost:spend:ledger5m{currency="EUR"})') is None
    assert recorder.value("count(count by (currency) (unit_cost:ratio))") == 1


def test_coverage_tells_the_share_of_the_window_in_which_both_were_known(recorder: Recorder) -> None:
    truth = truths()["jdbc"]
    found = recorder.value('unit_cost:window_coverage:1d{connector="jdbc"}')
    assert found == pytest.approx((truth.counted & truth.billed)[-1440:].mean(), abs=0.012)
