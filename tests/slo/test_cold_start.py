from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from controlplane import conventions as names
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import ColumnarSeries, RemoteWriter, encoded_labels
from controlplane.model.rule import RecordingRule, RuleFile, RuleGroup
from controlplane.model.slo import SLO
from controlplane.specfile import SourceFile, read
from flyball.demo import servers
from flyball.kinds import KINDS
from slo import cold_start
from slo.compiler import CompileOptions, compile_rules
from slo.resolve import slos_from

MINUTE = timedelta(minutes=1)
SHARES: list[float] = []
END = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=1)
HOURS = 12  # of data, in a window of a day
PER_MINUTE, BAD_PER_MINUTE = 120, 3

RATIO = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: %s}
spec:
  service: shop
  indicator:
    metadata: {name: i}
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: Prometheus, spec: {query: '%s{code="500"}'}}}
        total: {metricSource: {type: Prometheus, spec: {query: '%s'}}}
  timeWindow: [{duration: 1d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{displayName: o, target: 0.9}]
"""


def slos_of(*texts: str) -> tuple[SLO, ...]:
    result = read([SourceFile("slo.yaml", "---".join(texts).encode())], KINDS)
    resolved = slos_from(result.documents)
    assert not [problem for problem in (*result.problems, *resolved.problems) if problem.severity.value == "error"]
    return tuple(resolved.slos)


SLOS = slos_of(RATIO % ("checkout", "requests_total", "requests_total"), RATIO % ("ghost", "none_total", "none_total"))


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusBackend]:
    folder: Path = tmp_path_factory.mktemp("prometheus")
    with servers.prometheus(folder, out_of_order="40d", block_duration="40d") as server:
        minutes = np.arange(HOURS * 60 + 1)
        times = round(END.timestamp() * 1000) - 60_000 * minutes[::-1]
        with RemoteWriter(server.url) as writer:
            for code, rate in (("200", PER_MINUTE - BAD_PER_MINUTE), ("500", BAD_PER_MINUTE)):
                labels = encoded_labels({"__name__": "requests_total", "code": code, "pod": "a"})
                writer.write_columns([ColumnarSeries(labels, times, 1000.0 + rate * minutes)])
            backend = PrometheusBackend(server.url)
            outcome = cold_start.backfill(cold_start.plan(SLOS, END), backend, writer)
            assert outcome.empty == ("ghost",)
            assert outcome.points == pytest.approx(2 * (HOURS * 12 + 371), abs=4)
            stages = cold_start.derived_rules(compile_rules(SLOS))
            course = cold_start.course_rules(stages, SLOS)
            start = END - timedelta(days=1) + 5 * MINUTE
            assert cold_start.evaluate_over(course, backend, writer, start=start, end=END, progress=SHARES.append) > 500
            assert cold_start.evaluate_once(stages, backend, writer, END) > 10
        yield backend
        backend.close()


def value(backend: PrometheusBackend, expr: str, at: datetime = END) -> float:
    (sample,) = backend.query(expr, at)
    return sample.value


def test_ledger_entries_add_up_to_the_events_that_there_were(backend: PrometheusBackend) -> None:
    for event, rate in (("all", PER_MINUTE), ("bad", BAD_PER_MINUTE)):
        total = value(backend, f'sum_over_time({names.LEDGER_EVENTS}{{slo="checkout",event="{event}"}}[1d])')
        assert total == pytest.approx(rate * 60 * HOURS, rel=0.01)


def test_the_rolling_pair_reaches_back_as_far_as_the_longest_burn_rate(backend: PrometheusBackend) -> None:
    assert value(backend, f'count_over_time({names.ROLLING_EVENTS}{{slo="checkout",event="all"}}[6h])') == 361
    last = value(backend, f'{names.ROLLING_EVENTS}{{slo="checkout",event="bad"}}')
    assert last == pytest.approx(5 * BAD_PER_MINUTE)


def test_missing_time_stays_missing_and_coverage_says_so(backend: PrometheusBackend) -> None:
    assert value(backend, f'{names.WINDOW_COVERAGE}{{slo="checkout"}}') == pytest.approx(HOURS / 24, abs=0.01)
    assert backend.query(f'{names.LEDGER_EVENTS}{{slo="ghost"}}', END) == []


def test_budget_and_burn_rates_are_there_before_any_rule_has_run(backend: PrometheusBackend) -> None:
    burning = BAD_PER_MINUTE / PER_MINUTE / 0.1
    for window in ("5m", "30m", "1h", "6h", "1d"):
        assert value(backend, f'{names.burn_rate(window)}{{slo="checkout"}}') == pytest.approx(burning, rel=0.01), (
            window
        )
    left = 1 - burning * HOURS / 24
    assert value(backend, f'{names.BUDGET_REMAINING}{{slo="checkout"}}') == pytest.approx(left, abs=0.01)


@pytest.mark.parametrize("hours_ago", [10, 6, 1])
def test_charts_of_the_budget_reach_back_over_the_window(backend: PrometheusBackend, hours_ago: int) -> None:
    then = END - timedelta(hours=hours_ago)
    share = (HOURS - hours_ago) / 24
    left = 1 - BAD_PER_MINUTE / PER_MINUTE / 0.1 * share
    recorded = {names.WINDOW_COVERAGE: share, names.BUDGET_REMAINING: left, names.burn_rate("1d"): 0.25}
    for series, expected in recorded.items():
        asked = f'last_over_time({series}{{slo="checkout"}}[15m])'
        assert value(backend, asked, then) == pytest.approx(expected, abs=0.01), series
    assert sorted(SHARES) == SHARES
    assert SHARES[-1] == 1


def test_shared_rules_have_a_past_too(backend: PrometheusBackend) -> None:
    stages = cold_start.derived_rules(compile_rules(SLOS, CompileOptions(shared_above=0)))
    with RemoteWriter(backend.address) as writer:
        course = cold_start.course_rules(stages, SLOS)
        cold_start.evaluate_over(course, backend, writer, start=END - timedelta(hours=1), end=END)
    query = f'last_over_time({names.BUDGET_REMAINING}{{slo="checkout",shard!=""}}[15m])'
    assert len(backend.query(query, END - 20 * MINUTE)) == 1


def test_the_course_is_coarse_until_the_last_day_and_ends_before_the_present(backend: PrometheusBackend) -> None:
    constant = [[RecordingRule("course", "vector(1)")]]
    with RemoteWriter(backend.address) as writer:
        start = END - timedelta(days=3)
        assert cold_start.evaluate_over(constant, backend, writer, start=start, end=END) == 2 * 96 + 288
        assert cold_start.evaluate_over(constant, backend, writer, start=END, end=END) == 0
        assert cold_start.evaluate_over(constant, backend, writer, start=END - 10 * MINUTE, end=END) == 2
    every_quarter = "min_over_time(count_over_time(course[15m])[2d:15m])"
    assert value(backend, every_quarter, END - 5 * MINUTE) >= 1


@pytest.mark.parametrize("shared_above", [1000, 0])
def test_the_past_carries_exactly_the_labels_of_the_rules(backend: PrometheusBackend, shared_above: int) -> None:
    files = compile_rules(SLOS, CompileOptions(shared_above=shared_above))
    for file in files:
        for group in file.groups:
            for rule in group.rules:
                if isinstance(rule, RecordingRule) and rule.record in (names.ROLLING_EVENTS, names.LEDGER_EVENTS):
                    live = {
                        frozenset({**sample.labels, **dict(rule.labels), "__name__": rule.record}.items())
                        for sample in backend.query(rule.expr, END)
                    }
                    past = {frozenset(sample.labels.items()) for sample in backend.query(rule.record, END)}
                    assert live <= past


def test_doing_it_again_changes_nothing(backend: PrometheusBackend) -> None:
    query = f"sum_over_time({names.LEDGER_EVENTS}[1d])"
    before = {sample.labels["event"]: sample.value for sample in backend.query(query, END)}
    with RemoteWriter(backend.address) as writer:
        cold_start.backfill(cold_start.plan(SLOS, END), backend, writer)
    assert {sample.labels["event"]: sample.value for sample in backend.query(query, END)} == before


def rules(**reads: str) -> list[RuleFile]:
    recorded = tuple(RecordingRule(name, expr) for name, expr in reads.items())
    return [RuleFile("f.yaml", (RuleGroup("g", timedelta(minutes=1), recorded),))]


def test_a_rule_comes_after_what_it_reads_wherever_it_stands() -> None:
    stages = cold_start.derived_rules(rules(c="sum_over_time(b[1h]) / a", b='2 * a{x="c"}', a="vector(1)"))
    assert [[rule.record for rule in stage] for stage in stages] == [["a"], ["b"], ["c"]]


def test_rules_that_read_each_other_are_an_error() -> None:
    with pytest.raises(ValueError, match="circle: a, b"):
        cold_start.derived_rules(rules(a="b", b="a"))
