"""Renamed SLOs keep their past: by rules that read the earlier name, or by copying, on a real Prometheus."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controlplane import conventions as names
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.model.rule import RecordingRule, RuleFile
from controlplane.model.series import Series
from controlplane.model.slo import SLO, CalendarUnit, CalendarWindow
from controlplane.rulefile import to_yaml
from controlplane.specfile import SourceFile
from flyball.demo import servers
from flyball.examining import examine
from flyball.history_copying import copy_history, renames_between
from slo.bridging import bridged_expression, renaming_problems
from slo.compiler import compile_rules
from slo.manifest import line_of, manifest_of
from tests.slo.slos import an_slo, good_requests, requests

NOW = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=1)
FIVE_MINUTES = timedelta(minutes=5)
ENTRIES = 8640  # of 30 days


def ledger(name: str, first: int, last: int, *, all_events: float, bad: float) -> list[Series]:
    """Entries `first` … `last` before now (the latest is 0), one every 5 minutes."""
    times = [NOW - entry * FIVE_MINUTES for entry in range(last, first - 1, -1)]
    return [
        Series({"__name__": names.LEDGER_EVENTS, "slo": name, "event": event}, tuple((at, value) for at in times))
        for event, value in (("all", all_events), ("bad", bad))
    ]


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusBackend]:
    """A Prometheus that has a month of `old`, of which the last hour was recorded as `new`, and a month of `copied`."""
    folder = tmp_path_factory.mktemp("prometheus")
    with servers.prometheus(folder, out_of_order="40d", block_duration="31d") as server:
        with RemoteWriter(server.url) as writer:
            writer.write(ledger("old", 12, ENTRIES - 1, all_events=100, bad=0.05))
            writer.write(ledger("new", 0, 11, all_events=100, bad=1))
            writer.write(ledger("copied", 12, ENTRIES - 1, all_events=100, bad=0.05))
        yield PrometheusBackend(server.url)


def value(backend: PrometheusBackend, files: tuple[RuleFile, ...], record: str, **labels: str) -> float | None:
    """What a recording rule would write now."""
    rules = [rule for file in files for group in file.groups for rule in group.rules]
    expr = next(rule.expr for rule in rules if isinstance(rule, RecordingRule) and rule.record == record)
    found = [s.value for s in backend.query(expr, NOW) if labels.items() <= s.labels.items()]
    assert len(found) <= 1
    return found[0] if found else None


def test_totals_and_coverage_of_a_renamed_slo_count_its_past(backend: PrometheusBackend) -> None:
    plain = compile_rules([an_slo("new", requests("shop"))])
    assert value(backend, plain, names.total_events("30d"), event="all") == 12 * 100
    bridged = compile_rules([an_slo("new", requests("shop"), renamed_from=("old",))])
    assert value(backend, bridged, names.total_events("30d"), event="all") == ENTRIES * 100
    assert value(backend, bridged, names.total_events("30d"), event="bad") == pytest.approx(12 + (ENTRIES - 12) * 0.05)
    assert value(backend, bridged, names.WINDOW_COVERAGE) == 1
    one_more = pytest.approx(12 + 276 * 0.05, abs=0.051)  # the end of a range is in it before Prometheus 3
    assert value(backend, bridged, names.bad_events("1d")) == one_more


def test_rules_that_read_earlier_names_load_and_give_series_of_the_new_name_only(
    backend: PrometheusBackend, promtool: str, tmp_path: Path
) -> None:
    files = compile_rules([an_slo("new", good_requests("shop"), renamed_from=("old", "older"))])
    (tmp_path / "rules.yaml").write_text(to_yaml(files[0]))
    subprocess.run([promtool, "check", "rules", tmp_path / "rules.yaml"], check=True)
    rules = [rule for group in files[0].groups for rule in group.rules]
    read = [rule for rule in rules if "old|older" in rule.expr]
    assert {names.total_events("30d"), names.WINDOW_COVERAGE} <= {getattr(rule, "record", "") for rule in read}
    assert all("old" not in str(sample.labels) for rule in read for sample in backend.query(rule.expr, NOW))


def test_copying_gives_the_new_name_the_same_samples_at_the_same_times(backend: PrometheusBackend) -> None:
    before, after = an_slo("copied", requests("shop")), an_slo("copy", requests("shop"), service="other")
    renames = renames_between(manifest_of([line_of(before)], {}), [line_of(after)])
    assert [(earlier, slo.name) for earlier, slo in renames] == [("copied", "copy")]
    for _ in range(2):  # a second time changes nothing
        with RemoteWriter(backend.address) as writer:
            (copied,) = copy_history(renames, backend, writer, NOW)
    assert copied.samples == 2 * (ENTRIES - 12)
    asked = '{__name__="slo:sli_events:ledger5m",slo="SLO"}[30d]'
    original, copy = (
        [(s.labels["event"], s.at, s.value) for s in backend.query(asked.replace("SLO", name), NOW)]
        for name in ("copied", "copy")
    )
    assert copy == original


def test_a_calendar_window_keeps_the_past_of_its_current_period(backend: PrometheusBackend) -> None:
    window = CalendarWindow(1, CalendarUnit.MONTH, "2026-01-01T00:00:00", "UTC")
    ages = {"1780272000": timedelta(hours=1), "1777593600": timedelta(days=20)}
    with RemoteWriter(backend.address) as writer:
        for period, age in ages.items():
            labels = {"__name__": names.PERIOD_EVENTS, "slo": "orders", "event": "all", "period": period}
            writer.write([Series(labels, ((NOW - age, 7.0),))])
        renamed = replace(an_slo("carts", requests("shop")), window=window)
        (copied,) = copy_history([("orders", renamed)], backend, writer, NOW)
    found = backend.query(f'{names.PERIOD_EVENTS}{{slo="carts"}}[30d]', NOW)
    assert [(sample.value, NOW - sample.at, sample.labels["period"]) for sample in found] == [
        (7, timedelta(hours=1), "1780272000")
    ]
    assert copied.samples == 1
    rules = compile_rules([replace(renamed, renamed_from=("orders",))])
    read = [rule.expr for file in rules for group in file.groups for rule in group.rules if "carts|orders" in rule.expr]
    assert any(f'sum_over_time({names.PERIOD_EVENTS}{{slo=~"carts|orders"}}[' in expr for expr in read)


def test_only_sums_over_the_slos_own_past_are_bridged() -> None:
    def bridged(expr: str) -> str:
        return bridged_expression(expr, "new", ("old",))

    for expr in (
        'avg_over_time(slo:sli_events:rolling5m{slo="new"}[5m])',
        'sum_over_time(slo:sli_events:ledger5m{slo="other"}[1d])',
        'sum_over_time(http_requests_total{slo="new"}[1d])',
        'sum_over_time(slo:sli_events:ledger5m{slo=~"new|x"}[1d])',
        'slo:sli_events:ledger5m{slo="new"}',
    ):
        assert bridged(expr) == expr
    assert bridged('1 - sum_over_time(slo:sli_events:ledger5m{event="all", slo="new"}[1d] offset 5m) # x') == (
        '1 - label_replace(sum without (slo) (sum_over_time(slo:sli_events:ledger5m{event="all", slo=~"new|old"}[1d]'
        ' offset 5m)), "slo", "new", "", "") # x'
    )


def test_an_earlier_name_that_is_in_use_or_claimed_twice_is_a_problem() -> None:
    def messages(*slos: SLO) -> list[str]:
        return [problem.message for problem in renaming_problems(slos)]

    assert messages(an_slo("a", requests("x"), renamed_from=("b",)), an_slo("b", requests("y"))) == [
        "`b` is still an SLO here"
    ]
    twice = [an_slo(name, requests(name), renamed_from=("old",)) for name in ("a", "b")]
    assert messages(*twice) == ["`old` cannot become two SLOs"]


PYRRA = """apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: new, namespace: shop, annotations: {flyball.dev/renamed-from: 'old, older'}}
spec:
  target: "99"
  window: 2w
  indicator:
    ratio:
      errors: {metric: 'http_requests_total{job="x",code=~"5.."}'}
      total: {metric: 'http_requests_total{job="x"}'}
"""
OPENSLO = """apiVersion: openslo/v1
kind: SLO
metadata: {name: new, annotations: {flyball.dev/renamed-from: 'old, older'}}
spec:
  service: shop
  indicator:
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: Prometheus, spec: {query: 'x_total{code="500"}'}}}
        total: {metricSource: {type: Prometheus, spec: {query: x_total}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.999}]
"""


@pytest.mark.parametrize("text", [PYRRA, OPENSLO])
def test_the_annotation_is_read_in_every_dialect_that_has_annotations(text: str) -> None:
    (slo,) = examine([SourceFile("slo.yaml", text.encode())]).slos
    assert slo.renamed_from == ("old", "older")
    wrong = examine([SourceFile("slo.yaml", text.replace("old, older", "Old").encode())])
    assert any("`Old` is not the name of an SLO" in problem.message for problem in wrong.problems)
